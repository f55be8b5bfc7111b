import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { testDatabases } from '../../../../test/support/databases.js';
import type { CreditPack } from './pack-ledger.js';
import { address, BURN, openLedger, openLedgerDatabase, type OpenDatabase, type TestLedger } from './pack-ledger.spec-suite.js';

describe.each(testDatabases())('holds on $name', (database) => {
  let opened: OpenDatabase;
  let node: TestLedger;
  beforeAll(async () => {
    opened = await openLedgerDatabase(database);
  });
  afterAll(() => opened.source.destroy());
  let pack: CreditPack;
  let trackingAddress: string;
  beforeEach(async () => {
    node = await openLedger(opened);
    ({ pack, trackingAddress } = await node.buy());
  });
  afterEach(async () => {
    node.chain.isDown = false;
    expect([...(await node.reconcile()).differences, ...(await node.chainDifferences())]).toEqual([]);
  });

  test('burns that the books have otherwise than the chain are named', async () => {
    const [forgotten, moved] = [pay(15), pay(16)];
    node.chain.mine();
    await node.sweep();
    const { height } = (await node.chain.transaction(moved))!.mined!;
    const spoil = (query: string) => node.transactions.run('test: books spoiled', (manager) => manager.query(query));
    await spoil(`UPDATE usage_burn SET height = ${height - 1} WHERE txid = '${moved}'`);
    await spoil(`DELETE FROM usage_burn WHERE txid = '${forgotten}'`);
    const found = (await node.chainDifferences()).map(({ what, stored, computed }) => [what, stored, computed]);
    expect(found.sort()).toEqual(
      [
        [`burn ${forgotten}`, 'unknown', `15 patoshis in block ${height}`],
        [`burn ${moved}`, `16 patoshis in block ${height - 1}, of ${pack.registrationTxid}`, `16 patoshis in block ${height}`],
      ].sort(),
    );
    await spoil(`DELETE FROM usage_burn WHERE txid = '${moved}'`);
    await spoil(`UPDATE credit_pack SET "burnedMillicredits" = 0`);
    node.chain.disconnect(1);
    node.chain.drop(forgotten);
    node.chain.drop(moved);
    await node.sweep();
  });

  const balance = async () => {
    const found = await node.ledger.balanceOf(pack);
    expect(found.availableMillicredits + found.heldMillicredits + found.burnedMillicredits).toBe(found.initialMillicredits);
    expect(found.availableMillicredits).toBeGreaterThanOrEqual(0);
    return found;
  };
  const pay = (patoshis: number, more: [string, number][] = []) =>
    node.chain.send({ from: trackingAddress, to: [[BURN, patoshis], ...more] });
  const claim = (requestId: string, txid: string) => node.ledger.claimBurn({ requestId, txid });

  test('a paid request: held, settled, counted once', async () => {
    expect(await balance()).toMatchObject({ initialMillicredits: 1_500_000, availableMillicredits: 1_500_000, usageBurns: 0 });
    expect(await node.hold(pack, 'r1', 150)).toBe(true);
    expect(await balance()).toMatchObject({ availableMillicredits: 1_485_000, heldMillicredits: 15_000 });
    const txid = pay(150);
    // Seen by the index before it is claimed: counted, and the hold with it, until the claim says that they are one.
    expect(await balance()).toMatchObject({
      availableMillicredits: 1_470_000,
      heldMillicredits: 15_000,
      burnedMillicredits: 15_000,
      usageBurns: 1,
    });
    expect(await claim('r1', txid)).toEqual({ verdict: 'claimed', seenAtHeight: node.chain.tip });
    expect(await balance()).toMatchObject({
      availableMillicredits: 1_485_000,
      heldMillicredits: 0,
      burnedMillicredits: 15_000,
      usageBurns: 1,
    });
    node.chain.mine();
    await node.sweep();
    expect(await balance()).toMatchObject({
      availableMillicredits: 1_485_000,
      heldMillicredits: 0,
      burnedMillicredits: 15_000,
      usageBurns: 1,
    });
    expect(await claim('r1', txid)).toEqual({ verdict: 'claimed', seenAtHeight: node.chain.tip - 1 });
  });

  test('a cost equal to the balance is held, one tenth more is not', async () => {
    expect(await node.hold(pack, 'r1', 14_000)).toBe(true);
    expect(await node.hold(pack, 'r2', 1001)).toBe(false);
    expect(await node.hold(pack, 'r3', 1000)).toBe(true);
    expect(await balance()).toMatchObject({ availableMillicredits: 0, heldMillicredits: 1_500_000 });
    await node.release('r3');
    await node.release('r3');
    expect(await balance()).toMatchObject({ availableMillicredits: 100_000 });
  });

  test('two requests at once cannot hold the same credits', async () => {
    const held = await Promise.all(Array.from({ length: 10 }, (_, i) => node.hold(pack, `r${i}`, 4000)));
    expect(held.filter(Boolean)).toHaveLength(3);
    expect(await balance()).toMatchObject({ heldMillicredits: 1_200_000, availableMillicredits: 300_000 });
  });

  test('a second hold for a request, nothing, and more than a burn can carry are refused', async () => {
    await node.hold(pack, 'r1', 10);
    await expect(node.hold(pack, 'r1', 10)).rejects.toMatchObject({ code: 'conflict' });
    await expect(node.hold(pack, 'r2', 100_001)).rejects.toMatchObject({ code: 'bad-request' });
    await expect(node.hold(pack, 'r2', 0)).rejects.toThrow(RangeError);
    expect(await balance()).toMatchObject({ heldMillicredits: 1000 });
  });

  test('one burn, many requests at once: exactly one wins', async () => {
    const requests = ['r1', 'r2', 'r3', 'r4', 'r5'];
    for (const requestId of requests) await node.hold(pack, requestId, 150);
    const txid = pay(150);
    const verdicts = await Promise.all(requests.map((requestId) => claim(requestId, txid)));
    expect(verdicts.filter(({ verdict }) => verdict === 'claimed')).toHaveLength(1);
    for (const lost of verdicts.filter(({ verdict }) => verdict !== 'claimed'))
      expect(lost).toEqual({ verdict: 'refused', reason: 'The transaction has paid for another request already' });
    expect(await balance()).toMatchObject({ heldMillicredits: 60_000, burnedMillicredits: 15_000 });
  });

  test('one request, many burns and repetitions at once: exactly one burn settles it', async () => {
    await node.hold(pack, 'r1', 150);
    const txids = [pay(150), pay(150), pay(150)];
    await Promise.all([...txids, ...txids].map((txid) => claim('r1', txid)));
    const again = await Promise.all(txids.map((txid) => claim('r1', txid)));
    expect(again.map(({ verdict }) => verdict).sort()).toEqual(['claimed', 'refused', 'refused']);
    expect(await balance()).toMatchObject({ heldMillicredits: 0, burnedMillicredits: 45_000, availableMillicredits: 1_455_000 });
  });

  test('a claim and a release at once leave no credit counted twice', async () => {
    await node.hold(pack, 'r1', 150);
    const txid = pay(150);
    await Promise.all([claim('r1', txid), node.release('r1')]);
    expect((await claim('r1', txid)).verdict).toBe('claimed');
    expect(await balance()).toMatchObject({ heldMillicredits: 0, burnedMillicredits: 15_000 });
  });

  test('an unseen burn may come later; one that names nothing is refused', async () => {
    await node.hold(pack, 'r1', 150);
    expect(await claim('r1', 'ab'.repeat(32))).toEqual({ verdict: 'unseen' });
    expect(await claim('r9', 'ab'.repeat(32))).toMatchObject({ verdict: 'refused' });
    expect(await balance()).toMatchObject({ heldMillicredits: 15_000 });
  });

  test('only the change goes to the tracking address: counts when claimed, and only then', async () => {
    await node.hold(pack, 'r1', 150);
    const txid = node.chain.send({
      from: 'wallet',
      to: [
        [BURN, 150],
        [trackingAddress, 5000],
      ],
    });
    node.chain.mine();
    await node.sweep();
    expect(await balance()).toMatchObject({ burnedMillicredits: 0, usageBurns: 0 });
    expect((await claim('r1', txid)).verdict).toBe('claimed');
    expect(await balance()).toMatchObject({ burnedMillicredits: 15_000, heldMillicredits: 0, usageBurns: 1 });
  });

  test("a stranger's burn of the same amount is refused, his dust counts for nothing", async () => {
    await node.hold(pack, 'r1', 150);
    const foreign = node.chain.send({ from: 'stranger', to: [[BURN, 150]] });
    node.chain.send({
      from: 'stranger',
      to: [
        [BURN, 90_000],
        [trackingAddress, 1],
      ],
    });
    node.chain.mine();
    await node.sweep();
    expect(await claim('r1', foreign)).toMatchObject({ verdict: 'refused', reason: expect.stringContaining('tracking address') });
    expect(await balance()).toMatchObject({ burnedMillicredits: 0, heldMillicredits: 15_000 });
  });

  test('too little is refused; too much, once it is mined, is spent but does not pay', async () => {
    await node.hold(pack, 'r1', 150);
    expect(await claim('r1', pay(149))).toMatchObject({ verdict: 'refused' });
    const tooMuch = pay(151);
    expect(await claim('r1', tooMuch)).toEqual({ verdict: 'unseen' });
    node.chain.mine();
    expect(await claim('r1', tooMuch)).toMatchObject({ verdict: 'refused', ownedMillicredits: 15_100 });
    expect(await claim('r1', tooMuch)).toMatchObject({ verdict: 'refused', ownedMillicredits: 15_100 });
    expect(await balance()).toMatchObject({ heldMillicredits: 0, burnedMillicredits: 30_000 });
  });

  test('in time is: seen waiting by the last height, or mined by it', async () => {
    await node.hold(pack, 'seen', 10, 2);
    await node.hold(pack, 'mined', 11, 2);
    await node.hold(pack, 'late', 12, 2);
    node.chain.mine();
    const [seen, mined] = [pay(10), pay(11)];
    node.chain.mine();
    await node.burns.refresh(pack, node.clock.now());
    node.chain.mine(3);
    const late = pay(12);
    expect(await claim('late', late)).toEqual({ verdict: 'unseen' });
    node.chain.mine();
    expect(await claim('mined', mined)).toMatchObject({ verdict: 'claimed' });
    expect(await claim('seen', seen)).toMatchObject({ verdict: 'claimed' });
    expect(await claim('late', late)).toMatchObject({ verdict: 'refused', ownedMillicredits: 1200 });
    expect(await balance()).toMatchObject({ heldMillicredits: 0, burnedMillicredits: 3300 });
  });

  test('a hold that was given back can still be paid by a burn that was in time', async () => {
    await node.hold(pack, 'r1', 150, 2);
    const txid = pay(150);
    node.chain.mine(5);
    await node.release('r1');
    expect(await claim('r1', txid)).toMatchObject({ verdict: 'claimed' });
    expect(await balance()).toMatchObject({ heldMillicredits: 0, burnedMillicredits: 15_000 });
  });

  test('a burn from before the request does not pay for it', async () => {
    const old = pay(150);
    node.chain.mine(2);
    await node.hold(pack, 'r1', 150);
    expect(await claim('r1', old)).toMatchObject({ verdict: 'refused', reason: 'The transaction is older than the request' });
  });

  test('a purchase is no usage, and pays for no request', async () => {
    await node.hold(pack, 'r1', 100_000 / 10);
    const purchase = pay(100_001);
    node.chain.mine();
    await node.sweep();
    expect(await claim('r1', purchase)).toMatchObject({ verdict: 'refused' });
    expect(await balance()).toMatchObject({ burnedMillicredits: 0 });
  });

  test('burns beyond the pack: nothing is available, the deficit is told, and what is given back goes to it first', async () => {
    await node.hold(pack, 'r1', 9000);
    pay(8000);
    node.chain.mine();
    expect(await balance()).toMatchObject({
      availableMillicredits: 0,
      heldMillicredits: 900_000,
      burnedMillicredits: 600_000,
      deficitMillicredits: 200_000,
    });
    expect(await node.hold(pack, 'r2', 1)).toBe(false);
    await node.release('r1');
    expect(await balance()).toMatchObject({
      availableMillicredits: 700_000,
      burnedMillicredits: 800_000,
      deficitMillicredits: 0,
    });
  });

  test('spent at two supernodes at once: the first burn on the chain is served', async () => {
    await node.hold(pack, 'r1', 9000);
    const ours = pay(9000);
    const elsewhere = pay(8000);
    expect(await claim('r1', ours)).toEqual({ verdict: 'unseen' });
    node.chain.mine();
    // In one block the txids decide, on every node alike.
    const expected = ours < elsewhere ? 'claimed' : 'refused';
    expect((await claim('r1', ours)).verdict).toBe(expected);
    expect(await balance()).toMatchObject({ availableMillicredits: 0 });
  });

  test('what the pack bore of a burn that overdrew it is owed, and the books add up when that burn vanishes', async () => {
    await node.hold(pack, 'r1', 9000);
    pay(8000);
    node.chain.mine();
    const ours = pay(9000);
    expect(await claim('r1', ours)).toEqual({ verdict: 'unseen' });
    node.chain.mine();
    const refused = { verdict: 'refused', reason: expect.stringContaining('used up'), ownedMillicredits: 700_000 };
    expect(await claim('r1', ours)).toEqual(refused);
    expect(await claim('r1', ours)).toEqual(refused);
    const full = { availableMillicredits: 0, heldMillicredits: 0, burnedMillicredits: 1_500_000, deficitMillicredits: 200_000 };
    expect(await balance()).toMatchObject(full);
    await node.sweep();
    node.chain.disconnect(1);
    node.chain.drop(ours);
    node.chain.mine(12);
    await node.sweep();
    expect(await balance()).toMatchObject({ heldMillicredits: 700_000, burnedMillicredits: 800_000, availableMillicredits: 0 });
    expect((await node.reconcile()).differences).toEqual([]);
    node.chain.rebroadcast(ours);
    node.chain.mine();
    await node.sweep();
    expect(await balance()).toMatchObject(full);
    expect((await node.reconcile()).differences).toEqual([]);
  });

  test("a burn out of another pack's coins moves to the pack whose owner claims it", async () => {
    const other = await node.buy({ trackingAddress: address('other'), total: 30_001 });
    await node.hold(pack, 'r1', 150);
    const txid = node.chain.send({
      from: other.trackingAddress,
      to: [
        [BURN, 150],
        [trackingAddress, 5000],
      ],
    });
    node.chain.mine();
    await node.sweep();
    expect(await node.ledger.balanceOf(other.pack)).toMatchObject({ burnedMillicredits: 15_000 });
    expect((await claim('r1', txid)).verdict).toBe('claimed');
    expect(await node.ledger.balanceOf(other.pack)).toMatchObject({ burnedMillicredits: 0, usageBurns: 0 });
    expect(await balance()).toMatchObject({ burnedMillicredits: 15_000 });
  });

  test('nothing is guessed while the chain is down', async () => {
    await node.hold(pack, 'r1', 150);
    const txid = pay(150);
    node.chain.isDown = true;
    await expect(node.ledger.balanceOf(pack)).rejects.toMatchObject({ name: 'ChainUnavailable' });
    await expect(claim('r1', txid)).rejects.toMatchObject({ name: 'ChainUnavailable' });
    node.chain.isDown = false;
    expect(await claim('r1', txid)).toMatchObject({ verdict: 'claimed' });
  });

  test('a burn that vanishes after it was served is set aside until it is seen again', async () => {
    await node.hold(pack, 'r1', 150);
    const txid = pay(150);
    const unclaimed = pay(77);
    expect((await claim('r1', txid)).verdict).toBe('claimed');
    node.chain.drop(txid);
    node.chain.drop(unclaimed);
    node.chain.mine(3);
    await node.sweep();
    expect(await balance()).toMatchObject({ burnedMillicredits: 22_700, heldMillicredits: 0 });
    node.chain.mine(10);
    await node.sweep();
    expect(await balance()).toMatchObject({ burnedMillicredits: 0, heldMillicredits: 15_000, usageBurns: 0 });
    await node.release('r1');
    expect(await claim('r1', txid)).toMatchObject({ verdict: 'claimed' });
    expect(await balance()).toMatchObject({ heldMillicredits: 15_000 });
    node.chain.rebroadcast(txid);
    node.chain.mine();
    await node.sweep();
    expect(await balance()).toMatchObject({ burnedMillicredits: 15_000, heldMillicredits: 0, usageBurns: 1 });
  });

  test('a reorganisation takes burns back and brings them again; nothing is counted twice', async () => {
    await node.hold(pack, 'r1', 150);
    const txid = pay(150);
    pay(20);
    node.chain.mine(2);
    await node.sweep();
    await claim('r1', txid);
    node.chain.disconnect(2);
    await node.sweep();
    expect(await balance()).toMatchObject({ burnedMillicredits: 17_000, heldMillicredits: 0 });
    node.chain.mine(3);
    await node.sweep();
    expect(await balance()).toMatchObject({ burnedMillicredits: 17_000, heldMillicredits: 0, usageBurns: 2 });
  });
});
