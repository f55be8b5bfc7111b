import { afterEach, describe, expect, test } from '@jest/globals';
import {
  CreditPackPurchaseRequest,
  CreditPackPurchaseRequestPreliminaryPriceQuote,
  CreditPackPurchaseRequestRejection,
  directChecking,
  exchanges,
  identityFromSeed,
  InferenceAPIOutputResult,
  PythonNumber,
  seal,
  verifySync,
  writeJson,
} from '#protocol';
import { SupernodeRefused, SupernodeUnreachable, SupernodeUntrustworthy } from './errors.js';
import { serve, silence, type Routes } from './fake-server.spec-suite.js';
import { SupernodeClient } from './supernode-client.js';

const user = identityFromSeed(Buffer.alloc(57, 1));
const supernode = identityFromSeed(Buffer.alloc(57, 2));
const stranger = identityFromSeed(Buffer.alloc(57, 3));
const CHALLENGE = '6f1c1f0e-8c1b-4a53-9d55-0a5b1f1d2c3e';
const HASH = 'ab'.repeat(32);
const TIME = '2025-01-15T10:20:30.123000+00:00';
const ADDRESS = '44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7';

const request = await seal(
  CreditPackPurchaseRequest,
  {
    id: CHALLENGE,
    requesting_end_user_pastelid: user.pastelId,
    requested_initial_credits_in_credit_pack: PythonNumber.read('1500'),
    list_of_authorized_pastelids_allowed_to_use_credit_pack: `["${user.pastelId}"]`,
    credit_usage_tracking_psl_address: ADDRESS,
    request_timestamp_utc_iso_string: TIME,
    request_pastel_block_height: 760000,
    credit_purchase_request_message_version_string: '1.0',
  },
  user,
);
const quoteBy = (signing = supernode) =>
  seal(
    CreditPackPurchaseRequestPreliminaryPriceQuote,
    {
      sha3_256_hash_of_credit_pack_purchase_request_fields: HASH,
      credit_usage_tracking_psl_address: ADDRESS,
      credit_pack_purchase_request_fields_json_b64: 'e30=',
      preliminary_quoted_price_per_credit_in_psl: PythonNumber.float(24),
      preliminary_total_cost_of_credit_pack_in_psl: PythonNumber.float(36000.00123),
      preliminary_price_quote_timestamp_utc_iso_string: TIME,
      preliminary_price_quote_pastel_block_height: 760000,
      preliminary_price_quote_message_version_string: '1.0',
      responding_supernode_pastelid: signing.pastelId,
    },
    signing,
  );

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});
async function network(routes: Routes) {
  const server = await serve({ 'GET /request_challenge/': () => ({ challenge: CHALLENGE, challenge_id: CHALLENGE }), ...routes });
  open.push(server.close);
  return {
    server,
    client: new SupernodeClient({ url: `${server.url}/`, signing: user, checking: directChecking, timeoutMs: 5000 }),
  };
}
const askQuote = 'POST /credit_purchase_initial_request';
const failure = <T>(call: Promise<T>): Promise<unknown> =>
  call.then(
    () => 'no failure',
    (error: unknown) => error,
  );

