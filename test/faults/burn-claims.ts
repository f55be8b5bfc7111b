import assert from 'node:assert/strict';
import { address, BURN, register, saleOf, type TestLedger } from '../../libs/credit-pack/src/ledger/pack-ledger.spec-suite.js';
import { seeded, shuffled, type Case, type Category, type Engine } from './contract.js';
import { expectSound, Ledgers } from './ledger/ledgers.js';

const ledgers = new Ledgers();
const PRICE = 150;
/** Room for a burn that is also the price of a small pack. */
const SMALL = { credits: '10', price: 0.05 };
const SMALL_PATOSHIS = 50_000;

interface Scene {
  readonly nodes: readonly TestLedger[];
  readonly sale: Awaited<ReturnType<TestLedger['buy']>>;
  /** A transaction from the tracking address unless told otherwise. */
  burn(patoshis: number, from?: string): string;
  readonly mine: (count?: number) => void;
  /** The one verdict of all nodes. */
  verdict(txid: string, requestId?: string): Promise<string>;
}

/** Two supernodes with books of their own, on one chain; each has set the price aside for a request. */
async function scene(engine: Engine): Promise<Scene> {
  const one = await ledgers.fresh(engine);
  const two = await ledgers.fresh(engine, one.chain, 1);
  const nodes = [one, two];
  for (const node of nodes) node.market.usdPerPsl = 0.2;
  const sale = await one.buy({ credits: '10000', price: 0.05 });
  one.chain.mine(2);
  await two.sweep();
  return {
    nodes,
    sale,
    burn: (patoshis, from = sale.trackingAddress) => one.chain.send({ from, to: [[BURN, patoshis]] }),
    mine: (count) => one.chain.mine(count),
    verdict: async (txid, requestId = 'r1') => {
      const all = [];
      for (const node of nodes) all.push(said(await node.ledger.claimBurn({ requestId, txid })));
      assert.equal(new Set(all).size, 1, `The nodes differ: ${all.join(' | ')}`);
      return all[0]!;
    },
  };
}
function said(answer: Awaited<ReturnType<TestLedger['ledger']['claimBurn']>>): string {
  if (answer.verdict !== 'refused') return answer.verdict;
  return answer.ownedMillicredits === undefined ? 'refused' : 'refused, credit note owed';
}
async function hold({ nodes, sale }: Scene, requestId = 'r1', tenths = PRICE, blocks = 5): Promise<void> {
  for (const node of nodes) assert.ok(await node.hold(sale.pack, requestId, tenths, blocks));
}

interface Told {
  readonly what: string;
  /** What docs/money.md promises. */
  readonly verdict: string;
  readonly run: (scene: Scene, chance: () => number) => Promise<string>;
}
const some = (chance: () => number, most: number): number => 1 + Math.floor(chance() * most);

const mined = async (scene: Scene, patoshis: number, from?: string): Promise<string> => {
  await hold(scene);
  const txid = scene.burn(patoshis, from);
  scene.mine();
  return scene.verdict(txid);
};

