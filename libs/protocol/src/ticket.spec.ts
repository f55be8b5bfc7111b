import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeBase64 } from './kernel/base64.js';
import { isJsonObject, readJson, type Json, type JsonObject } from './kernel/json.js';
import { pythonJson, writeJson } from './kernel/json-text.js';
import { identityFromSeed } from './kernel/pastelid.js';
import { PythonNumber } from './kernel/python-number.js';
import { faultsOf, seal } from './kernel/seal.js';
import { directChecking } from './kernel/pastelid.js';
import {
  CreditPackPurchaseRequest,
  CreditPackPurchaseRequestConfirmation,
  CreditPackPurchaseRequestResponse,
} from './messages/purchase.js';
import { requestFieldsBase64 } from './purchase-request.js';
import { composeTicket, readTicket } from './ticket.js';
import { contractTicketOf, fullyParsedText, parsedThroughout, TicketError } from './ticket-data.js';

const user = identityFromSeed(Buffer.alloc(57, 1));
const supernode = identityFromSeed(Buffer.alloc(57, 2));
const ID = '0b1f5a3e-2d0c-4d38-9a2e-3f6a2b1c4d5e';
const ADDRESS = '44oEBt46RHRb3FkbX9tx4gu6TqpccZNXjd57';

async function bought(price = 588, credits = PythonNumber.read('1500')) {
  const request = await seal(
    CreditPackPurchaseRequest,
    {
      requesting_end_user_pastelid: user.pastelId,
      requested_initial_credits_in_credit_pack: credits,
      list_of_authorized_pastelids_allowed_to_use_credit_pack: JSON.stringify([user.pastelId]),
      credit_usage_tracking_psl_address: ADDRESS,
      request_timestamp_utc_iso_string: '2025-01-15T10:20:30.123+00:00',
      request_pastel_block_height: 750_000,
      credit_purchase_request_message_version_string: '1.0',
    },
    user,
  );
  const requestHash = request.sha3_256_hash_of_credit_pack_purchase_request_fields;
  const base64 = requestFieldsBase64(request);
  const response = await seal(
    CreditPackPurchaseRequestResponse,
    {
      id: ID,
      sha3_256_hash_of_credit_pack_purchase_request_fields: requestHash,
      credit_pack_purchase_request_fields_json_b64: base64,
      psl_cost_per_credit: PythonNumber.float(price),
      proposed_total_cost_of_credit_pack_in_psl: PythonNumber.float(price * 1500),
      credit_usage_tracking_psl_address: ADDRESS,
      request_response_timestamp_utc_iso_string: '2025-01-15T10:21:30+00:00',
      request_response_pastel_block_height: 750_001,
      best_block_merkle_root: 'ab'.repeat(32),
      best_block_height: 750_001,
      credit_purchase_request_response_message_version_string: '1.0',
      responding_supernode_pastelid: supernode.pastelId,
      list_of_blacklisted_supernode_pastelids: [],
      list_of_potentially_agreeing_supernodes: [user.pastelId],
      list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms: [user.pastelId],
      list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms_selected_for_signature_inclusion: [user.pastelId],
      selected_agreeing_supernodes_signatures_dict: {
        [user.pastelId]: { price_agreement_request_response_hash_signature: 'AA==' },
      },
    },
    supernode,
  );
  const confirmation = await seal(
    CreditPackPurchaseRequestConfirmation,
    {
      sha3_256_hash_of_credit_pack_purchase_request_fields: requestHash,
      sha3_256_hash_of_credit_pack_purchase_request_response_fields:
        response.sha3_256_hash_of_credit_pack_purchase_request_response_fields,
      credit_pack_purchase_request_fields_json_b64: base64,
      requesting_end_user_pastelid: user.pastelId,
      txid_of_credit_purchase_burn_transaction: 'cd'.repeat(32),
      credit_purchase_request_confirmation_utc_iso_string: '2025-01-15T10:25:30.000Z',
      credit_purchase_request_confirmation_pastel_block_height: 750_003,
      credit_purchase_request_confirmation_message_version_string: '1.0',
    },
    user,
  );
  return { request, response, confirmation };
}

const failure = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    if (error instanceof TicketError) return error.message;
    throw error;
  }
  return 'was read';
};

/** As pasteld's own library prints a decoded ticket: keys in order, numbers as it likes. */
const reprinted = (value: Json, number: (n: PythonNumber) => PythonNumber): Json => {
  if (value instanceof PythonNumber) return number(value);
  if (Array.isArray(value)) return value.map((item) => reprinted(item, number));
  if (!isJsonObject(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, reprinted(value[key]!, number)]));
};

