import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { directChecking, networks, writeJson } from '#protocol';
import { ChainRefusal, ChainUnavailable, type Chain } from './chain.js';
import type { Identity } from './identity.js';
import type { SupernodeNetwork } from './supernodes.js';
import type { Wallet } from './wallet.js';

/** One node of the network, as whoever holds its credentials sees it. */
export interface NodeUnderTest {
  readonly chain: Chain;
  readonly identity: Identity;
  readonly wallet: Wallet;
  readonly supernodes: SupernodeNetwork;
}
export interface NetworkUnderTest {
  /** Two of the listed supernodes, each with coins for a few tickets. */
  readonly node: NodeUnderTest;
  readonly peer: NodeUnderTest;
  /** No supernode; well over 5,000 PSL. */
  readonly user: NodeUnderTest;
  /** Makes that many blocks; none come by themselves. */
  generate(count: number): Promise<void>;
  /** The next call to the user's node gets no answer at all, though the node works. Left out where nothing can be cut. */
  loseNextAnswer?(): Promise<void>;
  close(): Promise<void>;
}

const PSL = 100_000;
const BURN = networks.devnet.burnAddress;
const UNKNOWN = 'e'.repeat(64);
const failure = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no failure',
    (error: unknown) => error,
  );

/** What every implementation of the ports of #chain must do, on a devnet whose blocks come on demand. */
export function describeChainContract(name: string, setup: () => Promise<NetworkUnderTest>): void {
  describe(`${name} keeps the contract of #chain`, () => {
    let network: NetworkUnderTest;
    beforeAll(async () => {
      network = await setup();
    });
    afterAll(() => network.close());

    describe('blocks', () => {
      test('the best block is the one at the height, by number and by hash', async () => {
        const { chain } = network.user;
        const best = await chain.bestBlock();
        expect(best.height).toBe(await chain.height());
        expect(await chain.block(best.height)).toEqual(best);
        expect(await chain.block(best.hash)).toEqual(best);
        expect((await chain.block(best.height - 1))?.hash).toBe(best.previousHash);
        expect(best.merkleRoot).toMatch(/^[0-9a-f]{64}$/);
        expect(best.txids.length).toBeGreaterThan(0);
      });

      test('there is none above the tip or under an unknown name', async () => {
        const { chain } = network.user;
        for (const which of [(await chain.height()) + 1, -1, UNKNOWN, 'tip', ''])
          expect(await chain.block(which)).toBeUndefined();
      });

      test('a new one follows the last', async () => {
        const { chain } = network.user;
        const before = await chain.bestBlock();
        await network.generate(2);
        expect(await chain.height()).toBe(before.height + 2);
        expect((await chain.block(before.height + 1))?.previousHash).toBe(before.hash);
      });
    });

    describe('payments', () => {
      test('wait, then are mined; inputs tell whose coins they were', async () => {
        const { chain, wallet } = network.user;
        const own = await wallet.newAddress();
        const txid = await wallet.sendToAddress(own, 12_345_678, 'a note');
        const waiting = await chain.transaction(txid);
        expect(waiting?.outputs).toContainEqual(expect.objectContaining({ address: own, patoshis: 12_345_678 }));
        expect([waiting?.mined, waiting?.confirmations]).toEqual([undefined, 0]);
        await network.generate(1);
        const best = await chain.bestBlock();
        expect(await chain.transaction(txid)).toMatchObject({
          mined: { height: best.height, blockHash: best.hash },
          confirmations: 1,
        });
        expect(best.txids).toContain(txid);
        expect((await wallet.addressAmounts()).get(own)).toBe(12_345_678);

        const spending = await chain.transaction(txid);
        for (const { address, patoshis } of spending!.inputs) {
          expect(address).toMatch(/^44/);
          expect(patoshis).toBeGreaterThan(0);
        }
        const paid = spending!.outputs.reduce((total, { patoshis }) => total + patoshis, 0);
        const spent = spending!.inputs.reduce((total, { patoshis }) => total + patoshis!, 0);
        expect(spent - paid).toBeGreaterThan(0);
        expect(spent - paid).toBeLessThanOrEqual(10_000);
      });

      test('a coinbase has no inputs, an unknown txid no transaction', async () => {
        const { chain } = network.user;
        expect((await chain.transaction((await chain.bestBlock()).txids[0]!))?.inputs).toEqual([]);
        for (const txid of [UNKNOWN, 'nonsense']) expect(await chain.transaction(txid)).toBeUndefined();
      });

      test('exact to the patoshi, one patoshi of burn included', async () => {
        const { chain, wallet } = network.user;
        const tracking = await wallet.newAddress();
        const before = await wallet.balance();
        const txid = await wallet.sendMany(
          new Map([
            [BURN, 1],
            [tracking, 3 * PSL + 7],
          ]),
          tracking,
        );
        await network.generate(1);
        const { inputs, outputs } = (await chain.transaction(txid))!;
        expect(outputs).toContainEqual(expect.objectContaining({ address: BURN, patoshis: 1 }));
        expect(outputs).toContainEqual(expect.objectContaining({ address: tracking, patoshis: 3 * PSL + 7 }));
        const fee =
          inputs.reduce((total, { patoshis }) => total + patoshis!, 0) -
          outputs.reduce((total, { patoshis }) => total + patoshis, 0);
        expect(await wallet.balance()).toBe(before - 1 - fee);
        expect((await wallet.addressAmounts()).get(tracking)).toBeGreaterThan(3 * PSL + 7);
      });

      test('burns are found by who sent them: each once, waiting and mined, those of others not', async () => {
        const { chain, wallet } = network.user;
        const tracking = await wallet.newAddress();
        for (let coin = 0; coin < 3; coin++) await wallet.sendToAddress(tracking, 2 * PSL);
        await network.generate(1);
        const from = await chain.height();
        // More than one coin of the address, so that the index names the waiting burn once for each.
        const first = await burnFrom(tracking, 5 * PSL);
        const waiting = await chain.outputsSentBy(tracking, BURN, 0);
        expect(waiting).toEqual([{ txid: first.txid, index: first.index, patoshis: 5 * PSL, height: -1 }]);
        await network.generate(1);
        const mined = await chain.outputsSentBy(tracking, BURN, from);
        expect(mined).toEqual([{ txid: first.txid, index: first.index, patoshis: 5 * PSL, height: from + 1 }]);
        expect(await chain.outputsSentBy(tracking, BURN, from + 2)).toEqual([]);
        expect(await chain.outputsSentBy(await wallet.newAddress(), BURN, 0)).toEqual([]);
        expect(await chain.transactionIdsOf(BURN, from + 1, from + 1)).toEqual([first.txid]);
      });

      test('the transactions of an address: within the heights, in chain order, each once', async () => {
        const { chain, wallet } = network.user;
        const address = await wallet.newAddress();
        const first = await wallet.sendToAddress(address, PSL);
        await network.generate(1);
        const height = await chain.height();
        const second = await wallet.sendToAddress(address, 2 * PSL);
        await network.generate(1);
        expect(await chain.transactionIdsOf(address, 0, height + 1)).toEqual([first, second]);
        expect(await chain.transactionIdsOf(address, height + 1, height + 1)).toEqual([second]);
        expect(await chain.transactionIdsOf(address, height + 1, height)).toEqual([]);
        expect(await chain.transactionIdsOf(await wallet.newAddress(), 0, height + 1)).toEqual([]);
      });

      test('are refused where the coins or the address are wanting', async () => {
        const { wallet } = network.user;
        expect(await failure(wallet.sendToAddress(BURN, (await wallet.balance()) + PSL))).toMatchObject({
          name: 'ChainRefusal',
          code: -6,
        });
        expect(await failure(wallet.sendToAddress('44nowhere', PSL))).toMatchObject({ name: 'ChainRefusal', code: -5 });
        for (const amount of [0, -1, 0.5, Number.NaN])
          expect(await failure(wallet.sendToAddress(BURN, amount))).toBeInstanceOf(Error);
      });
    });

    /** Burns everything but the fee, with inputs of the tracking address where the node prefers the change address's coins. */
    async function burnFrom(tracking: string, patoshis: number): Promise<{ txid: string; index: number }> {
      const { chain, wallet } = network.user;
      const txid = await wallet.sendMany(new Map([[BURN, patoshis]]), tracking);
      const { index } = (await chain.transaction(txid))!.outputs.find(({ address }) => address === BURN)!;
      return { txid, index };
    }

    describe('contract tickets', () => {
      const data = '{"b": [1.0, 12, "naïve"], "a": {"n": 0.00001}}';

      test('are registered, wait, are mined and found; numbers stay as they were written', async () => {
        const { chain } = network.node;
        const { txid } = await chain.registerContractTicket({ data, subType: 'CONTRACT_TEST', secondaryKey: 'key-1' });
        expect(await chain.contractTicket(txid)).toMatchObject({
          txid,
          height: -1,
          subType: 'CONTRACT_TEST',
          secondaryKey: 'key-1',
        });
        expect(await chain.findContractTicket('key-1')).toBeUndefined();
        expect(await chain.contractTickets('CONTRACT_TEST', 0)).toEqual([]);
        await network.generate(1);
        const height = await chain.height();
        const found = await network.peer.chain.findContractTicket('key-1');
        expect(found).toMatchObject({ txid, height, subType: 'CONTRACT_TEST', secondaryKey: 'key-1' });
        expect(await network.user.chain.contractTicket(txid)).toEqual(found);
        const [listed] = await chain.contractTickets('CONTRACT_TEST', height);
        for (const ticket of [found!, listed!]) {
          expect(ticket.txid).toBe(txid);
          const numbers = ticket.data as { b: unknown[]; a: { n: unknown } };
          expect(writeJson([numbers.b, numbers.a.n])).toBe('[[1.0,12,"naïve"],1e-05]');
        }
        expect(Math.abs(found!.timestamp - (await chain.bestBlock()).time)).toBeLessThan(7200);
      });

      test('a key is taken for good, in the mempool already', async () => {
        const { chain } = network.node;
        const ticket = { data: '{}', subType: 'CONTRACT_TEST', secondaryKey: 'key-2' };
        await chain.registerContractTicket(ticket);
        expect(await failure(network.peer.chain.registerContractTicket(ticket))).toMatchObject({
          name: 'ChainRefusal',
          code: -1,
        });
        await network.generate(1);
        expect(await failure(network.peer.chain.registerContractTicket({ ...ticket, data: '{"other":1}' }))).toBeInstanceOf(
          ChainRefusal,
        );
      });

      test('stand in chain order from the height on, of one sub-type, whatever they hold', async () => {
        const { chain } = network.node;
        const from = (await chain.height()) + 1;
        for (const [at, text] of ['{"n":1}', 'no JSON at all', `${'['.repeat(60)}${']'.repeat(60)}`].entries()) {
          await (at === 1 ? network.peer : network.node).chain.registerContractTicket({
            data: text,
            subType: 'CONTRACT_ORDER',
            secondaryKey: `order-${at}`,
          });
        }
        await chain.registerContractTicket({ data: '{}', subType: 'CONTRACT_OTHER', secondaryKey: 'other' });
        await network.generate(1);
        const { txid } = await chain.registerContractTicket({
          data: '{"n":2}',
          subType: 'CONTRACT_ORDER',
          secondaryKey: 'order-9',
        });
        await network.generate(1);
        const tickets = await chain.contractTickets('CONTRACT_ORDER', from);
        const inBlock = (await chain.block(from))!.txids.filter((id) => tickets.some((ticket) => ticket.txid === id));
        expect(tickets.map((ticket) => ticket.txid)).toEqual([...inBlock, txid]);
        expect(tickets.map(({ secondaryKey }) => secondaryKey).sort()).toEqual(['order-0', 'order-1', 'order-2', 'order-9']);
        expect((await chain.contractTickets('CONTRACT_ORDER', from + 1)).map((ticket) => ticket.txid)).toEqual([txid]);
        expect(await chain.contractTickets('CONTRACT_NONE', 0)).toEqual([]);
      });

      test('none is found under an unknown key or txid, or that of a payment', async () => {
        const { chain } = network.node;
        for (const key of ['nothing', 'CONTRACT_TEST']) expect(await chain.findContractTicket(key)).toBeUndefined();
        for (const txid of [UNKNOWN, (await chain.bestBlock()).txids[0]!, 'x'])
          expect(await chain.contractTicket(txid)).toBeUndefined();
      });
    });

    describe('identities', () => {
      test('sign, and verify everywhere', async () => {
        const { identity } = network.user;
        const pastelId = await identity.create('pass phrase');
        expect(pastelId).toMatch(/^jX[1-9A-HJ-NP-Za-km-z]{84}$/);
        expect(await identity.list()).toContain(pastelId);
        expect(await network.peer.identity.list()).not.toContain(pastelId);
        for (const text of ['text', '', 'naïve ☃']) {
          const signature = await identity.sign(pastelId, 'pass phrase', text);
          expect(await directChecking.verify(pastelId, text, signature)).toBe(true);
          expect(await network.peer.identity.verify(pastelId, text, signature)).toBe(true);
          expect(await network.peer.identity.verify(pastelId, `${text}.`, signature)).toBe(false);
        }
        expect(await identity.verify('nobody', 'text', 'nonsense')).toBe(false);
      });

      test('a wrong passphrase, or a key of another node, signs nothing; the passphrase is not repeated', async () => {
        const { identity } = network.user;
        const pastelId = await identity.create('right-one');
        const wrong = await failure(identity.sign(pastelId, 'wrong-one', 'text'));
        expect(wrong).toMatchObject({ name: 'ChainRefusal', code: -1 });
        expect((wrong as Error).message).not.toContain('wrong-one');
        expect(await failure(network.peer.identity.sign(pastelId, 'right-one', 'text'))).toBeInstanceOf(ChainRefusal);
        expect(await failure(identity.create(''))).toBeInstanceOf(ChainRefusal);
      });

      test('are registered once, for 1000 PSL of an address, and known when mined', async () => {
        const { identity, wallet, chain } = network.user;
        const [pastelId, address] = [await identity.create('pass'), await wallet.newAddress()];
        expect(await failure(identity.register(pastelId, 'pass', address))).toBeInstanceOf(ChainRefusal);
        await wallet.sendToAddress(address, 1001 * PSL);
        await network.generate(1);
        const { txid } = await identity.register(pastelId, 'pass', address);
        expect(await identity.isRegistered(pastelId)).toBe(false);
        await network.generate(1);
        expect(await network.peer.identity.isRegistered(pastelId)).toBe(true);
        expect(await chain.identityTickets('all')).toContainEqual({ txid, height: await chain.height(), pastelId, address });
        expect((await wallet.addressAmounts()).get(address) ?? 0).toBeLessThan(PSL);
        expect(await failure(identity.register(pastelId, 'pass', address))).toBeInstanceOf(ChainRefusal);
      });
    });

    describe('supernodes', () => {
      test('the list is the same for all, complete, and holds oneself', async () => {
        const list = await network.user.supernodes.list();
        const outpoints = list.map(({ outpoint }) => outpoint).sort();
        expect((await network.node.supernodes.list()).map(({ outpoint }) => outpoint).sort()).toEqual(outpoints);
        expect(list.map(({ rank }) => rank!).sort((a, b) => a - b)).toEqual(list.map((_, at) => at + 1));
        for (const supernode of list) {
          expect(supernode.outpoint).toMatch(/^[0-9a-f]{64}-\d+$/);
          expect(supernode.pubkey).toMatch(/^04[0-9a-f]{128}$/);
          expect(supernode.pastelId).toMatch(/^jX/);
          expect(network.user.supernodes.urlOf(supernode)).toMatch(/^http:\/\/[^/]+:\d+$/);
        }
        const [self, peer] = [await network.node.supernodes.self(), await network.peer.supernodes.self()];
        expect(outpoints).toContain(self?.outpoint);
        expect(outpoints).toContain(peer?.outpoint);
        expect(self?.outpoint).not.toBe(peer?.outpoint);
        expect(await network.user.supernodes.self()).toBeUndefined();
      });

      test('their PastelIDs stand on the chain, with the collateral', async () => {
        const { chain } = network.user;
        const tickets = await chain.identityTickets('mn');
        for (const { pastelId, outpoint } of await network.user.supernodes.list()) {
          expect(tickets).toContainEqual(expect.objectContaining({ pastelId, outpoint }));
          const [txid, index] = outpoint.split('-');
          const collateral = (await chain.transaction(txid!))!.outputs.find((output) => output.index === Number(index));
          expect(collateral!.patoshis).toBeGreaterThanOrEqual(networks.devnet.supernodeCollateralInPsl * PSL);
        }
        expect(tickets.every(({ outpoint }) => outpoint !== undefined)).toBe(true);
      });

      test('a message reaches its receiver alone, who can see it again and again', async () => {
        const [node, peer] = [(await network.node.supernodes.self())!, (await network.peer.supernodes.self())!];
        const text = 'KLUv/SAFKQAAaGVsbG8=';
        await network.node.supernodes.send(peer.pubkey!, text);
        for (let look = 0; look < 2; look++) {
          const [message] = (await network.peer.supernodes.inbox()).filter((item) => item.text === text);
          expect(message).toMatchObject({ from: node.outpoint, to: peer.outpoint, text });
          expect(message!.id).toMatch(/^[0-9a-f]{64}$/);
          expect(message!.timestamp).toBeGreaterThan(1_500_000_000);
        }
        expect((await network.node.supernodes.inbox()).filter((item) => item.text === text)).toEqual([]);
      });

      test('only supernodes have an inbox, and only supernodes are written to', async () => {
        expect(await failure(network.user.supernodes.inbox())).toMatchObject({ name: 'ChainRefusal', code: -32603 });
        expect(await failure(network.node.supernodes.send(`04${'ab'.repeat(64)}`, 'text'))).toBeInstanceOf(ChainRefusal);
        expect(await failure(network.node.supernodes.send('no hex', 'text'))).toBeInstanceOf(ChainRefusal);
      });
    });

    test('no answer is not a no', async () => {
      if (!network.loseNextAnswer) return;
      const { wallet } = network.user;
      const address = await wallet.newAddress();
      await network.loseNextAnswer();
      expect(await failure(wallet.sendToAddress(address, PSL))).toBeInstanceOf(ChainUnavailable);
      await network.generate(1);
      // It was paid, once: what is not idempotent is not repeated.
      expect((await wallet.addressAmounts()).get(address)).toBe(PSL);
    });
  });
}
