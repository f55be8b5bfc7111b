import assert from 'node:assert/strict';
import { Chain } from '#chain';
import { CreditPackSweeps, PackChainAudit, PackLedger, PackReconciliation } from '#credit-pack';
import {
  CREDIT_PACK_TICKET_SUBTYPE,
  PythonNumber,
  readJson,
  received,
  writeJson,
  type CreditPackPurchaseRequestResponse,
  type JsonObject,
} from '#protocol';
import { lineOf, owedBy, sayTo, toldAt } from '../../../libs/credit-pack/test/doors.js';
import { TestMarket, type Letter, type Node } from '../../../libs/credit-pack/test/harness.js';
import type { Engine } from '../contract.js';

/** Longer than the pauses after failed attempts to announce something. */
const PAUSE_MS = 310_000;
const PAUSES_MAX = 8;
/** Of a second each. With a block for each of them the time to pay would be over before an announcement is tried again. */
const WAITS_PER_BLOCK = 2;
const CREDITS = 10;
export const TEN_CREDITS = { credits: PythonNumber.read(String(CREDITS)) };

/** Five supernodes without HTTP whose words to each other go through whoever holds the post. */
export class Bourse {
  carrier: (letter: Letter) => Promise<unknown> = async () => {
    throw new Error('nobody carries');
  };
  private constructor() {}
  market!: TestMarket;

  static async open(engine: Engine, environment: Record<string, string> = {}): Promise<Bourse> {
    const bourse = new Bourse();
    const carrier = (letter: Letter): Promise<unknown> => bourse.carrier(letter);
    bourse.market = await TestMarket.open({ url: () => engine.newDatabase(), supernodes: 5, carrier, environment });
    let waits = 0;
    bourse.market.clock.onWait = () => {
      if (++waits % WAITS_PER_BLOCK === 0) bourse.market.mine(1);
    };
    return bourse;
  }
  get nodes(): Node[] {
    return this.market.nodes;
  }
  node(pastelId: string): Node {
    return this.nodes.find((node) => node.pastelId === pastelId)!;
  }
  /** Once and at once, where one hears the other. */
  carryPlainly(isHeard: (from: Node, to: Node, line: Letter['line']) => boolean): void {
    this.carrier = async ({ from, to, line, message }) => {
      if (!isHeard(this.node(from), to, line)) throw new Error('no answer');
      return sayTo(to, line, received(lineOf(line).accepts, readJson(writeJson(message)) as JsonObject));
    };
  }
  close(): Promise<void> {
    return this.market.close();
  }

  readonly sweep = (node: Node): Promise<void> => node.get(CreditPackSweeps).sweep(this.market.clock.now());
  async sweepAll(): Promise<void> {
    for (const node of this.nodes) await this.sweep(node);
  }
  /** Everything that is owed is delivered, and everything on the chain is known. */
  async settle(): Promise<void> {
    this.market.mine(1);
    for (let pause = 0; pause < PAUSES_MAX; pause++) {
      await this.sweepAll();
      const owed = await Promise.all(this.nodes.map(owedBy));
      if (owed.every((count) => count === 0)) return;
      this.market.clock.advance(PAUSE_MS);
    }
    assert.fail('announcements are owed for ever');
  }

  /** Txids of tickets that name the burn. */
  async ticketsOf(burnTxid: string, fromHeight: number): Promise<string[]> {
    const tickets = await this.nodes[0]!.get(Chain).contractTickets(CREDIT_PACK_TICKET_SUBTYPE, fromHeight);
    return tickets.filter(({ data }) => writeText(data).includes(burnTxid)).map(({ txid }) => txid);
  }
  /**
   * One pack, the same at all nodes, and nothing spent of it.
   * @param confirmations that name the burn: each of them may have been written to the chain, and the first one counts
   */
  async expectPack(burnTxid: string, registrationTxid: string, fromHeight: number, confirmations: number): Promise<void> {
    const tickets = await this.ticketsOf(burnTxid, fromHeight);
    assert.ok(tickets.includes(registrationTxid) && tickets.length <= confirmations, `${registrationTxid} of ${tickets.join()}`);
    const initial = CREDITS * 1000;
    for (const node of this.nodes) {
      const ledger = node.get(PackLedger);
      const pack = await ledger.find(registrationTxid);
      assert.equal(pack?.initialMillicredits, initial, `the pack at ${node.user}`);
      const balance = await ledger.balanceOf(pack);
      assert.deepEqual(
        [balance.availableMillicredits, balance.heldMillicredits, balance.burnedMillicredits],
        [initial, 0, 0],
        node.user,
      );
      for (const txid of tickets) if (txid !== registrationTxid) assert.equal(await ledger.find(txid), undefined);
    }
  }
  /** What every agreeing supernode has been told in the end. */
  async expectTold(offer: CreditPackPurchaseRequestResponse): Promise<void> {
    for (const pastelId of offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms) {
      const told = await toldAt(this.node(pastelId), offer.sha3_256_hash_of_credit_pack_purchase_request_fields);
      const hashes = told.map(({ responseHash }) => responseHash);
      assert.deepEqual(hashes, [offer.sha3_256_hash_of_credit_pack_purchase_request_response_fields]);
    }
  }
  /** @param withChain every burn of every pack is looked up as well, which takes a while */
  async expectSound(withChain: boolean): Promise<void> {
    for (const node of this.nodes) {
      const { differences } = await node.get(PackReconciliation).reconcile();
      const onChain = withChain ? await node.get(PackChainAudit).differences() : [];
      assert.deepEqual([...differences, ...onChain], [], node.user);
    }
  }
}

const writeText = (data: unknown): string => (typeof data === 'string' ? data : JSON.stringify(data));
