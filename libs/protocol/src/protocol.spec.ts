import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as p from './index.js';

const me = p.identityFromSeed(Buffer.alloc(57, 3));
const other = p.identityFromSeed(Buffer.alloc(57, 4));
const REQUEST_ID = '0b6b7c7e-53ff-4f4e-9d5e-0d4a54a8f3e1';
const ADDRESS = '44oEBt46RHRb3FkbX9tx4gu6TqpccZNXjd57';

const usageRequest = (timestamp = '2024-06-01T12:00:00.123Z') =>
  p.seal(
    p.InferenceAPIUsageRequest,
    {
      id: 'c0ffee00-1234-4abc-8def-000000000001',
      inference_request_id: REQUEST_ID,
      requesting_pastelid: me.pastelId,
      credit_pack_ticket_pastel_txid: 'ab'.repeat(32),
      requested_model_canonical_string: 'modèle, "x"',
      model_inference_type_string: 'text_completion',
      model_parameters_json_b64: p.encodeBase64('{"n": 1}'),
      model_input_data_json_b64: p.encodeBase64('a prompt that is quite a bit longer than others will see'),
      inference_request_utc_iso_string: timestamp,
      inference_request_pastel_block_height: 750_000,
      status: 'initiating',
      inference_request_message_version_string: '1.0',
    },
    me,
  );
const responseDraft = (): p.Draft<p.InferenceAPIUsageResponse> => ({
  id: '79df343b-4ad3-435c-800e-e59e616ff84d',
  inference_response_id: '0b1f5a3e-2d0c-4d38-9a2e-3f6a2b1c4d5e',
  inference_request_id: REQUEST_ID,
  proposed_cost_of_request_in_inference_credits: p.creditsFloat(20),
  remaining_credits_in_pack_after_request_processed: p.creditsFloat(14_985),
  credit_usage_tracking_psl_address: ADDRESS,
  request_confirmation_message_amount_in_patoshis: 20,
  max_block_height_to_include_confirmation_transaction: 750_010,
  inference_request_response_utc_iso_string: '2024-06-01T12:00:01.000000+00:00',
  inference_request_response_pastel_block_height: 750_000,
  inference_request_response_message_version_string: '1.0',
});

describe('numbers', () => {
  test('keep every digit of an integer, in the hashed text and in the answer', () => {
    const wire = p.readJson(
      '{"requested_initial_credits_in_credit_pack": 9007199254740993, "request_pastel_block_height": 9007199254740993}',
    );
    const request = p.received(p.CreditPackPurchaseRequest, wire as p.JsonObject);
    expect(p.canonicalText(request)).toBe(
      '{"request_pastel_block_height": 9007199254740993, "requested_initial_credits_in_credit_pack": 9007199254740993}',
    );
    expect(p.shapeFaultsOf(request).map(({ field }) => field)).toContain('request_pastel_block_height');
  });

  test('print like Python and read back as the same double', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = p.pythonFloatText(value);
        expect(Object.is(Number(text), value)).toBe(true);
        expect(text).toMatch(/^-?\d(?:\d*\.\d+|(?:\.\d+)?e[+-]\d{2,3})$/);
        expect(p.PythonNumber.read(text).text).toBe(text);
      }),
    );
  });

  test('round to the nearest, ties to even, like exact arithmetic', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.integer({ min: 0, max: 12 }), (mantissa, power) => {
        const value = mantissa / 2 ** power;
        const rounded = p.pythonRound(value, 1);
        const denominator = BigInt(2 ** power);
        const tenths = BigInt(Math.round(rounded * 10));
        const off = BigInt(mantissa) * 10n - tenths * denominator;
        const distance = (off < 0n ? -off : off) * 2n;
        expect(distance < denominator || (distance === denominator && tenths % 2n === 0n)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('amounts: patoshis and tenths are exact or refused', () => {
    expect(p.patoshisFromPsl('882300.00001')).toBe(88_230_000_001);
    expect(p.patoshisFromPsl('0.000001')).toBeUndefined();
    expect(p.patoshisFromPsl(p.PythonNumber.read('1e-05'))).toBe(1);
    expect(p.patoshisFromPsl('1e9999999')).toBeUndefined();
    expect(p.tenthsFromCredits('1500.0')).toBe(15_000);
    expect(p.tenthsFromCredits('0.25')).toBeUndefined();
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 52 }), (n) => expect(p.patoshisFromPsl(p.pslText(n))).toBe(n)));
  });
});

