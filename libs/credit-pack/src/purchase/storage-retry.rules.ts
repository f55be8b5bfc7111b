import { byDistanceTo, type CreditPackPurchaseRequestConfirmation, type CreditPackPurchaseRequestResponse } from '#protocol';
import type { CreditPackStorageRetryRequest } from '#protocol';

/** The one reason of 2.14 that clients know (credit-packs spec 2.14). */
export const ALREADY_STORED = 'Original responding supernode already confirmed storage';
/** JavaScript clients refuse an empty reason even on success. */
export const NO_REASON = 'NA';

/** Who may store a ticket in the place of the supernode that sold it (credit-packs spec 5.8). */
export const closestAgreeingTo = (pastelId: string, agreeing: readonly string[]): string | undefined =>
  byDistanceTo(pastelId, agreeing)[0];

/** Why this node does not store the ticket; none of it when it does. */
export function storageRetryFaults(
  retry: CreditPackStorageRetryRequest,
  offer: CreditPackPurchaseRequestResponse,
  confirmation: CreditPackPurchaseRequestConfirmation,
  here: { pastelId: string; height: number; blocksMin: number },
): string[] {
  const faults: string[] = [];
  const buyer = retry.requesting_end_user_pastelid;
  if (buyer !== confirmation.requesting_end_user_pastelid) faults.push('The purchase is that of another PastelID');
  if (retry.credit_pack_purchase_request_fields_json_b64 !== offer.credit_pack_purchase_request_fields_json_b64)
    faults.push('credit_pack_purchase_request_fields_json_b64 is not that of the purchase');
  const closest = closestAgreeingTo(buyer, offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms);
  if (closest !== here.pastelId || retry.closest_agreeing_supernode_to_retry_storage_pastelid !== here.pastelId)
    faults.push('This supernode is not the closest agreeing one to the PastelID of the buyer');
  const age = here.height - confirmation.credit_purchase_request_confirmation_pastel_block_height;
  if (!(age > here.blocksMin))
    faults.push(`Storage may be retried more than ${here.blocksMin} blocks after the confirmation, which is ${age} blocks old`);
  return faults;
}
