import { Chain, ChainRefusal, ChainUnavailable, Identity, SupernodeNetwork, Wallet, type Block, type ContractTicket, type MasternodeMessage, type Supernode, type Transaction } from '#chain'; // prettier-ignore
import { Clock, directChecking, encodeBase64, identityFromSeed, networks, readJson, sha3, type Signing } from '#protocol';
import type { Progress, UserSide } from './side.js';

export const BURN = networks.devnet.burnAddress;
export const signer = (seed: number): Signing => identityFromSeed(Buffer.alloc(57, seed));

/** A chain and a wallet in memory: one block for every few waits of the clock, refusals and lost answers on demand. */
export class FakeLedger {
  height = 760_000;
  now = Date.UTC(2025, 0, 15);
  readonly transactions = new Map<string, Transaction>();
  readonly tickets: ContractTicket[] = [];
  readonly balances = new Map<string, number>([['44main', 10_000_000_000]]);
  readonly registered = new Set<string>();
  /** The next payment is made, and its answer lost. */
  losesAnswer = false;
  /** The next payment is neither made nor answered. */
  losesCall = false;
  private count = 0;
  private waits = 0;

  mine(blocks = 1): void {
    for (let block = 0; block < blocks; block++) {
      this.height++;
      for (const [txid, transaction] of this.transactions) {
        if (!transaction.mined)
          this.transactions.set(txid, {
            ...transaction,
            mined: { height: this.height, blockHash: this.hash(this.height) },
            confirmations: 1,
          });
      }
      this.tickets.forEach((ticket, at) => {
        if (ticket.height < 0) this.tickets[at] = { ...ticket, height: this.height };
      });
    }
  }
  hash(height: number): string {
    return sha3(`block ${height}`);
  }
  pay(outputs: ReadonlyMap<string, number>, change: string): string {
    if (this.losesCall) {
      this.losesCall = false;
      throw new ChainUnavailable('sendtoaddress', 'ECONNREFUSED');
    }
    const total = [...outputs.values()].reduce((sum, patoshis) => sum + patoshis, 0);
    const from = [...this.balances].find(([, held]) => held > total + 300)?.[0];
    if (from === undefined) throw new ChainRefusal(-6, 'Insufficient funds', 'sendtoaddress');
    const held = this.balances.get(from)!;
    this.balances.delete(from);
    const all = new Map([...outputs, [change === '' ? from : change, held - total - 300]]);
    const txid = sha3(`transaction ${this.count++}`);
    for (const [address, patoshis] of all)
      if (address !== BURN) this.balances.set(address, (this.balances.get(address) ?? 0) + patoshis);
    const vouts = [...all].map(([address, patoshis], index) => ({ index, patoshis, address }));
    this.transactions.set(txid, {
      txid,
      inputs: [{ txid: 'f'.repeat(64), vout: 0, address: from, patoshis: held }],
      outputs: vouts,
      confirmations: 0,
    });
    if (this.losesAnswer) {
      this.losesAnswer = false;
      throw new ChainUnavailable('sendtoaddress', 'no answer within 20 s');
    }
    return txid;
  }
  get burns(): Transaction[] {
    return [...this.transactions.values()].filter(({ outputs }) => outputs.some(({ address }) => address === BURN));
  }
  /** Every third wait is a block long. */
  passed(ms: number): void {
    this.now += ms;
    if (++this.waits % 3 === 0) this.mine();
  }
}