describe('JSON', () => {
  test('reads what JSON.parse reads, and prints it back', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.parse(p.writeJson(p.readJson(text)))).toEqual(JSON.parse(text));
        expect(JSON.parse(p.pythonJson(p.readJson(text)))).toEqual(JSON.parse(text));
        expect(JSON.parse(p.pythonAsciiJson(p.readJson(text)))).toEqual(JSON.parse(text));
        expect(JSON.parse(p.pythonIndentedJson(p.readJson(text)))).toEqual(JSON.parse(text));
      }),
    );
  });

  test.each([
    'NaN',
    '[Infinity]',
    '-',
    '01',
    '1.',
    '.5',
    '+1',
    '"\\ud800"',
    '"\\x"',
    '"\u0001"',
    '{"a":1,"a":2}',
    '[1,]',
    '{"a" 1}',
    '{a:1}',
    '',
    '1 2',
    '"',
    `${'['.repeat(33)}${']'.repeat(33)}`,
    '1'.repeat(401),
    "'a'",
    '\u00a01',
  ])('refuses %j', (text) => {
    expect(() => p.readJson(text)).toThrow(p.JsonError);
  });

  test('throws nothing but a JsonError', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(fc.constantFrom(...'{}[]",:\\ue01-.tfn ')).map((all) => all.join('')),
        ),
        (text) => {
          try {
            p.readJson(text);
          } catch (error) {
            expect(error).toBeInstanceOf(p.JsonError);
          }
        },
      ),
    );
  });

  test('keys with a meaning to JavaScript are ordinary', () => {
    const value = p.readJson('{"__proto__": 1, "constructor": 2, "toString": 3}');
    expect(p.writeJson(value)).toBe('{"__proto__":1,"constructor":2,"toString":3}');
  });
});

test('base64 is strict', () => {
  for (const text of ['A', 'AA', 'AAA', 'A===', 'AA=A', 'AA==\n', ' AA==', 'AB==', 'AAB=', 'AA-_'])
    expect(p.decodeBase64(text)).toBeUndefined();
  expect(p.decodeBase64Text('/w==')).toBeUndefined();
  fc.assert(fc.property(fc.uint8Array(), (bytes) => expect(p.decodeBase64(p.encodeBase64(bytes))).toEqual(Buffer.from(bytes))));
});

describe('freshness', () => {
  const now = new Date('2024-06-01T12:00:00Z');
  const limits = { now, height: 750_000, timestampSecondsMax: 200, blocksMax: 1 };
  const request = (timestamp: string, height: number) =>
    p.received(p.CreditPackPurchaseRequest, {
      request_timestamp_utc_iso_string: timestamp,
      request_pastel_block_height: p.PythonNumber.read(String(height)),
    });

  test('both ends of both windows are inside', () => {
    for (const timestamp of ['2024-06-01T12:03:20Z', '2024-06-01T11:56:40.000000+00:00'])
      for (const height of [749_999, 750_000, 750_001]) expect(p.freshnessFaults(request(timestamp, height), limits)).toEqual([]);
  });

  test('names the field, and says how far away it is', () => {
    expect(p.freshnessFaults(request('2024-06-01T12:03:20.001Z', 749_998), limits)).toEqual([
      'Timestamp in field request_timestamp_utc_iso_string is too far from the current time; ' +
        'at most 200 seconds are allowed (local: 2024-06-01T12:03:20.001Z, remote: 2024-06-01T12:00:00.000Z)',
      'Pastel block height in field request_pastel_block_height does not match the current block height; ' +
        'difference is 2 blocks (local: 749998, remote: 750000)',
    ]);
    expect(p.freshnessFaults(request('2024-13-01T12:00:00Z', 750_000), limits)).toHaveLength(1);
    expect(p.freshnessFaults(new p.CreditPackPurchaseRequest(), limits)).toHaveLength(2);
  });

  test('holds inference requests to their height alone', async () => {
    const request = await usageRequest('2001-01-01T00:00:00.000Z');
    expect(p.freshnessFaults(request, limits)).toEqual([]);
    expect(p.freshnessFaults(request, { ...limits, height: 750_002 })).toHaveLength(1);
  });
});

