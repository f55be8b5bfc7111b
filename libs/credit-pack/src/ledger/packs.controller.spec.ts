import type { AddressInfo } from 'node:net';
import { Global, Module } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Chain } from '#chain';
import {
  Environment,
  FreshnessSettings,
  HttpSettings,
  NetworkSettings,
  PurchaseSettings,
  readSettings,
  SystemEntropy,
} from '#config';
import { DatabaseModule } from '#database';
import { createHttpApp, httpEntities, WireModule } from '#http';
import { Checking, Clock, Entropy, pooledChecking, type Signing } from '#protocol';
import { httpSettings, newIdentity, provenBy, send } from '../../../../test/support/http-app.js';
import { ManualClock } from '../../../../test/support/manual-clock.js';
import { MarketPrice } from '../market/market-price.js';
import { AgreedPrices } from './agreed-prices.js';
import { ledgerControllers, ledgerEntities, ledgerProviders } from './ledger.js';
import { BURN, FakeChain, register, registerSupernodes, saleOf, user, type Sale } from './pack-ledger.spec-suite.js';

const chain = new FakeChain();
registerSupernodes(chain);
const settings = readSettings(new Environment({ NETWORK: 'devnet', RPC_PORT: '29932' }));
const http = { ...httpSettings, operatorToken: 'a token of the operator' };
const provided = [
  { provide: Clock, useClass: ManualClock },
  { provide: Entropy, useClass: SystemEntropy },
  { provide: Checking, useValue: pooledChecking },
  { provide: HttpSettings, useValue: http },
  { provide: FreshnessSettings, useValue: settings.freshness },
  { provide: NetworkSettings, useValue: settings.network },
  { provide: PurchaseSettings, useValue: { ...settings.purchase, ticketScanHeight: 1000 } },
  { provide: MarketPrice, useValue: { usdPerPsl: async () => 0.0005 } },
  { provide: AgreedPrices, useValue: { brokenBy: async () => undefined } },
  { provide: Chain, useValue: chain },
];
@Global()
@Module({ providers: provided, exports: provided.map(({ provide }) => provide) })
class Surroundings {}
@Module({
  imports: [Surroundings, DatabaseModule.of('sqlite::memory:', [...httpEntities, ...ledgerEntities]), WireModule],
  controllers: ledgerControllers,
  providers: ledgerProviders,
})
class Root {}

describe('the endpoints of packs', () => {
  let app: NestExpressApplication;
  let url: string;
  let sale: Sale;
  let ticket: string;
  beforeAll(async () => {
    sale = await saleOf(chain);
    chain.mine();
    ticket = register(chain, sale);
    chain.mine();
    app = await createHttpApp({ module: Root }, http, false);
    await app.listen(0, '127.0.0.1');
    url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  });
  afterAll(() => app.close());

  const post = async (path: string, who: Signing, fields: object) =>
    send('POST', `${url}/${path}`, { ...(await provenBy(url, who)), ...fields });

  test('the list of packs', async () => {
    const reply = await post('get_valid_credit_pack_tickets_for_pastelid', user, { pastelid: user.pastelId });
    expect(reply.status).toBe(200);
    expect(reply.json()).toHaveLength(1);
    expect(reply.text).toContain('"psl_cost_per_credit":20.0,"requested_initial_credits_in_credit_pack":1500,');
    expect(reply.text).toContain('"credit_pack_current_credit_balance":1500,');
    const other = newIdentity();
    expect((await post('get_valid_credit_pack_tickets_for_pastelid', other, { pastelid: other.pastelId })).text).toBe('[]');
    expect((await post('get_valid_credit_pack_tickets_for_pastelid', other, { pastelid: user.pastelId })).status).toBe(401);
  });

  test('the balance, for those who may spend it', async () => {
    const first = await post('check_credit_pack_balance', user, { credit_pack_ticket_txid: ticket });
    expect(first.text).toBe('{"current_credit_balance":1500,"number_of_confirmation_transactions":0}');
    chain.send({ from: sale.trackingAddress, to: [[BURN, 10]] });
    const second = await post('check_credit_pack_balance', user, { credit_pack_ticket_txid: ticket });
    expect(second.text).toBe('{"current_credit_balance":1499.0,"number_of_confirmation_transactions":1}');
    expect((await post('check_credit_pack_balance', newIdentity(), { credit_pack_ticket_txid: ticket })).status).toBe(403);
    expect((await post('check_credit_pack_balance', user, { credit_pack_ticket_txid: 'ab'.repeat(32) })).status).toBe(404);
    const missing = await post('check_credit_pack_balance', user, {});
    expect([missing.status, missing.json().detail[0].loc]).toEqual([422, ['body', 'credit_pack_ticket_txid']]);
    expect((await post('check_credit_pack_balance', user, { credit_pack_ticket_txid: 7 })).status).toBe(422);
  });

  test('the messages of a ticket', async () => {
    const fields = { purchase_burn_txid: sale.burnTxid };
    const messages = (await post('retrieve_credit_pack_ticket_from_purchase_burn_txid', user, fields)).json();
    expect(Object.keys(messages)).toEqual([
      'credit_pack_purchase_request',
      'credit_pack_purchase_request_response',
      'credit_pack_purchase_request_confirmation',
    ]);
    const final = await post('get_final_credit_pack_registration_txid_from_credit_purchase_burn_txid', user, fields);
    expect(final.text).toBe(`{"final_credit_pack_registration_txid":"${ticket}"}`);
    const unknown = await post('retrieve_credit_pack_ticket_from_purchase_burn_txid', user, { purchase_burn_txid: ticket });
    expect([unknown.status, unknown.json()]).toEqual([404, { detail: 'Credit pack ticket not found' }]);

    const query = async (txid: string) =>
      new URLSearchParams({ txid, pastelid: user.pastelId, ...(await provenBy(url, user)) }).toString();
    const both = await send('GET', `${url}/get_credit_pack_ticket_from_txid?${await query(ticket)}`);
    expect(Object.keys(both.json())).toEqual([
      'credit_pack_purchase_request_response',
      'credit_pack_purchase_request_confirmation',
    ]);
    expect(both.text).toContain('"psl_cost_per_credit":20.0,');
    const none = await send('GET', `${url}/get_credit_pack_ticket_from_txid?${await query('nothing')}`);
    expect([none.status, none.json()]).toEqual([
      404,
      { detail: 'Credit pack ticket with TXID nothing not found or was invalid!' },
    ]);
  });

  test('the known bad table, for the operator', async () => {
    expect((await send('POST', `${url}/clear_out_known_bad_credit_pack_table`)).status).toBe(401);
    const authorization = `Basic ${Buffer.from('anybody:a token of the operator').toString('base64')}`;
    const cleared = await send('POST', `${url}/clear_out_known_bad_credit_pack_table`, undefined, { authorization });
    expect(cleared.json()).toEqual({ message: 'Successfully cleared all credit packs from the known bad table.' });
  });

  test('an unreachable node is a 503, never a guess', async () => {
    const proof = await provenBy(url, user);
    chain.isDown = true;
    const reply = await send('POST', `${url}/check_credit_pack_balance`, { ...proof, credit_pack_ticket_txid: ticket });
    chain.isDown = false;
    expect(reply.status).toBe(503);
  });
});
