import { getSchemaPath } from '@nestjs/swagger';
import { describe } from '#http';
import { CreditPackPurchaseRequestConfirmation, CreditPackPurchaseRequestResponse, kinds } from '#protocol';

const number = { type: 'number' };
const closed = (properties: Record<string, object>) => ({ type: 'object', required: Object.keys(properties), properties });
const orNull = (shown: object) => ({ ...shown, nullable: true });

export const balanceShown = closed({ current_credit_balance: number, number_of_confirmation_transactions: { type: 'integer' } });

/** One item of the ticket list (credit-packs spec 5.12). */
export const ticketShown = closed({
  credit_pack_registration_txid: kinds.txid.shown,
  credit_purchase_request_confirmation_pastel_block_height: kinds.blockHeight.shown,
  requesting_end_user_pastelid: kinds.pastelId.shown,
  ticket_input_data_fully_parsed_sha3_256_hash: kinds.sha3Hex.shown,
  txid_of_credit_purchase_burn_transaction: kinds.txid.shown,
  credit_usage_tracking_psl_address: kinds.address.shown,
  psl_cost_per_credit: number,
  requested_initial_credits_in_credit_pack: number,
  complete_credit_pack_data_json: { type: 'string' },
  credit_pack_current_credit_balance: orNull(number),
  number_of_confirmation_transactions: orNull({ type: 'integer' }),
  balance_as_of_datetime: orNull(kinds.utcTimestamp.shown),
});

describe(CreditPackPurchaseRequestResponse);
describe(CreditPackPurchaseRequestConfirmation);
const parts = {
  request: { type: 'object', description: 'The hashed fields of the purchase request, as they stand on the chain' },
  response: { $ref: getSchemaPath(CreditPackPurchaseRequestResponse) },
  confirmation: { $ref: getSchemaPath(CreditPackPurchaseRequestConfirmation) },
};
/** The messages of a ticket under the keys of the wire. */
export const messagesShown = (...which: (keyof typeof parts)[]) =>
  closed(
    Object.fromEntries(
      which.map((part) => [
        part === 'request' ? 'credit_pack_purchase_request' : `credit_pack_purchase_request_${part}`,
        parts[part],
      ]),
    ),
  );
