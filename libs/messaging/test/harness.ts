import { randomUUID } from 'node:crypto';
import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import pg from 'pg';
import { SupernodeNetwork } from '#chain';
import { FreshnessSettings, HttpSettings, MessagingSettings, PeerSettings } from '#config';
import { DatabaseModule } from '#database';
import { Checking, Clock, Entropy, pooledChecking, Signing } from '#protocol';
import { messagingEntities, MessagingModule } from '../src/index.js';
import type { FakeNode } from './fake-network.js';

export class HandClock extends Clock {
  constructor(public time = new Date('2024-06-01T12:00:00.000Z')) {
    super();
  }
  override now(): Date {
    return new Date(this.time);
  }
  override async wait(): Promise<void> {}
  forward(ms: number): void {
    this.time = new Date(this.time.getTime() + ms);
  }
}

class RandomEntropy extends Entropy {
  override uuid(): string {
    return randomUUID();
  }
  override below(limit: number): number {
    return Math.floor(Math.random() * limit);
  }
}

@Global()
@Module({})
class Surroundings {
  static of(node: FakeNode, clock: Clock, checking: Checking): DynamicModule {
    const providers = [
      { provide: Clock, useValue: clock },
      { provide: Entropy, useClass: RandomEntropy },
      { provide: Checking, useValue: checking },
      { provide: Signing, useValue: node.signing },
      { provide: SupernodeNetwork, useValue: node.network },
      { provide: MessagingSettings, useValue: { obsoleteAfterDays: 3, pollSeconds: 5, audience: 4 } },
      { provide: PeerSettings, useValue: { apiPort: 7123, messagingTimeoutMs: 1000, concurrentRequestsMax: 8 } },
      { provide: FreshnessSettings, useValue: { timestampSecondsMax: 200, blocksMax: 1 } },
      {
        provide: HttpSettings,
        useValue: {
          localhostOnlyDisabled: false,
          trustedProxies: [],
          challengeSeconds: 300,
          challengesOpenMax: 1000,
          challengesOpenPerPastelIdMax: 100,
          requestsPerMinutePerIp: 1000,
        },
      },
    ];
    return { module: Surroundings, providers, exports: providers.map(({ provide }) => provide) };
  }
}

/** The messaging of one node on a database of its own. */
export function messagingOf(
  node: FakeNode,
  options: { url?: string; clock?: Clock; checking?: Checking; imports?: DynamicModule[] } = {},
): Promise<TestingModule> {
  const { url = 'sqlite::memory:', clock = new HandClock(), checking = pooledChecking, imports = [] } = options;
  return Test.createTestingModule({
    imports: [DatabaseModule.of(url, messagingEntities), Surroundings.of(node, clock, checking), ...imports, MessagingModule],
  }).compile();
}

export type Database = 'sqlite' | 'postgres';
/** The address of an empty database. */
export async function emptyDatabase(which: Database): Promise<string> {
  if (which === 'sqlite') return 'sqlite::memory:';
  const server = process.env['TEST_POSTGRES_URL']!;
  const name = `messaging_${randomUUID().replaceAll('-', '')}`;
  const client = new pg.Client(`${server}/postgres`);
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  return `${server}/${name}`;
}
