import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { Environment, readSettings, SettingsError } from '#config';
import { providers } from '#inference';
import {
  allMessages,
  decodeBase64,
  decodeBase64Text,
  faultsOf,
  identityFromSeed,
  isJsonObject,
  JsonError,
  readJson,
  readTicket,
  received,
  Refusal,
  seal,
  shapeFaultsOf,
  contractTicketOf,
  TicketError,
  toJson,
  verifySync,
  writeJson,
  type Checking,
  type Declaration,
  type Json,
  type JsonObject,
} from '#protocol';
import { draftsOf } from '../../support/drafts.js';
import { readPastelConf } from '../../../libs/config/src/parsers.spec-suite.js';
import {
  bundledMenuText,
  files,
  inferenceTypes,
  inputOf,
  mediaIn,
  MenuError,
  parseMenu,
  type Wanted,
} from '../../../libs/inference/test/parsers.spec-suite.js';
import { EnvelopeCodec, Unacceptable, WasmZstd } from '../../../libs/messaging/test/parsers.spec-suite.js';
import { pick } from '../contract.js';
import { anyText, changedBytes, changedJson, changedJsonText, changedText, upTo } from './mutations.js';

type Chance = () => number;
/** Something that reads what strangers write. */
export interface Target<Input = unknown> {
  readonly name: string;
  /** Inputs for each seed. */
  readonly inputs: number;
  readonly draw: (chance: Chance) => Input;
  /** Throws {@link refusals} alone; anything else is a fault, and so is a broken promise that it asserts. */
  readonly read: (input: Input) => unknown;
  readonly refusals: readonly (new (...none: never[]) => Error)[];
}

const me = identityFromSeed(Buffer.alloc(57, 7));

/** Knows the signatures that were made, which is what unforgeable ones come to, and costs nothing. */
class MadeSignatures {
  private readonly made = new Set<string>();
  readonly signing = {
    pastelId: me.pastelId,
    sign: async (text: string): Promise<string> => {
      const signature = await me.sign(text);
      this.made.add(`${me.pastelId} ${signature} ${text}`);
      return signature;
    },
  };
  readonly checking: Checking = {
    verify: async (pastelId, text, signature) => this.made.has(`${pastelId} ${signature} ${text}`),
  };
}

interface Sample {
  readonly declaration: Declaration;
  readonly wire: JsonObject;
}
const SAMPLES_EACH = 3;

/** Of every message class: what is accepted says, in every field that is hashed, what was sealed. */
async function messages(): Promise<Target<{ sample: Sample; text: string }>> {
  const { signing, checking } = new MadeSignatures();
  const samples: Sample[] = [];
  for (const declaration of allMessages()) {
    for (const draft of fc.sample(draftsOf(declaration.type, me.pastelId), { numRuns: SAMPLES_EACH, seed: 5 })) {
      const message = await seal(declaration.type, draft, signing);
      const wire = readJson(writeJson(message)) as JsonObject;
      assert.deepEqual(shapeFaultsOf(received(declaration.type, wire)), []);
      assert.deepEqual(
        await faultsOf(received(declaration.type, wire), checking),
        [],
        `${declaration.name}: a sealed one is refused`,
      );
      samples.push({ declaration, wire });
    }
  }
  const hashedIn = ({ declaration }: Sample, message: object): string => {
    const values = toJson(message);
    return writeJson(declaration.hashed.map(({ name }) => values[name] ?? null));
  };
  return {
    name: 'signed messages',
    inputs: 6_000,
    draw: (chance) => {
      const sample = pick(chance, samples);
      return { sample, text: changedJsonText(chance, sample.wire) };
    },
    read: async ({ sample, text }) => {
      const wire = readJson(text);
      if (!isJsonObject(wire)) return;
      const message = received(sample.declaration.type, wire);
      // Only the challenge beside it protects one without a seal.
      if (sample.declaration.shape === 'unsealed') return shapeFaultsOf(message);
      if (shapeFaultsOf(message).length > 0 || (await faultsOf(message, checking)).length > 0) return;
      const sealed = samples.filter(({ declaration }) => declaration === sample.declaration);
      assert.ok(
        sealed.some(({ wire: own }) => hashedIn(sample, received(sample.declaration.type, own)) === hashedIn(sample, message)),
        `${sample.declaration.name}: something else than what was sealed is accepted`,
      );
    },
    refusals: [JsonError],
  };
}

