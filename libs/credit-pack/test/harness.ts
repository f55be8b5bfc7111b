import 'reflect-metadata';
import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { Environment, readSettings, SettingsModule, SystemEntropy } from '#config';
import { DatabaseModule } from '#database';
import { Devnet } from '#devnet';
import { httpEntities, WireModule } from '#http';
import {
  Checking,
  Clock,
  CreditPackPurchaseRequest,
  CreditPackPurchaseRequestConfirmation,
  CreditPackPurchaseRequestPreliminaryPriceQuoteResponse,
  CreditPackPurchaseRequestResponse,
  CreditPackStorageRetryRequest,
  Entropy,
  patoshisFromPsl,
  pooledChecking,
  PythonNumber,
  pythonTimestamp,
  received,
  seal,
  type CreditPackPurchasePriceAgreementRequest,
  type CreditPackPurchaseRequestPreliminaryPriceQuote,
  type JsonObject,
  type Signing,
} from '#protocol';
import { PeerHealth, reputationEntities } from '#reputation';
import { JsonRpcClient, JsonRpcIdentity, JsonRpcWallet, RpcModule, signingBy } from '#rpc';
import type { ListedPeer, Vote } from '../src/peers/agreement.rules.js';
import { AgreementService } from '../src/peers/agreement.service.js';
import { AnnouncementService } from '../src/peers/announcement.service.js';
import { creditPackEntities, CreditPackModule } from '../src/credit-pack.module.js';
import { MarketPrice } from '../src/market/market-price.js';
import type { AnnouncementLine } from '../src/purchase/outbox.entity.js';
import { PurchasePeers } from '../src/peers/purchase-peers.js';
import { QuoteService } from '../src/purchase/quote.service.js';
import { VoteService } from '../src/peers/vote.service.js';

const USER = { user: 'devnet', password: 'devnet' };
const USD_PER_PSL = 0.0005;

/** Time passes only while somebody waits; then blocks come too. */
class WaitingClock extends Clock {
  /** Called for each wait, e.g. to mine. */
  onWait: () => void = () => undefined;
  private instant = Date.parse('2026-01-05T12:00:00Z');
  now(): Date {
    return new Date(this.instant);
  }
  async wait(ms: number): Promise<void> {
    this.instant += ms;
    this.onWait();
  }
  advance(ms: number): void {
    this.instant += ms;
  }
}

/** Peers that are reached without HTTP; each may be silent, or think that a PSL is worth something else. */
class LocalPeers extends PurchasePeers {
  constructor(
    private readonly market: TestMarket,
    private readonly own: string,
  ) {
    super();
  }
  async listed(): Promise<ListedPeer[]> {
    return this.market.nodes.map(({ pastelId, ipAddress }) => ({ pastelId, ipAddress }));
  }
  async vote(pastelId: string, question: CreditPackPurchasePriceAgreementRequest): Promise<Vote> {
    const node = this.reached(pastelId);
    const { carrier } = this.market;
    if (carrier) return (await carrier({ from: this.own, to: node, line: 'priceAgreement', message: question })) as Vote;
    return node.forge ? node.forge(await node.get(VoteService).vote(question)) : node.get(VoteService).vote(question);
  }
  async announce(pastelId: string, line: AnnouncementLine, message: object): Promise<void> {
    this.market.delivered.push({ from: this.own, to: pastelId, line });
    const node = this.reached(pastelId);
    const { carrier } = this.market;
    if (carrier) return void (await carrier({ from: this.own, to: node, line, message }));
    const announcements = node.get(AnnouncementService);
    if (line === 'responseAnnouncement')
      await announcements.offer(received(CreditPackPurchaseRequestResponse, message as JsonObject));
  }
  private reached(pastelId: string): Node {
    const node = this.market.nodes.find((one) => one.pastelId === pastelId)!;
    if (node.isSilent) throw new Error('silent');
    return node;
  }
}

export class Node {
  isSilent = false;
  usdPerPsl = USD_PER_PSL;
  forge?: (vote: Vote) => Vote;
  module!: TestingModule;
  databaseUrl = '';
  constructor(
    readonly pastelId: string,
    readonly ipAddress: string,
    readonly user: string,
  ) {}
  get<T>(type: abstract new (...args: never[]) => T): T {
    return this.module.get(type as never);
  }
}

@Global()
@Module({})
class Machine {
  static of(clock: Clock): DynamicModule {
    const providers = [
      { provide: Clock, useValue: clock },
      { provide: Entropy, useClass: SystemEntropy },
      { provide: Checking, useValue: pooledChecking },
    ];
    return { module: Machine, providers, exports: [Clock, Entropy, Checking] };
  }
}

