import { Injectable } from '@nestjs/common';
import { IsNull, LessThan, MoreThanOrEqual, Not, type EntityManager } from 'typeorm';
import { isUniqueViolation, Transactions } from '#database';
import type { CreditPackPurchaseRequestConfirmation, CreditPackPurchaseRequestConfirmationResponse } from '#protocol';
import { AnnouncedOffer, AnnouncedStorageRetry, BrokenAgreementRow, PriceVote, StorageRetry } from './announced-offer.entity.js';
import type { BrokenAgreement } from '../ledger/agreed-prices.js';
import { OutgoingAnnouncement } from '../purchase/outbox.entity.js';
import { Purchase } from '../purchase/purchase.entity.js';

const VOTES_MAX = 200;

/** The tracking address that a buyer names. */
export interface BuyersAddress {
  readonly trackingAddress: string;
  readonly pastelId: string;
}

/** What this node knows of purchases at other supernodes. */
@Injectable()
export class AnnouncedOfferRepository {
  constructor(private readonly transactions: Transactions) {}

  find(responseHash: string): Promise<AnnouncedOffer | null> {
    return this.transactions.reader.findOneBy(AnnouncedOffer, { responseHash });
  }
  ofRequest(requestHash: string): Promise<AnnouncedOffer[]> {
    return this.transactions.reader.find(AnnouncedOffer, { where: { requestHash }, order: { createdAt: 'DESC' }, take: 20 });
  }
  /** Whether the supernode made another offer than this for the same request: an honest one repeats its first. */
  hasAnotherOffer(supernodePastelId: string, requestHash: string, responseHash: string): Promise<boolean> {
    return this.transactions.reader.existsBy(AnnouncedOffer, { supernodePastelId, requestHash, responseHash: Not(responseHash) });
  }
  /** How many offers of a supernode can still be paid. */
  countPayableFrom(supernodePastelId: string, tip: number): Promise<number> {
    return this.transactions.reader.countBy(AnnouncedOffer, { supernodePastelId, lastBurnHeight: MoreThanOrEqual(tip) });
  }
  /** False where the supernode has made another offer for the same request. The same again changes nothing. */
  async add(offer: AnnouncedOffer): Promise<boolean> {
    const isNew = await unlessThere(
      this.transactions.run('purchase peer: offer stored', (manager) => manager.insert(AnnouncedOffer, offer as never)),
    );
    return isNew || (await this.transactions.reader.existsBy(AnnouncedOffer, { responseHash: offer.responseHash }));
  }
  /** False when another confirmation is there already. */
  async confirm(responseHash: string, confirmation: CreditPackPurchaseRequestConfirmation): Promise<boolean> {
    const criteria = { responseHash, confirmation: IsNull() };
    const { affected } = await this.transactions.run('purchase peer: confirmation noted', (manager) =>
      manager.update(AnnouncedOffer, criteria, { confirmation }),
    );
    return affected === 1;
  }
  async complete(responseHash: string, confirmationResponse: CreditPackPurchaseRequestConfirmationResponse): Promise<void> {
    const criteria = { responseHash, confirmationResponse: IsNull() };
    await this.transactions.run('purchase peer: completion noted', (manager) =>
      manager.update(AnnouncedOffer, criteria, { confirmationResponse }),
    );
  }