const vectors = (): JsonObject[] =>
  readJson(readFileSync(join(process.cwd(), 'test/vectors/ticket.json'), 'utf8')) as JsonObject[];

/** What is read is written so that it is read as the same again. */
function jsonText(): Target<string> {
  const samples = vectors().flatMap(({ ticket_input_data_json: text }) => readJson(text as string));
  return {
    name: 'JSON texts',
    inputs: 3_000,
    draw: (chance) => {
      const value = pick(chance, samples);
      let text = chance() < 0.5 ? changedJsonText(chance, value) : changedText(chance, writeJson(value));
      for (let i = upTo(chance, 3); i > 0; i--) text = changedText(chance, text);
      return text;
    },
    read: (text) => {
      const printed = writeJson(readJson(text));
      assert.equal(writeJson(readJson(printed)), printed);
    },
    refusals: [JsonError],
  };
}

/** Also with the hash made right again, so that more than the hash is looked at. */
function tickets(): Target<Json> {
  const samples = vectors()
    .slice(0, 3)
    .map(({ ticket_json: text }) => readJson(text as string) as JsonObject);
  return {
    name: 'tickets',
    inputs: 1_000,
    draw: (chance) => {
      const ticket = pick(chance, samples);
      if (chance() < 0.4) return changedJson(chance, ticket);
      if (chance() < 0.3) return changedText(chance, Buffer.from(changedText(chance, writeJson(ticket))).toString('base64'));
      const data = changedJson(chance, ticket['ticket_input_data_dict']!);
      if (!isJsonObject(data)) return data;
      try {
        return contractTicketOf(data).json;
      } catch (error) {
        if (error instanceof TicketError) return changedText(chance, writeJson(ticket));
        throw error;
      }
    },
    read: readTicket,
    refusals: [TicketError],
  };
}

const ENVELOPE = {
  message: '{"hello": "there"}',
  message_type: 'test',
  signature: Buffer.alloc(114, 3).toString('base64'),
  sending_sn_pubkey: 'a'.repeat(66),
};
/** Frames that hold far more than they weigh, and frames that lie about it. */
async function envelopes(): Promise<Target<string>> {
  const zstd = new WasmZstd();
  const codec = new EnvelopeCodec(zstd);
  const frame = Buffer.from((await codec.wrap(ENVELOPE)).base64, 'base64');
  const bombs: Buffer[] = [];
  for (const megabytes of [1, 9, 64]) bombs.push(Buffer.from(await zstd.compress(Buffer.alloc(megabytes * 2 ** 20, 32))));
  /** RFC 8878: the four bytes after the descriptor hold the size of the content. */
  const lying = bombs.slice(1).map((bomb) => {
    const liar = Buffer.from(bomb);
    liar.writeUInt32LE(1_000, 5);
    return liar;
  });
  const content = readJson(JSON.stringify(ENVELOPE));
  return {
    name: 'envelopes',
    inputs: 1_500,
    draw: (chance) => {
      const kind = chance();
      if (kind < 0.02) return pick(chance, [...bombs, ...lying]).toString('base64');
      if (kind < 0.6) return changedBytes(chance, kind < 0.1 ? pick(chance, lying) : frame).toString('base64');
      if (kind < 0.7) return changedText(chance, frame.toString('base64'));
      // A whole frame with something else in it: stored as it is, in one raw block.
      const text = Buffer.from(changedJsonText(chance, content)).subarray(0, 60_000);
      return rawFrame(chance() < 0.2 ? changedBytes(chance, text) : text).toString('base64');
    },
    read: (base64) => codec.open(base64),
    refusals: [Unacceptable],
  };
}
/** RFC 8878: magic, descriptor of a single segment with eight bytes of size, size, one last raw block. */
function rawFrame(content: Buffer): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(0xfd2fb528, 0);
  head[4] = 0xe0;
  head.writeBigUInt64LE(BigInt(content.length), 5);
  head.writeUIntLE((content.length << 3) | 1, 13, 3);
  return Buffer.concat([head, content]);
}