export interface MarketOptions {
  readonly url: () => Promise<string>;
  readonly supernodes?: number;
  readonly environment?: Record<string, string>;
  /** Brings what one node says to another, in the place of HTTP, and gives the answer. */
  readonly carrier?: Carrier;
}

/** A question about a price is answered with a vote, an announcement with nothing. Rejects where it does not arrive. */
export type Carrier = (letter: Letter) => Promise<unknown>;
export interface Letter {
  readonly from: string;
  readonly to: Node;
  readonly line: AnnouncementLine | 'priceAgreement';
  readonly message: object;
}

/** A devnet, supernodes that sell packs on it, and a funded buyer. */
export class TestMarket {
  readonly clock = new WaitingClock();
  readonly nodes: Node[] = [];
  readonly delivered: { from: string; to: string; line: AnnouncementLine }[] = [];
  devnet!: Devnet;
  wallet!: JsonRpcWallet;
  buyer!: Signing;
  other!: Signing;
  private rpcPort = 0;
  private readonly closing: (() => Promise<unknown>)[] = [];
  private constructor(readonly carrier: Carrier | undefined) {}

  static async open(options: MarketOptions): Promise<TestMarket> {
    const market = new TestMarket(options.carrier);
    const supernodes = Array.from({ length: options.supernodes ?? 4 }, (_, i) => ({
      user: `sn${i + 1}`,
      password: `sn${i + 1}`,
      ip: `127.0.0.${i + 1}`,
      port: 7123,
    }));
    const { clock } = market;
    market.devnet = await Devnet.create({ clock, entropy: new SystemEntropy(), user: USER, blocks: 'on demand', supernodes });
    const server = await market.devnet.listen('127.0.0.1', 0);
    market.rpcPort = Number(new URL(server.url).port);
    for (const { pastelId, ip, user } of market.devnet.supernodes) market.nodes.push(new Node(pastelId, ip, user));
    for (const node of market.nodes) await market.start(node, await options.url(), options.environment);
    const rpc = new JsonRpcClient(readSettings(new Environment(market.environment('devnet'))).rpc, clock);
    market.wallet = new JsonRpcWallet(rpc);
    const identity = new JsonRpcIdentity(rpc);
    market.buyer = signingBy(identity, await identity.create('one'), 'one');
    market.other = signingBy(identity, await identity.create('two'), 'two');
    market.closing.push(
      async () => rpc.close(),
      () => server.close(),
      () => market.devnet.close(),
    );
    clock.onWait = () => market.mine(1);
    return market;
  }

  /** Starts a node, on the books of an earlier run where the address is the same. */
  async start(node: Node, url: string, environment: Record<string, string> = {}): Promise<void> {
    const settings = readSettings(
      new Environment({
        ...this.environment(node.user),
        LOCAL_PASTEL_ID_PASSPHRASE: node.user,
        DATABASE_URL: url,
        FIXED_PSL_PRICE_IN_USD: String(USD_PER_PSL),
        ...environment,
      }),
    );
    node.databaseUrl = url;
    const builder = Test.createTestingModule({
      imports: [
        SettingsModule.of(settings),
        Machine.of(this.clock),
        DatabaseModule.of(url, [...creditPackEntities, ...httpEntities, ...reputationEntities]),
        RpcModule,
        WireModule,
        CreditPackModule,
      ],
    });
    builder.overrideProvider(PurchasePeers).useValue(new LocalPeers(this, node.pastelId));
    builder.overrideProvider(PeerHealth).useValue({ unreachable: async () => new Set<string>() });
    builder.overrideProvider(MarketPrice).useValue({ usdPerPsl: async () => node.usdPerPsl });
    node.module = await builder.compile();
  }

  mine(blocks: number): void {
    this.devnet.generate(blocks);
    // A height may be a second old.
    this.clock.advance(1000);
  }
  get height(): number {
    return this.devnet.state.ledger.height;
  }
  get seller(): Node {
    return this.nodes[0]!;
  }

  async close(): Promise<void> {
    for (const { module } of this.nodes) await module.close();
    for (const close of this.closing) await close();
  }

  private environment(user: string): Record<string, string> {
    return { RPC_HOST: '127.0.0.1', RPC_PORT: String(this.rpcPort), NETWORK: 'devnet', RPC_USER: user, RPC_PASSWORD: user };
  }

  // What a buyer's client does.

