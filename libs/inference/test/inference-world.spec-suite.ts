import 'reflect-metadata';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { ChainUnavailable, type Chain } from '#chain';
import { Secrets, SystemEntropy, type InferenceSettings, type MenuSettings } from '#config';
import { Transactions } from '#database';
import { Freshness } from '#http';
import { MessageHandlers } from '#messaging';
import {
  type Clock,
  identityFromSeed,
  InferenceAPIOutputResult,
  InferenceAPIUsageRequest,
  InferenceConfirmation,
  pooledChecking,
  pythonTimestamp,
  Refusal,
  seal,
  type CreditNote,
  type RefusalCode,
  type Signing,
} from '#protocol';
import { openTestDatabase, testDatabases, type TestDatabase } from '../../../test/support/databases.js';
import {
  FakeHold,
  FakeMessenger,
  FakeNetwork,
  FakePack,
  FakePackLedger,
  type FakeBurn,
} from '../../../test/support/inference-fakes.js';
import { httpSettings } from '../../../test/support/http-app.js';
import { inTenths } from '../../../test/support/in-tenths.js';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { AdmissionService } from '../src/quote/admission.service.js';
import { AnnouncedCopiesRepository } from '../src/announcements/announced-copies.repository.js';
import { AnnouncementReceiver } from '../src/announcements/announcement-receiver.service.js';
import { AnnouncementService } from '../src/announcements/announcement.service.js';
import { ConfirmationService } from '../src/payment/confirmation.service.js';
import { DownloadReaders } from '../src/execution/download-readers.js';
import { Downloads } from '../src/execution/downloads.service.js';
import { Outgoing } from '../src/execution/outgoing/outgoing.service.js';
import { CreditNotesRepository } from '../src/credit-notes/credit-notes.repository.js';
import { RedemptionService } from '../src/credit-notes/redemption.service.js';
import { RequestFunds } from '../src/credit-notes/request-funds.service.js';
import { AttemptService } from '../src/execution/attempt.service.js';
import { ProviderGate } from '../src/execution/provider-gate.js';
import { ExecutionService } from '../src/execution/execution.service.js';
import { InferenceMessages } from '../src/inference-messages.service.js';
import { InferenceSweeps } from '../src/inference-sweeps.service.js';
import { entities } from '../src/inference.entities.js';
import { InferenceRepository } from '../src/inference.repository.js';
import { ModelCatalog } from '../src/menu/model-catalog.service.js';
import { ModelMenu } from '../src/menu/model-menu.service.js';
import { ProviderHealth } from '../src/menu/provider-health.service.js';
import { OwedAnnouncementsRepository } from '../src/announcements/owed-announcements.repository.js';
import { PricingService } from '../src/quote/pricing.service.js';
import { ProviderRunner } from '../src/execution/provider-runner.service.js';
import { Providers } from '../src/execution/providers.service.js';
import { QuoteService } from '../src/quote/quote.service.js';
import { ResultService } from '../src/results/result.service.js';
import { RetentionService } from '../src/results/retention.service.js';

export const identity = (n: number): Signing => identityFromSeed(Buffer.alloc(57, n));
export const [user, stranger, node] = [identity(1), identity(2), identity(3)];
export const others = [identity(4), identity(5), identity(6), identity(7), identity(8)].map(({ pastelId }) => pastelId);
export const PACK = 'a'.repeat(64);
export const DAY_MS = 86_400_000;
export const base64 = (text: string): string => Buffer.from(text).toString('base64');
export const txid = (n: number): string => n.toString(16).padStart(64, '0');

export const settings = {
  minimumCostTenths: 5,
  confirmationBlocks: 10,
  resultRetentionDays: 30,
  openQuotesPerPastelIdMax: 50,
  executionsMax: 2,
  executionSecondsMax: 600,
  executionAttemptsMax: 3,
  executionWaitSecondsMax: 1800,
  downloadDirectory: join(tmpdir(), `downloads-${process.pid}`),
  downloadBaseUrl: undefined,
  downloadReaders: [],
  outgoingPrivateAddresses: [],
  creditCostMultiplier: 0.002,
} satisfies InferenceSettings;
/** The menu that comes with the program. */
export const menuSettings: MenuSettings = {
  url: undefined,
  sha256: undefined,
  signer: undefined,
  refreshMs: 3_600_000,
  directory: join(tmpdir(), `menu-${process.pid}`),
  typesAsText: false,
};
/** The sandbox alone is set up. */
export const setUps = { options: new Map([['sandbox', true]]) };
const purchase = { targetUsdPerCredit: 0.01, targetProfitMargin: 0.15 } as never;

