import { millicreditsOfTenths } from '#protocol';
import { Column, Entity, PrimaryColumn, type EntityManager } from 'typeorm';
import { ChainUnavailable, SupernodeNetwork, type MasternodeMessage, type Supernode } from '#chain';
import { PackLedger, type BurnVerdict, type CreditPack, type PackBalance } from '#credit-pack';
import { Transactions } from '#database';
import { NodeMessenger, type Dispatched } from '#messaging';

const INTEGER = { type: 'integer' } as const;
@Entity('fake_packs')
export class FakePack {
  @PrimaryColumn({ type: 'text' }) txid!: string;
  @Column(INTEGER) initial!: number;
  @Column(INTEGER) held!: number;
  @Column(INTEGER) burned!: number;
}
@Entity('fake_holds')
export class FakeHold {
  @PrimaryColumn({ type: 'text' }) request_id!: string;
  @Column({ type: 'text' }) pack_txid!: string;
  @Column(INTEGER) millicredits!: number;
  @Column({ type: 'text' }) state!: 'open' | 'settled' | 'released';
  @Column({ type: 'text', nullable: true, unique: true }) burn_txid!: string | null;
}

/** `owner`: tied to the tracking address. Height -1: waiting. */
export interface FakeBurn {
  readonly tenths: number;
  readonly owner: boolean;
  /** What the pack still had of it, where that was less. */
  readonly borneTenths?: number;
  readonly height: number;
}

/** A ledger over tables of its own, that judges burns which the test makes. */
export class FakePackLedger extends PackLedger {
  readonly packs = new Map<string, CreditPack>();
  readonly burns = new Map<string, FakeBurn>();
  isChainAway = false;
  tip = 1000;
  claims = 0;
  constructor(private readonly transactions: Transactions) {
    super();
  }

  async add(pack: CreditPack): Promise<void> {
    this.packs.set(pack.registrationTxid, pack);
    await this.transactions.run('test: pack stored', (m) =>
      m.insert(FakePack, { txid: pack.registrationTxid, initial: pack.initialMillicredits, held: 0, burned: 0 }),
    );
  }
  async find(txid: string): Promise<CreditPack | undefined> {
    this.ask('find');
    return [...this.packs.values()].find((pack) => pack.registrationTxid === txid || pack.purchaseBurnTxid === txid);
  }
  async refresh(): Promise<void> {
    this.ask('refresh');
  }
  async balanceOf({ registrationTxid: txid }: CreditPack): Promise<PackBalance> {
    const { initial, held, burned } = await this.transactions.read((m) => m.findOneByOrFail(FakePack, { txid }));
    return {
      initialMillicredits: initial,
      availableMillicredits: initial - held - burned,
      heldMillicredits: held,
      burnedMillicredits: burned,
      usageBurns: 0,
    };
  }
  async hold(
    m: EntityManager,
    { pack, requestId, millicredits }: { pack: CreditPack; requestId: string; millicredits: number },
  ): Promise<boolean> {
    const update = m
      .createQueryBuilder()
      .update(FakePack)
      .set({ held: () => 'held + :millicredits' });
    const { affected } = await update
      .where('txid = :txid AND initial - held - burned >= :millicredits', { txid: pack.registrationTxid, millicredits })
      .execute();
    if (affected !== 1) return false;
    await m.insert(FakeHold, { request_id: requestId, pack_txid: pack.registrationTxid, millicredits, state: 'open' });
    return true;
  }
  async claimBurn({ requestId, txid }: { requestId: string; txid: string }): Promise<BurnVerdict> {
    this.claims++;
    this.ask('claimBurn');
    const burn = this.burns.get(txid);
    if (!burn) return { verdict: 'unseen' };
    const seenAtHeight = burn.height < 0 ? this.tip : burn.height;
    return this.transactions.run('test: burn claimed', async (m): Promise<BurnVerdict> => {
      const hold = await m.findOneByOrFail(FakeHold, { request_id: requestId });
      const used = await m.findOneBy(FakeHold, { burn_txid: txid });
      if (used && used.request_id !== requestId) return { verdict: 'refused', reason: 'The burn is used already' };
      if (hold.burn_txid !== null && hold.burn_txid !== txid)
        return { verdict: 'refused', reason: 'The request was paid already', paidBy: hold.burn_txid };
      if (!burn.owner) return { verdict: 'refused', reason: 'The burn is not tied to the tracking address' };
      const burned = millicreditsOfTenths(burn.tenths);
      const borne = millicreditsOfTenths(burn.borneTenths ?? burn.tenths);
      if (burned < hold.millicredits) return { verdict: 'refused', reason: 'The burn is too small' };
      if (!used) await this.settle(m, hold, txid, borne);
      if (borne < burned) return { verdict: 'refused', reason: 'The pack was used up', ownedMillicredits: borne };
      if (burned > hold.millicredits) return { verdict: 'refused', reason: 'The burn is too large', ownedMillicredits: burned };
      return { verdict: 'claimed', seenAtHeight };
    });
  }
  private async settle(m: EntityManager, hold: FakeHold, burn_txid: string, millicredits: number): Promise<void> {
    await m.update(FakeHold, { request_id: hold.request_id }, { state: 'settled', burn_txid });
    if (hold.state === 'open') await m.decrement(FakePack, { txid: hold.pack_txid }, 'held', hold.millicredits);
    await m.increment(FakePack, { txid: hold.pack_txid }, 'burned', millicredits);
  }
  async release(m: EntityManager, requestId: string): Promise<void> {
    const hold = await m.findOneBy(FakeHold, { request_id: requestId });
    if (hold?.state !== 'open') return;
    await m.update(FakeHold, { request_id: requestId }, { state: 'released' });
    await m.decrement(FakePack, { txid: hold.pack_txid }, 'held', hold.millicredits);
  }
  private ask(method: string): void {
    if (this.isChainAway) throw new ChainUnavailable(method, 'told to be away');
  }
}

