import { Injectable } from '@nestjs/common';
import { Chain } from '#chain';
import {
  Clock,
  CreditPackPurchasePriceAgreementRequest,
  CreditPackPurchasePriceAgreementRequestResponse,
  CreditPackPurchaseRequestConfirmationResponse,
  CreditPackPurchaseRequestPreliminaryPriceQuote,
  CreditPackPurchaseRequestRejection,
  CreditPackPurchaseRequestResponse,
  CreditPackPurchaseRequestResponseTermination,
  CreditPackPurchaseRequestStatus,
  CreditPackStorageRetryRequestResponse,
  Entropy,
  pslFloat,
  PythonNumber,
  pythonTimestamp,
  requestFieldsBase64,
  seal,
  Signing,
  type CreditPackPurchaseRequest,
  type CreditPackPurchaseRequestConfirmation,
  type CreditPackPurchaseRequestPreliminaryPriceQuote as Quote,
} from '#protocol';
import type { Candidates, TerminationReason, Vote } from '../peers/agreement.rules.js';
import { signaturesOf, signersOf } from '../peers/agreement.rules.js';
import { STATUS_DETAILS, type PurchaseStatus } from './purchase-state.rules.js';

const VERSION = '1.0';
/**
 * How far below the tip the block lies that selects the signers. A ticket names that block for ever, so an offer made on the newest one
 * would be worthless, and its burn lost, with the next reorganisation. Later checks allow ten blocks (credit-packs spec 5.11.5).
 */
const SELECTION_BLOCKS_BACK = 6;
/** Of a confirmation response (credit-packs spec 2.10). */
export interface Outcome {
  readonly outcome: 'success' | 'failed' | 'failure';
  /** Empty where nothing was registered. */
  readonly registrationTxid: string;
  readonly reason: string;
}

/** Seals what this node says in a purchase, with the time and the height of the moment. Floats of ours print as floats. */
@Injectable()
export class PurchaseMessages {
  constructor(
    private readonly signing: Signing,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
    private readonly chain: Chain,
  ) {}

  get pastelId(): string {
    return this.signing.pastelId;
  }
  get now(): Date {
    return this.clock.now();
  }
  height(): Promise<number> {
    return this.chain.height();
  }
  private get timestamp(): string {
    return pythonTimestamp(this.now);
  }

  /** 2.2 */
  async rejection(request: CreditPackPurchaseRequest, reasons: readonly string[]): Promise<CreditPackPurchaseRequestRejection> {
    const draft = {
      sha3_256_hash_of_credit_pack_purchase_request_fields: request.sha3_256_hash_of_credit_pack_purchase_request_fields,
      credit_pack_purchase_request_fields_json_b64: requestFieldsBase64(request),
      rejection_reason_string: reasons.join(', '),
      rejection_timestamp_utc_iso_string: this.timestamp,
      rejection_pastel_block_height: await this.chain.height(),
      credit_purchase_request_rejection_message_version_string: VERSION,
      responding_supernode_pastelid: this.pastelId,
    };
    return seal(CreditPackPurchaseRequestRejection, draft, this.signing);
  }

  /** 2.3 */
  async quote(request: CreditPackPurchaseRequest, pricePerCredit: number, totalPatoshis: number, height: number): Promise<Quote> {
    const draft = {
      sha3_256_hash_of_credit_pack_purchase_request_fields: request.sha3_256_hash_of_credit_pack_purchase_request_fields,
      credit_usage_tracking_psl_address: request.credit_usage_tracking_psl_address,
      credit_pack_purchase_request_fields_json_b64: requestFieldsBase64(request),
      preliminary_quoted_price_per_credit_in_psl: PythonNumber.float(pricePerCredit),
      preliminary_total_cost_of_credit_pack_in_psl: pslFloat(totalPatoshis),
      preliminary_price_quote_timestamp_utc_iso_string: this.timestamp,
      preliminary_price_quote_pastel_block_height: height,
      preliminary_price_quote_message_version_string: VERSION,
      responding_supernode_pastelid: this.pastelId,
    };
    return seal(CreditPackPurchaseRequestPreliminaryPriceQuote, draft, this.signing);
  }