const told: readonly Told[] = [
  { what: 'exact', verdict: 'claimed', run: (scene) => mined(scene, PRICE) },
  { what: 'short', verdict: 'refused', run: (scene, chance) => mined(scene, PRICE - some(chance, PRICE - 1)) },
  { what: 'over', verdict: 'refused, credit note owed', run: (scene, chance) => mined(scene, PRICE + some(chance, 1000)) },
  { what: 'from another address', verdict: 'refused', run: (scene) => mined(scene, PRICE, 'stranger') },
  {
    what: 'too early',
    verdict: 'refused',
    run: async (scene, chance) => {
      const txid = scene.burn(PRICE);
      scene.mine(some(chance, 5));
      await hold(scene);
      return scene.verdict(txid);
    },
  },
  {
    what: 'too late',
    verdict: 'refused, credit note owed',
    run: async (scene, chance) => {
      await hold(scene);
      scene.mine(5 + some(chance, 5));
      const txid = scene.burn(PRICE);
      scene.mine();
      return scene.verdict(txid);
    },
  },
  {
    what: 'over or too late, unconfirmed',
    verdict: 'unseen',
    run: async (scene, chance) => {
      await hold(scene);
      return scene.verdict(scene.burn(PRICE + some(chance, 1000)));
    },
  },
  {
    what: 'exact, unconfirmed',
    verdict: 'claimed',
    run: async (scene) => {
      await hold(scene);
      return scene.verdict(scene.burn(PRICE));
    },
  },
  {
    what: 'double-spent after it was served',
    verdict: 'claimed; the credits stay held',
    run: async (scene) => {
      await hold(scene);
      const txid = scene.burn(PRICE);
      const first = await scene.verdict(txid);
      scene.nodes[0]!.chain.drop(txid);
      const other = scene.burn(PRICE, 'elsewhere');
      scene.mine(12);
      assert.equal(await scene.verdict(other), 'refused');
      for (const node of scene.nodes) {
        await node.sweep();
        const { heldMillicredits, burnedMillicredits } = await node.ledger.balanceOf(scene.sale.pack);
        assert.deepEqual([heldMillicredits, burnedMillicredits], [PRICE * 100, 0]);
        assert.equal((await node.reconcile()).frozen.length, 1);
      }
      return `${first}; the credits stay held`;
    },
  },
  {
    what: 'double-spent before it was named',
    verdict: 'unseen',
    run: async (scene) => {
      await hold(scene);
      const txid = scene.burn(PRICE);
      scene.nodes[0]!.chain.drop(txid);
      scene.mine();
      return scene.verdict(txid);
    },
  },
  {
    what: 'by two requests of one supernode',
    verdict: 'the first claimed, the second refused',
    run: async (scene) => {
      await hold(scene);
      await hold(scene, 'r2');
      const txid = scene.burn(PRICE);
      scene.mine();
      return `the first ${await scene.verdict(txid)}, the second ${await scene.verdict(txid, 'r2')}`;
    },
  },
  {
    what: 'by two purchases',
    verdict: 'the first ticket on the chain stands',
    run: async ({ nodes, mine }) => {
      const { chain } = nodes[0]!;
      const first = await saleOf(chain, { ...SMALL, trackingAddress: address('first') });
      const second = await saleOf(chain, { ...SMALL, trackingAddress: address('second'), burnTxid: first.burnTxid });
      mine();
      const [winner, loser] = [register(chain, second), register(chain, first)];
      mine();
      for (const node of nodes) {
        assert.equal((await node.ledger.find(first.burnTxid))?.registrationTxid, winner);
        assert.equal(await node.ledger.find(loser), undefined);
      }
      return 'the first ticket on the chain stands';
    },
  },
  {
    what: 'by a purchase and then by an inference',
    verdict: 'refused',
    run: async (scene) => {
      const { chain } = scene.nodes[0]!;
      await hold(scene, 'r1', SMALL_PATOSHIS, 20);
      const burnTxid = scene.burn(SMALL_PATOSHIS);
      const small = await saleOf(chain, { ...SMALL, trackingAddress: address('small'), burnTxid });
      scene.mine();
      register(chain, small);
      scene.mine();
      for (const node of scene.nodes) assert.ok(await node.ledger.find(burnTxid));
      return scene.verdict(burnTxid);
    },
  },
  {
    what: 'by an inference and then by a purchase',
    verdict: 'claimed; pays for no purchase there',
    run: async (scene) => {
      await hold(scene, 'r1', SMALL_PATOSHIS);
      const txid = scene.burn(SMALL_PATOSHIS);
      scene.mine();
      const verdict = await scene.verdict(txid);
      // What whoever sells asks before a burn is accepted.
      for (const node of scene.nodes) assert.ok(await node.burns.isClaimed(txid));
      return `${verdict}; pays for no purchase there`;
    },
  },
  {
    what: 'at two supernodes',
    verdict: 'claimed; counted once at each',
    run: async (scene) => {
      await hold(scene);
      const txid = scene.burn(PRICE);
      scene.mine();
      const verdict = await scene.verdict(txid);
      for (const node of scene.nodes)
        assert.equal((await node.ledger.balanceOf(scene.sale.pack)).burnedMillicredits, PRICE * 100);
      return `${verdict}; counted once at each`;
    },
  },
];

/** One burn, whatever is claimed of it: the documented verdict, at two supernodes alike, and again when it is asked again. */
export const burnClaims: Category = {
  name: 'burn-claims',
  seeds: 5,
  cases: ({ all, seed }) => {
    // A slice has all of them on one database, and a few on the other.
    const everywhere = all ? told : shuffled(seeded(seed), told).slice(0, 4);
    return told.map(({ what, verdict, run }): Case => ({
      ...(!everywhere.some((one) => one.what === what) && { engines: ['SQLite'] }),
      name: `${what}: ${verdict}`,
      run: async (seed, engine) => {
        const here = await scene(engine);
        assert.equal(await run(here, seeded(seed)), verdict);
        for (const node of here.nodes) {
          await node.sweep();
          await expectSound(node);
        }
      },
    }));
  },
  close: () => ledgers.close(),
};
