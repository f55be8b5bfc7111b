import { SupernodeClient } from '#client';
import { SystemEntropy } from '#config';
import {
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
  patoshisFromPsl,
  pooledChecking,
  PythonNumber,
  pythonTimestamp,
  seal,
  type Exchange,
  type Signing,
} from '#protocol';
import type { TestNetwork } from './network.js';

const { burnAddress } = networks.devnet;
/** Where a supernode listens, and who it is. */
interface Place {
  readonly url: string;
  readonly pastelId: string;
}

/** A user that takes a purchase step by step, each with a message that a test may bend. */
export class Buyer {
  constructor(
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

  send<Out extends object, Back extends object>(node: Place, line: Exchange<Out, Back>, message: Out) {
    const client = new SupernodeClient({ url: node.url, signing: this.signing, checking: pooledChecking });
    return client.exchange(line, message, { expectedSigner: node.pastelId });
  }

  /** A quote that the buyer gets for a request. */
  async quote(node: Place, changes: Partial<CreditPackPurchaseRequest> = {}): Promise<Quote> {
    const answer = await this.send(node, exchanges.purchaseRequest, await this.request(changes));
    if (!(answer instanceof Quote)) throw new Error(answer.rejection_reason_string);
    return answer;
  }

  /** From request to binding offer. */
  async offer(node: Place, changes: Partial<CreditPackPurchaseRequest> = {}): Promise<Offer> {
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
  async confirm(node: Place, offer: Offer, burnTxid: string): Promise<CreditPackPurchaseRequestConfirmationResponse> {
    const confirmation = await this.confirmation(offer, burnTxid);
    return this.network.until(this.send(node, exchanges.confirmation, confirmation));
  }

  async statusAt(node: Place, offer: Offer): Promise<string> {
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