describe('the dialect of JavaScript clients', () => {
  test('is spoken to those who write Z, and seals as well', async () => {
    const toJavaScript = await p.seal(p.InferenceAPIUsageResponse, p.inDialectOf(await usageRequest(), responseDraft()), other);
    expect(p.writeJson(toJavaScript)).toContain('"proposed_cost_of_request_in_inference_credits":2,');
    expect(p.writeJson(toJavaScript)).toContain('":1498.5,');
    expect(await p.faultsOf(toJavaScript, p.directChecking)).toEqual([]);
    const python = await usageRequest('2024-06-01T12:00:00.123456+00:00');
    const toPython = await p.seal(p.InferenceAPIUsageResponse, p.inDialectOf(python, responseDraft()), other);
    expect(p.writeJson(toPython)).toContain('"proposed_cost_of_request_in_inference_credits":2.0,');
  });
});

describe('announcements', () => {
  test('carry the whole response and the beginning of the input', async () => {
    const request = await usageRequest();
    const response = await p.seal(p.InferenceAPIUsageResponse, responseDraft(), other);
    const text = p.responseAnnouncement(request, response);
    expect(text).not.toMatch(/[^ -~]/);
    const read = p.readResponseAnnouncement(text)!;
    expect(read.request.model_input_data_json_b64).toBe(request.model_input_data_json_b64.slice(0, 32));
    expect(read.request.id).toBeUndefined();
    expect(read.request.requested_model_canonical_string).toBe(request.requested_model_canonical_string);
    expect(p.writeJson(read.response)).toBe(p.writeJson(response));
    expect(await p.faultsOf(read.response, p.directChecking)).toEqual([]);
  });

  test('carry the beginning of a result and what it was asked for', async () => {
    const request = await usageRequest();
    const result = await p.seal(
      p.InferenceAPIOutputResult,
      {
        id: '79df343b-4ad3-435c-800e-e59e616ff84d',
        inference_result_id: '0b1f5a3e-2d0c-4d38-9a2e-3f6a2b1c4d5e',
        inference_request_id: REQUEST_ID,
        inference_response_id: '0b1f5a3e-2d0c-4d38-9a2e-3f6a2b1c4d5e',
        responding_supernode_pastelid: other.pastelId,
        inference_result_json_base64: p.encodeBase64('"short"'),
        inference_result_file_type_strings: '{"output_text": "txt", "output_files": ["NA"]}',
        inference_result_utc_iso_string: '2024-06-01T12:00:01.000000+00:00',
        inference_result_pastel_block_height: 750_000,
        inference_result_message_version_string: '1.0',
      },
      other,
    );
    const read = p.readResultAnnouncement(p.resultAnnouncement(result, request))!;
    expect(p.writeJson(read.result)).toBe(p.writeJson(result));
    expect(read.context.requested_model_canonical_string).toBe(request.requested_model_canonical_string);
    expect(p.readResultAnnouncement(p.writeJson(result))).toBeUndefined();
  });

  test('garbage is none', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(p.readResponseAnnouncement(text)).toBeUndefined();
        expect(p.readResultAnnouncement(text)).toBeUndefined();
      }),
    );
  });
});

describe('the table of exchanges', () => {
  const named = (field: string, value: p.Json = 'x'): p.JsonObject => ({ [field]: value });
  test('tells answers apart by the reason that a refusal gives', () => {
    const { purchaseRequest, quoteResponse, storageRetry, responseAnnouncement } = p.exchanges;
    expect(p.answerClassOf(purchaseRequest, named('rejection_reason_string'))).toBe(p.CreditPackPurchaseRequestRejection);
    expect(p.answerClassOf(purchaseRequest, {})).toBe(p.CreditPackPurchaseRequestPreliminaryPriceQuote);
    expect(p.answerClassOf(purchaseRequest, named('rejection_reason_string', ''))).toBe(
      p.CreditPackPurchaseRequestPreliminaryPriceQuote,
    );
    expect(p.answerClassOf(quoteResponse, named('termination_reason_string'))).toBe(
      p.CreditPackPurchaseRequestResponseTermination,
    );
    expect(p.answerClassOf(quoteResponse, {})).toBe(p.CreditPackPurchaseRequestResponse);
    expect(p.answerClassOf(storageRetry, {})).toBe(p.CreditPackStorageRetryRequestResponse);
    expect(p.answerClassOf(storageRetry, named('rejection_reason_string'))).toBeUndefined();
    expect(p.answerClassOf(responseAnnouncement, {})).toBeUndefined();
  });
  test('has every path once', () => {
    const paths = Object.values(p.exchanges).map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
  });
});

