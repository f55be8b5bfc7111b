import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { PurchaseSettings } from '#config';
import { Clock } from '#protocol';
import { AskedMarketPrice, priceInJson, priceOnPage, type MarketPages } from './market-price.js';

Logger.overrideLogger(false);

/** Waiting passes at once. */
class QuickClock extends Clock {
  instant = Date.parse('2026-01-05T12:00:00Z');
  now(): Date {
    return new Date(this.instant);
  }
  async wait(ms: number): Promise<void> {
    this.instant += ms;
  }
}
const PAGE = (price: string) =>
  `<html><p>The live Pastel price today is $${price} USD with a 24-hour trading volume of $1 USD.</p></html>`;

let server: Server;
let pages: MarketPages;
let clock: QuickClock;
let asked: string[];
let answers: Record<string, [status: number, body: string]>;
beforeEach(async () => {
  asked = [];
  answers = {};
  clock = new QuickClock();
  server = createServer((request, response) => {
    asked.push(request.url!);
    const [status, body] = answers[request.url!] ?? [500, 'no'];
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  pages = { coinMarketCap: `${url}/page`, coinGecko: `${url}/json` };
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});
const market = (fixedUsdPerPsl?: number) =>
  new AskedMarketPrice({ fixedUsdPerPsl, priceMaxAgeMs: 300_000 } as PurchaseSettings, clock, pages);

test('the mean of both pages, asked once for all who ask together, and kept', async () => {
  answers = { '/page': [200, PAGE('0.0004')], '/json': [200, '{"pastel":{"usd":0.0006}}'] };
  const prices = market();
  expect(await Promise.all([prices.usdPerPsl(), prices.usdPerPsl()])).toEqual([0.0005, 0.0005]);
  clock.instant += 299_000;
  expect(await prices.usdPerPsl()).toBe(0.0005);
  expect(asked.sort()).toEqual(['/json', '/page']);
  answers = { '/json': [200, '{"pastel":{"usd":2.01e-05}}'] };
  clock.instant += 2000;
  expect(await prices.usdPerPsl()).toBe(0.0000201);
});

test('one page is enough, whatever the other one says', async () => {
  for (const nonsense of ['', 'null', '[]', '{"pastel":{"usd":"0.0005"}}', '{"pastel":{"usd":1}}', '{"pastel":null}', '<html>']) {
    answers = { '/page': [200, PAGE('0.0004')], '/json': [200, nonsense] };
    expect(await market().usdPerPsl()).toBe(0.0004);
  }
  answers = { '/page': [403, PAGE('0.0004')], '/json': [200, '{"pastel":{"usd":0.0006}}'] };
  expect(await market().usdPerPsl()).toBe(0.0006);
});

test('the last price stands in for some hours; without one nothing is sold', async () => {
  await expect(market().usdPerPsl()).rejects.toThrow('not known at the moment');
  expect(asked).toHaveLength(4);
  answers = { '/json': [200, '{"pastel":{"usd":0.0006}}'] };
  const prices = market();
  await prices.usdPerPsl();
  answers = {};
  clock.instant += 3_600_000;
  expect(await prices.usdPerPsl()).toBe(0.0006);
  const calls = asked.length;
  expect(await prices.usdPerPsl()).toBe(0.0006);
  expect(asked).toHaveLength(calls);
  clock.instant += 6 * 3_600_000;
  await expect(prices.usdPerPsl()).rejects.toThrow('not known at the moment');
});

test('a fixed price asks nobody', async () => {
  expect(await market(0.0005).usdPerPsl()).toBe(0.0005);
  expect(asked).toEqual([]);
});

test('only what a PSL can cost is a price', () => {
  expect(priceOnPage(PAGE('0.02'))).toBeUndefined();
  expect(priceOnPage(PAGE('0.0199'))).toBe(0.0199);
  expect(priceOnPage(PAGE('0.0000001'))).toBeUndefined();
  expect(priceOnPage(PAGE('0.0.1'))).toBeUndefined();
  expect(priceOnPage('nothing')).toBeUndefined();
  expect(priceInJson('{"pastel":{"usd":0.0000002}}')).toBe(0.0000002);
  expect(priceInJson('{"pastel":{"usd":-1}}')).toBeUndefined();
});
