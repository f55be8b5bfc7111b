import { BLOCK_BITS, type Block } from '../block.js';
import { addressOf, isKeyScript, isScriptHash } from '../keys.js';
import { isDataScript } from '../p2fms.js';
import type { DevnetState } from '../state.js';
import { isCoinbase, type Tx, type TxInput, type TxOutput } from '../transaction.js';
import { DIFFICULTY, amounts, type Reply, type ReplyObject } from './reply.js';

const NO_ROOT = '0'.repeat(64);

export const valuePools = (): Reply =>
  ['sprout', 'sapling'].map((id) => ({ id, monitored: true, ...amounts('chainValue', 0), ...amounts('valueDelta', 0) }));

/** Work so far: the devnet's blocks carry none, so it only grows with the height. */
export const chainWork = (height: number): string => (height + 1).toString(16).padStart(64, '0');

/** `getblock` with verbosity 1, or 2 with whole transactions. */
export function blockView(state: DevnetState, block: Block, stale: boolean, whole: boolean): ReplyObject {
  const { ledger } = state;
  return {
    hash: block.hash,
    confirmations: stale ? -1 : ledger.height - block.height + 1,
    size: block.hex.length / 2,
    height: block.height,
    version: block.height > 0 ? 5 : 4,
    merkleroot: block.merkleRoot,
    finalsaplingroot: NO_ROOT,
    tx: whole ? block.txs.map((tx) => txView(state, tx)) : block.txids,
    time: block.time,
    nonce: block.nonce,
    solution: '',
    bits: BLOCK_BITS,
    difficulty: DIFFICULTY,
    chainwork: chainWork(block.height),
    anchor: NO_ROOT,
    valuePools: valuePools(),
    previousblockhash: block.previousHash,
    nextblockhash: stale ? undefined : ledger.blockAt(block.height + 1)?.hash,
  };
}

/** A decoded transaction, without what only a mined one has. */
export function txView(state: DevnetState | undefined, tx: Tx): ReplyObject {
  return {
    hex: tx.hex,
    txid: tx.txid,
    size: tx.size,
    overwintered: true,
    version: 4,
    versiongroupid: '892f2085',
    locktime: tx.lockTime,
    expiryheight: tx.expiryHeight,
    vin: tx.inputs.map((input) =>
      isCoinbase(tx) ? { coinbase: input.script.toString('hex'), sequence: input.sequence } : inputView(state, input),
    ),
    vout: tx.outputs.map((output, n) => outputView(state, tx, output, n)),
    ...amounts('valueBalance', 0),
    vShieldedSpend: [],
    vShieldedOutput: [],
  };
}

export function minedView(state: DevnetState, tx: Tx): ReplyObject {
  const mined = state.ledger.find(tx.txid);
  if (!mined) return txView(state, tx);
  const { block } = mined;
  const confirmations = state.ledger.height - block.height + 1;
  return {
    ...txView(state, tx),
    blockhash: block.hash,
    height: block.height,
    confirmations,
    time: block.time,
    blocktime: block.time,
  };
}

function inputView(state: DevnetState | undefined, input: TxInput): ReplyObject {
  const spent = state?.mempool.output(input.txid, input.vout);
  return {
    txid: input.txid,
    vout: input.vout,
    scriptSig: { asm: scriptAsm(input.script), hex: input.script.toString('hex') },
    ...(spent && { ...amounts('value', spent.patoshis), address: addressOf(spent.script) }),
    sequence: input.sequence,
  };
}
function outputView(state: DevnetState | undefined, tx: Tx, output: TxOutput, n: number): ReplyObject {
  const spend = state?.ledger.spendOf(tx.txid, n);
  return {
    ...amounts('value', output.patoshis),
    n,
    scriptPubKey: scriptView(output.script),
    ...(spend && { spentTxId: spend.txid, spentIndex: spend.index, spentHeight: spend.height }),
  };
}

export function scriptView(script: Buffer): ReplyObject {
  const address = addressOf(script);
  const type = isKeyScript(script)
    ? 'pubkeyhash'
    : isScriptHash(script)
      ? 'scripthash'
      : isDataScript(script)
        ? 'multisig'
        : 'nonstandard';
  const shown = { asm: scriptAsm(script), hex: script.toString('hex') };
  return address === undefined ? { ...shown, type } : { ...shown, reqSigs: 1, type, addresses: [address] };
}

const WORDS: Readonly<Record<number, string>> = {
  0x00: '0',
  0x76: 'OP_DUP',
  0x87: 'OP_EQUAL',
  0x88: 'OP_EQUALVERIFY',
  0xa9: 'OP_HASH160',
  0xac: 'OP_CHECKSIG',
  0xae: 'OP_CHECKMULTISIG',
};
function scriptAsm(script: Buffer): string {
  const words: string[] = [];
  for (let at = 0; at < script.length;) {
    const code = script[at++] ?? 0;
    if (code > 0 && code <= 0x4b) {
      words.push(script.subarray(at, at + code).toString('hex'));
      at += code;
    } else words.push(code >= 0x51 && code <= 0x60 ? String(code - 0x50) : (WORDS[code] ?? `OP_${code.toString(16)}`));
  }
  return words.join(' ');
}
