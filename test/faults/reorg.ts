import assert from 'node:assert/strict';
import { BURN, register, type TestLedger } from '../../libs/credit-pack/src/ledger/pack-ledger.spec-suite.js';
import { pick, seeded, type Case, type Category, type Engine } from './contract.js';
import { expectSound, Ledgers } from './ledger/ledgers.js';

const ledgers = new Ledgers();
/** Two more than the confirmations of any burn by default (three), and as deep as the block that an offer names (six), and two. */
const DEPTH_MAX = 8;
const FATES = ['mined higher', 'gone', 'replaced'] as const;
const TARGETS = ['usage burn', 'ticket', 'purchase burn'] as const;
type Target = (typeof TARGETS)[number];
type Fate = (typeof FATES)[number];

async function sold(engine: Engine, target: Target, depth: number) {
  const node = await ledgers.fresh(engine);
  const sale = await node.buy();
  if (target === 'usage burn') node.chain.mine(3);
  await node.sweep();
  assert.ok(await node.hold(sale.pack, 'paid', 150, 100));
  assert.ok(await node.hold(sale.pack, 'open', 100, 100));
  const usage = node.chain.send({ from: sale.trackingAddress, to: [[BURN, 150]] });
  assert.equal((await node.ledger.claimBurn({ requestId: 'paid', txid: usage })).verdict, 'claimed');
  // The ticket stands at the tip, and the purchase burn one block below it.
  node.chain.mine(target === 'usage burn' ? depth : depth - 1);
  await node.sweep();
  return { node, sale, usage };
}

async function reorganised(engine: Engine, target: Target, depth: number, fate: Fate, restarts: boolean): Promise<void> {
  const { node: before, sale, usage } = await sold(engine, target, depth);
  const { chain } = before;
  const again = async (node: TestLedger): Promise<TestLedger> => (restarts ? ledgers.again(engine, chain) : node);
  chain.disconnect(target === 'purchase burn' ? depth + 1 : depth);
  const lost = { 'usage burn': usage, ticket: sale.txid, 'purchase burn': sale.burnTxid }[target];
  chain.drop(lost);
  // The ticket names its burn and cannot be mined before it.
  if (target === 'purchase burn') chain.drop(sale.txid);
  const down = await again(before);
  chain.isDown = true;
  await assert.rejects(down.ledger.balanceOf(sale.pack), { name: 'ChainUnavailable' });
  await assert.rejects(down.hold(sale.pack, 'guessed', 1), { name: 'ChainUnavailable' });
  chain.isDown = false;
  await down.sweep();
  if (target !== 'usage burn') await expectFrozen(down, sale.txid);
  const node = await again(down);
  chain.mine();
  if (fate === 'mined higher') {
    chain.rebroadcast(lost);
    chain.mine();
    if (target === 'purchase burn') chain.rebroadcast(sale.txid);
  }
  const instead = fate === 'replaced' ? replacement(node, sale, target) : undefined;
  chain.mine(depth + 12);
  await node.sweep();
  await (target === 'usage burn'
    ? expectBurn(node, sale, fate, usage, instead)
    : expectPack(node, sale.txid, target, fate, instead));
  await expectSound(node);
}

type Sale = Awaited<ReturnType<TestLedger['buy']>>;
function replacement({ chain }: TestLedger, sale: Sale, target: Target): string {
  if (target === 'ticket') return register(chain, sale);
  if (target === 'usage burn') return chain.send({ from: sale.trackingAddress, to: [[BURN, 150]] });
  // The same coins, burned anew: no ticket names them.
  return chain.send({ from: 'wallet', to: [[BURN, 30_000 * 100_000]] });
}

async function expectFrozen(node: TestLedger, packTxid: string): Promise<void> {
  assert.equal(await node.ledger.find(packTxid), undefined);
  const { frozen } = await node.reconcile();
  assert.deepEqual(frozen, [{ packTxid, millicredits: 25_000 }]);
}

