import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { Transactions } from '#database';
import { exchanges, InferenceAPIUsageRequest, readJson, received, seal, type JsonObject, type Signing } from '#protocol';
import { newIdentity, provenBy, send, startHttpApp, type TestHttpApp } from '../../../test/support/http-app.js';
import { testDatabases } from '../../../test/support/databases.js';
import { ChallengeRow } from './challenge.entity.js';
import { CallerPastelId, Challenged } from './challenge.guard.js';
import { ChallengeService } from './challenge.service.js';
import { Exchange } from './exchange.js';
import { Freshness } from './freshness.js';
import { Incoming } from './incoming.js';

@Controller()
class Probe {
  constructor(private readonly freshness: Freshness) {}

  /** Gives back what it was sent, as the protocol prints it. */
  @Exchange({ ...exchanges.usageRequest, answers: [InferenceAPIUsageRequest] })
  echo(@Incoming('inference_api_usage_request') request: InferenceAPIUsageRequest): InferenceAPIUsageRequest {
    return Object.assign(request, { secret: 'never shown', id: null });
  }

  @Exchange({ path: 'announce', key: 'news', accepts: InferenceAPIUsageRequest, answers: [] })
  async announce(@Incoming('news') news: InferenceAPIUsageRequest): Promise<void> {
    await this.freshness.faultsOf(news);
  }

  @Exchange({ path: 'fresh', key: 'news', accepts: InferenceAPIUsageRequest, answers: [InferenceAPIUsageRequest] })
  faults(@Incoming('news') news: InferenceAPIUsageRequest): Promise<string[]> {
    return this.freshness.faultsOf(news);
  }

  @Get('whose/:pastelid')
  @Challenged({ in: 'query', pastelId: 'pastelid' })
  whose(@Param('pastelid') _named: string, @CallerPastelId() caller: string): object {
    return { caller };
  }

  @Get('whose')
  @Challenged({ in: 'query', pastelId: 'pastelid' })
  whoseQuery(@CallerPastelId() caller: string): object {
    return { caller };
  }

  @Post('deep')
  @HttpCode(200)
  @Challenged({ in: 'body', pastelId: 'inference_confirmation.requesting_pastelid' })
  deep(@CallerPastelId() caller: string): object {
    return { caller };
  }

  @Post('anyone')
  @HttpCode(200)
  @Challenged({ in: 'body' })
  anyone(@CallerPastelId() caller: string): object {
    return { caller };
  }
}

const REFUSED = { detail: 'Invalid PastelID signature' };
const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const usageRequest = (signer: Signing) =>
  seal(
    InferenceAPIUsageRequest,
    {
      inference_request_id: '3f1c2b0e-6d5a-4b7c-8a9d-0e1f2a3b4c5d',
      requesting_pastelid: signer.pastelId,
      credit_pack_ticket_pastel_txid: 'a'.repeat(64),
      requested_model_canonical_string: 'sandbox',
      model_inference_type_string: 'text_completion',
      model_parameters_json_b64: 'e30=',
      model_input_data_json_b64: 'IiI=',
      inference_request_utc_iso_string: '2026-01-05T12:00:00.000000+00:00',
      inference_request_pastel_block_height: 1000,
      status: 'initiating',
      inference_request_message_version_string: '1.0',
    },
    signer,
  );

