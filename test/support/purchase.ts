import { expect } from '@jest/globals';
import { SupernodeClient, SupernodeRefused } from '#client';
import { SystemEntropy } from '#config';
import { Transactions } from '#database';
import {
  CREDIT_PACK_TICKET_SUBTYPE,
  CreditPackPurchaseRequest,
  CreditPackPurchaseRequestConfirmation,
  type CreditPackPurchaseRequestConfirmationResponse,
  CreditPackPurchaseRequestPreliminaryPriceQuote as Quote,
  CreditPackPurchaseRequestPreliminaryPriceQuoteResponse,
  CreditPackPurchaseRequestResponse as Offer,
  CreditPackRequestStatusCheck,
  CreditPackStorageRetryRequest,
  exchanges,
  networks,
  PATOSHIS_PER_PSL,
  patoshisFromPsl,
  pooledChecking,
  PythonNumber,
  pythonTimestamp,
  seal,
  type Exchange,
  type Signing,
} from '#protocol';
import type { RunningSupernode, TestNetwork } from './network.js';

/** What a contract ticket costs whoever registers it, and the most that the wallet adds for the transaction. */
const TICKET_PATOSHIS = 10 * PATOSHIS_PER_PSL;
const FEE_MAX_PATOSHIS = PATOSHIS_PER_PSL;
const { burnAddress } = networks.devnet;

/** A user that takes a purchase step by step, each with a message that a test may bend. */
export class Buyer {
  private constructor(
    private readonly network: TestNetwork,
    readonly signing: Signing,
  ) {}
  /** With a PastelID of its own; the wallet is that of all users. */
  static async of(network: TestNetwork): Promise<Buyer> {
    return new Buyer(network, await network.newSigning());
  }

  // The messages.

  async request(changes: Partial<CreditPackPurchaseRequest> = {}): Promise<CreditPackPurchaseRequest> {
    const draft = {
      requesting_end_user_pastelid: this.signing.pastelId,
      requested_initial_credits_in_credit_pack: PythonNumber.read('20'),
      list_of_authorized_pastelids_allowed_to_use_credit_pack: JSON.stringify([this.signing.pastelId]),
      credit_usage_tracking_psl_address:
        changes.credit_usage_tracking_psl_address ?? (await this.network.user.wallet.newAddress()),
      request_timestamp_utc_iso_string: this.timestamp,
      request_pastel_block_height: this.network.height,
      credit_purchase_request_message_version_string: '1.0',
      ...changes,
    };
    return seal(CreditPackPurchaseRequest, draft, this.signing);
  }

  async agreement(quote: Quote, changes: Partial<CreditPackPurchaseRequestPreliminaryPriceQuoteResponse> = {}) {
    const draft = {
      sha3_256_hash_of_credit_pack_purchase_request_fields: quote.sha3_256_hash_of_credit_pack_purchase_request_fields,
      sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields:
        quote.sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields,
      credit_pack_purchase_request_fields_json_b64: quote.credit_pack_purchase_request_fields_json_b64,
      agree_with_preliminary_price_quote: true,
      credit_usage_tracking_psl_address: quote.credit_usage_tracking_psl_address,
      preliminary_quoted_price_per_credit_in_psl: quote.preliminary_quoted_price_per_credit_in_psl,
      preliminary_price_quote_response_timestamp_utc_iso_string: this.timestamp,
      preliminary_price_quote_response_pastel_block_height: this.network.height,
      preliminary_price_quote_response_message_version_string: '1.0',
      requesting_end_user_pastelid: this.signing.pastelId,
      ...changes,
    };
    return seal(CreditPackPurchaseRequestPreliminaryPriceQuoteResponse, draft, this.signing);
  }

