import type { MessageClass } from './kernel/declaration.js';
import { InferenceAPIUsageRequest, InferenceAPIUsageResponse } from './messages/inference.js';
import * as purchase from './messages/purchase.js';

/** A sealed message goes out under `key`; one of `answers` comes back, or an acknowledgement. */
export interface Exchange<Out extends object = object, Back extends object = object> {
  readonly path: string;
  /** The member of the request body that holds the message, beside the three challenge fields. */
  readonly key: string;
  readonly accepts: MessageClass<Out>;
  /** Told apart by {@link Exchange.tellApart}; empty where the answer is `{"message": "Announcement processed successfully"}`. */
  readonly answers: readonly MessageClass<Back>[];
}
const exchange = <Out extends object, Back extends object = never>(
  path: string,
  key: string,
  accepts: MessageClass<Out>,
  ...answers: MessageClass<Back>[]
): Exchange<Out, Back> => ({ path, key, accepts, answers });

export const ANNOUNCEMENT_PROCESSED = { message: 'Announcement processed successfully' } as const;

/** Which sealed message goes where, and what may come back (credit-packs spec 3.2, inference spec 2.1). */
export const exchanges = {
  purchaseRequest: exchange<
    purchase.CreditPackPurchaseRequest,
    purchase.CreditPackPurchaseRequestPreliminaryPriceQuote | purchase.CreditPackPurchaseRequestRejection
  >(
    'credit_purchase_initial_request',
    'credit_pack_request',
    purchase.CreditPackPurchaseRequest,
    purchase.CreditPackPurchaseRequestPreliminaryPriceQuote,
    purchase.CreditPackPurchaseRequestRejection,
  ),
  quoteResponse: exchange<
    purchase.CreditPackPurchaseRequestPreliminaryPriceQuoteResponse,
    purchase.CreditPackPurchaseRequestResponse | purchase.CreditPackPurchaseRequestResponseTermination
  >(
    'credit_purchase_preliminary_price_quote_response',
    'preliminary_price_quote_response',
    purchase.CreditPackPurchaseRequestPreliminaryPriceQuoteResponse,
    purchase.CreditPackPurchaseRequestResponse,
    purchase.CreditPackPurchaseRequestResponseTermination,
  ),
  priceAgreement: exchange(
    'credit_pack_price_agreement_request',
    'credit_pack_price_agreement_request',
    purchase.CreditPackPurchasePriceAgreementRequest,
    purchase.CreditPackPurchasePriceAgreementRequestResponse,
  ),
  purchaseStatus: exchange(
    'check_status_of_credit_purchase_request',
    'credit_pack_request_status_check',
    purchase.CreditPackRequestStatusCheck,
    purchase.CreditPackPurchaseRequestStatus,
  ),
  confirmation: exchange(
    'confirm_credit_purchase_request',
    'confirmation',
    purchase.CreditPackPurchaseRequestConfirmation,
    purchase.CreditPackPurchaseRequestConfirmationResponse,
  ),
  responseAnnouncement: exchange(
    'credit_pack_purchase_request_final_response_announcement',
    'response',
    purchase.CreditPackPurchaseRequestResponse,
  ),
  confirmationAnnouncement: exchange(
    'credit_pack_purchase_completion_announcement',
    'confirmation',
    purchase.CreditPackPurchaseRequestConfirmation,
  ),
  storageAnnouncement: exchange(
    'credit_pack_storage_completion_announcement',
    'storage_completion_announcement',
    purchase.CreditPackPurchaseRequestConfirmationResponse,
  ),
  storageRetry: exchange(
    'credit_pack_storage_retry_request',
    'request',
    purchase.CreditPackStorageRetryRequest,
    purchase.CreditPackStorageRetryRequestResponse,
  ),
  storageRetryAnnouncement: exchange(
    'credit_pack_storage_retry_completion_announcement',
    'response',
    purchase.CreditPackStorageRetryRequestResponse,
  ),
  usageRequest: exchange(
    'make_inference_api_usage_request',
    'inference_api_usage_request',
    InferenceAPIUsageRequest,
    InferenceAPIUsageResponse,
  ),
} as const;