const WANTED: readonly Wanted[] = [
  { kind: 'image' },
  { kind: 'audio' },
  { kind: 'document', pagesMax: 100, office: true },
  { kind: 'document', pagesMax: 5_000, office: false },
];
const mediaSamples = (): Buffer[] => [
  files.png(20, 30),
  files.jpeg(200, 100),
  files.gif(9, 9),
  files.webp('VP8 ', 10, 20),
  files.webp('VP8L', 10, 20),
  files.webp('VP8X', 10, 20),
  files.pdf(7),
  files.packedPdf(250),
  files.mp3(2),
  files.wav(1),
  files.flac(3),
  files.ogg('opus', 5),
  files.ogg('vorbis', 5),
  files.m4a(4),
];
function media(): Target<{ bytes: Buffer; wanted: Wanted }> {
  const samples = mediaSamples();
  return {
    name: 'files',
    inputs: 3_000,
    draw: (chance) => ({ bytes: changedBytes(chance, pick(chance, samples)), wanted: pick(chance, WANTED) }),
    read: ({ bytes, wanted }) => mediaIn(bytes, wanted, 'it'),
    refusals: [Refusal],
  };
}
function inputs(): Target<{ type: (typeof inferenceTypes)[number]; base64: string }> {
  const samples = mediaSamples();
  const wrapped = (chance: Chance): string => {
    const file = changedBytes(chance, pick(chance, samples)).toString('base64');
    const value = { [pick(chance, ['image', 'document', 'audio', 'prompt', 'text'])]: file, question: anyText(chance) };
    return changedJsonText(chance, readJson(JSON.stringify(value.question.isWellFormed() ? value : { prompt: 'x' })));
  };
  return {
    name: 'inputs of requests',
    inputs: 1_500,
    draw: (chance) => {
      const plain = chance() < 0.6 ? Buffer.from(wrapped(chance)) : changedBytes(chance, pick(chance, samples));
      const base64 = plain.toString('base64');
      return { type: pick(chance, inferenceTypes), base64: chance() < 0.1 ? changedText(chance, base64) : base64 };
    },
    read: ({ type, base64 }) => inputOf(type, base64),
    refusals: [Refusal],
  };
}

const MODELS_IN_SAMPLE = 3;
function menu(): Target<string> {
  const whole = readJson(bundledMenuText()) as JsonObject;
  const sample: JsonObject = { ...whole, models: (whole['models'] as Json[]).slice(0, MODELS_IN_SAMPLE) };
  return {
    name: 'model menus',
    inputs: 1_000,
    draw: (chance) => changedJsonText(chance, sample),
    read: (text) => parseMenu(text, providers),
    refusals: [MenuError],
  };
}

const PASTEL_CONF = `rpcuser=someone\nrpcpassword=secret=with=signs\nrpcport = 29932\n# a comment\nrpcallowip=127.0.0.1\n genpassphrase=x y\n`;
function pastelConf(): Target<string> {
  return {
    name: 'pastel.conf',
    inputs: 1_500,
    draw: (chance) => {
      let text = PASTEL_CONF;
      for (let i = 1 + upTo(chance, 4); i > 0; i--) text = changedText(chance, text);
      return chance() < 0.01 ? `rpcuser${' '.repeat(50_000)}x${text}` : text;
    },
    read: (text) => readSettings(new Environment(readPastelConf(text)), []),
    refusals: [SettingsError],
  };
}

/** One text for the same bytes. */
const base64: Target<string> = {
  name: 'base64',
  inputs: 1_400,
  draw: (chance) => {
    const text = Buffer.from(Array.from({ length: upTo(chance, 12) }, () => upTo(chance, 256))).toString('base64');
    return chance() < 0.8 ? changedText(chance, text) : text;
  },
  read: (text) => {
    const bytes = decodeBase64(text);
    if (bytes) assert.equal(bytes.toString('base64'), text);
    decodeBase64Text(text);
  },
  refusals: [],
};

/** No two signatures in base64 that verify for one text, and never an error. */
async function signatures(): Promise<Target<[string, string, string]>> {
  const good = [me.pastelId, 'a text', await me.sign('a text')] as const;
  return {
    name: 'signatures',
    inputs: 100,
    draw: (chance) => {
      const proof: [string, string, string] = [...good];
      const at = upTo(chance, 3);
      proof[at] = changedText(chance, proof[at]!);
      return proof;
    },
    read: (proof) => {
      if (verifySync(...proof)) assert.deepEqual(proof, good);
    },
    refusals: [],
  };
}

export const targets = async (): Promise<Target[]> =>
  [
    await messages(),
    jsonText(),
    tickets(),
    await envelopes(),
    media(),
    inputs(),
    menu(),
    pastelConf(),
    base64,
    await signatures(),
  ] as Target[];