  async request(draft: { credits?: PythonNumber; trackingAddress?: string; signing?: Signing; height?: number } = {}) {
    const signing = draft.signing ?? this.buyer;
    return seal(
      CreditPackPurchaseRequest,
      {
        requesting_end_user_pastelid: signing.pastelId,
        requested_initial_credits_in_credit_pack: draft.credits ?? PythonNumber.read('1500'),
        list_of_authorized_pastelids_allowed_to_use_credit_pack: JSON.stringify([signing.pastelId]),
        credit_usage_tracking_psl_address: draft.trackingAddress ?? (await this.wallet.newAddress()),
        request_timestamp_utc_iso_string: pythonTimestamp(this.clock.now()),
        request_pastel_block_height: draft.height ?? this.height,
        credit_purchase_request_message_version_string: '1.0',
      },
      signing,
    );
  }

  quoteResponse(
    quote: CreditPackPurchaseRequestPreliminaryPriceQuote,
    changes: Partial<CreditPackPurchaseRequestPreliminaryPriceQuoteResponse> = {},
    signing = this.buyer,
  ) {
    return seal(
      CreditPackPurchaseRequestPreliminaryPriceQuoteResponse,
      {
        sha3_256_hash_of_credit_pack_purchase_request_fields: quote.sha3_256_hash_of_credit_pack_purchase_request_fields,
        sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields:
          quote.sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields,
        credit_pack_purchase_request_fields_json_b64: quote.credit_pack_purchase_request_fields_json_b64,
        agree_with_preliminary_price_quote: true,
        credit_usage_tracking_psl_address: quote.credit_usage_tracking_psl_address,
        preliminary_quoted_price_per_credit_in_psl: quote.preliminary_quoted_price_per_credit_in_psl,
        preliminary_price_quote_response_timestamp_utc_iso_string: pythonTimestamp(this.clock.now()),
        preliminary_price_quote_response_pastel_block_height: this.height,
        preliminary_price_quote_response_message_version_string: '1.0',
        requesting_end_user_pastelid: signing.pastelId,
        ...changes,
      },
      signing,
    );
  }

  confirmation(response: CreditPackPurchaseRequestResponse, txid: string, signing = this.buyer) {
    return seal(
      CreditPackPurchaseRequestConfirmation,
      {
        id: new SystemEntropy().uuid(),
        sha3_256_hash_of_credit_pack_purchase_request_fields: response.sha3_256_hash_of_credit_pack_purchase_request_fields,
        sha3_256_hash_of_credit_pack_purchase_request_response_fields:
          response.sha3_256_hash_of_credit_pack_purchase_request_response_fields,
        credit_pack_purchase_request_fields_json_b64: response.credit_pack_purchase_request_fields_json_b64,
        requesting_end_user_pastelid: signing.pastelId,
        txid_of_credit_purchase_burn_transaction: txid,
        credit_purchase_request_confirmation_utc_iso_string: this.clock.now().toISOString(),
        credit_purchase_request_confirmation_pastel_block_height: this.height,
        credit_purchase_request_confirmation_message_version_string: '1.0',
      },
      signing,
    );
  }

  storageRetry(response: CreditPackPurchaseRequestResponse, closest: string, signing = this.buyer) {
    return seal(
      CreditPackStorageRetryRequest,
      {
        sha3_256_hash_of_credit_pack_purchase_request_response_fields:
          response.sha3_256_hash_of_credit_pack_purchase_request_response_fields,
        credit_pack_purchase_request_fields_json_b64: response.credit_pack_purchase_request_fields_json_b64,
        requesting_end_user_pastelid: signing.pastelId,
        closest_agreeing_supernode_to_retry_storage_pastelid: closest,
        credit_pack_storage_retry_request_timestamp_utc_iso_string: pythonTimestamp(this.clock.now()),
        credit_pack_storage_retry_request_pastel_block_height: this.height,
        credit_pack_storage_retry_request_message_version_string: '1.0',
      },
      signing,
    );
  }

  /** From request to binding offer. */
  async offer(
    draft: Parameters<TestMarket['request']>[0] = {},
    seller = this.seller,
  ): Promise<CreditPackPurchaseRequestResponse> {
    const quote = (await seller
      .get(QuoteService)
      .quote(await this.request(draft))) as CreditPackPurchaseRequestPreliminaryPriceQuote;
    const answer = await seller.get(AgreementService).answer(await this.quoteResponse(quote, {}, draft.signing));
    return answer as CreditPackPurchaseRequestResponse;
  }

  /** Sends `more` than the offer asks to the burn address, from whatever coins the wallet picks. */
  burn(response: CreditPackPurchaseRequestResponse, more = 0): Promise<string> {
    const total = patoshisFromPsl(response.proposed_total_cost_of_credit_pack_in_psl)!;
    return this.wallet.sendToAddress('44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7', total + more);
  }
}