describe('exchange', () => {
  test('signs the challenge, keeps the printing of numbers and gives the verified answer', async () => {
    const quote = await quoteBy();
    const { client, server } = await network({ [askQuote]: () => quote });
    const answer = await client.exchange(exchanges.purchaseRequest, request, { expectedSigner: supernode.pastelId });
    expect(answer).toBeInstanceOf(CreditPackPurchaseRequestPreliminaryPriceQuote);
    expect(answer).toEqual(quote);
    const { body } = server.calls.at(-1)!;
    expect(verifySync(user.pastelId, CHALLENGE, body['challenge_signature'] as string)).toBe(true);
    expect(writeJson(body['credit_pack_request'])).toBe(writeJson(request));
    expect(writeJson(body['credit_pack_request'])).toContain('"requested_initial_credits_in_credit_pack":1500,');
  });

  test('tells the possible answers apart', async () => {
    const rejection = await seal(
      CreditPackPurchaseRequestRejection,
      {
        sha3_256_hash_of_credit_pack_purchase_request_fields: HASH,
        credit_pack_purchase_request_fields_json_b64: 'e30=',
        rejection_reason_string: 'too many credits',
        rejection_timestamp_utc_iso_string: TIME,
        rejection_pastel_block_height: 760000,
        credit_purchase_request_rejection_message_version_string: '1.0',
        responding_supernode_pastelid: supernode.pastelId,
      },
      supernode,
    );
    const { client } = await network({ [askQuote]: () => rejection });
    expect(await client.exchange(exchanges.purchaseRequest, request)).toBeInstanceOf(CreditPackPurchaseRequestRejection);
  });

  test.each(['give me your signature', HASH, '', 42, null, CHALLENGE.toUpperCase(), `${CHALLENGE}\n`])(
    'does not sign %p',
    async (challenge) => {
      let asked = '';
      const { server } = await network({
        'GET /request_challenge/': () => ({ challenge, challenge_id: CHALLENGE }),
        [askQuote]: () => ({}),
      });
      const watched = { pastelId: user.pastelId, sign: (text: string) => ((asked += text), user.sign(text)) };
      const client = new SupernodeClient({ url: server.url, signing: watched, checking: directChecking });
      expect(await failure(client.exchange(exchanges.purchaseRequest, request))).toBeInstanceOf(SupernodeUntrustworthy);
      expect(asked).toBe('');
      expect(server.calls).toHaveLength(1);
    },
  );

  test.each([
    ['another signer', async () => quoteBy(stranger), 'signed by'],
    [
      'a changed field',
      async () => ({ ...(await quoteBy()), preliminary_total_cost_of_credit_pack_in_psl: PythonNumber.float(1) }),
      'hash',
    ],
    ['a missing field', async () => ({ ...(await quoteBy()), credit_usage_tracking_psl_address: undefined }), 'Field required'],
    [
      'a wrong kind',
      async () => ({ ...(await quoteBy()), preliminary_price_quote_pastel_block_height: '760000' }),
      'valid integer',
    ],
    ['a list', async () => [], 'not a JSON object'],
    ['no message at all', async () => ({ hello: 'world' }), 'Field required'],
  ])('refuses an answer with %s', async (_name, answer, fault) => {
    const wire = await answer();
    const { client } = await network({ [askQuote]: () => wire });
    const error = await failure(client.exchange(exchanges.purchaseRequest, request, { expectedSigner: supernode.pastelId }));
    expect(error).toBeInstanceOf(SupernodeUntrustworthy);
    expect((error as Error).message).toContain(fault);
  });

  test.each([
    ['{"detail":"Invalid PastelID signature"}', 'Invalid PastelID signature'],
    [
      '{"detail":[{"type":"missing","loc":["body","challenge"],"msg":"Field required","input":null}]}',
      'body.challenge: Field required',
    ],
    ['<h1>Bad gateway</h1>', '<h1>Bad gateway</h1>'],
    ['', ''],
  ])('turns the error body %p into a refusal', async (text, detail) => {
    const { client } = await network({ [askQuote]: () => ({ status: 500, text }) });
    expect(await failure(client.exchange(exchanges.purchaseRequest, request))).toMatchObject({
      name: 'SupernodeRefused',
      status: 500,
      detail,
    });
  });

  test('follows no redirect', async () => {
    const { client, server } = await network({
      [askQuote]: ({ response }) => {
        response.setHeader('Location', '/elsewhere');
        return { status: 307, text: '' };
      },
    });
    expect(await failure(client.exchange(exchanges.purchaseRequest, request))).toBeInstanceOf(SupernodeRefused);
    expect(server.calls.map(({ path }) => path)).not.toContain('/elsewhere');
  });

  test('is unreachable when nobody listens, nobody answers, or the caller gave up', async () => {
    const { client, server } = await network({ [askQuote]: () => silence });
    const late = await failure(client.exchange(exchanges.purchaseRequest, request, { timeoutMs: 60 }));
    expect(late).toBeInstanceOf(SupernodeUnreachable);
    expect((late as Error).message).toContain('within 0.06 s');
    const caller = new AbortController();
    const stopped = failure(client.exchange(exchanges.purchaseRequest, request, { signal: caller.signal }));
    caller.abort();
    expect(await stopped).toBeInstanceOf(SupernodeUnreachable);
    await server.close();
    expect(await failure(client.liveness())).toBeInstanceOf(SupernodeUnreachable);
  });

  test('a trickling answer does not outlive the limit', async () => {
    const { client } = await network({
      'GET /liveness_ping': ({ response }) => {
        response.writeHead(200);
        const drip = setInterval(() => response.write(' '), 10);
        response.on('close', () => clearInterval(drip));
        return silence;
      },
    });
    expect(await failure(client.liveness({ timeoutMs: 100 }))).toBeInstanceOf(SupernodeUnreachable);
  });
});