  /** 2.5 */
  async question(quote: Quote, height: number): Promise<CreditPackPurchasePriceAgreementRequest> {
    const draft = {
      id: this.entropy.uuid(),
      sha3_256_hash_of_credit_pack_purchase_request_response_fields:
        quote.sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields,
      supernode_requesting_price_agreement_pastelid: this.pastelId,
      credit_pack_purchase_request_fields_json_b64: quote.credit_pack_purchase_request_fields_json_b64,
      credit_usage_tracking_psl_address: quote.credit_usage_tracking_psl_address,
      proposed_psl_price_per_credit: quote.preliminary_quoted_price_per_credit_in_psl,
      price_agreement_request_timestamp_utc_iso_string: this.timestamp,
      price_agreement_request_pastel_block_height: height,
      price_agreement_request_message_version_string: VERSION,
    };
    return seal(CreditPackPurchasePriceAgreementRequest, draft, this.signing);
  }

  /** 2.6 */
  async vote(question: CreditPackPurchasePriceAgreementRequest, isAgreed: boolean): Promise<Vote> {
    const draft = {
      sha3_256_hash_of_price_agreement_request_fields: question.sha3_256_hash_of_price_agreement_request_fields,
      credit_pack_purchase_request_fields_json_b64: question.credit_pack_purchase_request_fields_json_b64,
      agree_with_proposed_price: isAgreed,
      credit_usage_tracking_psl_address: question.credit_usage_tracking_psl_address,
      proposed_psl_price_per_credit: question.proposed_psl_price_per_credit,
      proposed_price_agreement_response_timestamp_utc_iso_string: this.timestamp,
      proposed_price_agreement_response_pastel_block_height: await this.chain.height(),
      proposed_price_agreement_response_message_version_string: VERSION,
      responding_supernode_pastelid: this.pastelId,
    };
    return seal(CreditPackPurchasePriceAgreementRequestResponse, draft, this.signing);
  }

  /** 2.7 */
  async termination(quote: Quote, reason: TerminationReason): Promise<CreditPackPurchaseRequestResponseTermination> {
    const draft = {
      sha3_256_hash_of_credit_pack_purchase_request_fields: quote.sha3_256_hash_of_credit_pack_purchase_request_fields,
      credit_pack_purchase_request_fields_json_b64: quote.credit_pack_purchase_request_fields_json_b64,
      termination_reason_string: reason,
      termination_timestamp_utc_iso_string: this.timestamp,
      termination_pastel_block_height: await this.chain.height(),
      credit_purchase_request_termination_message_version_string: VERSION,
      responding_supernode_pastelid: this.pastelId,
    };
    return seal(CreditPackPurchaseRequestResponseTermination, draft, this.signing);
  }

  /** 2.8: repeats the quote's price and total to the patoshi. */
  async response(quote: Quote, candidates: Candidates, agreeing: readonly Vote[]): Promise<CreditPackPurchaseRequestResponse> {
    const tip = await this.chain.bestBlock();
    const block = (await this.chain.block(tip.height - SELECTION_BLOCKS_BACK)) ?? tip;
    const agreed = agreeing.map((vote) => vote.responding_supernode_pastelid);
    const signers = signersOf(agreed, block.merkleRoot);
    const draft = {
      id: this.entropy.uuid(),
      sha3_256_hash_of_credit_pack_purchase_request_fields: quote.sha3_256_hash_of_credit_pack_purchase_request_fields,
      credit_pack_purchase_request_fields_json_b64: quote.credit_pack_purchase_request_fields_json_b64,
      psl_cost_per_credit: quote.preliminary_quoted_price_per_credit_in_psl,
      proposed_total_cost_of_credit_pack_in_psl: quote.preliminary_total_cost_of_credit_pack_in_psl,
      credit_usage_tracking_psl_address: quote.credit_usage_tracking_psl_address,
      request_response_timestamp_utc_iso_string: this.timestamp,
      request_response_pastel_block_height: tip.height,
      best_block_merkle_root: block.merkleRoot,
      best_block_height: block.height,
      credit_purchase_request_response_message_version_string: VERSION,
      responding_supernode_pastelid: this.pastelId,
      list_of_blacklisted_supernode_pastelids: [...candidates.blacklisted],
      list_of_potentially_agreeing_supernodes: [...candidates.asked],
      list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms: agreed,
      list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms_selected_for_signature_inclusion: signers,
      selected_agreeing_supernodes_signatures_dict: signaturesOf(signers, agreeing),
    };
    return seal(CreditPackPurchaseRequestResponse, draft, this.signing);
  }