export const downloadsOf = (limits: InferenceSettings, clock: Clock, options: ReadonlyMap<string, unknown> = new Map()) =>
  new Downloads(limits, new DownloadReaders(limits, httpSettings, { options }), clock, new SystemEntropy());
export const providersOf = (limits: InferenceSettings, clock: Clock) =>
  new Providers(setUps, clock, downloadsOf(limits, clock), new Outgoing(limits), new Secrets([]));

export class CountingClock extends ManualClock {
  waits = 0;
  override wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms > 0) this.waits++;
    return super.wait(ms, signal);
  }
}

const worldEntities = [...entities, FakePack, FakeHold];

/** One node without HTTP: real services and tables, a ledger and neighbours that do as told. */
export class World {
  readonly clock = new CountingClock();
  readonly entropy = new SystemEntropy();
  readonly ledger: FakePackLedger;
  readonly messenger = new FakeMessenger();
  readonly repository: InferenceRepository;
  readonly copies: AnnouncedCopiesRepository;
  readonly health: ProviderHealth;
  readonly catalog: ModelCatalog;
  gate!: ProviderGate;
  redemptions!: RedemptionService;
  pricing!: PricingService;
  quotes!: QuoteService;
  sweeps!: InferenceSweeps;
  results!: ResultService;
  receiver!: AnnouncementReceiver;
  private constructor(
    readonly source: DataSource,
    readonly transactions: Transactions,
    private readonly limits: InferenceSettings,
  ) {
    this.ledger = new FakePackLedger(transactions);
    this.repository = new InferenceRepository(transactions);
    this.copies = new AnnouncedCopiesRepository(transactions);
    const providers = providersOf(limits, this.clock);
    this.health = new ProviderHealth(providers, this.clock, this.entropy);
    const menu = new ModelMenu(menuSettings, new Outgoing(limits), pooledChecking, this.clock, this.entropy);
    this.catalog = new ModelCatalog(providers, this.health, menu, this.clock, menuSettings);
    this.startNode();
  }
  /** A process on these books; again for a restart, or for a second one. */
  startNode(clock: Clock = this.clock): void {
    const chain = {
      height: async () => {
        if (this.ledger.isChainAway) throw new ChainUnavailable('getblockcount', 'away');
        return this.ledger.tip;
      },
    } as Chain;
    const { transactions, repository, limits, ledger } = this;
    const notes = new CreditNotesRepository(transactions);
    const funds = new RequestFunds(ledger, notes);
    this.redemptions = new RedemptionService(transactions, repository, notes, clock);
    const owed = new OwedAnnouncementsRepository(transactions);
    const messages = new InferenceMessages(chain, clock, this.entropy, node, limits);
    const freshness = new Freshness(chain, clock, { timestampSecondsMax: 200, blocksMax: 1 });
    const providers = providersOf(limits, clock);
    this.gate = new ProviderGate(providers, this.health, clock, limits);
    this.pricing = new PricingService(this.catalog, providers, this.gate, limits, purchase);
    this.quotes = new QuoteService(
      transactions,
      repository,
      freshness,
      this.pricing,
      new AdmissionService(ledger, repository, this.redemptions, limits),
      messages,
    );
    const runner = new ProviderRunner(providers, clock, limits);
    const attempts = new AttemptService(transactions, repository, funds, messages, clock, limits);

    const announcements = new AnnouncementService(owed, new FakeNetwork([node.pastelId, ...others]), this.messenger, node, {
      audience: 4,
    } as never);
    this.sweeps = new InferenceSweeps(
      new ConfirmationService(transactions, repository, funds, messages, chain, clock),
      new ExecutionService(repository, runner, attempts, this.gate, clock, this.entropy),
      announcements,
      this.catalog,
      new RetentionService(repository, owed, this.copies, downloadsOf(limits, clock), limits),
    );
    this.results = new ResultService(repository, this.copies, pooledChecking);
    this.receiver = new AnnouncementReceiver(new MessageHandlers(), this.copies, pooledChecking, clock);
  }
  /** Another node, on a database of its own. */
  static async elsewhere(): Promise<World> {
    const { source, transactions } = await openTestDatabase(testDatabases()[0]!, worldEntities);
    return World.on(source, transactions);
  }
  static async on(source: DataSource, transactions: Transactions, limits: Partial<InferenceSettings> = {}): Promise<World> {
    const world = new World(source, transactions, { ...settings, ...limits });
    await world.ledger.add({
      registrationTxid: PACK,
      requestHash: 'b'.repeat(64),
      purchaseBurnTxid: 'c'.repeat(64),
      trackingAddress: '44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7',
      ownerPastelId: user.pastelId,
      authorisedPastelIds: [user.pastelId],
      initialMillicredits: 100_000,
      height: 900,
    });
    return world;
  }
  request(
    changes: Partial<Record<keyof InferenceAPIUsageRequest, unknown>> = {},
    signing = user,
  ): Promise<InferenceAPIUsageRequest> {
    return seal(
      InferenceAPIUsageRequest,
      {
        inference_request_id: this.entropy.uuid(),
        requesting_pastelid: signing.pastelId,
        credit_pack_ticket_pastel_txid: PACK,
        requested_model_canonical_string: 'sandbox-echo',
        model_inference_type_string: 'text_completion',
        model_parameters_json_b64: base64('{}'),
        model_input_data_json_b64: base64('{"prompt": "Hello there"}'),
        inference_request_utc_iso_string: pythonTimestamp(this.clock.now()),
        inference_request_pastel_block_height: this.ledger.tip,
        status: 'initiating',
        inference_request_message_version_string: '1.0',
        ...changes,
      } as never,
      signing,
    );
  }
  async quote(changes: Parameters<World['request']>[0] = {}) {
    const request = await this.request(changes);
    return { request, response: await this.quotes.quote(request) };
  }
  with(parameters: object) {
    return this.quote({ model_parameters_json_b64: base64(JSON.stringify(parameters)) });
  }
  confirm(requestId: string, burn: string, caller = user): Promise<InferenceConfirmation> {
    const confirmation = Object.assign(new InferenceConfirmation(), {
      inference_request_id: requestId,
      requesting_pastelid: caller.pastelId,
      confirmation_transaction: { txid: burn },
    });
    return this.sweeps.confirmations.confirm(confirmation, caller.pastelId);
  }
  burn(n: number, burn: Partial<FakeBurn> = {}): string {
    this.ledger.burns.set(txid(n), { tenths: 12, owner: true, height: -1, ...burn });
    return txid(n);
  }
  /** Quoted and paid. */
  async paid(n: number, parameters: object = {}) {
    const quoted = await this.with(parameters);
    const tenths = quoted.response.request_confirmation_message_amount_in_patoshis;
    await this.confirm(quoted.request.inference_request_id, this.burn(n, { tenths }));
    return quoted;
  }
  async settle(): Promise<void> {
    await this.sweeps.sweep(this.clock.now());
    await this.sweeps.executions.idle();
    await this.sweeps.announcements.sweep(this.clock.now());
  }
  /** Until a running provider waits for the clock. */
  async waiting(waits: number): Promise<void> {
    for (let turn = 0; this.clock.waits < waits; turn++) {
      if (turn > 1000) throw new Error('nobody waits');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  async state(requestId: string): Promise<string> {
    return (await this.repository.job(requestId))!.state;
  }
  async creditNotes(pastelId: string): Promise<CreditNote[]> {
    return (await this.redemptions.balancesOf(pastelId)).map(({ note }) => note);
  }
  async balance() {
    return inTenths(await this.ledger.balanceOf(this.ledger.packs.get(PACK)!));
  }
  sentTo(type: string): string[] {
    return this.messenger.sent.filter((message) => message.type === type).map(({ pastelId }) => pastelId);
  }
}
export const decoded = (result: InferenceAPIOutputResult): unknown =>
  JSON.parse(Buffer.from(result.inference_result_json_base64, 'base64').toString());
export async function refused(work: Promise<unknown>, code: RefusalCode, text: string | RegExp): Promise<void> {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(Refusal);
  expect({ code: (error as Refusal).code, text: (error as Refusal).message }).toEqual({
    code,
    text: expect.stringMatching(text),
  });
}

/** A world for each test, on one database for all of them. */
export function useWorld(database: TestDatabase): {
  get world(): World;
  open(limits: Partial<InferenceSettings>): Promise<World>;
} {
  let base: { source: DataSource; transactions: Transactions };
  let world: World;
  const open = async (limits: Partial<InferenceSettings> = {}): Promise<World> => {
    for (const { tablePath } of base.source.entityMetadatas) await base.source.query(`DELETE FROM "${tablePath}"`);
    return (world = await World.on(base.source, base.transactions, limits));
  };
  beforeAll(async () => {
    base = await openTestDatabase(database, worldEntities);
  });
  beforeEach(async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await open();
  });
  afterEach(async () => {
    await world.sweeps.executions.beforeApplicationShutdown();
    jest.restoreAllMocks();
  });
  afterAll(() => base.source.destroy());
  return {
    get world() {
      return world;
    },
    open,
  };
}