describe('a purchase request', () => {
  const ids = [me.pastelId, other.pastelId];
  const listed = (list: p.Json) => p.authorisedPastelIds({ list_of_authorized_pastelids_allowed_to_use_credit_pack: list });
  test('names exactly who may spend', () => {
    expect(listed(JSON.stringify(ids))).toEqual(ids);
    expect(listed(ids)).toEqual(ids);
    expect(listed([...ids, me.pastelId])).toEqual(ids);
    for (const garbage of [
      '',
      '[]',
      '{}',
      'null',
      me.pastelId,
      JSON.stringify([...ids, 'jX']),
      `${JSON.stringify(ids)}x`,
      [],
      [null],
      [me.pastelId.slice(0, -1)],
    ])
      expect(listed(garbage)).toBeUndefined();
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => expect(listed(text)).toBeUndefined()));
  });
  test('asks for whole credits or for none', () => {
    const credits = (lexeme: string) =>
      p.wholeCreditsOf({ requested_initial_credits_in_credit_pack: p.PythonNumber.read(lexeme) });
    expect([credits('1500'), credits('1500.0'), credits('1.5e3')]).toEqual([1500, 1500, 1500]);
    for (const lexeme of ['1500.5', '0', '-1', '1e400', '9007199254740993']) expect(credits(lexeme)).toBeUndefined();
  });
  test('is found in its base64 text only under its own hash', async () => {
    const request = await p.seal(
      p.CreditPackPurchaseRequest,
      {
        requesting_end_user_pastelid: me.pastelId,
        requested_initial_credits_in_credit_pack: p.PythonNumber.read('1500.0'),
        list_of_authorized_pastelids_allowed_to_use_credit_pack: JSON.stringify(ids),
        credit_usage_tracking_psl_address: ADDRESS,
        request_timestamp_utc_iso_string: '2024-06-01T12:00:00Z',
        request_pastel_block_height: 750_000,
        credit_purchase_request_message_version_string: '1.0',
      },
      me,
    );
    const hash = request.sha3_256_hash_of_credit_pack_purchase_request_fields;
    const base64 = p.requestFieldsBase64(request);
    expect(p.requestInFields(base64, hash)?.requested_initial_credits_in_credit_pack.text).toBe('1500.0');
    expect(p.requestInFields(base64, p.sha3('other'))).toBeUndefined();
    for (const text of ['{}', '[]', 'x', `${p.canonicalText(request)} `])
      expect(p.requestInFields(p.encodeBase64(text), p.sha3(text))).toBeUndefined();
    expect(p.requestInFields('%', hash)).toBeUndefined();
  });
});

test('addresses and keys of one network are none of another', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.boolean(), (privateKey, compressed) => {
      fc.pre(privateKey.some((byte) => byte !== 0) && privateKey[0] !== 0xff);
      const wif = p.wifEncode('devnet', { privateKey, compressed });
      expect(p.wifDecode('devnet', wif)).toEqual({ privateKey, compressed });
      expect(p.wifDecode('mainnet', wif)).toBeUndefined();
      const address = p.addressOfWif('devnet', wif)!;
      expect(p.isAddress('devnet', address)).toBe(true);
      expect(p.isAddress('testnet', address)).toBe(false);
      const [last] = address.slice(-1);
      expect(p.isAddress('devnet', address.slice(0, -1) + (last === '1' ? '2' : '1'))).toBe(false);
    }),
    { numRuns: 20 },
  );
  for (const { name, burnAddress } of Object.values(p.networks)) expect(p.isAddress(name, burnAddress)).toBe(true);
  fc.assert(
    fc.property(fc.string(), (text) =>
      expect(p.isAddress('mainnet', text) || p.wifDecode('mainnet', text) !== undefined).toBe(false),
    ),
  );
});

test('kinds refuse what no client may send', () => {
  for (const text of ['\ud800', 'a\0b']) expect(p.kinds.text.accepts(text)).toBe(false);
  expect(p.kinds.uuidV4.accepts('c0ffee00-1234-1abc-8def-000000000001')).toBe(false);
  expect(p.kinds.uuid.accepts('------------------------------------')).toBe(false);
  expect(p.kinds.utcTimestamp.accepts('2024-13-01T00:00:00Z')).toBe(false);
  expect(p.kinds.pythonFloat.accepts(p.PythonNumber.read('1e400'))).toBe(false);
  expect(p.kinds.blockHeight.accepts(-1)).toBe(false);
  expect(() => p.identityFromSeed(Buffer.alloc(56))).toThrow(RangeError);
});
