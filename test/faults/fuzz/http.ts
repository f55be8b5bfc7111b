import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { allMessages, exchanges, identityFromSeed, readJson, seal, writeJson, type Json } from '#protocol';
import fc from 'fast-check';
import { draftsOf } from '../../support/drafts.js';
import { provenBy, send } from '../../support/http-app.js';
import { TestNetwork, type RunningSupernode } from '../../support/network.js';
import { pick, seeded, type Case } from '../contract.js';
import { anyText, changedBytes, changedJson, changedJsonText, changedText, upTo } from './mutations.js';

type Chance = () => number;
const INPUTS = 1_000;
const AT_ONCE = 16;
/** The server closes what it does not understand; what it waits for does not come. */
const SILENCE_MS = 2_000;
const me = identityFromSeed(Buffer.alloc(57, 7));

interface Bench {
  readonly network: TestNetwork;
  readonly node: RunningSupernode;
  readonly bodies: readonly { readonly path: string; readonly body: Json }[];
}
let bench: Promise<Bench> | undefined;
async function open(): Promise<Bench> {
  const network = await TestNetwork.start({ supernodes: 1 });
  const bodies: { path: string; body: Json }[] = [];
  for (const { path, key, accepts } of Object.values(exchanges)) {
    const { type } = allMessages().find((declaration) => declaration.type === accepts)!;
    const draft = fc.sample(draftsOf(type, me.pastelId), { numRuns: 1, seed: 9 })[0]!;
    bodies.push({ path, body: readJson(writeJson({ [key]: await seal(type, draft, me), ...PROOF })) });
  }
  const more: [string, object][] = [
    ['request_challenge', {}],
    ['confirm_inference_request', { inference_confirmation: { inference_request_id: PROOF.challenge }, ...PROOF }],
    ['send_user_message', { from_pastelid: me.pastelId, to_pastelid: me.pastelId, message_body: '{}', ...PROOF }],
    ['check_credit_pack_balance', { credit_pack_ticket_txid: 'ab'.repeat(32), ...PROOF }],
    ['quote', { model: 'sandbox-echo' }],
    ['audit_inference_request_result', { inference_response_id: PROOF.challenge, pastel_id: me.pastelId, signature: 'AAAA' }],
    ['update_inference_sn_reputation_score', { supernode_pastelid: me.pastelId, reputation_score: 1 }],
  ];
  for (const [path, body] of more) bodies.push({ path, body: readJson(JSON.stringify(body)) });
  return { network, node: network.supernodes[0]!, bodies };
}
const PROOF = {
  challenge: '0b1f5a3e-2d0c-4d38-9a2e-3f6a2b1c4d5e',
  challenge_id: '0b1f5a3e-2d0c-4d38-9a2e-3f6a2b1c4d5e',
  challenge_signature: Buffer.alloc(114, 3).toString('base64'),
};

const HEADERS = [
  'Content-Encoding: gzip', 'Content-Encoding: br', 'Content-Type: text/plain', 'Content-Type: multipart/form-data; boundary=', 'Accept: */*;q=-1',
  'Transfer-Encoding: chunked', 'Content-Length: 5', 'Content-Length: -1', 'X-Forwarded-For: ::1, unknown', 'Range: bytes=9-1', 'Expect: 100-continue',
  'Authorization: Bearer x', 'Authorization: Basic %%%', 'Cookie: a=b', 'Origin: null', 'If-None-Match: *', 'Host: [::', 'Connection: upgrade',
  'X-Request-Id: \u00e9', 'X-HTTP-Method-Override: PUT', 'traceparent: 00-0-0-0', 'Accept-Language: '.padEnd(5_000, 'x'),
]; // prettier-ignore
const PLACES = [
  '/',
  '/docs',
  '/openapi.json',
  '/health/ready',
  '/get_inference_model_menu',
  '/download/..%2f',
  '/show_logs/5',
  '/%',
  '/%ff',
];

/** Bytes as a client may send them: a good frame around something changed, or the frame changed. */
async function request({ node, bodies }: Bench, chance: Chance): Promise<Buffer> {
  const { path, body } = pick(chance, bodies);
  // Some come with a challenge that is answered well, so that more than the challenge is looked at.
  const proven = chance() < 0.1;
  let sent: Json = body;
  for (let i = upTo(chance, 3); i > 0; i--) sent = changedJson(chance, sent);
  if (proven) sent = { ...(sent as object), ...(await provenBy(node.url, me)) };
  const text = proven ? writeJson(sent) : chance() < 0.5 ? changedJsonText(chance, sent) : writeJson(sent);
  const content = chance() < 0.1 ? changedBytes(chance, Buffer.from(text)) : Buffer.from(text);
  const isGet = !proven && chance() < 0.2;
  const query =
    chance() < 0.2
      ? `?${encodeURIComponent(changedText(chance, 'pastelid').toWellFormed())}=${encodeURIComponent(anyText(chance).toWellFormed())}`
      : '';
  const place = isGet ? `${pick(chance, PLACES)}${query}` : `/${path}${query}`;
  const lines = [`${isGet ? 'GET' : 'POST'} ${place} HTTP/1.1`, 'Host: x', 'Connection: close'];
  const odd = !proven && chance() < 0.5;
  if (odd) for (let i = upTo(chance, 3); i > 0; i--) lines.push(pick(chance, HEADERS));
  if (!isGet && (!odd || chance() < 0.7)) lines.push('Content-Type: application/json', `Content-Length: ${content.length}`);
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return Buffer.concat([!proven && chance() < 0.15 ? changedBytes(chance, head) : head, isGet ? Buffer.alloc(0) : content]);
}

/** The status; undefined where the server closes without a word, or waits for more. */
function statusOf(port: number, bytes: Buffer): Promise<number | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
    socket.on('data', (chunk) => {
      if (answer.length < 1_000) answer += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1];
      resolve(status === undefined ? undefined : Number(status));
    });
  });
}

/** Whole requests as bytes: no 5xx, and the node is there afterwards. */
export const overHttp: Case = {
  name: 'requests over HTTP',
  engines: ['SQLite'],
  run: async (seed) => {
    const opened = await (bench ??= open());
    const chance = seeded(seed);
    let answered = 0;
    for (let i = 0; i < INPUTS; i += AT_ONCE) {
      const sent: Buffer[] = [];
      while (sent.length < Math.min(AT_ONCE, INPUTS - i)) sent.push(await request(opened, chance));
      await Promise.all(
        sent.map(async (bytes) => {
          const status = await statusOf(opened.node.port, bytes);
          if (status !== undefined) answered++;
          if (status !== undefined && status >= 500)
            throw new Error(`${status} after ${JSON.stringify(bytes.toString('latin1').slice(0, 3_000))}`);
        }),
      );
    }
    assert.ok(answered > INPUTS / 2, `only ${answered} of ${INPUTS} were answered`);
    assert.equal((await send('GET', `${opened.node.url}/health/live`)).status, 200);
  },
};
export async function closeHttp(): Promise<void> {
  await (await bench)?.network.close();
}
