import {
  byDistanceTo,
  CreditPackStorageRetryRequest,
  exchanges,
  seal,
  type CreditPackPurchaseRequestConfirmation,
  type CreditPackPurchaseRequestResponse,
} from '#protocol';
import { closestTo } from './choice.js';
import { TXID } from './shapes.js';
import { ClientError, isSupernodeTrouble, stampOf, waitUntil, type UserSide } from './side.js';

export const RESUME_HINT = 'The burn is kept in the journal: run the same command again to go on without paying again.';
/** Blocks before another supernode may store the ticket (credit-packs spec 5.8), and the time that they take on the public network. */
const RETRY_BLOCKS = 10;
const WAIT_TIMEOUT_MS = 60 * 60_000;
const CALL_TIMEOUT_MS = 30 * 60_000;

/** Another supernode stores the ticket (credit-packs spec 5.8): the closest to the buyer of those that agreed. */
export async function storedByPeer(
  side: UserSide,
  offer: CreditPackPurchaseRequestResponse,
  confirmation: CreditPackPurchaseRequestConfirmation,
  reason = 'no reason given',
): Promise<string> {
  const [closest] = byDistanceTo(side.signing.pastelId, offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms);
  const peer = (await closestTo(side, side.signing.pastelId)).find(({ pastelId }) => pastelId === closest);
  if (!peer)
    throw new ClientError(
      'not-completed',
      `The seller did not complete the purchase (${reason}), and nobody else can`,
      RESUME_HINT,
    );
  const due = confirmation.credit_purchase_request_confirmation_pastel_block_height + RETRY_BLOCKS + 1;
  side.report?.({
    step: 'storage retry',
    text: `The seller did not complete the purchase: ${reason}`,
    waitsFor: `block ${due}, when ${peer.client.url} may`,
  });
  await waitUntil(
    side,
    { what: `block ${due}`, timeoutMs: WAIT_TIMEOUT_MS, everyMs: 2_000, everyMsMax: 30_000, growth: 1.3, hint: RESUME_HINT },
    async () => (await side.chain.height()) >= due,
  );
  const { timestamp, height } = await stampOf(side);
  const draft = {
    sha3_256_hash_of_credit_pack_purchase_request_response_fields:
      offer.sha3_256_hash_of_credit_pack_purchase_request_response_fields,
    credit_pack_purchase_request_fields_json_b64: offer.credit_pack_purchase_request_fields_json_b64,
    requesting_end_user_pastelid: side.signing.pastelId,
    closest_agreeing_supernode_to_retry_storage_pastelid: peer.pastelId,
    credit_pack_storage_retry_request_timestamp_utc_iso_string: timestamp,
    credit_pack_storage_retry_request_pastel_block_height: height,
    credit_pack_storage_retry_request_message_version_string: '1.0',
  };
  const request = await seal(CreditPackStorageRetryRequest, draft, side.signing);
  try {
    const answer = await peer.client.exchange(exchanges.storageRetry, request, {
      expectedSigner: peer.pastelId,
      timeoutMs: CALL_TIMEOUT_MS,
    });
    const txid = answer.pastel_api_credit_pack_ticket_registration_txid;
    if (TXID.test(txid)) return txid;
    throw new ClientError(
      'not-completed',
      `The purchase is not completed: ${answer.credit_pack_storage_retry_confirmation_failure_reason_if_applicable}`,
      RESUME_HINT,
    );
  } catch (error) {
    if (isSupernodeTrouble(error))
      throw new ClientError('not-completed', `The purchase is not completed: ${error.message}`, RESUME_HINT);
    throw error;
  }
}
