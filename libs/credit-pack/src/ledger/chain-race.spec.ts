import { beforeEach, describe, expect, test } from '@jest/globals';
import { testDatabases } from '../../../../test/support/databases.js';
import type { CreditPack } from './pack-ledger.js';
import { address, BURN, register, saleOf } from './pack-ledger.spec-suite.js';
import { useLedger } from './use-ledger.spec-suite.js';

/** Readers look at the chain and write later: what they saw may have been undone in between. */
describe.each(testDatabases())('a reorganisation between a look and what is written of it, on $name', (database) => {
  const at = useLedger(database);
  let pack: CreditPack;
  let burn: string;
  beforeEach(async () => {
    const { node } = at;
    const sale = await node.buy();
    pack = sale.pack;
    node.chain.mine(3);
    await node.sweep();
    burn = node.chain.send({ from: sale.trackingAddress, to: [[BURN, 150]] });
    node.chain.mine();
  });
  const expectSound = async (): Promise<void> =>
    expect([...(await at.node.reconcile()).differences, ...(await at.node.chainDifferences())]).toEqual([]);
  const burned = async (): Promise<number> => (await at.node.ledger.balanceOf(pack)).burnedMillicredits;

  /** Three blocks instead of one; the burn is in the second of them, or nowhere. */
  const reorganise = (isGone: boolean): void => {
    const { chain } = at.node;
    chain.disconnect(1);
    chain.drop(burn);
    chain.mine();
    if (!isGone) chain.rebroadcast(burn);
    chain.mine(2);
  };
  const look = {
    'named by its owner': () => at.node.burns.look(burn, pack.trackingAddress),
    'read for a balance': () => at.node.ledger.refresh(pack),
    'read by the sweep': () => at.node.burns.sweep(at.node.clock.now()),
  };

  describe.each(Object.keys(look) as (keyof typeof look)[])('a burn %s', (who) => {
    describe.each([true, false])('that is gone: %s', (isGone) => {
      const expectChainFollowed = async (): Promise<void> => {
        await at.node.sweep();
        await expectSound();
        at.node.chain.mine(11);
        await at.node.sweep();
        await expectSound();
        expect(await burned()).toBe(isGone ? 0 : 15_000);
      };

      test('in a block above those that were read', async () => {
        at.node.chain.meanwhile = { txid: burn, happens: async () => reorganise(isGone) };
        await look[who]();
        await expectChainFollowed();
      });

      test('and another process has undone it', async () => {
        const { node } = at;
        const happens = async (): Promise<void> => {
          await node.sweep();
          reorganise(isGone);
          await node.sweep();
        };
        node.chain.meanwhile = { txid: burn, happens };
        await look[who]();
        await expectChainFollowed();
      });

      test('and the branch that it was seen on has lost again', async () => {
        const { node } = at;
        await node.sweep();
        // Seen on a branch that the sweep never sees.
        const main = node.chain.branchOff(1);
        node.chain.rebroadcast(burn);
        node.chain.mine(2);
        const happens = async (): Promise<void> => {
          node.chain.comeBackTo(main);
          if (isGone) reorganise(true);
          node.chain.mine();
        };
        node.chain.meanwhile = { txid: burn, happens };
        await look[who]();
        await expectChainFollowed();
      });
    });
  });

  test('a burn that is written down before it is read by the sweep, and then leaves the chain', async () => {
    await at.node.ledger.refresh(pack);
    expect(await burned()).toBe(15_000);
    reorganise(true);
    at.node.chain.mine(11);
    await at.node.sweep();
    await expectSound();
    expect(await burned()).toBe(0);
  });

  test('a burn that is too large and was mined when it was looked at is not owed for while it waits', async () => {
    const { node } = at;
    await node.hold(pack, 'r1', 100);
    const tooMuch = node.chain.send({ from: pack.trackingAddress, to: [[BURN, 120]] });
    node.chain.mine();
    const happens = async (): Promise<void> => {
      await node.sweep();
      node.chain.disconnect(1);
      node.chain.drop(tooMuch);
      node.chain.mine(2);
      await node.sweep();
    };
    node.chain.meanwhile = { txid: tooMuch, happens };
    expect(await node.ledger.claimBurn({ requestId: 'r1', txid: tooMuch })).toEqual({ verdict: 'unseen' });
    node.chain.rebroadcast(tooMuch);
    node.chain.mine();
    await node.sweep();
    expect(await node.ledger.claimBurn({ requestId: 'r1', txid: tooMuch })).toMatchObject({
      verdict: 'refused',
      ownedMillicredits: 12_000,
    });
  });

  test('a burn that was unknown when it was looked at, and was heard of again, is not given up', async () => {
    const { node } = at;
    await node.sweep();
    node.chain.disconnect(1);
    node.chain.drop(burn);
    node.chain.mine(12);
    const happens = async (): Promise<void> => {
      node.chain.rebroadcast(burn);
      await node.ledger.refresh(pack);
    };
    node.chain.meanwhile = { txid: burn, happens };
    await node.sweep();
    expect(await burned()).toBe(15_000);
  });

  test('a ticket whose purchase burn is above what was read waits until that is read', async () => {
    const { node } = at;
    const sale = await saleOf(node.chain, { trackingAddress: address('elsewhere') });
    node.chain.drop(sale.burnTxid);
    const txid = register(node.chain, sale);
    node.chain.mine();
    await node.sweep();
    // The block of the burn comes while the undecided ticket is judged again, and leaves before the next sweep.
    const happens = async (): Promise<void> => {
      node.chain.rebroadcast(sale.burnTxid);
      node.chain.mine();
      await node.retry.sweep(node.clock.now());
    };
    node.chain.meanwhile = { txid: sale.burnTxid, happens };
    await node.retry.sweep(node.clock.now());
    node.chain.disconnect(1);
    node.chain.drop(sale.burnTxid);
    node.chain.mine(2);
    await node.sweep();
    expect(await node.ledger.find(txid)).toBeUndefined();
    node.chain.rebroadcast(sale.burnTxid);
    node.chain.mine();
    expect(await node.ledger.find(txid)).toMatchObject({ registrationTxid: txid });
  });

  test('a verdict that the end of a burn window decides is not remembered before that block is read', async () => {
    const { node } = at;
    await node.sweep();
    const sale = await saleOf(node.chain, { trackingAddress: address('late') });
    node.chain.drop(sale.burnTxid);
    const txid = register(node.chain, sale);
    node.chain.mine(52);
    const happens = async (): Promise<void> => {
      node.chain.disconnect(5);
      node.chain.rebroadcast(sale.burnTxid);
      node.chain.mine(6);
    };
    node.chain.meanwhile = { txid: sale.burnTxid, happens };
    await node.sweep();
    expect(await node.ledger.find(txid)).toMatchObject({ registrationTxid: txid });
  });
});