  async confirmation(offer: Offer, burnTxid: string): Promise<CreditPackPurchaseRequestConfirmation> {
    const draft = {
      id: new SystemEntropy().uuid(),
      sha3_256_hash_of_credit_pack_purchase_request_fields: requestHashOf(offer),
      sha3_256_hash_of_credit_pack_purchase_request_response_fields:
        offer.sha3_256_hash_of_credit_pack_purchase_request_response_fields,
      credit_pack_purchase_request_fields_json_b64: offer.credit_pack_purchase_request_fields_json_b64,
      requesting_end_user_pastelid: this.signing.pastelId,
      txid_of_credit_purchase_burn_transaction: burnTxid,
      credit_purchase_request_confirmation_utc_iso_string: this.timestamp,
      credit_purchase_request_confirmation_pastel_block_height: this.network.height,
      credit_purchase_request_confirmation_message_version_string: '1.0',
    };
    return seal(CreditPackPurchaseRequestConfirmation, draft, this.signing);
  }

  async storageRetry(offer: Offer, closest: string): Promise<CreditPackStorageRetryRequest> {
    const draft = {
      sha3_256_hash_of_credit_pack_purchase_request_response_fields:
        offer.sha3_256_hash_of_credit_pack_purchase_request_response_fields,
      credit_pack_purchase_request_fields_json_b64: offer.credit_pack_purchase_request_fields_json_b64,
      requesting_end_user_pastelid: this.signing.pastelId,
      closest_agreeing_supernode_to_retry_storage_pastelid: closest,
      credit_pack_storage_retry_request_timestamp_utc_iso_string: this.timestamp,
      credit_pack_storage_retry_request_pastel_block_height: this.network.height,
      credit_pack_storage_retry_request_message_version_string: '1.0',
    };
    return seal(CreditPackStorageRetryRequest, draft, this.signing);
  }

  private get timestamp(): string {
    return pythonTimestamp(this.network.clock.now());
  }

  // The steps, over HTTP. Answers are verified, and their signer is the supernode that was asked.

  send<Out extends object, Back extends object>(node: RunningSupernode, line: Exchange<Out, Back>, message: Out) {
    const client = new SupernodeClient({ url: node.url, signing: this.signing, checking: pooledChecking });
    return client.exchange(line, message, { expectedSigner: node.pastelId });
  }

  /** A quote that the buyer gets for a request. */
  async quote(node: RunningSupernode, changes: Partial<CreditPackPurchaseRequest> = {}): Promise<Quote> {
    const answer = await this.send(node, exchanges.purchaseRequest, await this.request(changes));
    if (!(answer instanceof Quote)) throw new Error(answer.rejection_reason_string);
    return answer;
  }

  /** From request to binding offer. */
  async offer(node: RunningSupernode, changes: Partial<CreditPackPurchaseRequest> = {}): Promise<Offer> {
    const quote = await this.quote(node, changes);
    const answer = await this.send(node, exchanges.quoteResponse, await this.agreement(quote));
    if (!(answer instanceof Offer)) throw new Error(answer.termination_reason_string);
    return answer;
  }

  /** Burns the offer's total and `more`, from whatever coins the wallet picks. */
  burn(offer: Offer, more = 0): Promise<string> {
    return this.network.user.wallet.sendToAddress(burnAddress, totalOf(offer) + more);
  }
  /** The same, with the change going to an address. */
  burnWithChange(patoshis: number, changeAddress: string): Promise<string> {
    return this.network.user.wallet.sendMany(new Map([[burnAddress, patoshis]]), changeAddress);
  }

  /** Confirms, and lets time pass and blocks come until the supernode has answered. */
  async confirm(node: RunningSupernode, offer: Offer, burnTxid: string): Promise<CreditPackPurchaseRequestConfirmationResponse> {
    const confirmation = await this.confirmation(offer, burnTxid);
    return this.network.until(this.send(node, exchanges.confirmation, confirmation));
  }

  async statusAt(node: RunningSupernode, offer: Offer): Promise<string> {
    const draft = {
      sha3_256_hash_of_credit_pack_purchase_request_fields: requestHashOf(offer),
      requesting_end_user_pastelid: this.signing.pastelId,
    };
    const check = await seal(CreditPackRequestStatusCheck, draft, this.signing);
    return (await this.send(node, exchanges.purchaseStatus, check)).status;
  }
}

export const credits = (lexeme: string): Partial<CreditPackPurchaseRequest> => ({
  requested_initial_credits_in_credit_pack: PythonNumber.read(lexeme),
});
export const requestHashOf = (offer: Offer): string => offer.sha3_256_hash_of_credit_pack_purchase_request_fields;
export const totalOf = (offer: Offer): number => patoshisFromPsl(offer.proposed_total_cost_of_credit_pack_in_psl)!;

