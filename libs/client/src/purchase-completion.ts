import {
  CreditPackPurchaseRequestConfirmation,
  CreditPackRequestStatusCheck,
  exchanges,
  readTicket,
  requestInFields,
  seal,
  TicketError,
  type CreditPackPurchaseRequestResponse,
} from '#protocol';
import { closestTo } from './choice.js';
import { SupernodeRefused, SupernodeUnreachable } from './errors.js';
import { roundedPatoshis } from './offer.rules.js';
import { messageText } from './message-text.js';
import { confirmationIn, offerIn, type PurchaseState } from './purchase-state.js';
import { ClientError, isSupernodeTrouble, stampOf, waitUntil, type Journal, type UserSide } from './side.js';
import { SupernodeClient } from './supernode-client.js';
import { RESUME_HINT, storedByPeer } from './storage-retry.js';
import { TXID } from './shapes.js';

export interface PurchasedPack {
  readonly registrationTxid: string;
  readonly burnTxid: string;
  readonly credits: number;
  readonly trackingAddress: string;
  readonly patoshis: number;
  readonly patoshisPerCredit: number;
  readonly requestHash: string;
  readonly sellerPastelId: string;
  readonly sellerUrl: string;
  readonly agreeingPastelIds: readonly string[];
}

/** The seller waits for the burn to be mined and for the ticket (clients spec 3 F). */
const CONFIRM_TIMEOUT_MS = 30 * 60_000;
const CONFIRM_TRIES_MAX = 20;
const REFUSALS_MAX = 4;
const ANNOUNCE_TIMEOUT_MS = 10_000;
/** A ticket that was registered shows in our node with the next transactions, or with the next block. */
const TICKET_TIMEOUT_MS = 15 * 60_000;
const BURN_REFUSED = /burn/i;

/**
 * From the burn to the ticket.
 * 1. Confirms: one message, written down, sent again and again where the connection drops.
 * 2. Tells every agreeing supernode, so that any of them could store the ticket.
 * 3. Asks for the status; where the purchase is not completed, has the closest agreeing supernode store the ticket.
 * 4. Looks at the ticket on the chain.
 */
export async function completePurchase(
  side: UserSide,
  begun: PurchaseState,
  journal: Journal<PurchaseState>,
): Promise<PurchasedPack> {
  const offer = offerIn(begun);
  const state = await withConfirmation(side, begun, offer, journal);
  const seller = new SupernodeClient({ url: state.sellerUrl, signing: side.signing, checking: side.checking, timeoutMs: 60_000 });
  side.report?.({
    step: 'confirmation',
    text: `Telling ${seller.url} of the burn`,
    waitsFor: 'the burn to be mined and the ticket to be registered',
  });
  const outcome = await confirmed(side, seller, state, offer, journal);
  const confirmation = outcome.confirmation;
  await announce(side, offer, confirmation);

  const completed = await isCompleted(side, seller, state, offer);
  let txid = completed
    ? (outcome.txid ?? (await seller.registrationTxidOfBurn(state.burnTxid!).catch(nothingOfTrouble)))
    : outcome.txid;
  if (txid === undefined && outcome.isBurnRefused)
    throw new ClientError('not-completed', `The burn ${state.burnTxid} does not pay for the pack: ${outcome.reason}`);
  txid ??= await storedByPeer(side, offer, confirmation, outcome.reason);
  await seen(side, txid, state, offer);
  side.report?.({ step: 'ticket', text: `The credit pack is ${txid}` });
  return packOf(state, offer, txid);
}

async function withConfirmation(
  side: UserSide,
  state: PurchaseState,
  offer: CreditPackPurchaseRequestResponse,
  journal: Journal<PurchaseState>,
): Promise<PurchaseState> {
  if (state.confirmation !== undefined) return state;
  const confirmation = await confirmationFor(side, state, offer);
  const kept = { ...state, confirmation: messageText(confirmation) };
  await journal.save('user purchase: confirmation written', kept);
  return kept;
}
async function confirmationFor(
  side: UserSide,
  state: PurchaseState,
  offer: CreditPackPurchaseRequestResponse,
): Promise<CreditPackPurchaseRequestConfirmation> {
  const { timestamp, height } = await stampOf(side);
  const draft = {
    id: side.entropy.uuid(),
    sha3_256_hash_of_credit_pack_purchase_request_fields: offer.sha3_256_hash_of_credit_pack_purchase_request_fields,
    sha3_256_hash_of_credit_pack_purchase_request_response_fields:
      offer.sha3_256_hash_of_credit_pack_purchase_request_response_fields,
    credit_pack_purchase_request_fields_json_b64: offer.credit_pack_purchase_request_fields_json_b64,
    requesting_end_user_pastelid: side.signing.pastelId,
    txid_of_credit_purchase_burn_transaction: state.burnTxid!,
    credit_purchase_request_confirmation_utc_iso_string: timestamp,
    credit_purchase_request_confirmation_pastel_block_height: height,
    credit_purchase_request_confirmation_message_version_string: '1.0',
  };
  return seal(CreditPackPurchaseRequestConfirmation, draft, side.signing);
}

interface Outcome {
  readonly confirmation: CreditPackPurchaseRequestConfirmation;
  readonly txid?: string;
  readonly reason?: string;
  /** By the seller's signed word; no other supernode would see it otherwise. */
  readonly isBurnRefused?: boolean;
}