describe('a credit pack on the chain', () => {
  test('comes back whole in every form in which pasteld gives it', async () => {
    const { response, confirmation } = await bought();
    const ticket = composeTicket(response, confirmation);
    expect(ticket.json).toContain('"psl_cost_per_credit": 588.0');
    const decoded = readJson(ticket.json);
    const forms: Json[] = [
      ticket.json,
      encodeBase64(ticket.json),
      decoded,
      reprinted(decoded, (n) => n),
      reprinted(decoded, (n) => PythonNumber.asJavaScriptPrints(n.value)),
    ];
    for (const form of forms) {
      const read = readTicket(form);
      expect(read.fullyParsedHash).toBe(ticket.fullyParsedHash);
      expect(await faultsOf(read.response, directChecking)).toEqual([]);
      expect(await faultsOf(read.confirmation, directChecking)).toEqual([]);
      expect(read.request['list_of_authorized_pastelids_allowed_to_use_credit_pack']).toEqual([user.pastelId]);
      expect(composeTicket(read.response, read.confirmation)).toEqual(ticket);
    }
  });

  test('says what is wrong with it', async () => {
    const { response, confirmation } = await bought();
    const other = await bought(600, PythonNumber.read('1501'));
    const ticket = composeTicket(response, confirmation);
    const edited = (edit: (outer: JsonObject, data: JsonObject) => void): Json => {
      const outer = readJson(ticket.json) as JsonObject;
      edit(outer, outer['ticket_input_data_dict'] as JsonObject);
      return outer;
    };
    const part = (data: JsonObject, name: string) => data[`credit_pack_purchase_${name}_dict`] as JsonObject;
    const cases: [Json, RegExp][] = [
      [edited((outer) => (outer['ticket_identifier_string'] = 'OTHER')), /Not a credit pack ticket/],
      [edited((outer) => delete outer['ticket_input_data_dict']), /ticket_input_data_dict/],
      [edited((outer) => (outer['ticket_input_data_fully_parsed_sha3_256_hash'] = '00'.repeat(32))), /hash does not match/],
      [edited((_, data) => delete data['credit_pack_purchase_request_confirmation_dict']), /confirmation_dict is missing/],
      [
        edited((_, data) => (part(data, 'request')['requested_initial_credits_in_credit_pack'] = PythonNumber.read('9999'))),
        /differs/,
      ],
      [
        edited((_, data) => (part(data, 'request_response')['psl_cost_per_credit'] = PythonNumber.float(1))),
        /hash does not match/,
      ],
      [edited((_, data) => (part(data, 'request_response')['best_block_height'] = 'high')), /best_block_height/],
      [edited((_, data) => (part(data, 'request_response')['best_block_merkle_root'] = [])), /best_block_merkle_root/],
      [composeTicket(response, other.confirmation).json, /another request/],
      ['{"ticket_identifier_string": NaN}', /no JSON object/],
      ['[]', /no JSON object/],
      ['%%%', /no JSON object/],
      [null, /Not a JSON object/],
      [PythonNumber.read('1'), /Not a JSON object/],
    ];
    for (const [form, complaint] of cases) expect(failure(() => readTicket(form))).toMatch(complaint);
  });

  test('gives a TicketError and nothing else for whatever was registered', async () => {
    const { response, confirmation } = await bought();
    const whole = readJson(composeTicket(response, confirmation).json) as JsonObject;
    const json = fc.jsonValue({ maxDepth: 3 }).map((value) => readJson(JSON.stringify(value)));
    fc.assert(
      fc.property(json, (value) => expect(failure(() => readTicket(value))).not.toBe('was read')),
      { numRuns: 200 },
    );
    fc.assert(
      fc.property(fc.string(), (value) => expect(failure(() => readTicket(value))).not.toBe('was read')),
      { numRuns: 200 },
    );
    const paths = pathsOf(whole);
    fc.assert(
      fc.property(fc.constantFrom(...paths), json, (path, value) => {
        const hostile = replaced(whole, path, value);
        const outcome = failure(() => readTicket(hostile));
        if (pythonJson(hostile) !== pythonJson(whole) && path[0] !== 'ticket_uncompressed_size_in_bytes')
          expect(outcome).not.toBe('was read');
      }),
      { numRuns: 400 },
    );
  });

  test('does not let a small ticket ask for much', () => {
    const key = 'k'.repeat(100_000);
    expect(failure(() => fullyParsedText({ [key]: Array.from({ length: 10_000 }, () => null) }))).toMatch(/too large/);
    let deep: Json = [];
    for (let level = 0; level < 10_000; level++) deep = [deep];
    const hostile = { ticket_identifier_string: 'INFERENCE_API_CREDIT_PACK_TICKET', ticket_input_data_dict: { deep } };
    expect(failure(() => readTicket(hostile))).toMatch(/too deeply/);
  });
});

test('parsing throughout does not depend on the order of keys, and is done after once', () => {
  const json = fc.jsonValue({ maxDepth: 3 }).map((value) => readJson(JSON.stringify({ value, text: JSON.stringify({ value }) })));
  fc.assert(
    fc.property(json, (value) => {
      const parsed = parsedThroughout(value);
      expect(writeJson(parsedThroughout(parsed))).toBe(writeJson(parsed));
      expect(fullyParsedText(parsedThroughout(reprinted(value, (n) => n)))).toBe(fullyParsedText(parsed));
      const ticket = contractTicketOf(value as JsonObject);
      expect(readJson(ticket.json)).toBeDefined();
    }),
  );
});

function pathsOf(value: Json, path: string[] = []): string[][] {
  if (!isJsonObject(value)) return [path];
  return Object.entries(value).flatMap(([key, member]) => [[...path, key], ...pathsOf(member, [...path, key])]);
}
function replaced(value: JsonObject, [key, ...rest]: string[], by: Json): JsonObject {
  const member = value[key!];
  return { ...value, [key!]: rest.length > 0 && isJsonObject(member) ? replaced(member, rest, by) : by };
}
