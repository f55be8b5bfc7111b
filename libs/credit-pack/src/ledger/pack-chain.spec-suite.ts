import { createHash } from 'node:crypto';
import {
  Chain,
  ChainUnavailable,
  type AddressOutput,
  type Block,
  type ContractTicket,
  type IdentityTicket,
  type Transaction,
} from '#chain';
import { CREDIT_PACK_TICKET_SUBTYPE, networks, type Json } from '#protocol';

export const BURN = networks.devnet.burnAddress;
export const START = 1000;
export const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

type Branch = readonly { readonly block: Block; readonly txids: string[] }[];

/** Blocks, a mempool, reorganisations and outages, without keys: whoever builds a transaction says who is in it. */
export class FakeChain extends Chain {
  isDown = false;
  /** Transactions about which the node answers nonsense. */
  readonly unreadable = new Set<string>();
  /** Happens once, when somebody has looked at the transaction and does not know yet what he saw. */
  meanwhile: { readonly txid: string; readonly happens: () => Promise<void> } | undefined;
  readonly identities: IdentityTicket[] = [];
  private blocks: Branch[number][] = [];
  private waiting: string[] = [];
  private readonly transactions = new Map<
    string,
    { transaction: Omit<Transaction, 'mined' | 'confirmations'>; ticket?: Json; key?: string }
  >();
  private branch = 0;

  constructor() {
    super();
    this.mine();
  }

  get tip(): number {
    return START + this.blocks.length - 1;
  }
  send(transaction: {
    from?: string | string[];
    to: [address: string, patoshis: number][];
    ticket?: Json;
    key?: string;
    name?: string;
  }): string {
    const txid = digest(`tx ${transaction.name ?? ''} ${this.transactions.size}`);
    this.transactions.set(txid, {
      transaction: {
        txid,
        inputs: [transaction.from ?? []].flat().map((address, vout) => ({ txid: digest('coin'), vout, address })),
        outputs: transaction.to.map(([address, patoshis], index) => ({ index, address, patoshis })),
      },
      ...(transaction.ticket !== undefined && { ticket: transaction.ticket, key: transaction.key! }),
    });
    this.waiting.push(txid);
    return txid;
  }
  mine(count = 1): void {
    for (let i = 0; i < count; i++) {
      const height = START + this.blocks.length;
      const hash = digest(`block ${height} ${this.branch}`);
      const block = {
        height,
        hash,
        merkleRoot: digest(`root ${height} ${this.branch}`),
        time: height * 150,
        txids: this.waiting,
      };
      this.blocks.push({ block, txids: this.waiting });
      this.waiting = [];
    }
  }
  /** Takes the newest blocks away; their transactions wait again, in their old order unless told otherwise. */
  disconnect(count: number, order?: (txids: string[]) => string[]): void {
    const gone = this.blocks.splice(-count);
    this.branch++;
    this.waiting = [...gone.flatMap(({ txids }) => txids), ...this.waiting];
    if (order) this.waiting = order(this.waiting);
  }
  /** The same, and what was taken away: the branch may come back. */
  branchOff(count: number): Branch {
    const gone = this.blocks.slice(-count);
    this.disconnect(count);
    return gone;
  }
  /** The newer branch loses to one that was there before. */
  comeBackTo(branch: Branch): void {
    const [{ block: first }] = branch as [Branch[number]];
    this.disconnect(this.tip - first.height + 1);
    const mined = new Set(branch.flatMap(({ txids }) => txids));
    this.waiting = this.waiting.filter((txid) => !mined.has(txid));
    this.blocks.push(...branch);
  }
  drop(txid: string): void {
    this.waiting = this.waiting.filter((other) => other !== txid);
  }
  rebroadcast(txid: string): void {
    this.waiting.push(txid);
  }

  override async height(): Promise<number> {
    return this.up(this.tip);
  }
  override async bestBlock(): Promise<Block> {
    return this.up(this.blocks.at(-1)!.block);
  }
  override async block(which: number | string): Promise<Block | undefined> {
    return this.up(this.blocks.map(({ block }) => block).find(({ height, hash }) => height === which || hash === which));
  }
  override async transaction(txid: string): Promise<Transaction | undefined> {
    const seen = this.seen(txid);
    if (this.meanwhile?.txid === txid) {
      const { happens } = this.meanwhile;
      this.meanwhile = undefined;
      await happens();
    }
    return seen;
  }
  private seen(txid: string): Transaction | undefined {
    if (this.unreadable.has(txid)) throw new ChainUnavailable('getrawtransaction', 'nonsense');
    const known = this.up(this.transactions.get(txid)?.transaction);
    const at = this.blockOf(txid);
    if (!known || (!at && !this.waiting.includes(txid))) return undefined;
    return {
      ...known,
      ...(at && { mined: { height: at.height, blockHash: at.hash } }),
      confirmations: at ? this.tip - at.height + 1 : 0,
    };
  }
  override async transactionIdsOf(address: string, from: number, to: number): Promise<string[]> {
    return this.up(this.blocks)
      .filter(({ block }) => block.height >= from && block.height <= to)
      .flatMap(({ txids }) => txids)
      .filter((txid) => this.touches(txid, address));
  }
  override async outputsSentBy(sender: string, address: string, minHeight: number): Promise<AddressOutput[]> {
    this.up(undefined);
    return [...this.blocks.flatMap(({ txids }) => txids), ...this.waiting].flatMap((txid) => {
      const { inputs, outputs } = this.transactions.get(txid)!.transaction;
      const height = this.blockOf(txid)?.height ?? -1;
      if (!inputs.some((input) => input.address === sender) || (height >= 0 && height < minHeight)) return [];
      return outputs
        .filter((output) => output.address === address)
        .map(({ index, patoshis }) => ({ txid, index, patoshis, height }));
    });
  }
  override async contractTicket(txid: string): Promise<ContractTicket | undefined> {
    const known = this.up(this.transactions.get(txid));
    if (known?.ticket === undefined || (!this.blockOf(txid) && !this.waiting.includes(txid))) return undefined;
    const data = known.ticket;
    return {
      txid,
      height: this.blockOf(txid)?.height ?? -1,
      subType: CREDIT_PACK_TICKET_SUBTYPE,
      secondaryKey: known.key!,
      timestamp: 1,
      data,
    };
  }
  override async contractTickets(_: string, minHeight: number): Promise<ContractTicket[]> {
    const txids = this.up(this.blocks)
      .filter(({ block }) => block.height >= minHeight)
      .flatMap((block) => block.txids);
    return (await Promise.all(txids.map((txid) => this.contractTicket(txid)))).filter((ticket) => ticket !== undefined);
  }
  override async findContractTicket(): Promise<ContractTicket | undefined> {
    throw new Error('not used');
  }
  override async registerContractTicket(): Promise<{ txid: string }> {
    throw new Error('not used');
  }
  override async identityTickets(): Promise<IdentityTicket[]> {
    return this.up(this.identities);
  }

  private touches(txid: string, address: string): boolean {
    const { inputs, outputs } = this.transactions.get(txid)!.transaction;
    return [...inputs, ...outputs].some((part) => part.address === address);
  }
  private blockOf(txid: string): Block | undefined {
    return this.blocks.find(({ txids }) => txids.includes(txid))?.block;
  }
  private up<T>(answer: T): T {
    if (this.isDown) throw new ChainUnavailable('anything', 'it is down');
    return answer;
  }
}