/** The seller's answer, or why there is none. A message that the seller never saw grows stale; it is then made anew, for the same burn. */
async function confirmed(
  side: UserSide,
  seller: SupernodeClient,
  state: PurchaseState,
  offer: CreditPackPurchaseRequestResponse,
  journal: Journal<PurchaseState>,
): Promise<Outcome> {
  let confirmation = confirmationIn(state)!;
  let [wait, refusals] = [2_000, 0];
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await seller.exchange(exchanges.confirmation, confirmation, {
        expectedSigner: state.sellerPastelId,
        timeoutMs: CONFIRM_TIMEOUT_MS,
      });
      const txid = answer.pastel_api_credit_pack_ticket_registration_txid;
      const reason = answer.credit_pack_confirmation_failure_reason_if_applicable;
      return {
        confirmation,
        ...(TXID.test(txid) && answer.credit_pack_confirmation_outcome_string === 'success' && { txid }),
        ...(reason !== '' && { reason, isBurnRefused: BURN_REFUSED.test(reason) }),
      };
    } catch (error) {
      if (!isSupernodeTrouble(error)) throw error;
      if (error instanceof SupernodeRefused && !error.isPassing) refusals++;
      side.report?.({ step: 'confirmation', text: error.message, waitsFor: 'another try with the same burn' });
      const isHopeless = !(error instanceof SupernodeUnreachable || error instanceof SupernodeRefused);
      if (isHopeless || attempt >= CONFIRM_TRIES_MAX || refusals >= REFUSALS_MAX) return { confirmation, reason: error.message };
      await side.clock.wait(wait);
      wait = Math.min(wait * 1.6, 60_000);
      if (error instanceof SupernodeRefused && error.status < 429) {
        confirmation = await confirmationFor(side, state, offer);
        await journal.save('user purchase: confirmation written anew', { ...state, confirmation: messageText(confirmation) });
      }
    }
  }
}

async function announce(
  side: UserSide,
  offer: CreditPackPurchaseRequestResponse,
  confirmation: CreditPackPurchaseRequestConfirmation,
): Promise<void> {
  const agreeing = new Set(offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms);
  const peers = (await closestTo(side, side.signing.pastelId)).filter(({ pastelId }) => agreeing.has(pastelId));
  const told = await Promise.all(
    peers.map(({ client }) =>
      client.exchange(exchanges.confirmationAnnouncement, confirmation, { timeoutMs: ANNOUNCE_TIMEOUT_MS }).then(
        () => true,
        (error: unknown) => {
          if (isSupernodeTrouble(error)) return false;
          throw error;
        },
      ),
    ),
  );
  side.report?.({
    step: 'announcement',
    text: `${told.filter(Boolean).length} of ${agreeing.size} agreeing supernodes know of the purchase`,
  });
}

async function isCompleted(
  side: UserSide,
  seller: SupernodeClient,
  state: PurchaseState,
  offer: CreditPackPurchaseRequestResponse,
): Promise<boolean> {
  const draft = {
    sha3_256_hash_of_credit_pack_purchase_request_fields: offer.sha3_256_hash_of_credit_pack_purchase_request_fields,
    requesting_end_user_pastelid: side.signing.pastelId,
  };
  const check = await seal(CreditPackRequestStatusCheck, draft, side.signing);
  const status = await seller
    .exchange(exchanges.purchaseStatus, check, { expectedSigner: state.sellerPastelId })
    .catch(nothingOfTrouble);
  if (status) side.report?.({ step: 'status', text: `The seller says: ${status.status} (${status.status_details})` });
  return status?.status === 'completed';
}

/** Nobody's word counts but the chain's. */
async function seen(side: UserSide, txid: string, state: PurchaseState, offer: CreditPackPurchaseRequestResponse): Promise<void> {
  const patience = {
    what: `the ticket ${txid} to show on the chain`,
    timeoutMs: TICKET_TIMEOUT_MS,
    everyMs: 1_000,
    everyMsMax: 15_000,
    growth: 1.4,
    hint: RESUME_HINT,
  };
  const { data } = await waitUntil(side, patience, () => side.chain.contractTicket(txid));
  try {
    const { response, confirmation } = readTicket(data);
    const isOurs =
      response.sha3_256_hash_of_credit_pack_purchase_request_response_fields ===
        offer.sha3_256_hash_of_credit_pack_purchase_request_response_fields &&
      confirmation.txid_of_credit_purchase_burn_transaction === state.burnTxid;
    if (isOurs) return;
  } catch (error) {
    if (!(error instanceof TicketError)) throw error;
  }
  throw new ClientError('not-completed', `${txid} is not the ticket of this purchase`, RESUME_HINT);
}

function packOf(state: PurchaseState, offer: CreditPackPurchaseRequestResponse, registrationTxid: string): PurchasedPack {
  const requestHash = offer.sha3_256_hash_of_credit_pack_purchase_request_fields;
  return {
    registrationTxid,
    burnTxid: state.burnTxid!,
    credits: requestInFields(offer.credit_pack_purchase_request_fields_json_b64, requestHash)!
      .requested_initial_credits_in_credit_pack.value,
    trackingAddress: offer.credit_usage_tracking_psl_address,
    patoshis: state.patoshis,
    patoshisPerCredit: roundedPatoshis(offer.psl_cost_per_credit),
    requestHash,
    sellerPastelId: state.sellerPastelId,
    sellerUrl: state.sellerUrl,
    agreeingPastelIds: offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms,
  };
}

function nothingOfTrouble(error: unknown): undefined {
  if (isSupernodeTrouble(error)) return undefined;
  throw error;
}
