import { createHash } from 'node:crypto';
import { Test } from '@nestjs/testing';
import {
  Chain,
  ChainUnavailable,
  type AddressOutput,
  type Block,
  type ContractTicket,
  type IdentityTicket,
  type Transaction,
} from '#chain';
import { NetworkSettings, PurchaseSettings, Environment, readSettings } from '#config';
import { Transactions } from '#database';
import {
  canonicalText,
  Checking,
  Clock,
  composeTicket,
  CREDIT_PACK_TICKET_SUBTYPE,
  CreditPackPurchaseRequest,
  CreditPackPurchaseRequestConfirmation,
  CreditPackPurchaseRequestResponse,
  encodeBase64,
  identityFromSeed,
  networks,
  PATOSHIS_PER_PSL,
  pooledChecking,
  PythonNumber,
  readJson,
  seal,
  type Json,
  type Signing,
} from '#protocol';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { openTestDatabase, type TestDatabase } from '../../../test/support/databases.js';
import { signersOf } from './agreement.rules.js';
import { BurnIndex } from './burn-index.service.js';
import { ledgerEntities, ledgerProviders } from './ledger.js';
import { PackLedger } from './pack-ledger.js';
import { PackReconciliation } from './pack-reconciliation.service.js';
import { PacksService } from './packs.service.js';
import { RegisteredTickets } from './registered-tickets.js';
import { TicketIndex } from './ticket-index.service.js';
import { TicketRetry } from './ticket-retry.service.js';
import { TicketValidation } from './ticket-validation.service.js';

export const BURN = networks.devnet.burnAddress;
export const START = 1000;
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const identity = (name: string): Signing => identityFromSeed(createHash('shake256', { outputLength: 57 }).update(name).digest());