/** The HTTP refusal that a call meets; a call that is served fails the test. */
export async function refusalOf(call: Promise<unknown>): Promise<{ status: number; detail: string }> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SupernodeRefused);
  const { status, detail } = error as SupernodeRefused;
  return { status, detail };
}

// What a supernode has on its books, by the names of the columns.

export interface PurchaseFacts {
  readonly requestHash: string;
  readonly state: string;
  readonly totalPatoshis: number;
  readonly excessPatoshis: number | null;
  readonly burnTxid: string | null;
  readonly registrationTxid: string | null;
  readonly quoteResponse: object | null;
  readonly confirmation: object | null;
}
export interface PackFacts {
  readonly registrationTxid: string;
  readonly state: string;
  readonly purchaseBurnTxid: string;
  readonly initialTenths: number;
  readonly blockHash: string;
  readonly height: number;
}
export const purchasesAt = ({ app }: RunningSupernode): Promise<PurchaseFacts[]> =>
  app.get(Transactions).read((manager) => manager.find<PurchaseFacts>('Purchase'));
export async function purchaseAt(node: RunningSupernode, requestHash: string): Promise<PurchaseFacts | undefined> {
  return (await purchasesAt(node)).find((purchase) => purchase.requestHash === requestHash);
}
export const packsAt = ({ app }: RunningSupernode): Promise<PackFacts[]> =>
  app.get(Transactions).read((manager) => manager.find<PackFacts>('PackRow'));

// Who paid what.

export interface Money {
  /** Credit pack tickets that are mined, by txid. */
  readonly tickets: readonly string[];
  /** Patoshis of each supernode, by the user name of its wallet. */
  readonly wallets: ReadonlyMap<string, number>;
}
/** Straight from the ledger, so that no trouble of the way there shows in it. */
export function moneyOf({ devnet }: TestNetwork): Money {
  const tickets = devnet.state.tickets.contracts().filter(({ record }) => record.subType === CREDIT_PACK_TICKET_SUBTYPE);
  const wallets = devnet.supernodes.map(({ user }) => [user, devnet.account(user).wallet.balance()] as const);
  return { tickets: tickets.map(({ txid }) => txid), wallets: new Map(wallets) };
}

export interface Sale {
  readonly registrationTxid: string;
  /** Whose wallet has paid for the ticket; absent for a user's. */
  readonly payer?: string;
}
/**
 * Just these packs were sold since, and nothing is on its way: one ticket each, paid once and by nobody else, and a standing pack on the
 * books of every supernode that runs.
 */
export async function expectSold(network: TestNetwork, before: Money, sales: readonly Sale[]): Promise<void> {
  network.mine();
  const after = moneyOf(network);
  const isNew = (txid: string): boolean => !before.tickets.includes(txid);
  const sold = sales.map(({ registrationTxid }) => registrationTxid).sort();
  expect(after.tickets.filter(isNew).sort()).toEqual(sold);
  expectPaid(before, after, sales);
  await network.sweep();
  for (const node of network.supernodes) {
    const standing = (await packsAt(node)).filter(
      ({ state, registrationTxid }) => state === 'standing' && isNew(registrationTxid),
    );
    expect(standing.map(({ registrationTxid }) => registrationTxid).sort()).toEqual(sold);
  }
}
export const expectNothingSold = (network: TestNetwork, before: Money): Promise<void> => expectSold(network, before, []);

/** Ten PSL and a fee for each ticket. */
export function expectPaid(before: Money, after: Money, sales: readonly Sale[]): void {
  for (const [user, balance] of before.wallets) {
    const tickets = sales.filter(({ payer }) => payer === user).length;
    const spent = balance - after.wallets.get(user)!;
    expect(spent).toBeGreaterThanOrEqual(tickets * TICKET_PATOSHIS);
    expect(spent).toBeLessThanOrEqual(tickets * (TICKET_PATOSHIS + FEE_MAX_PATOSHIS));
  }
}
