import { compactSize, hash256, innerHash, sha256, shownHash, sized, u32 } from './bytes.js';
import { addressOfHash, scriptOf } from './keys.js';
import { SEQUENCE_FINAL, completeTx, type Tx, type TxOutput } from './transaction.js';

const BLOCK_VERSION = 5;
export const BLOCK_BITS = '200f0f0f';
const SAPLING_ROOT = Buffer.alloc(32);
/** Blocks below the start exist by name only; their distance in time is the network's block target. */
const SYNTHETIC_SPACING_SECONDS = 150;
const GENESIS = {
  hash: '0302f1ab449e6424f1ec076a6496b331fa664d8b95d866023ea6675bbb387f53',
  merkleRoot: 'ac375f272f2ac1f23f505a71ca33159e7d32993976cf91620b8363400c757161',
  time: 1_608_854_400,
};

/** A block; those below the start of the simulated chain have a name, a time and an id, but no transactions. */
export interface Block {
  readonly height: number;
  readonly hash: string;
  readonly previousHash?: string;
  readonly merkleRoot: string;
  /** Unix seconds. */
  readonly time: number;
  readonly nonce: string;
  readonly txids: readonly string[];
  readonly txs: readonly Tx[];
  readonly hex: string;
}

/** Pairwise SHA-256d over internal order, the odd last one doubled; one transaction's root is its id. */
export function merkleRoot(txids: readonly string[]): string {
  let level = txids.map(innerHash);
  while (level.length > 1) {
    const next: Buffer[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] as Buffer;
      next.push(hash256(Buffer.concat([left, level[i + 1] ?? left])));
    }
    level = next;
  }
  return shownHash(level[0] ?? Buffer.alloc(32));
}

export function makeBlock(content: {
  height: number;
  previousHash: string;
  time: number;
  nonce: string;
  txs: readonly Tx[];
}): Block {
  const { height, previousHash, time, nonce, txs } = content;
  const txids = txs.map((tx) => tx.txid);
  const root = merkleRoot(txids);
  const header = Buffer.concat([
    u32(BLOCK_VERSION),
    innerHash(previousHash),
    innerHash(root),
    SAPLING_ROOT,
    u32(time),
    Buffer.from(BLOCK_BITS, 'hex').reverse(),
    // Neither a miner's PastelID nor its signature: the devnet's blocks are not signed and carry no proof of work.
    Buffer.from([0, 0]),
    innerHash(nonce),
    sized(Buffer.alloc(0)),
  ]);
  const hex = Buffer.concat([header, compactSize(txs.length), ...txs.map((tx) => Buffer.from(tx.hex, 'hex'))]).toString('hex');
  return { height, hash: shownHash(hash256(header)), previousHash, merkleRoot: root, time, nonce, txids, txs, hex };
}

/** The name of a block below the start: its height is readable in it, so that the hash alone finds the block. */
export function syntheticHash(height: number): string {
  if (height === 0) return GENESIS.hash;
  const tail = sha256(Buffer.from(`devnet block ${height}`))
    .toString('hex')
    .slice(0, 48);
  return `00000000${height.toString(16).padStart(8, '0')}${tail}`;
}
export function syntheticHeight(hash: string): number | undefined {
  if (hash === GENESIS.hash) return 0;
  const height = hash.startsWith('00000000') ? parseInt(hash.slice(8, 16), 16) : NaN;
  return syntheticHash(height) === hash ? height : undefined;
}
export function syntheticBlock(height: number, start: { height: number; time: number }): Block {
  const root = height === 0 ? GENESIS.merkleRoot : sha256(Buffer.from(`devnet coinbase ${height}`)).toString('hex');
  return {
    height,
    hash: syntheticHash(height),
    ...(height > 0 && { previousHash: syntheticHash(height - 1) }),
    merkleRoot: root,
    time: height === 0 ? GENESIS.time : start.time - (start.height - height) * SYNTHETIC_SPACING_SECONDS,
    nonce: '0'.repeat(64),
    txids: [root],
    txs: [],
    hex: '',
  };
}

/** Whom the blocks pay: nobody's wallet, so that balances change through payments alone. */
const MINER_SCRIPT = scriptOf(addressOfHash(sha256(Buffer.from('devnet miner')).subarray(0, 20))) as Buffer;
const SUBSIDY_PATOSHIS = 6250 * 100_000;

/** `nonce` tells the coinbases of rival blocks of one height apart. */
export function coinbase(height: number, fees: number, nonce: string, premine: readonly TxOutput[] = []): Tx {
  const heightBytes = Buffer.from([height & 255, (height >> 8) & 255, (height >> 16) & 255]);
  return completeTx({
    inputs: [
      {
        txid: '0'.repeat(64),
        vout: 0xffffffff,
        script: Buffer.concat([sized(heightBytes), sized(Buffer.from(nonce.slice(0, 16), 'hex'))]),
        sequence: SEQUENCE_FINAL,
      },
    ],
    outputs: [...premine, { patoshis: SUBSIDY_PATOSHIS + fees, script: MINER_SCRIPT }],
    lockTime: 0,
    expiryHeight: 0,
  });
}