class FakeClock extends Clock {
  constructor(private readonly ledger: FakeLedger) {
    super();
  }
  now(): Date {
    return new Date(this.ledger.now);
  }
  async wait(ms: number): Promise<void> {
    this.ledger.passed(ms);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export class FakeChain extends Chain {
  constructor(private readonly ledger: FakeLedger) {
    super();
  }
  async height(): Promise<number> {
    return this.ledger.height;
  }
  async bestBlock(): Promise<Block> {
    return (await this.block(this.ledger.height))!;
  }
  async block(height: number | string): Promise<Block | undefined> {
    if (typeof height !== 'number' || height > this.ledger.height) return undefined;
    return { height, hash: this.ledger.hash(height), merkleRoot: sha3(`root ${height}`), time: 0, txids: [] };
  }
  async transaction(txid: string): Promise<Transaction | undefined> {
    return this.ledger.transactions.get(txid);
  }
  async transactionIdsOf(address: string, from: number, to: number): Promise<string[]> {
    const all = [...this.ledger.transactions.values()].filter(({ mined }) => mined && mined.height >= from && mined.height <= to);
    return all.filter(({ outputs }) => outputs.some((output) => output.address === address)).map(({ txid }) => txid);
  }
  async outputsSentBy(sender: string, address: string) {
    const all = [...this.ledger.transactions.values()].filter(({ inputs }) => inputs.some((input) => input.address === sender));
    return all.flatMap(({ txid, outputs }) =>
      outputs
        .filter((output) => output.address === address)
        .map(({ index, patoshis }) => ({ txid, index, patoshis, height: -1 })),
    );
  }
  async contractTicket(txid: string): Promise<ContractTicket | undefined> {
    return this.ledger.tickets.find((ticket) => ticket.txid === txid);
  }
  async contractTickets(): Promise<ContractTicket[]> {
    return this.ledger.tickets;
  }
  async findContractTicket(secondaryKey: string): Promise<ContractTicket | undefined> {
    return this.ledger.tickets.find((ticket) => ticket.secondaryKey === secondaryKey);
  }
  async registerContractTicket({
    data,
    subType,
    secondaryKey,
  }: {
    data: string;
    subType: string;
    secondaryKey: string;
  }): Promise<{ txid: string }> {
    const txid = sha3(encodeBase64(data));
    this.ledger.tickets.push({ txid, height: -1, subType, secondaryKey, timestamp: 0, data: readJson(data) });
    return { txid };
  }
  async identityTickets() {
    return [];
  }
}

class FakeWallet extends Wallet {
  private made = 0;
  constructor(private readonly ledger: FakeLedger) {
    super();
  }
  async newAddress(): Promise<string> {
    return `44${String.fromCharCode(65 + this.made++).repeat(34)}`;
  }
  async balance(): Promise<number> {
    return [...this.ledger.balances.values()].reduce((sum, patoshis) => sum + patoshis, 0);
  }
  async addressAmounts(): Promise<Map<string, number>> {
    return new Map(this.ledger.balances);
  }
  async sendToAddress(address: string, patoshis: number): Promise<string> {
    return this.ledger.pay(new Map([[address, patoshis]]), '');
  }
  async sendMany(amounts: ReadonlyMap<string, number>, changeAddress: string): Promise<string> {
    return this.ledger.pay(amounts, changeAddress);
  }
}

class FakeIdentity extends Identity {
  constructor(
    private readonly ledger: FakeLedger,
    private readonly made: Signing,
  ) {
    super();
  }
  async create(): Promise<string> {
    return this.made.pastelId;
  }
  async list(): Promise<string[]> {
    return [this.made.pastelId];
  }
  async sign(_pastelId: string, _passphrase: string, text: string): Promise<string> {
    return this.made.sign(text);
  }
  async verify(pastelId: string, text: string, signature: string): Promise<boolean> {
    return directChecking.verify(pastelId, text, signature);
  }
  async register(pastelId: string, _passphrase: string, address: string): Promise<{ txid: string }> {
    this.ledger.balances.set(address, (this.ledger.balances.get(address) ?? 0) - 100_000_000);
    const [due, answerLost] = [this.ledger.height + 1, this.ledger.losesAnswer];
    this.registrations.push({ pastelId, due });
    this.ledger.losesAnswer = false;
    if (answerLost) throw new ChainUnavailable('tickets register id', 'no answer within 20 s');
    return { txid: 'a'.repeat(64) };
  }
  readonly registrations: { pastelId: string; due: number }[] = [];
  async isRegistered(pastelId: string): Promise<boolean> {
    return this.registrations.some((entry) => entry.pastelId === pastelId && entry.due <= this.ledger.height);
  }
}

export class FakeSupernodeNetwork extends SupernodeNetwork {
  readonly urls = new Map<string, string>();
  async list(): Promise<Supernode[]> {
    return [...this.urls.keys()].map((pastelId, rank) => ({ outpoint: `${sha3(pastelId)}-0`, status: 'ENABLED', protocolVersion: '170012', pslAddress: '44p', lastSeen: 0, activeSeconds: 0, lastPaid: 0, lastPaidBlock: 0, ipAddress: '127.0.0.1', port: 1, rank, pastelId })); // prettier-ignore
  }
  async self(): Promise<undefined> {
    return undefined;
  }
  urlOf({ pastelId }: Supernode): string {
    return this.urls.get(pastelId!)!;
  }
  async send(): Promise<void> {}
  async inbox(): Promise<MasternodeMessage[]> {
    return [];
  }
}

/** A user with plenty of coins, on a network that has no supernodes yet. */
export function fakeUser() {
  const ledger = new FakeLedger();
  const network = new FakeSupernodeNetwork();
  const told: Progress[] = [];
  const signing = signer(1);
  let ids = 0;
  const identity = new FakeIdentity(ledger, signing);
  const side: UserSide = {
    chain: new FakeChain(ledger),
    wallet: new FakeWallet(ledger),
    identity,
    network,
    signing,
    checking: directChecking,
    clock: new FakeClock(ledger),
    entropy: { uuid: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`, below: () => 0 },
    burnAddress: BURN,
    report: (progress) => void told.push(progress),
  };
  return { ledger, network, side, told, identity };
}
