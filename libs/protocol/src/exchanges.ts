import { declarationOf, type MessageClass } from './kernel/declaration.js';
import type { JsonObject } from './kernel/json.js';
import { InferenceAPIUsageRequest, InferenceAPIUsageResponse } from './messages/inference.js';
import {
  CreditPackPurchasePriceAgreementRequest,
  CreditPackPurchasePriceAgreementRequestResponse,
  CreditPackPurchaseRequest,
  CreditPackPurchaseRequestConfirmation,
  CreditPackPurchaseRequestConfirmationResponse,
  CreditPackPurchaseRequestPreliminaryPriceQuote,
  CreditPackPurchaseRequestPreliminaryPriceQuoteResponse,
  CreditPackPurchaseRequestRejection,
  CreditPackPurchaseRequestResponse,
  CreditPackPurchaseRequestResponseTermination,
  CreditPackPurchaseRequestStatus,
  CreditPackRequestStatusCheck,
  CreditPackStorageRetryRequest,
  CreditPackStorageRetryRequestResponse,
} from './messages/purchase.js';

/** A sealed message goes out under `key`; one of `answers` comes back, or an acknowledgement. */
export interface Exchange<Out extends object = object, Back extends object = object> {
  /** Of a POST, without the slash before it. */
  readonly path: string;
  /** The member of the request body that holds the message, beside the three challenge fields. */
  readonly key: string;
  readonly accepts: MessageClass<Out>;
  /** Told apart by {@link answerClassOf}; empty where the answer is {@link ANNOUNCEMENT_PROCESSED}. */
  readonly answers: readonly MessageClass<Back>[];
}

/** The answer to every announcement. */
export const ANNOUNCEMENT_PROCESSED = { message: 'Announcement processed successfully' } as const;

/** A line of the table; several answers make a union. */
const exchange = <Out extends object, Back extends object = never>(
  path: string,
  key: string,
  accepts: MessageClass<Out>,
  ...answers: readonly MessageClass<Back>[]
): Exchange<Out, Back> => ({ path, key, accepts, answers });

/** Which sealed message goes where, and what may come back (credit-packs spec 3.2, inference spec 2.1). */
export const exchanges = {
  purchaseRequest: exchange<
    CreditPackPurchaseRequest,
    CreditPackPurchaseRequestPreliminaryPriceQuote | CreditPackPurchaseRequestRejection
  >(
    'credit_purchase_initial_request',
    'credit_pack_request',
    CreditPackPurchaseRequest,
    CreditPackPurchaseRequestPreliminaryPriceQuote,
    CreditPackPurchaseRequestRejection,
  ),
  quoteResponse: exchange<
    CreditPackPurchaseRequestPreliminaryPriceQuoteResponse,
    CreditPackPurchaseRequestResponse | CreditPackPurchaseRequestResponseTermination
  >(
    'credit_purchase_preliminary_price_quote_response',
    'preliminary_price_quote_response',
    CreditPackPurchaseRequestPreliminaryPriceQuoteResponse,
    CreditPackPurchaseRequestResponse,
    CreditPackPurchaseRequestResponseTermination,
  ),
  priceAgreement: exchange(
    'credit_pack_price_agreement_request',
    'credit_pack_price_agreement_request',
    CreditPackPurchasePriceAgreementRequest,
    CreditPackPurchasePriceAgreementRequestResponse,
  ),
  purchaseStatus: exchange(
    'check_status_of_credit_purchase_request',
    'credit_pack_request_status_check',
    CreditPackRequestStatusCheck,
    CreditPackPurchaseRequestStatus,
  ),
  confirmation: exchange(
    'confirm_credit_purchase_request',
    'confirmation',
    CreditPackPurchaseRequestConfirmation,
    CreditPackPurchaseRequestConfirmationResponse,
  ),
  responseAnnouncement: exchange(
    'credit_pack_purchase_request_final_response_announcement',
    'response',
    CreditPackPurchaseRequestResponse,
  ),
  confirmationAnnouncement: exchange(
    'credit_pack_purchase_completion_announcement',
    'confirmation',
    CreditPackPurchaseRequestConfirmation,
  ),
  storageAnnouncement: exchange(
    'credit_pack_storage_completion_announcement',
    'storage_completion_announcement',
    CreditPackPurchaseRequestConfirmationResponse,
  ),
  storageRetry: exchange(
    'credit_pack_storage_retry_request',
    'request',
    CreditPackStorageRetryRequest,
    CreditPackStorageRetryRequestResponse,
  ),
  storageRetryAnnouncement: exchange(
    'credit_pack_storage_retry_completion_announcement',
    'response',
    CreditPackStorageRetryRequestResponse,
  ),
  usageRequest: exchange(
    'make_inference_api_usage_request',
    'inference_api_usage_request',
    InferenceAPIUsageRequest,
    InferenceAPIUsageResponse,
  ),
} as const;

/** Deployed clients know a refusal by one of these fields being there and not empty. */
const REASONS = ['rejection_reason_string', 'termination_reason_string'] as const;

/** Which of the possible answers this is; `undefined` where the exchange knows none that fits. */
export function answerClassOf<Back extends object>(
  { answers }: Exchange<object, Back>,
  wire: JsonObject,
): MessageClass<Back> | undefined {
  const reason = REASONS.find((name) => Boolean(wire[name]));
  return answers.find((type) => {
    const names = declarationOf(type).fields.map(({ name }) => name);
    return reason === undefined ? !REASONS.some((name) => names.includes(name)) : names.includes(reason);
  });
}
