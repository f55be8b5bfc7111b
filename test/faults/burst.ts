import assert from 'node:assert/strict';
import { BURN, type TestLedger } from '../../libs/credit-pack/src/ledger/pack-ledger.spec-suite.js';
import { seeded, shuffled, type Case, type Category, type Engine } from './contract.js';
import { expectSound, Ledgers } from './ledger/ledgers.js';

const ledgers = new Ledgers();
const CREDITS = 1500;

/** Ten times as many requests at once as the pack can bear, at all processes; some of the burns come too late. */
async function atOnce(seed: number, engine: Engine, k: number): Promise<void> {
  const chance = seeded(seed);
  const one = await ledgers.fresh(engine);
  const { pack, trackingAddress } = await one.buy();
  const processes = [one, await ledgers.again(engine, one.chain, 0, 1)];
  const tenths = (CREDITS * 10) / k;
  const requests = shuffled(
    chance,
    Array.from({ length: 10 * k }, (_, n) => ({ id: `r${n}`, at: processes[n % 2]! })),
  );
  const answers = await Promise.all(
    requests.map(async (request) => ({ ...request, held: await request.at.hold(pack, request.id, tenths, 2) })),
  );
  const held = answers.filter((answer) => answer.held).map((answer) => ({ ...answer, isLate: chance() < 0.2 }));
  assert.equal(held.length, k);
  const burns = new Map<string, string>();
  const pay = (late: boolean): void => {
    for (const { id } of held.filter(({ isLate }) => isLate === late))
      burns.set(id, one.chain.send({ from: trackingAddress, to: [[BURN, tenths]] }));
  };
  pay(false);
  one.chain.mine(4);
  pay(true);
  one.chain.mine();
  // Each names its burn twice at once, at both processes.
  const claims = shuffled(chance, [...held, ...held]).map(({ id }, n) => ({ id, at: processes[n % 2]! }));
  await Promise.all(claims.map(({ id, at }) => at.ledger.claimBurn({ requestId: id, txid: burns.get(id)! })));
  const verdicts = await Promise.all(held.map(({ id }) => one.ledger.claimBurn({ requestId: id, txid: burns.get(id)! })));
  verdicts.forEach((answer, n) => {
    if (!held[n]!.isLate) return assert.equal(answer.verdict, 'claimed');
    // What the supernode owes a credit note for.
    assert.ok(answer.verdict === 'refused' && answer.ownedMillicredits === tenths * 100, JSON.stringify(answer));
  });
  for (const node of processes) {
    const balance = await node.ledger.balanceOf(pack);
    assert.deepEqual(
      [
        balance.availableMillicredits,
        balance.heldMillicredits,
        balance.burnedMillicredits,
        balance.deficitMillicredits,
        balance.usageBurns,
      ],
      [0, 0, CREDITS * 1000, 0, k],
    );
    assert.equal(await node.hold(pack, 'more', 1), false);
  }
  await expectSound(one);
}

/** One pack, spent beyond its end at two supernodes, which do not know of each other's holds. */
async function atTwo(seed: number, engine: Engine, k: number): Promise<void> {
  const chance = seeded(seed);
  const one = await ledgers.fresh(engine);
  const two = await ledgers.fresh(engine, one.chain, 1);
  const { pack, trackingAddress } = await one.buy();
  await two.sweep();
  // The burn in the middle of all takes the last credits, and more.
  const [bought, tenths, each] = [CREDITS * 10, Math.ceil((CREDITS * 10) / (k - 0.5)), k - 1];
  const places = shuffled(
    chance,
    [one, two].flatMap((node) => Array.from({ length: each }, (_, n) => ({ node, id: `r${n}` }))),
  );
  // One burn is mined in each block, and none may come too late.
  for (const { node, id } of places) assert.ok(await node.hold(pack, id, tenths, 2 * k));
  const spent: { node: TestLedger; id: string; txid: string; left: number }[] = [];
  for (const [order, place] of places.entries()) {
    const txid = one.chain.send({ from: trackingAddress, to: [[BURN, tenths]] });
    one.chain.mine();
    spent.push({ ...place, txid, left: Math.max(0, bought - order * tenths) });
  }
  const verdicts = await Promise.all(spent.map(({ node, id, txid }) => node.ledger.claimBurn({ requestId: id, txid })));
  const owed = verdicts.map((verdict) =>
    verdict.verdict === 'refused' ? (verdict.ownedMillicredits ?? 0) / 100 : verdict.verdict,
  );
  assert.deepEqual(
    owed,
    spent.map(({ left }) => (left >= tenths ? 'claimed' : left)),
  );
  for (const node of [one, two]) {
    await node.sweep();
    // One that is refused for good is not served, and its hold is given back when its time is over.
    for (const [n, { node: at, id }] of spent.entries()) if (at === node && owed[n] === 0) await node.release(id);
    const balance = await node.ledger.balanceOf(pack);
    assert.deepEqual(
      [balance.availableMillicredits, balance.heldMillicredits, balance.burnedMillicredits, balance.deficitMillicredits],
      [0, 0, bought * 100, (2 * each * tenths - bought) * 100],
    );
    await expectSound(node);
  }
}

/** More is asked of a pack at once than it can bear. */
export const burst: Category = {
  name: 'burst',
  seeds: 100,
  cases: ({ all }) =>
    (all ? [3, 10, 20] : [3]).flatMap((k): Case[] => [
      { name: `credits for ${k}, ${10 * k} at once in all processes`, run: (seed, engine) => atOnce(seed, engine, k) },
      {
        name: `credits for ${k}, spent at two supernodes: the chain's order decides`,
        run: (seed, engine) => atTwo(seed, engine, k),
      },
    ]),
  close: () => ledgers.close(),
};
