import fc from 'fast-check';
import { declarationOf, kinds, PythonNumber, type Draft, type Field, type MessageClass } from '#protocol';

const from = (alphabet: string, length: number) =>
  fc.array(fc.constantFrom(...alphabet), { minLength: length, maxLength: length }).map((letters) => letters.join(''));
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const hex64 = from('0123456789abcdef', 64);
const pastelId = from(BASE58, 84).map((rest) => `jX${rest}`);
const float = fc
  .oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: 0, max: 1e9 }).map((tenths) => tenths / 10),
  )
  .map((value) => PythonNumber.float(value));
const amount = fc.oneof(
  float,
  fc.integer({ min: 0 }).map((n) => PythonNumber.read(String(n))),
  fc.constantFrom('9007199254740993', '123456789012345678901234567890').map((lexeme) => PythonNumber.read(lexeme)),
);
/** Whatever a text may hold: quotes, separators, escapes, several planes. */
const text = fc
  .oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom('{"a": [1, 2.0]}', ', : "', 'é日本😀', ''))
  .filter((value) => kinds.text.accepts(value));

/** A value of every kind there is, by its name. */
const VALUES: Record<string, fc.Arbitrary<unknown>> = {
  text,
  version: fc.constant('1.0'),
  uuid: fc.uuid(),
  'uuid-v4': fc.uuid({ version: 4 }),
  'sha3-256': hex64,
  txid: hex64,
  pastelid: pastelId,
  'psl-address': from(BASE58, 35),
  base64: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  'ed448-signature': from('ABCabc019+/', 152),
  'utc-timestamp': fc
    .date({ min: new Date('2020-01-01'), max: new Date('2035-01-01'), noInvalidDate: true })
    .map((instant) => instant.toISOString()),
  'block-height': fc.nat(),
  patoshis: fc.nat(),
  'python-float': amount,
  credits: amount,
  flag: fc.boolean(),
  'text-list': fc.array(pastelId, { maxLength: 4 }),
  'text-or-list': fc.oneof(text, fc.array(pastelId, { maxLength: 3 })),
  'text-table': fc.dictionary(pastelId, fc.dictionary(text, text, { maxKeys: 3 }), { maxKeys: 3 }),
  'burn-reference': hex64.map((txid) => ({ txid })),
};

/** Any value that this field may hold. */
export function valuesOf({ name, kind }: Field): fc.Arbitrary<unknown> {
  const values = VALUES[kind.name];
  if (!values) throw new TypeError(`no values for the kind ${kind.name} of ${name}`);
  return values;
}

/** Every unsealed field of a message but its signer, who must be the one that seals. */
export function draftsOf<M extends object>(type: MessageClass<M>, signer: string): fc.Arbitrary<Draft<M>> {
  const fields = declarationOf(type).fields.filter(
    ({ role }) => role === undefined || role === 'signer' || role === 'signed hash',
  );
  const values = fields.map((field) => [field.name, field.role === 'signer' ? fc.constant(signer) : valuesOf(field)] as const);
  return fc.record(Object.fromEntries(values)) as fc.Arbitrary<unknown> as fc.Arbitrary<Draft<M>>;
}
