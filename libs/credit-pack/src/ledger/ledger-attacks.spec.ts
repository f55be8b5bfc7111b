import { beforeEach, describe, expect, test } from '@jest/globals';
import { testDatabases } from '../../../../test/support/databases.js';
import { address, BURN, register, saleOf, user, type TestLedger } from './pack-ledger.spec-suite.js';
import { useLedger } from './use-ledger.spec-suite.js';

/** What somebody might put on the chain to hurt others, and what a reorganisation may do by itself. */
describe.each(testDatabases())('hostile chains on $name', (database) => {
  const here = useLedger(database);
  const { packs } = here;
  let node: TestLedger;
  beforeEach(() => {
    node = here.node;
  });

  test('a burn with more inputs and outputs than a statement takes does not stop the others from being counted', async () => {
    const { pack, trackingAddress } = await node.buy();
    await node.sweep();
    const crowd = Array.from({ length: 25_000 }, (_, n): [string, number] => [`44crowd${n}`, 54]);
    node.chain.send({ from: crowd.map(([name]) => `${name}s`), to: [[BURN, 1], ...crowd] });
    node.chain.mine();
    const late = node.chain.send({ from: trackingAddress, to: [[BURN, 150]] });
    node.chain.mine();
    await node.sweep();
    expect(await node.ledger.balanceOf(pack)).toMatchObject({ burnedMillicredits: 15_000, usageBurns: 1 });
    expect(late).toHaveLength(64);
  });

  test('a ticket that was written again under another txid takes the holds and burns of the lost one over', async () => {
    const sale = await node.buy();
    await node.hold(sale.pack, 'open', 100);
    await node.hold(sale.pack, 'paid', 200);
    const burn = node.chain.send({
      from: 'elsewhere',
      to: [
        [BURN, 200],
        [sale.trackingAddress, 5],
      ],
    });
    expect((await node.ledger.claimBurn({ requestId: 'paid', txid: burn })).verdict).toBe('claimed');
    node.chain.disconnect(1);
    node.chain.drop(sale.txid);
    await node.sweep();
    const again = register(node.chain, sale);
    node.chain.mine();
    await node.sweep();
    const pack = (await node.ledger.find(again))!;
    expect(await node.ledger.balanceOf(pack)).toMatchObject({
      heldMillicredits: 10_000,
      burnedMillicredits: 20_000,
      availableMillicredits: 1_470_000,
    });
    expect(await node.hold(pack, 'more', 14_701)).toBe(false);
    await node.release('open');
    expect(await node.ledger.balanceOf(pack)).toMatchObject({ heldMillicredits: 0, availableMillicredits: 1_480_000 });
  });

  test('a name that no database takes, among those who may spend a pack, stops no other ticket', async () => {
    const odd = await saleOf(node.chain, { users: ['\0', user.pastelId], trackingAddress: address('odd') });
    const good = await saleOf(node.chain, { total: 30_001 });
    node.chain.mine();
    const txids = [register(node.chain, odd), register(node.chain, good)];
    node.chain.mine();
    await node.sweep();
    expect(await packs()).toEqual(txids);
  });

  test('a supernode cannot write credits for next to nothing on the votes for a fair price', async () => {
    const cheap = { credits: '1000000', users: [user.pastelId] };
    const free = await saleOf(node.chain, { ...cheap, price: 1e-13, total: 0, trackingAddress: address('free') });
    const nearly = await saleOf(node.chain, { ...cheap, price: 1, trackingAddress: address('nearly') });
    const low = await saleOf(node.chain, { price: 12, trackingAddress: address('low') });
    node.chain.mine();
    const [, , fair] = [register(node.chain, free), register(node.chain, nearly), register(node.chain, low)];
    node.chain.mine();
    await node.sweep();
    expect(await packs()).toEqual([fair]);
  });

  test('without a price of its own a node does not decide on a young ticket; an old one is history', async () => {
    node.market.usdPerPsl = undefined;
    const sale = await saleOf(node.chain);
    node.chain.mine();
    const txid = register(node.chain, sale);
    node.chain.mine();
    await node.sweep();
    expect(await packs()).toEqual([]);
    node.market.usdPerPsl = 0.0005;
    await node.sweep();
    expect(await packs()).toEqual([txid]);

    const dear = await saleOf(node.chain, { trackingAddress: address('then') });
    node.chain.mine();
    const old = register(node.chain, dear);
    node.chain.mine(200);
    node.market.usdPerPsl = 0.00001;
    await node.sweep();
    expect(await packs()).toEqual([txid, old]);
  });
});