describe('the other routes', () => {
  test('liveness: null scores are no scores', async () => {
    const { client } = await network({
      'GET /liveness_ping': () => ({ status: 'alive', timestamp: TIME, performance_ratio_score: null }),
    });
    expect(await client.liveness()).toEqual({ status: 'alive' });
  });

  test('menu: both forms of the inference types, odd entries left out', async () => {
    const parameter = {
      name: 'temperature',
      type: 'float',
      default: PythonNumber.float(0.7),
      description: '',
      minimum: PythonNumber.read('0'),
      maximum: PythonNumber.read('1'),
    };
    const model = {
      model_name: 'sandbox-echo',
      description: 'd',
      supported_inference_type_strings: ['text_completion'],
      model_parameters: [
        { ...parameter, inference_types_parameter_applies_to: "['text_completion']" },
        { ...parameter, inference_types_parameter_applies_to: ['text_completion'] },
        7,
      ],
    };
    const { client } = await network({ 'GET /get_inference_model_menu': () => ({ models: [model, { odd: true }] }) });
    const [only, ...rest] = await client.modelMenu();
    expect(rest).toEqual([]);
    expect(only!.parameters.map(({ inferenceTypes, maximum }) => [inferenceTypes, maximum])).toEqual([
      [['text_completion'], 1],
      [['text_completion'], 1],
    ]);
  });

  test('balance and packs: credits in tenths, floats of the original included', async () => {
    const pack = {
      credit_pack_registration_txid: HASH,
      credit_purchase_request_confirmation_pastel_block_height: PythonNumber.read('760001'),
      requesting_end_user_pastelid: user.pastelId,
      ticket_input_data_fully_parsed_sha3_256_hash: HASH,
      txid_of_credit_purchase_burn_transaction: HASH,
      credit_usage_tracking_psl_address: ADDRESS,
      psl_cost_per_credit: PythonNumber.float(23.5),
      requested_initial_credits_in_credit_pack: PythonNumber.read('1500'),
      credit_pack_current_credit_balance: PythonNumber.float(1499.1999999999998),
      balance_as_of_datetime: TIME,
      number_of_confirmation_transactions: PythonNumber.read('1'),
    };
    const { client, server } = await network({
      'POST /get_valid_credit_pack_tickets_for_pastelid': () => [pack, { ...pack, credit_pack_current_credit_balance: null }],
      'POST /check_credit_pack_balance': () => ({
        current_credit_balance: PythonNumber.read('1500'),
        number_of_confirmation_transactions: PythonNumber.read('0'),
      }),
    });
    expect(
      (await client.packs()).map(({ balanceTenths, initialTenths, pricePerCreditPatoshis }) => [
        balanceTenths,
        initialTenths,
        pricePerCreditPatoshis,
      ]),
    ).toEqual([
      [14992, 15000, 2_350_000],
      [undefined, 15000, 2_350_000],
    ]);
    expect(server.calls.at(-1)!.body['pastelid']).toBe(user.pastelId);
    expect(await client.balance(HASH)).toEqual({ balanceTenths: 15000, usageBurns: 0 });
  });

  test('a balance that is none is not believed', async () => {
    const { client } = await network({ 'POST /check_credit_pack_balance': () => ({ current_credit_balance: 'plenty' }) });
    expect(await failure(client.balance(HASH))).toBeInstanceOf(SupernodeUntrustworthy);
  });

  test('status: only a bare true is true', async () => {
    for (const [answer, ready] of [
      [true, true],
      [false, false],
      ['true', false],
      [null, false],
    ] as const) {
      const { client } = await network({
        'GET /check_status_of_inference_request_results/': () => (answer === null ? { status: 200, text: 'null' } : answer),
      });
      expect(await client.isResultReady(CHALLENGE)).toBe(ready);
    }
  });

  test('result: the proof travels in the query, plus signs intact', async () => {
    const result = await resultOf();
    const { client, server } = await network({ 'POST /retrieve_inference_output_results': () => result });
    expect(await client.result(CHALLENGE, { expectedSigner: supernode.pastelId })).toEqual(result);
    const { query } = server.calls.at(-1)!;
    expect(verifySync(user.pastelId, query.get('challenge')!, query.get('challenge_signature')!)).toBe(true);
    expect(query.get('inference_response_id')).toBe(CHALLENGE);
  });

  test('audit: the direct signature; a cut copy counts by the signature over its stated hash', async () => {
    const result = await resultOf();
    const cut = { ...result, inference_result_json_base64: result.inference_result_json_base64.slice(0, 32) };
    let answer: object = result;
    const { client, server } = await network({ 'POST /audit_inference_request_result': () => answer });
    expect((await client.auditResult(CHALLENGE)).whole).toBe(true);
    answer = cut;
    expect(await client.auditResult(CHALLENGE)).toMatchObject({ whole: false });
    const { body } = server.calls.at(-1)!;
    expect(verifySync(user.pastelId, CHALLENGE, body['signature'] as string)).toBe(true);
    answer = { ...cut, sha3_256_hash_of_inference_result_fields: HASH };
    expect(await failure(client.auditResult(CHALLENGE))).toBeInstanceOf(SupernodeUntrustworthy);
  });
});

const resultOf = () =>
  seal(
    InferenceAPIOutputResult,
    {
      id: CHALLENGE,
      inference_result_id: CHALLENGE,
      inference_request_id: CHALLENGE,
      inference_response_id: CHALLENGE,
      responding_supernode_pastelid: supernode.pastelId,
      inference_result_json_base64: Buffer.from('"a long enough answer to be cut somewhere"').toString('base64'),
      inference_result_file_type_strings: '{"output_text": "string", "output_files": ["NA"]}',
      inference_result_utc_iso_string: TIME,
      inference_result_pastel_block_height: 760000,
      inference_result_message_version_string: '1.0',
    },
    supernode,
  );