/** Blocks, a mempool, reorganisations and outages, without keys: whoever builds a transaction says who is in it. */
export class FakeChain extends Chain {
  isDown = false;
  readonly identities: IdentityTicket[] = [];
  private blocks: { block: Block; txids: string[] }[] = [];
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
    from?: string;
    to: [address: string, patoshis: number][];
    ticket?: Json;
    key?: string;
    name?: string;
  }): string {
    const txid = digest(`tx ${transaction.name ?? ''} ${this.transactions.size}`);
    this.transactions.set(txid, {
      transaction: {
        txid,
        inputs: transaction.from === undefined ? [] : [{ txid: digest('coin'), vout: 0, address: transaction.from }],
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

export const user = identity('user');
export const seller = identity('seller');
export const voters = [1, 2, 3, 4].map((n) => identity(`voter ${n}`));

/** Mines the supernodes' tickets with their collateral. */
export function registerSupernodes(chain: FakeChain, supernodes: readonly Signing[] = [seller, ...voters]): void {
  for (const { pastelId } of supernodes) {
    const txid = chain.send({ to: [['collateral', 1_000_000 * PATOSHIS_PER_PSL]], name: pastelId });
    chain.identities.push({
      txid: digest(pastelId),
      height: chain.tip + 1,
      pastelId,
      address: 'collateral',
      outpoint: `${txid}-0`,
    });
  }
  chain.mine();
}

export interface Sale {
  readonly response: CreditPackPurchaseRequestResponse;
  readonly confirmation: CreditPackPurchaseRequestConfirmation;
  readonly burnTxid: string;
  readonly trackingAddress: string;
}
export interface SaleOptions {
  credits?: string;
  price?: number;
  total?: number;
  trackingAddress?: string;
  burnTxid?: string;
  burned?: number;
  owner?: Signing;
  users?: readonly string[];
  agreeing?: readonly Signing[];
  asked?: readonly Signing[];
  blacklisted?: readonly string[];
  change?: Partial<CreditPackPurchaseRequestResponse>;
}
const TIMESTAMP = '2026-01-05T12:00:00+00:00';
export const address = (name: string): string =>
  `44${createHash('sha256').update(name).digest('hex').replaceAll('0', 'a').slice(0, 34)}`;

export async function offerOf(chain: FakeChain, options: SaleOptions = {}): Promise<CreditPackPurchaseRequestResponse> {
  const { credits = '1500', price = 20, owner = user, trackingAddress = address('tracking') } = options;
  const asked = options.asked ?? voters;
  const agreeing = options.agreeing ?? voters;
  const request = await seal(
    CreditPackPurchaseRequest,
    {
      requesting_end_user_pastelid: owner.pastelId,
      requested_initial_credits_in_credit_pack: PythonNumber.read(credits),
      list_of_authorized_pastelids_allowed_to_use_credit_pack: JSON.stringify(options.users ?? [owner.pastelId]),
      credit_usage_tracking_psl_address: trackingAddress,
      request_timestamp_utc_iso_string: TIMESTAMP,
      request_pastel_block_height: chain.tip,
      credit_purchase_request_message_version_string: '1.0',
    },
    owner,
  );
  const b64 = encodeBase64(canonicalText(request));
  const block = await chain.bestBlock();
  const selected = signersOf(
    agreeing.map(({ pastelId }) => pastelId),
    block.merkleRoot,
  );
  const table: Record<string, Record<string, string>> = {};
  for (const pastelId of selected) {
    const signature = await agreeing.find((voter) => voter.pastelId === pastelId)!.sign(b64);
    table[pastelId] = {
      price_agreement_request_response_hash_signature: signature,
      credit_pack_purchase_request_fields_json_b64_signature: signature,
    };
  }
  return seal(
    CreditPackPurchaseRequestResponse,
    {
      id: '79df343b-4ad3-435c-800e-e59e616ff84d',
      sha3_256_hash_of_credit_pack_purchase_request_fields: request.sha3_256_hash_of_credit_pack_purchase_request_fields,
      credit_pack_purchase_request_fields_json_b64: b64,
      psl_cost_per_credit: PythonNumber.float(price),
      proposed_total_cost_of_credit_pack_in_psl: PythonNumber.float(options.total ?? Number(credits) * price),
      credit_usage_tracking_psl_address: trackingAddress,
      request_response_timestamp_utc_iso_string: TIMESTAMP,
      request_response_pastel_block_height: chain.tip,
      best_block_merkle_root: block.merkleRoot,
      best_block_height: block.height,
      credit_purchase_request_response_message_version_string: '1.0',
      responding_supernode_pastelid: seller.pastelId,
      list_of_blacklisted_supernode_pastelids: [...(options.blacklisted ?? [])],
      list_of_potentially_agreeing_supernodes: asked.map(({ pastelId }) => pastelId),
      list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms: agreeing.map(({ pastelId }) => pastelId),
      list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms_selected_for_signature_inclusion: selected,
      selected_agreeing_supernodes_signatures_dict: table,
      ...options.change,
    },
    seller,
  );
}

/** Offer, burn (waiting) and confirmation. */
export async function saleOf(chain: FakeChain, options: SaleOptions = {}): Promise<Sale> {
  const response = await offerOf(chain, options);
  const total = Math.round(response.proposed_total_cost_of_credit_pack_in_psl.value * PATOSHIS_PER_PSL);
  const burnTxid = options.burnTxid ?? chain.send({ from: 'wallet', to: [[BURN, options.burned ?? total]] });
  const owner = options.owner ?? user;
  const confirmation = await seal(
    CreditPackPurchaseRequestConfirmation,
    {
      id: '79df343b-4ad3-435c-800e-e59e616ff84e',
      sha3_256_hash_of_credit_pack_purchase_request_fields: response.sha3_256_hash_of_credit_pack_purchase_request_fields,
      sha3_256_hash_of_credit_pack_purchase_request_response_fields:
        response.sha3_256_hash_of_credit_pack_purchase_request_response_fields,
      credit_pack_purchase_request_fields_json_b64: response.credit_pack_purchase_request_fields_json_b64,
      requesting_end_user_pastelid: owner.pastelId,
      txid_of_credit_purchase_burn_transaction: burnTxid,
      credit_purchase_request_confirmation_utc_iso_string: TIMESTAMP,
      credit_purchase_request_confirmation_pastel_block_height: chain.tip,
      credit_purchase_request_confirmation_message_version_string: '1.0',
    },
    owner,
  );
  return { response, confirmation, burnTxid, trackingAddress: response.credit_usage_tracking_psl_address };
}

/** Sends the ticket of a sale; it waits for its block. */
export function register(chain: FakeChain, { response, confirmation }: Pick<Sale, 'response' | 'confirmation'>): string {
  const { json, fullyParsedHash } = composeTicket(response, confirmation);
  return chain.send({ to: [], ticket: readJson(json), key: fullyParsedHash });
}

export type TestLedger = Awaited<ReturnType<typeof openLedger>>;
export type OpenDatabase = Awaited<ReturnType<typeof openLedgerDatabase>>;
export const openLedgerDatabase = (database: TestDatabase) => openTestDatabase(database, ledgerEntities);

/** A ledger that knows nothing yet, over a chain with five supernodes. */
export async function openLedger({ source, transactions }: OpenDatabase, chain = new FakeChain()) {
  if (chain.identities.length === 0) registerSupernodes(chain);
  for (const entity of ledgerEntities) await source.getRepository(entity).clear();
  const settings = readSettings(new Environment({ NETWORK: 'devnet', RPC_PORT: '29932' }));
  const clock = new ManualClock();
  const module = await Test.createTestingModule({
    providers: [
      ...ledgerProviders,
      { provide: Chain, useValue: chain },
      { provide: Checking, useValue: pooledChecking },
      { provide: Clock, useValue: clock },
      { provide: Transactions, useValue: transactions },
      { provide: NetworkSettings, useValue: settings.network },
      { provide: PurchaseSettings, useValue: { ...settings.purchase, ticketScanHeight: START } },
    ],
  }).compile();
  const [tickets, burns, ledger] = [module.get(TicketIndex), module.get(BurnIndex), module.get(PackLedger)];
  return {
    chain,
    transactions,
    clock,
    tickets,
    burns,
    ledger,
    packs: module.get(PacksService),
    registered: module.get(RegisteredTickets),
    retry: module.get(TicketRetry),
    validation: module.get(TicketValidation),
    reconcile: () => module.get(PackReconciliation).reconcile(),
    sweep: async () => {
      await tickets.sweep(clock.now());
      await burns.sweep(clock.now());
    },
    /** A sold and mined pack. */
    buy: async (options: SaleOptions = {}) => {
      const sale = await saleOf(chain, options);
      chain.mine();
      const txid = register(chain, sale);
      chain.mine();
      const pack = await ledger.find(txid);
      if (!pack) throw new Error('The pack is not valid');
      return { ...sale, txid, pack };
    },
    hold: (pack: Awaited<ReturnType<PackLedger['find']>>, requestId: string, tenths: number, blocks = 10) =>
      ledger
        .refresh(pack!)
        .then(() =>
          transactions.run((manager) =>
            ledger.hold(manager, { pack: pack!, requestId, tenths, expiresAtHeight: chain.tip + blocks }),
          ),
        ),
    release: (requestId: string) => transactions.run((manager) => ledger.release(manager, requestId)),
  };
}
