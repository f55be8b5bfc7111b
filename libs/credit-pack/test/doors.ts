import { Transactions } from '#database';
import { exchanges, Refusal, type Exchange } from '#protocol';
import { AnnouncedOfferRepository } from '../src/peers/announced-offer.repository.js';
import { AnnouncementService } from '../src/peers/announcement.service.js';
import { AgreementService } from '../src/peers/agreement.service.js';
import { VoteService } from '../src/peers/vote.service.js';
import { ConfirmationService } from '../src/purchase/confirmation.service.js';
import { OutgoingAnnouncement } from '../src/purchase/outbox.entity.js';
import { PurchaseRepository } from '../src/purchase/purchase.repository.js';
import { QuoteService } from '../src/purchase/quote.service.js';
import { StatusService } from '../src/purchase/status.service.js';
import { StorageRetryService } from '../src/purchase/storage-retry.service.js';
import { closestAgreeingTo } from '../src/purchase/storage-retry.rules.js';
import type { Node } from './harness.js';

/** Every line on which something about a purchase is said. */
export type PurchaseLine = Exclude<keyof typeof exchanges, 'usageRequest'>;
type Door = (node: Node, message: never) => Promise<unknown>;

/** What the controllers call. */
const doors: Readonly<Record<PurchaseLine, Door>> = {
  purchaseRequest: (node, message) => node.get(QuoteService).quote(message),
  quoteResponse: (node, message) => node.get(AgreementService).answer(message),
  priceAgreement: (node, message) => node.get(VoteService).vote(message),
  purchaseStatus: (node, message) => node.get(StatusService).status(message),
  confirmation: (node, message) => node.get(ConfirmationService).confirm(message),
  responseAnnouncement: (node, message) => node.get(AnnouncementService).offer(message),
  confirmationAnnouncement: (node, message) => node.get(AnnouncementService).confirmation(message),
  storageAnnouncement: (node, message) => node.get(AnnouncementService).completion(message),
  storageRetry: (node, message) => node.get(StorageRetryService).retry(message),
  storageRetryAnnouncement: (node, message) => node.get(AnnouncementService).storageRetry(message),
};

export const lineOf = (line: PurchaseLine): Exchange => exchanges[line];
/** Says it to the node; gives the answer, which is undefined where there is an acknowledgement only. Rejects with a Refusal. */
export const sayTo = (node: Node, line: PurchaseLine, message: object): Promise<unknown> => doors[line](node, message as never);
export const isRefusal = (error: unknown): error is Refusal => error instanceof Refusal;
export const closestAgreeing = (node: Node[], buyer: string, agreeing: readonly string[]): Node =>
  node.find(({ pastelId }) => pastelId === closestAgreeingTo(buyer, agreeing))!;

/** How a purchase stands at the supernode that sells it. */
export const purchaseAt = (node: Node, requestHash: string) => node.get(PurchaseRepository).find(requestHash);
/** What a node was told of purchases at others. */
export const toldAt = (node: Node, requestHash: string) => node.get(AnnouncedOfferRepository).ofRequest(requestHash);
/** Announcements that a node still owes. */
export const owedBy = (node: Node): Promise<number> => node.get(Transactions).reader.count(OutgoingAnnouncement);

/** For comparing a tally with the shares that the issue of a purchase hangs on. */
export { terminationReasonOf, TOO_FEW_AGREED, TOO_FEW_ANSWERED } from '../src/peers/agreement.rules.js';
