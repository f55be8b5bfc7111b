import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Global, Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Chain } from '#chain';
import { FreshnessSettings, HttpSettings, SystemEntropy } from '#config';
import { DatabaseModule } from '#database';
import { createHttpApp, httpEntities, WireModule } from '#http';
import { Checking, Clock, Entropy, identityFromSeed, pooledChecking, writeJson, type Signing } from '#protocol';
import { leaksIn } from './canary.js';
import { ManualClock } from './manual-clock.js';

export const httpSettings: HttpSettings = {
  host: '127.0.0.1',
  port: 0,
  bodyBytesMax: 2 ** 16,
  connectionsMax: 2000,
  challengeSeconds: 300,
  challengesOpenMax: 100,
  challengesOpenPerPastelIdMax: 10,
  localhostOnlyDisabled: false,
  operatorToken: undefined,
  corsOrigins: ['*'],
  trustedProxies: [],
  requestsPerMinutePerIp: 1200,
  requestsPerMinutePerPastelId: 1200,
  dryRunsPerMinutePerIp: 60,
  limitLoopback: false,
  shutdownGraceMs: 5000,
};

export interface TestHttpApp {
  readonly app: NestExpressApplication;
  readonly url: string;
  readonly clock: ManualClock;
  close(): Promise<void>;
}

/** Controllers behind the whole HTTP ground, on a free port of this machine. */
export async function startHttpApp(options: {
  controllers?: Type[];
  imports?: DynamicModule[];
  /** What those modules need besides the ground. */
  provided?: Exclude<Provider, Type>[];
  /** What the controllers lean on beside the HTTP ground. */
  providers?: Provider[];
  settings?: Partial<HttpSettings>;
  databaseUrl?: string;
  height?: () => Promise<number>;
  host?: string;
}): Promise<TestHttpApp> {
  const settings = { ...httpSettings, ...options.settings };
  const clock = new ManualClock();
  const provided = [
    { provide: Clock, useValue: clock },
    { provide: Entropy, useClass: SystemEntropy },
    { provide: Checking, useValue: pooledChecking },
    { provide: HttpSettings, useValue: settings },
    { provide: FreshnessSettings, useValue: { timestampSecondsMax: 200, blocksMax: 1 } },
    { provide: Chain, useValue: { height: options.height ?? (async () => 1000) } },
    ...(options.provided ?? []),
  ];
  @Global()
  @Module({ providers: provided, exports: provided.map(({ provide }) => provide) })
  class Surroundings {}
  class Root {}
  const root: DynamicModule = {
    module: Root,
    imports: [
      Surroundings,
      DatabaseModule.of(options.databaseUrl ?? 'sqlite::memory:', httpEntities),
      WireModule,
      ...(options.imports ?? []),
    ],
    controllers: options.controllers ?? [],
    providers: options.providers ?? [],
  };
  const app = await createHttpApp(root, settings, false);
  const host = options.host ?? '127.0.0.1';
  await app.listen(0, host);
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { app, clock, url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, close: () => app.close() };
}

export const newIdentity = (): Signing => identityFromSeed(randomBytes(57));

export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into answers of every shape
  json(): any;
}

/** One request as it is, headers included (fetch forbids some). `body`: an object is printed with lexemes; text and chunks go as they are. */
export function send(
  method: string,
  url: string,
  body?: object | string | Iterable<Buffer>,
  headers: Record<string, string> = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const leaks = leaksIn(`${JSON.stringify(response.headers)}\n${text}`);
        if (leaks.length > 0) return reject(new Error(`The answer of ${method} ${url} holds a secret: ${leaks.join('\n')}`));
        resolve({ status: response.statusCode!, headers: response.headers, text, json: () => JSON.parse(text) });
      });
    });
    request.on('error', reject);
    if (body === undefined) request.end();
    else if (typeof body === 'string') request.end(body);
    else if (Symbol.iterator in body) {
      for (const chunk of body) request.write(chunk);
      request.end();
    } else request.end(writeJson(body));
  });
}

/** Asks for a challenge and answers it: the three fields that go beside a message. */
export async function provenBy(
  url: string,
  who: Signing,
): Promise<{ challenge: string; challenge_id: string; challenge_signature: string }> {
  const issued = (await send('GET', `${url}/request_challenge/${who.pastelId}`)).json() as {
    challenge: string;
    challenge_id: string;
  };
  return { ...issued, challenge_signature: await who.sign(issued.challenge) };
}