describe.each(testDatabases())('challenges on $name', (database) => {
  let http: TestHttpApp;
  const [user, other] = [newIdentity(), newIdentity()];
  beforeAll(async () => {
    http = await startHttpApp({ controllers: [Probe], databaseUrl: await database.url() });
  });
  afterAll(() => http.close());
  const open = () => http.app.get(Transactions).reader.count(ChallengeRow);
  const echo = async (fields: object, signer: Signing = user) =>
    send('POST', `${http.url}/make_inference_api_usage_request`, {
      ...fields,
      inference_api_usage_request: await usageRequest(signer),
    });

  test('a challenge is asked for by path, by bare string and by object', async () => {
    const replies = [
      await send('GET', `${http.url}/request_challenge/${user.pastelId}`),
      await send('POST', `${http.url}/request_challenge`, JSON.stringify(user.pastelId)),
      await send('POST', `${http.url}/request_challenge`, { pastelid: user.pastelId }),
    ];
    for (const reply of replies) {
      expect(reply.status).toBe(200);
      expect(reply.json()).toEqual({ challenge: expect.stringMatching(UUID4), challenge_id: expect.stringMatching(UUID4) });
    }
  });

  test.each([
    ['GET', 'request_challenge/nobody', undefined, ['path', 'pastelid']],
    ['POST', 'request_challenge', '"nobody"', ['body']],
    ['POST', 'request_challenge', '{"pastelid": 5}', ['body', 'pastelid']],
    ['POST', 'request_challenge', '{}', ['body', 'pastelid']],
    ['POST', 'request_challenge', undefined, ['body']],
  ])('%s %s with %s is 422', async (method, path, body, loc) => {
    const reply = await send(method, `${http.url}/${path}`, body);
    expect([reply.status, reply.json().detail[0].loc]).toEqual([422, loc]);
  });

  test('a signed challenge opens one call; the reply shows the declared fields alone', async () => {
    const proof = await provenBy(http.url, user);
    const first = await echo(proof);
    expect(first.status).toBe(200);
    const shown = received(InferenceAPIUsageRequest, readJson(first.text) as JsonObject);
    expect(shown).toEqual(
      await usageRequest(user).then((request) =>
        Object.assign(request, {
          requesting_pastelid_signature_on_request_hash: shown.requesting_pastelid_signature_on_request_hash,
        }),
      ),
    );
    expect(first.text).not.toMatch(/secret|null/);
    const second = await echo(proof);
    expect([second.status, second.json()]).toEqual([401, REFUSED]);
  });

  test('of two calls at once with one challenge a single one passes', async () => {
    const proof = await provenBy(http.url, user);
    const replies = await Promise.all(Array.from({ length: 6 }, () => echo(proof)));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401, 401]);
  });

  test('a challenge of somebody else, and a message of somebody else, are refused and leave the challenge usable', async () => {
    const proof = await provenBy(http.url, other);
    expect((await echo(proof)).json()).toEqual(REFUSED);
    expect((await echo(proof, other)).status).toBe(200);
  });

  test('another challenge text or an unknown id is refused', async () => {
    const proof = await provenBy(http.url, user);
    expect((await echo({ ...proof, challenge: proof.challenge_id })).status).toBe(401);
    expect((await echo({ ...proof, challenge_id: proof.challenge })).status).toBe(401);
    expect((await echo(proof)).status).toBe(200);
  });

  test('wrong signatures are forgiven four times; the fifth ends the challenge', async () => {
    const forgiven = await provenBy(http.url, user);
    const wrong = await other.sign(forgiven.challenge);
    for (let i = 0; i < 4; i++) expect((await echo({ ...forgiven, challenge_signature: wrong })).status).toBe(401);
    expect((await echo(forgiven)).status).toBe(200);

    const lost = await provenBy(http.url, user);
    for (let i = 0; i < 5; i++) expect((await echo({ ...lost, challenge_signature: 'garbage' })).status).toBe(401);
    expect((await echo(lost)).status).toBe(401);
  });

  test('a challenge lives 300 seconds; the sweep removes it', async () => {
    const inTime = await provenBy(http.url, user);
    http.clock.advance(299_999);
    expect((await echo(inTime)).status).toBe(200);
    const late = await provenBy(http.url, user);
    http.clock.advance(300_000);
    const refused = await echo(late);
    const now = http.clock.now().toISOString();
    expect([refused.status, refused.json()]).toEqual([
      401,
      { detail: `The challenge expired at ${now}; the clock here says ${now}` },
    ]);
    expect(await open()).toBeGreaterThan(0);
    await http.app.get(ChallengeService).sweep(http.clock.now());
    expect(await open()).toBe(0);
  });

  test('open challenges are bounded for each PastelID and in all; the newest always works', async () => {
    const greedy = newIdentity();
    for (let i = 0; i < 15; i++) await send('GET', `${http.url}/request_challenge/${greedy.pastelId}`);
    const ofGreedy = () => http.app.get(Transactions).reader.countBy(ChallengeRow, { pastelid: greedy.pastelId });
    expect(await ofGreedy()).toBe(10);
    const challenges = http.app.get(ChallengeService);
    for (let i = 0; i < 110; i++) await challenges.issue(`${'jX'}${'1'.repeat(80)}${String(1000 + i)}`);
    expect(await open()).toBe(100);
    expect((await echo(await provenBy(http.url, user))).status).toBe(200);
  });

  test('missing fields are named, all of them', async () => {
    const reply = await send('POST', `${http.url}/make_inference_api_usage_request`, {});
    expect(reply.status).toBe(422);
    const missing = (...loc: string[]) => ({ type: 'missing', loc: ['body', ...loc], msg: 'Field required', input: null });
    expect(reply.json()).toEqual({
      detail: ['challenge', 'challenge_id', 'challenge_signature', 'inference_api_usage_request'].map((name) => missing(name)),
    });
    for (const body of ['[]', '5', '"text"', 'null', undefined]) {
      expect((await send('POST', `${http.url}/make_inference_api_usage_request`, body)).status).toBe(422);
    }
  });

  test('a message that is no object, or lacks its signer, is 422', async () => {
    const proof = await provenBy(http.url, user);
    const locs = async (message: unknown) => {
      const reply = await send('POST', `${http.url}/make_inference_api_usage_request`, {
        ...proof,
        inference_api_usage_request: message,
      });
      return [reply.status, (reply.json().detail as { loc: unknown }[]).map(({ loc }) => loc)];
    };
    const signer = ['body', 'inference_api_usage_request', 'requesting_pastelid'];
    expect(await locs([])).toEqual([422, [signer]]);
    expect(await locs({ requesting_pastelid: 'jX' })).toEqual([422, [signer]]);
    expect(await locs(null)).toEqual([422, [['body', 'inference_api_usage_request']]]);
  });

  test('a changed message is refused although the challenge is good', async () => {
    const changed = Object.assign(await usageRequest(user), { status: 'changed' });
    const reply = await send('POST', `${http.url}/make_inference_api_usage_request`, {
      ...(await provenBy(http.url, user)),
      inference_api_usage_request: changed,
    });
    expect(reply.status).toBe(422);
    expect(reply.json().detail[0].msg).toMatch('does not match the computed hash');
  });

  test('an announcement is acknowledged', async () => {
    const reply = await send('POST', `${http.url}/announce`, {
      ...(await provenBy(http.url, user)),
      news: await usageRequest(user),
    });
    expect([reply.status, reply.text]).toEqual([200, '{"message":"Announcement processed successfully"}']);
  });

  test('the PastelID comes from the path, the query, a member of the body, or from the challenge alone', async () => {
    const query = async (extra: object) => String(new URLSearchParams({ ...(await provenBy(http.url, user)), ...extra }));
    const caller = { caller: user.pastelId };
    expect((await send('GET', `${http.url}/whose/${user.pastelId}?${await query({})}`)).json()).toEqual(caller);
    expect((await send('GET', `${http.url}/whose?${await query({ pastelid: user.pastelId })}`)).json()).toEqual(caller);
    expect((await send('GET', `${http.url}/whose?${await query({ pastelid: other.pastelId })}`)).status).toBe(401);
    const absent = await send('GET', `${http.url}/whose?${await query({})}`);
    expect([absent.status, absent.json().detail[0].loc]).toEqual([422, ['query', 'pastelid']]);
    expect((await send('POST', `${http.url}/anyone`, await provenBy(http.url, user))).json()).toEqual(caller);
    const deep = { ...(await provenBy(http.url, user)), inference_confirmation: { requesting_pastelid: user.pastelId } };
    expect((await send('POST', `${http.url}/deep`, deep)).json()).toEqual(caller);
  });

  test('the E1 dialect names the signature otherwise and sends no challenge text', async () => {
    const { challenge_id, challenge_signature } = await provenBy(http.url, user);
    const query = String(new URLSearchParams({ challenge_id, pastelid_signature: challenge_signature }));
    expect((await send('GET', `${http.url}/whose/${user.pastelId}?${query}`)).status).toBe(200);
    expect((await send('GET', `${http.url}/whose/${user.pastelId}?${query}`)).status).toBe(401);
  });
});

test('freshness asks the chain at most once a second, and again after a failure', async () => {
  let asked = 0;
  let height: () => Promise<number> = async () => 1000;
  const http = await startHttpApp({ controllers: [Probe], height: () => (asked++, height()) });
  const user = newIdentity();
  const message = await usageRequest(user);
  const faults = async () => send('POST', `${http.url}/fresh`, { ...(await provenBy(http.url, user)), news: message });
  try {
    expect((await Promise.all([faults(), faults(), faults()])).map(({ text }) => text)).toEqual(['[]', '[]', '[]']);
    expect(asked).toBe(1);
    http.clock.advance(1000);
    height = async () => 1002;
    expect((await faults()).json()).toHaveLength(1);
    expect(asked).toBe(2);
    http.clock.advance(1000);
    height = () => Promise.reject(new Error('gone'));
    expect((await faults()).status).toBe(500);
    height = async () => 1001;
    expect((await faults()).text).toBe('[]');
  } finally {
    await http.close();
  }
});
