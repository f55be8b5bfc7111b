import { Global, Module, type DynamicModule, type LoggerService } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test, type TestingModule } from '@nestjs/testing';
import { Chain, SupernodeNetwork } from '#chain';
import { SystemEntropy, FreshnessSettings, HttpSettings, MessagingSettings, PeerSettings } from '#config';
import { DatabaseModule } from '#database';
import { configureHttp, httpEntities, WireAdapter, WireModule, wireOptions } from '#http';
import { Checking, Clock, Entropy, pooledChecking, Signing } from '#protocol';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { messagingEntities, MessagingModule } from '../src/index.js';
import type { FakeNode } from './fake-network.spec-suite.js';

@Global()
@Module({})
class Surroundings {
  static of(node: FakeNode, clock: Clock, messaging: MessagingSettings): DynamicModule {
    const providers = [
      { provide: Clock, useValue: clock },
      { provide: Entropy, useClass: SystemEntropy },
      { provide: Checking, useValue: pooledChecking },
      { provide: Signing, useValue: node.signing },
      { provide: SupernodeNetwork, useValue: node.network },
      { provide: MessagingSettings, useValue: messaging },
      { provide: PeerSettings, useValue: { apiPort: 7123, messagingTimeoutMs: 1000, concurrentRequestsMax: 8 } },
      { provide: FreshnessSettings, useValue: { timestampSecondsMax: 200, blocksMax: 1 } },
      { provide: Chain, useValue: {} },
      { provide: HttpSettings, useValue: http },
    ];
    return { module: Surroundings, providers, exports: providers.map(({ provide }) => provide) };
  }
}

const http: HttpSettings = {
  host: '127.0.0.1',
  port: 0,
  bodyBytesMax: 4 * 1024 * 1024,
  connectionsMax: 2000,
  challengeSeconds: 300,
  challengesOpenMax: 1000,
  challengesOpenPerPastelIdMax: 100,
  localhostOnlyDisabled: false,
  operatorToken: undefined,
  corsOrigins: [],
  trustedProxies: [],
  requestsPerMinutePerIp: 10_000,
  requestsPerMinutePerPastelId: 10_000,
  dryRunsPerMinutePerIp: 10_000,
  limitLoopback: false,
  shutdownGraceMs: 5000,
};

export interface Options {
  readonly url?: string;
  readonly clock?: Clock;
  readonly messaging?: Partial<MessagingSettings>;
}

/** The messaging of one node on a database of its own. */
export async function messagingOf(
  node: FakeNode,
  { url = 'sqlite::memory:', clock = new ManualClock(), messaging = {} }: Options = {},
): Promise<TestingModule> {
  const settings = { obsoleteAfterDays: 3, userMessagesKeptDays: 90, pollSeconds: 5, audience: 4, ...messaging };
  const module = await Test.createTestingModule({
    imports: [
      DatabaseModule.of(url, [...messagingEntities, ...httpEntities]),
      Surroundings.of(node, clock, settings),
      WireModule,
      MessagingModule,
    ],
  }).compile();
  return module.init();
}

/** The same, listening. */
export async function httpOf(
  node: FakeNode,
  options: Options = {},
): Promise<{ module: TestingModule; url: string; close(): Promise<void> }> {
  const module = await messagingOf(node, options);
  const app = configureHttp(module.createNestApplication<NestExpressApplication>(new WireAdapter(), wireOptions), http);
  await app.listen(0, '127.0.0.1');
  return { module, url: await app.getUrl(), close: () => app.close() };
}

/** What the node writes to its log: levels warn and above. */
export class LogLines implements LoggerService {
  readonly lines: string[] = [];
  log(): void {}
  warn(message: string): void {
    this.lines.push(message);
  }
  error(message: string): void {
    this.lines.push(message);
  }
}