  voteOn(questionHash: string): Promise<PriceVote | null> {
    return this.transactions.reader.findOneBy(PriceVote, { questionHash });
  }
  async addVote(vote: PriceVote): Promise<void> {
    await unlessThere(this.transactions.run('purchase peer: vote stored', (manager) => manager.insert(PriceVote, vote)));
  }
  /** Every vote for a pack on that address that is still remembered; a buyer needs few. */
  votesFor(trackingAddress: string): Promise<PriceVote[]> {
    return this.transactions.reader.find(PriceVote, {
      where: { trackingAddress },
      order: { createdAt: 'DESC' },
      take: VOTES_MAX,
    });
  }
  /** False where it is on record already. */
  async addBrokenAgreement(
    manager: EntityManager,
    registrationTxid: string,
    { agreedPrices, ...broken }: BrokenAgreement,
    notedAt: number,
  ): Promise<boolean> {
    if (await manager.existsBy(BrokenAgreementRow, { registrationTxid })) return false;
    const row = { registrationTxid, ...broken, agreedPrices: JSON.stringify(agreedPrices), notedAt };
    await manager.insert(BrokenAgreementRow, row);
    return true;
  }
  async takeBackVote(questionHash: string): Promise<void> {
    await this.transactions.run('purchase peer: vote taken back', (manager) => manager.delete(PriceVote, { questionHash }));
  }
  /** Whether a vote was given, or an offer announced, since that height for a pack of somebody else on the same address. */
  async isAddressOfAnother({ trackingAddress, pastelId }: BuyersAddress, votedSince: number, tip: number): Promise<boolean> {
    const ofAnother = { trackingAddress, pastelId: Not(pastelId) };
    const { reader } = this.transactions;
    return (
      (await reader.existsBy(PriceVote, { ...ofAnother, height: MoreThanOrEqual(votedSince) })) ||
      (await reader.existsBy(AnnouncedOffer, { ...ofAnother, lastBurnHeight: MoreThanOrEqual(tip) })) ||
      (await reader.existsBy(Purchase, { openAddress: trackingAddress, pastelId: Not(pastelId) }))
    );
  }

  storageRetry(retryHash: string): Promise<StorageRetry | null> {
    return this.transactions.reader.findOneBy(StorageRetry, { retryHash });
  }
  async addStorageRetry(retry: StorageRetry): Promise<void> {
    await unlessThere(
      this.transactions.run('storage retry: request stored', (manager) => manager.insert(StorageRetry, retry as never)),
    );
  }
  async noteRegistration(retryHash: string, registrationTxid: string): Promise<void> {
    await this.transactions.run('storage retry: registration noted', (manager) =>
      manager.update(StorageRetry, { retryHash }, { registrationTxid }),
    );
  }
  /** False when it was answered meanwhile. */
  answerStorageRetry(
    retryHash: string,
    answer: NonNullable<StorageRetry['answer']>,
    announcements: readonly OutgoingAnnouncement[],
  ): Promise<boolean> {
    return this.transactions.run('storage retry: answer stored', async (manager) => {
      const changes = { answer, registrationTxid: answer.pastel_api_credit_pack_ticket_registration_txid };
      const { affected } = await manager.update(StorageRetry, { retryHash, answer: IsNull() }, changes);
      if (affected === 1 && announcements.length > 0) await manager.insert(OutgoingAnnouncement, [...announcements]);
      return affected === 1;
    });
  }
  openStorageRetries(limit: number): Promise<StorageRetry[]> {
    return this.transactions.reader.find(StorageRetry, {
      where: { answer: IsNull() },
      order: { createdAt: 'ASC' },
      take: limit,
    });
  }
  async addAnnouncedStorageRetry(retry: AnnouncedStorageRetry): Promise<void> {
    await unlessThere(
      this.transactions.run('storage retry: announced copy stored', (manager) =>
        manager.insert(AnnouncedStorageRetry, retry as never),
      ),
    );
  }

  /** Forgets what nobody will ask for any more. */
  async purge(before: number, votesBefore: number): Promise<void> {
    const old = { createdAt: LessThan(before) };
    await this.transactions.run('purchase peer: old messages deleted', async (manager) => {
      await manager.delete(PriceVote, { createdAt: LessThan(votesBefore) });
      await manager.delete(StorageRetry, old);
      await manager.delete(AnnouncedStorageRetry, old);
      await manager.delete(AnnouncedOffer, old);
    });
  }
}

/** Whether it was stored; false where something with one of its keys was there already. */
async function unlessThere(storing: Promise<unknown>): Promise<boolean> {
  try {
    await storing;
    return true;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    return false;
  }
}
