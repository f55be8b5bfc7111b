import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { dataSourceOptions, tableOf } from '#database';
import {
  allMessages,
  canonicalText,
  directChecking,
  faultsOf,
  identityFromSeed,
  InferenceConfirmation,
  kinds,
  PythonNumber,
  readJson,
  received,
  seal,
  shapeFaultsOf,
  signerOf,
  toJson,
  writeJson,
  type Declaration,
  type Field,
  type JsonObject,
} from '#protocol';
import { draftsOf, valuesOf } from './support/drafts.js';

const me = identityFromSeed(Buffer.alloc(57, 7));
const other = identityFromSeed(Buffer.alloc(57, 8));
const sealedMessages = allMessages().filter(({ shape }) => shape !== 'unsealed');
type Values = Record<string, unknown>;

const sample = ({ type }: Declaration, seed: number): Promise<object> =>
  seal(type, fc.sample(draftsOf(type, me.pastelId), { numRuns: 1, seed })[0]!, me);
const copyOf = (message: object): Values & object =>
  Object.assign(Object.create(Object.getPrototypeOf(message)) as object, message) as Values;

/** Another value that prints otherwise. */
function changed(field: Field, value: unknown, seed: number): unknown {
  const others = fc.sample(valuesOf(field), { numRuns: 50, seed });
  return others.find((candidate) => field.kind.print(candidate) !== field.kind.print(value));
}

describe.each(sealedMessages)('$name', (declaration) => {
  const { type } = declaration;

  test('seals, and is found to be whole by whoever receives it', async () => {
    await fc.assert(
      fc.asyncProperty(draftsOf(type, me.pastelId), async (draft) => {
        const message = await seal(type, draft, me);
        const wire = readJson(writeJson(message)) as JsonObject;
        const arrived = received(type, wire);
        expect(shapeFaultsOf(arrived)).toEqual([]);
        expect(await faultsOf(arrived, directChecking)).toEqual([]);
        expect(signerOf(arrived)).toBe(me.pastelId);
        expect(canonicalText(arrived)).toBe(canonicalText(message));
        expect(writeJson(toJson(arrived))).toBe(writeJson(message));
      }),
      { numRuns: 15 },
    );
  });

  test('is refused when any hashed field changes, and takes any id', async () => {
    const message = await sample(declaration, 11);
    for (const field of declaration.fields) {
      if (field.role !== undefined && field.role !== 'signer') continue;
      const flipped = copyOf(message);
      flipped[field.name] = field.role === 'signer' ? other.pastelId : changed(field, flipped[field.name], 12);
      if (flipped[field.name] === undefined) {
        expect(field.kind.name).toBe(kinds.version.name);
        flipped[field.name] = '2.0';
      }
      const faults = await faultsOf(flipped, directChecking);
      if (field.name === 'id') expect(faults).toEqual([]);
      else expect({ field: field.name, faults: faults.length }).not.toEqual({ field: field.name, faults: 0 });
    }
  });

  test('is refused when a hash or a signature changes, or somebody else signed', async () => {
    const message = await sample(declaration, 21);
    const foreign = await sample(declaration, 22);
    for (const { name, role } of declaration.fields) {
      if (role === undefined || role === 'signer') continue;
      const flipped = copyOf(message);
      flipped[name] = (foreign as Values)[name];
      expect({ name, faults: (await faultsOf(flipped, directChecking)).length }).not.toEqual({ name, faults: 0 });
    }
    const impostor = await seal(type, fc.sample(draftsOf(type, me.pastelId), { numRuns: 1, seed: 23 })[0]!, other);
    if (declaration.shape !== 'identity and signature in one field') {
      expect(await faultsOf(impostor, directChecking)).not.toEqual([]);
    } else expect(signerOf(impostor)).toBe(other.pastelId);
  });
});

test('an integral float is accepted by the hash of either printing, and keeps the one that was hashed', async () => {
  for (const declaration of sealedMessages) {
    const names = declaration.hashed.filter(({ kind }) => kind.name === kinds.pythonFloat.name).map(({ name }) => name);
    if (names.length === 0) continue;
    const all = (number: PythonNumber): Record<string, PythonNumber> => Object.fromEntries(names.map((name) => [name, number]));
    const [draft] = fc.sample(draftsOf(declaration.type, me.pastelId), { numRuns: 1, seed: 31 });
    const floats = await seal(declaration.type, { ...draft, ...all(PythonNumber.float(12)) }, me);
    const arrived = received(declaration.type, { ...toJson(floats), ...all(PythonNumber.read('12')) });
    expect(await faultsOf(arrived, directChecking)).toEqual([]);
    for (const name of names) expect((arrived as Values)[name]).toEqual(PythonNumber.float(12));
  }
});

test('the confirmation of an inference has no seal, and keeps members that nobody knows', () => {
  const wire = readJson(
    `{"inference_request_id": "0b6b7c7e-53ff-4f4e-9d5e-0d4a54a8f3e1", "requesting_pastelid": "${me.pastelId}",
      "confirmation_transaction": {"txid": "${'ab'.repeat(32)}", "amount": 1.0}}`,
  ) as JsonObject;
  const confirmation = received(InferenceConfirmation, wire);
  expect(shapeFaultsOf(confirmation)).toEqual([]);
  expect(writeJson(confirmation)).toContain('"amount":1.0');
  expect(signerOf(confirmation)).toBeUndefined();
});

describe.each(['SQLite', 'PostgreSQL'])('on %s', (engine) => {
  const database = `every_message_${randomBytes(4).toString('hex')}`;
  let source: DataSource;
  beforeAll(async () => {
    let url = 'sqlite::memory:';
    if (engine === 'PostgreSQL') {
      const server = process.env['TEST_POSTGRES_URL']!;
      const admin = await new DataSource({ type: 'postgres', url: `${server}/postgres` }).initialize();
      await admin.query(`CREATE DATABASE ${database}`);
      await admin.destroy();
      url = `${server}/${database}`;
    }
    const tables = sealedMessages.map(({ type }) => tableOf(type));
    source = await new DataSource({ ...dataSourceOptions(url, tables), synchronize: true }).initialize();
  });
  afterAll(() => source?.destroy());

  test('every message comes back byte by byte', async () => {
    for (const declaration of sealedMessages) {
      const primary = declaration.fields.find(({ key }) => key === 'primary')!;
      for (let seed = 1; seed <= 8; seed++) {
        const message = await sample(declaration, seed);
        if (seed % 2 === 0 && declaration.fields.some(({ name, optional }) => name === 'id' && optional))
          delete (message as Values)['id'];
        const table = source.getRepository(declaration.type);
        await table.insert(message);
        const loaded = await table.findOneByOrFail({ [primary.name]: (message as Values)[primary.name] });
        expect(loaded).toBeInstanceOf(declaration.type);
        expect(canonicalText(loaded)).toBe(canonicalText(message));
        expect(writeJson(toJson(loaded))).toBe(writeJson(message));
      }
    }
  });
});
