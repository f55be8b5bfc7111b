import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { testDatabases } from '../../../../test/support/databases.js';
import type { CreditPack } from './pack-ledger.js';
import {
  address,
  BURN,
  FakeChain,
  openLedger,
  openLedgerDatabase,
  type OpenDatabase,
  type TestLedger,
} from './pack-ledger.spec-suite.js';

const [sqlite] = testDatabases();
let opened: OpenDatabase;
beforeAll(async () => {
  opened = await openLedgerDatabase(sqlite!);
});
afterAll(() => opened.source.destroy());

const packNumber = fc.nat({ max: 1 });
const ofTheChain = [
  fc.record({
    do: fc.constant('burn' as const),
    pack: packNumber,
    tenths: fc.integer({ min: 1, max: 60 }),
    change: fc.boolean(),
  }),
  fc.record({ do: fc.constant('mine' as const), blocks: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant('reorganise' as const), blocks: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ do: fc.constant('drop' as const), burn: fc.nat({ max: 9 }) }),
  fc.record({ do: fc.constant('sweep' as const) }),
] as const;
const ofRequests = [
  fc.record({ do: fc.constant('hold' as const), pack: packNumber, tenths: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ do: fc.constant('pay' as const), request: fc.nat({ max: 9 }) }),
  fc.record({ do: fc.constant('claim' as const), request: fc.nat({ max: 9 }), burn: fc.nat({ max: 9 }) }),
  fc.record({ do: fc.constant('release' as const), request: fc.nat({ max: 9 }) }),
] as const;
const steps = fc.array(fc.oneof(...ofTheChain, ...ofRequests), { minLength: 5, maxLength: 30 });
const stepsWithoutRequests = fc.array(fc.oneof(...ofTheChain), { minLength: 5, maxLength: 30 });
type Step = (typeof steps extends fc.Arbitrary<infer S> ? S : never) extends (infer One)[] ? One : never;

/** One history on a chain of its own, with what happened so far. */
class History {
  readonly burns: string[] = [];
  readonly requests: { id: string; pack: CreditPack; tenths: number }[] = [];
  constructor(
    readonly node: TestLedger,
    readonly packs: { pack: CreditPack; trackingAddress: string }[],
  ) {}

  async take(what: Step): Promise<void> {
    const { node } = this;
    switch (what.do) {
      case 'burn': {
        const { trackingAddress } = this.packs[what.pack]!;
        const from = what.change ? 'wallet' : trackingAddress;
        this.burns.push(
          node.chain.send({
            from,
            to: [
              [BURN, what.tenths],
              [trackingAddress, 5],
            ],
          }),
        );
        return;
      }
      case 'hold': {
        const request = { id: `r${this.requests.length}`, pack: this.packs[what.pack]!.pack, tenths: what.tenths };
        if (await node.hold(request.pack, request.id, request.tenths)) this.requests.push(request);
        return;
      }
      case 'pay': {
        const request = this.requests[what.request];
        if (!request) return;
        const { trackingAddress } = this.packs.find(({ pack }) => pack.registrationTxid === request.pack.registrationTxid)!;
        const txid = node.chain.send({ from: trackingAddress, to: [[BURN, request.tenths]] });
        this.burns.push(txid);
        await node.ledger.claimBurn({ requestId: request.id, txid });
        return;
      }
      case 'claim': {
        const [request, txid] = [this.requests[what.request], this.burns[what.burn]];
        if (request && txid !== undefined) await node.ledger.claimBurn({ requestId: request.id, txid });
        return;
      }
      case 'release': {
        const request = this.requests[what.request];
        if (request) await node.release(request.id);
        return;
      }
      case 'mine':
        return node.chain.mine(what.blocks);
      case 'reorganise':
        node.chain.disconnect(what.blocks);
        return node.chain.mine(what.blocks + 1);
      case 'drop': {
        const txid = this.burns[what.burn];
        if (txid !== undefined) node.chain.drop(txid);
        return;
      }
      case 'sweep':
        return node.sweep();
    }
  }

  async check(): Promise<void> {
    expect((await this.node.reconcile()).differences).toEqual([]);
    for (const { pack } of this.packs) {
      const balance = await this.node.ledger.balanceOf(pack);
      expect(balance.availableMillicredits + balance.heldMillicredits + balance.burnedMillicredits).toBe(
        balance.initialMillicredits,
      );
      expect(balance.availableMillicredits).toBeGreaterThanOrEqual(0);
      expect(balance.burnedMillicredits).toBeGreaterThanOrEqual(0);
    }
  }
}

async function newHistory(): Promise<History> {
  const node = await openLedger(opened, new FakeChain());
  const first = await node.buy({ credits: '10', price: 20 });
  const second = await node.buy({ credits: '11', price: 20, trackingAddress: address('second') });
  node.chain.mine(8);
  await node.sweep();
  return new History(node, [first, second]);
}
/** Long enough that everything waiting is mined and everything dropped is given up. */
async function comeToRest({ node }: History): Promise<void> {
  node.chain.mine(11);
  await node.sweep();
}

test('whatever happens, the books agree', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (some) => {
      const history = await newHistory();
      for (const what of some) {
        await history.take(what);
        expect((await history.node.reconcile()).differences).toEqual([]);
      }
      await comeToRest(history);
      await history.check();
    }),
    { numRuns: 15 },
  );
}, 60_000);

test('a node that saw everything happen and a new one that reads the chain come to the same balances', async () => {
  await fc.assert(
    fc.asyncProperty(stepsWithoutRequests, async (some) => {
      const history = await newHistory();
      for (const what of some) await history.take(what);
      await comeToRest(history);
      const { node, packs } = history;
      const seen = await Promise.all(packs.map(({ pack }) => node.ledger.balanceOf(pack)));
      const fresh = await openLedger(opened, node.chain);
      const read = await Promise.all(
        packs.map(async ({ pack }) => fresh.ledger.balanceOf((await fresh.ledger.find(pack.registrationTxid))!)),
      );
      expect(read).toEqual(seen);
    }),
    { numRuns: 15 },
  );
}, 60_000);
