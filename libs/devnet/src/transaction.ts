import { blake2b } from '@noble/hashes/blake2.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { ByteReader, DecodeError, compactSize, hash160, hash256, i64, outpointBytes, shownHash, sized, u32 } from './bytes.js';
import { isKeyScript, type KeyPair } from './keys.js';

/** Sapling v4, transparent parts only (pasteld spec B.5). */
const VERSION_HEADER = 0x80000004;
const VERSION_GROUP = 0x892f2085;
/** Vermeer and Matisse share it. */
const BRANCH_ID = 0x5efaaeef;
const NULL_TXID = '0'.repeat(64);
const SIGHASH_ALL = 1;
export const SEQUENCE_FINAL = 0xffffffff;
/** One signed input of a compressed key, at its longest. */
export const KEY_INPUT_BYTES = 148;

export interface TxInput {
  readonly txid: string;
  readonly vout: number;
  readonly script: Buffer;
  readonly sequence: number;
}
export interface TxOutput {
  readonly patoshis: number;
  readonly script: Buffer;
}
export interface RawTx {
  readonly inputs: readonly TxInput[];
  readonly outputs: readonly TxOutput[];
  readonly lockTime: number;
  readonly expiryHeight: number;
}
export interface Tx extends RawTx {
  readonly txid: string;
  readonly hex: string;
  readonly size: number;
}

export const outpointKey = (txid: string, vout: number): string => `${txid}-${vout}`;
export const isCoinbase = (tx: RawTx): boolean => tx.inputs.length === 1 && tx.inputs[0]?.txid === NULL_TXID;

const outputBytes = ({ patoshis, script }: TxOutput): Buffer => Buffer.concat([i64(patoshis), sized(script)]);

function serialised(tx: RawTx): Buffer {
  return Buffer.concat([
    u32(VERSION_HEADER),
    u32(VERSION_GROUP),
    compactSize(tx.inputs.length),
    ...tx.inputs.map((input) => Buffer.concat([outpointBytes(input.txid, input.vout), sized(input.script), u32(input.sequence)])),
    compactSize(tx.outputs.length),
    ...tx.outputs.map(outputBytes),
    u32(tx.lockTime),
    u32(tx.expiryHeight),
    i64(0),
    Buffer.from([0, 0, 0]),
  ]);
}

export function completeTx(raw: RawTx): Tx {
  const bytes = serialised(raw);
  return { ...raw, txid: shownHash(hash256(bytes)), hex: bytes.toString('hex'), size: bytes.length };
}

/** Reads leniently: what follows the three zero counts is ignored, and the id is computed anew, as pasteld does. */
export function parseTx(hex: string): Tx {
  if (!/^(?:[0-9a-f]{2})+$/i.test(hex)) throw new DecodeError('Not hexadecimal');
  const reader = new ByteReader(Buffer.from(hex, 'hex'));
  if (reader.u32() !== VERSION_HEADER || reader.u32() !== VERSION_GROUP) throw new DecodeError('Not a version 4 transaction');
  const inputs = Array.from({ length: boundedCount(reader, 41) }, () => ({
    txid: shownHash(reader.bytes(32)),
    vout: reader.u32(),
    script: reader.sized(),
    sequence: reader.u32(),
  }));
  const outputs = Array.from({ length: boundedCount(reader, 9) }, () => ({ patoshis: reader.i64(), script: reader.sized() }));
  const [lockTime, expiryHeight] = [reader.u32(), reader.u32()];
  if (reader.i64() !== 0 || reader.u8() + reader.u8() + reader.u8() !== 0)
    throw new DecodeError('Shielded parts are not known here');
  return completeTx({ inputs, outputs, lockTime, expiryHeight });
}
function boundedCount(reader: ByteReader, bytesEach: number): number {
  const count = reader.compactSize();
  if (count * bytesEach > reader.left) throw new DecodeError('The data ends too early');
  return count;
}

const digest = (personal: Uint8Array, ...parts: Uint8Array[]): Buffer =>
  Buffer.from(blake2b(Buffer.concat(parts), { dkLen: 32, personalization: personal }));
const personal = (text: string): Buffer => Buffer.from(text, 'latin1');
const NOTHING = Buffer.alloc(32);

/** The three digests that every input of a transaction shares (ZIP-243). */
function commonDigests(tx: RawTx): Buffer[] {
  return [
    digest(personal('ZcashPrevoutHash'), ...tx.inputs.map((input) => outpointBytes(input.txid, input.vout))),
    digest(personal('ZcashSequencHash'), ...tx.inputs.map((input) => u32(input.sequence))),
    digest(personal('ZcashOutputsHash'), ...tx.outputs.map(outputBytes)),
  ];
}

/** What the signature of input `index` covers, SIGHASH_ALL. */
function signatureHash(tx: RawTx, index: number, spent: TxOutput, common = commonDigests(tx)): Buffer {
  const input = tx.inputs[index];
  if (!input) throw new RangeError('No such input');
  return digest(
    Buffer.concat([personal('ZcashSigHash'), u32(BRANCH_ID)]),
    u32(VERSION_HEADER),
    u32(VERSION_GROUP),
    ...common,
    NOTHING,
    NOTHING,
    NOTHING,
    u32(tx.lockTime),
    u32(tx.expiryHeight),
    i64(0),
    u32(SIGHASH_ALL),
    outpointBytes(input.txid, input.vout),
    sized(spent.script),
    i64(spent.patoshis),
    u32(input.sequence),
  );
}

/** Signs every input with the key of the output that it spends. */
export function signTx(raw: RawTx, spent: readonly { readonly output: TxOutput; readonly key: KeyPair }[]): Tx {
  const common = commonDigests(raw);
  const inputs = raw.inputs.map((input, index) => {
    const coin = spent[index];
    if (!coin) throw new RangeError('An input has no coin');
    const hash = signatureHash(raw, index, coin.output, common);
    const signature = secp256k1.sign(hash, coin.key.secret, { prehash: false, format: 'der' });
    return {
      ...input,
      script: Buffer.concat([sized(Buffer.concat([signature, Buffer.from([SIGHASH_ALL])])), sized(coin.key.publicKey)]),
    };
  });
  return completeTx({ ...raw, inputs });
}

/** Whether input `index` is signed by the key that `spent` names; only pay-to-public-key-hash and SIGHASH_ALL are known. */
export function isSigned(tx: RawTx, index: number, spent: TxOutput): boolean {
  const script = tx.inputs[index]?.script;
  if (!script || !isKeyScript(spent.script)) return false;
  try {
    const reader = new ByteReader(script);
    const signature = reader.sized();
    const publicKey = reader.sized();
    if (signature.at(-1) !== SIGHASH_ALL || !hash160(publicKey).equals(spent.script.subarray(3, 23))) return false;
    return secp256k1.verify(signature.subarray(0, -1), signatureHash(tx, index, spent), publicKey, {
      prehash: false,
      format: 'der',
    });
  } catch {
    return false;
  }
}