  /** 2.10 */
  async confirmationResponse(
    confirmation: CreditPackPurchaseRequestConfirmation,
    { outcome, registrationTxid, reason }: Outcome,
  ): Promise<CreditPackPurchaseRequestConfirmationResponse> {
    const draft = {
      id: this.entropy.uuid(),
      sha3_256_hash_of_credit_pack_purchase_request_fields: confirmation.sha3_256_hash_of_credit_pack_purchase_request_fields,
      sha3_256_hash_of_credit_pack_purchase_request_confirmation_fields:
        confirmation.sha3_256_hash_of_credit_pack_purchase_request_confirmation_fields,
      credit_pack_confirmation_outcome_string: outcome,
      pastel_api_credit_pack_ticket_registration_txid: registrationTxid,
      credit_pack_confirmation_failure_reason_if_applicable: reason,
      credit_purchase_request_confirmation_response_utc_iso_string: this.timestamp,
      credit_purchase_request_confirmation_response_pastel_block_height: await this.chain.height(),
      credit_purchase_request_confirmation_response_message_version_string: VERSION,
      responding_supernode_pastelid: this.pastelId,
    };
    return seal(CreditPackPurchaseRequestConfirmationResponse, draft, this.signing);
  }

  /** 2.12; the response hash is empty where there is no response. */
  async status(requestHash: string, responseHash: string, status: PurchaseStatus): Promise<CreditPackPurchaseRequestStatus> {
    const draft = {
      id: this.entropy.uuid(),
      sha3_256_hash_of_credit_pack_purchase_request_fields: requestHash,
      sha3_256_hash_of_credit_pack_purchase_request_response_fields: responseHash,
      status,
      status_details: STATUS_DETAILS[status],
      status_update_timestamp_utc_iso_string: this.timestamp,
      status_update_pastel_block_height: await this.chain.height(),
      credit_purchase_request_status_message_version_string: VERSION,
      responding_supernode_pastelid: this.pastelId,
    };
    return seal(CreditPackPurchaseRequestStatus, draft, this.signing);
  }

  /** 2.14 */
  async storageRetryResponse(
    confirmation: CreditPackPurchaseRequestConfirmation,
    { outcome, registrationTxid, reason }: Outcome,
  ): Promise<CreditPackStorageRetryRequestResponse> {
    const draft = {
      sha3_256_hash_of_credit_pack_purchase_request_fields: confirmation.sha3_256_hash_of_credit_pack_purchase_request_fields,
      sha3_256_hash_of_credit_pack_purchase_request_confirmation_fields:
        confirmation.sha3_256_hash_of_credit_pack_purchase_request_confirmation_fields,
      credit_pack_storage_retry_confirmation_outcome_string: outcome,
      pastel_api_credit_pack_ticket_registration_txid: registrationTxid,
      credit_pack_storage_retry_confirmation_failure_reason_if_applicable: reason,
      credit_pack_storage_retry_confirmation_response_utc_iso_string: this.timestamp,
      credit_pack_storage_retry_confirmation_response_pastel_block_height: await this.chain.height(),
      credit_pack_storage_retry_confirmation_response_message_version_string: VERSION,
      closest_agreeing_supernode_to_retry_storage_pastelid: this.pastelId,
    };
    return seal(CreditPackStorageRetryRequestResponse, draft, this.signing);
  }
}
