import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { runInference, type InferenceOptions } from '#client';
import { marked } from '../support/canary.js';
import { InferenceUser } from '../support/inference-user.js';
import { TestNetwork } from '../support/network.js';

jest.setTimeout(60_000);

const KEY = marked('model server key');
const MODEL = 'llama3.2:3b';

interface Call {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** Speaks as Ollama, llama.cpp and vLLM do; the last user message says what goes wrong. */
class ModelServer {
  readonly calls: Call[] = [];
  private constructor(private readonly server: Server) {}

  static async start(): Promise<ModelServer> {
    const server = createServer();
    const model = new ModelServer(server);
    server.on('request', (request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
        const [status, answer] = model.answer({ path: request.url!, headers: request.headers, body });
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return model;
  }
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }
  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
  /** Completions that were asked for, with this prompt. */
  asked(prompt: string): Call[] {
    return this.calls.filter(({ path, body }) => path === '/v1/chat/completions' && promptIn(body) === prompt);
  }

  private answer(call: Call): [number, object] {
    this.calls.push(call);
    if (call.headers.authorization !== `Bearer ${KEY}`)
      return [401, failure('Incorrect API key provided', 'invalid_request_error')];
    if (call.path === '/v1/models')
      return [200, { object: 'list', data: [{ id: MODEL, object: 'model', created: 1_767_614_400, owned_by: 'library' }] }];
    const prompt = promptIn(call.body);
    if (prompt === 'break') return [500, failure('llama runner process has terminated: exit status 2', 'api_error')];
    if (prompt === 'break once' && this.asked(prompt).length === 1)
      return [503, failure('server busy, please try again', 'server_error')];
    if (prompt === 'too long')
      return [400, failure(`the request exceeds the available context size; key ${KEY}`, 'invalid_request_error')];
    return [200, completion(`Once upon a time: ${prompt}`)];
  }
}
const promptIn = ({ messages }: Record<string, unknown>): string => (messages as { content: string }[]).at(-1)!.content;
const failure = (message: string, type: string) => ({ error: { message, type, param: null, code: null } });
const completion = (content: string) => ({
  id: 'chatcmpl-117',
  object: 'chat.completion',
  created: 1_767_614_400,
  model: MODEL,
  system_fingerprint: 'fp_ollama',
  choices: [{ index: 0, message: { role: 'assistant', content }, logprobs: null, finish_reason: 'stop' }],
  usage: { prompt_tokens: 31, completion_tokens: 9, total_tokens: 40 },
});

let model: ModelServer;
let network: TestNetwork;
let user: InferenceUser;

beforeAll(async () => {
  model = await ModelServer.start();
  network = await TestNetwork.start({
    environment: {
      OPENAI_COMPATIBLE_URL: model.url,
      OPENAI_COMPATIBLE_API_KEY: KEY,
      OPENAI_COMPATIBLE_USD_PER_MILLION_INPUT_TOKENS: '0',
      OPENAI_COMPATIBLE_USD_PER_MILLION_OUTPUT_TOKENS: '85',
    },
  });
  user = await InferenceUser.withPack(network, 100);
}, 120_000);
afterAll(async () => {
  await network.close();
  await model.close();
});

/** As a client does it: choose, quote, burn, confirm, wait, fetch. 100 tokens cost a credit. */
const run = async (input: string, parameters: InferenceOptions['parameters'] = { number_of_tokens_to_generate: 200 }) => {
  const outcome = await network.until(runInference(user.side, { packTxid: user.packTxid, model: MODEL, input, parameters }));
  const node = network.supernodes.find(({ pastelId }) => pastelId === outcome.supernodePastelId)!;
  network.mine();
  await network.sweep();
  return { outcome, node, books: await user.books(node) };
};

test('a model server answers: its model is on the menu, asked once, priced by what may be generated', async () => {
  const { outcome, node, books } = await run('tell me a story', {
    number_of_tokens_to_generate: 200,
    temperature: 0.2,
    system_message: 'Be brief',
  });
  expect(outcome.output).toBe('Once upon a time: tell me a story');
  expect(outcome.costTenths).toBe(20);
  expect(await user.status(node, outcome.request.inference_request_id)).toMatchObject({
    state: 'COMPLETED',
    input_tokens: 31,
    output_tokens: 9,
    usage_source: 'reported',
  });
  const [call, ...more] = model.asked('tell me a story');
  expect(more).toEqual([]);
  expect(call!.body).toEqual({
    model: MODEL,
    messages: [
      { role: 'system', content: 'Be brief' },
      { role: 'user', content: 'tell me a story' },
    ],
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: 200,
    temperature: 0.2,
  });
  expect(books).toMatchObject({ heldTenths: 0, burnedTenths: 20, availableTenths: 980 });
});

test('it is busy for a moment: asked again under the same key, served, paid once', async () => {
  const { outcome, node, books } = await run('break once');
  expect(outcome.output).toBe('Once upon a time: break once');
  const keys = model.asked('break once').map(({ headers }) => headers['idempotency-key']);
  expect([keys.length, new Set(keys).size]).toEqual([2, 1]);
  expect(await user.notesFor(node, outcome.burnTxid!)).toEqual([]);
  expect(books).toMatchObject({ heldTenths: 0, burnedTenths: 40, availableTenths: 960 });
});

test.each([
  ['break', 'unavailable', 3, 60],
  ['too long', 'refused', 1, 80],
])('it fails for good (%s): a signed failure and a credit note', async (prompt, code, calls, burnedTenths) => {
  const { outcome, node, books } = await run(prompt);
  expect(model.asked(prompt)).toHaveLength(calls);
  const [note, ...more] = await user.notesFor(node, outcome.burnTxid!);
  expect(more).toEqual([]);
  expect(outcome.unserved).toEqual({ code, message: expect.any(String), creditNoteId: note!.credit_note_id });
  expect(JSON.stringify([outcome.output, note])).not.toContain(KEY);
  expect(note!.credits_owed.text).toBe('2.0');
  expect(books).toMatchObject({ heldTenths: 0, burnedTenths, availableTenths: 1000 - burnedTenths });
});
