import { createHash } from 'node:crypto';
import { Test } from '@nestjs/testing';
import { Chain } from '#chain';
import { NetworkSettings, PurchaseSettings, Environment, readSettings } from '#config';
import { Leadership, Transactions } from '#database';
import {
  canonicalText,
  Checking,
  Clock,
  composeTicket,
  CreditPackPurchaseRequest,
  CreditPackPurchaseRequestConfirmation,
  CreditPackPurchaseRequestResponse,
  encodeBase64,
  identityFromSeed,
  PATOSHIS_PER_PSL,
  pooledChecking,
  PythonNumber,
  readJson,
  Refusal,
  seal,
  type Signing,
} from '#protocol';
import { ManualClock } from '../../../../test/support/manual-clock.js';
import { openTestDatabase, type TestDatabase } from '../../../../test/support/databases.js';
import { signersOf } from '../peers/agreement.rules.js';
import { AgreedPrices } from './agreed-prices.js';
import { BurnIndex } from './burn-index.service.js';
import { ledgerEntities, ledgerProviders } from './ledger.js';
import { MarketPrice } from '../market/market-price.js';
import { BURN, digest, FakeChain, START } from './pack-chain.spec-suite.js';
import { PackLedger } from './pack-ledger.js';
import { PackChainAudit } from './pack-chain-audit.service.js';
import { PackReconciliation } from './pack-reconciliation.service.js';
import { PacksService } from './packs.service.js';
import { RegisteredTickets } from '../purchase/registered-tickets.js';
import { TicketIndex } from './ticket-index.service.js';
import { TicketRetry } from './ticket-retry.service.js';
import { TicketValidation } from './ticket-validation.service.js';

export { BURN, FakeChain };
const identity = (name: string): Signing => identityFromSeed(createHash('shake256', { outputLength: 57 }).update(name).digest());

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

/** A ledger that knows nothing yet, or, with `keep`, what is in its database already; over a chain with five supernodes. */
export async function openLedger({ source, transactions }: OpenDatabase, chain = new FakeChain(), { keep = false } = {}) {
  if (chain.identities.length === 0) registerSupernodes(chain);
  if (!keep) for (const entity of ledgerEntities) await source.getRepository(entity).clear();
  const settings = readSettings(new Environment({ NETWORK: 'devnet', RPC_PORT: '29932' }));
  const clock = new ManualClock();
  /** What this node believes a PSL to be worth; undefined where nobody tells it. */
  const market: { usdPerPsl: number | undefined } = { usdPerPsl: 0.0005 };
  const usdPerPsl = async (): Promise<number> => {
    if (market.usdPerPsl === undefined) throw new Refusal('unavailable', 'Nobody knows');
    return market.usdPerPsl;
  };
  const module = await Test.createTestingModule({
    providers: [
      ...ledgerProviders,
      { provide: Chain, useValue: chain },
      { provide: Checking, useValue: pooledChecking },
      { provide: MarketPrice, useValue: { usdPerPsl } },
      { provide: AgreedPrices, useValue: { brokenBy: async () => undefined } },
      { provide: Clock, useValue: clock },
      { provide: Transactions, useValue: transactions },
      { provide: Leadership, useValue: { isOurs: false } },
      { provide: NetworkSettings, useValue: settings.network },
      { provide: PurchaseSettings, useValue: { ...settings.purchase, ticketScanHeight: START } },
    ],
  }).compile();
  const [tickets, burns, ledger] = [module.get(TicketIndex), module.get(BurnIndex), module.get(PackLedger)];
  return {
    chain,
    transactions,
    clock,
    market,
    tickets,
    burns,
    ledger,
    packs: module.get(PacksService),
    registered: module.get(RegisteredTickets),
    retry: module.get(TicketRetry),
    validation: module.get(TicketValidation),
    reconcile: () => module.get(PackReconciliation).reconcile(),
    chainDifferences: () => module.get(PackChainAudit).differences(),
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
          transactions.run('test: hold stored', (manager) =>
            ledger.hold(manager, { pack: pack!, requestId, millicredits: tenths * 100, expiresAtHeight: chain.tip + blocks }),
          ),
        ),
    release: (requestId: string) => transactions.run('test: hold released', (manager) => ledger.release(manager, requestId)),
  };
}