/** Notes what is sent, and fails for those it is told to. */
export class FakeMessenger extends NodeMessenger {
  readonly sent: { type: string; text: string; pastelId: string }[] = [];
  readonly unreachable = new Set<string>();
  isBroken = false;
  sendTo(pastelId: string, type: string, text: string): Promise<Dispatched> {
    return this.sendToMany(type, text, [pastelId]);
  }
  broadcast(): Promise<Dispatched> {
    throw new Error('not expected');
  }
  async sendToMany(type: string, text: string, pastelIds: readonly string[]): Promise<Dispatched> {
    if (this.isBroken) throw new ChainUnavailable('masternode message send', 'told to be away');
    const deliveries = pastelIds.map((pastelId) => {
      if (this.unreachable.has(pastelId)) return { pastelId, sent: false, reason: 'told to be away' } as const;
      this.sent.push({ type, text, pastelId });
      return { pastelId, sent: true } as const;
    });
    return { text, signature: '', deliveries };
  }
}

/** A supernode list of just these PastelIDs. */
export class FakeNetwork extends SupernodeNetwork {
  constructor(private readonly pastelIds: readonly string[]) {
    super();
  }
  async list(): Promise<Supernode[]> {
    return this.pastelIds.map((pastelId, i) => ({
      outpoint: `${i}-0`,
      status: 'ENABLED',
      protocolVersion: '170015',
      pslAddress: '',
      lastSeen: 0,
      activeSeconds: 0,
      lastPaid: 0,
      lastPaidBlock: 0,
      ipAddress: '127.0.0.1',
      port: 7123,
      pubkey: String(i),
      pastelId,
    }));
  }
  async self(): Promise<undefined> {
    return undefined;
  }
  urlOf(): string {
    throw new Error('not expected');
  }
  async send(): Promise<void> {
    throw new Error('not expected');
  }
  async inbox(): Promise<MasternodeMessage[]> {
    return [];
  }
}