async function expectBurn(node: TestLedger, { pack }: Sale, fate: Fate, usage: string, instead?: string): Promise<void> {
  const { heldMillicredits, burnedMillicredits, availableMillicredits } = await node.ledger.balanceOf(pack);
  const expected = { 'mined higher': [10_000, 15_000], gone: [25_000, 0], replaced: [25_000, 15_000] }[fate];
  assert.deepEqual([heldMillicredits, burnedMillicredits], expected);
  assert.equal(await node.hold(pack, 'more', availableMillicredits / 100 + 1), false);
  const frozen = fate === 'mined higher' ? [] : [{ packTxid: pack.registrationTxid, requestId: 'paid', millicredits: 15_000 }];
  assert.deepEqual((await node.reconcile()).frozen, frozen);
  assert.equal((await node.ledger.claimBurn({ requestId: 'paid', txid: usage })).verdict, 'claimed');
  if (instead) assert.equal((await node.ledger.claimBurn({ requestId: 'paid', txid: instead })).verdict, 'refused');
}

async function expectPack(node: TestLedger, txid: string, target: Target, fate: Fate, instead?: string): Promise<void> {
  const standing = fate === 'mined higher' ? txid : target === 'ticket' ? instead : undefined;
  if (standing === undefined) return expectFrozen(node, txid);
  const pack = await node.ledger.find(standing);
  assert.ok(pack, 'The pack did not come back');
  const { heldMillicredits, burnedMillicredits } = await node.ledger.balanceOf(pack);
  assert.deepEqual([heldMillicredits, burnedMillicredits], [10_000, 15_000]);
  assert.deepEqual((await node.reconcile()).frozen, []);
}

const LOOKS = ['its owner', 'a balance', 'the sweep'] as const;

/** Somebody sees a burn in a block, and before he writes it down the block is gone; another process may have undone it by then. */
async function looksBefore(engine: Engine, looks: (typeof LOOKS)[number], fate: Fate, isUndone: boolean): Promise<void> {
  const { node, sale, usage } = await sold(engine, 'usage burn', 1);
  const { chain } = node;
  const late = chain.send({ from: sale.trackingAddress, to: [[BURN, 100]] });
  chain.mine();
  const beside = await ledgers.again(engine, chain, 0, 1);
  const happens = async (): Promise<void> => {
    if (isUndone) await beside.sweep();
    chain.disconnect(1);
    chain.drop(late);
    chain.mine();
    if (fate === 'mined higher') chain.rebroadcast(late);
    if (fate === 'replaced') chain.send({ from: sale.trackingAddress, to: [[BURN, 100]] });
    chain.mine(2);
    if (isUndone) await beside.sweep();
  };
  chain.meanwhile = { txid: late, happens };
  if (looks === 'its owner') await node.ledger.claimBurn({ requestId: 'open', txid: late });
  if (looks === 'a balance') await node.ledger.refresh(sale.pack);
  if (looks === 'the sweep') await node.sweep();
  assert.equal(chain.meanwhile, undefined, 'Nobody looked');
  await node.sweep();
  await expectSound(node);
  chain.mine(12);
  await node.sweep();
  await expectSound(node);
  const { burnedMillicredits } = await node.ledger.balanceOf(sale.pack);
  assert.equal(burnedMillicredits, fate === 'gone' ? 15_000 : 25_000);
  assert.equal((await node.ledger.claimBurn({ requestId: 'paid', txid: usage })).verdict, 'claimed');
  await expectSound(node);
}

/** Blocks are taken away around what was counted on, and the new ones tell it otherwise. */
export const reorg: Category = {
  name: 'reorg',
  seeds: 1,
  cases: ({ all, seed }) => {
    const chance = seeded(seed);
    const depths = Array.from({ length: DEPTH_MAX }, (_, n) => n + 1);
    const around = TARGETS.flatMap((target): Case[] =>
      (all ? depths : [pick(chance, depths)]).map((depth) => ({
        name: `${target}, ${depth} deep: mined higher, gone, replaced; with and without restart`,
        run: async (_, engine) => {
          for (const fate of FATES)
            for (const restarts of [false, true])
              await reorganised(engine, target, depth, fate, restarts).catch((cause: unknown) => {
                throw new Error(`${fate}${restarts ? ', restarted' : ''}: ${String(cause)}`, { cause });
              });
        },
      })),
    );
    const between = LOOKS.map((looks): Case => ({
      name: `usage burn, looked at for ${looks} before and written down after: mined higher, gone, replaced; undone meanwhile or not`,
      run: async (_, engine) => {
        for (const fate of FATES)
          for (const isUndone of [false, true])
            await looksBefore(engine, looks, fate, isUndone).catch((cause: unknown) => {
              throw new Error(`${fate}${isUndone ? ', undone meanwhile' : ''}: ${String(cause)}`, { cause });
            });
      },
    }));
    return [...around, ...between];
  },
  close: () => ledgers.close(),
};
