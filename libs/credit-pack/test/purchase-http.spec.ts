import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { HttpSettings } from '#config';
import { Transactions } from '#database';
import { configureHttp, WireAdapter, wireOptions } from '#http';
import {
  CreditPackPurchasePriceAgreementRequest,
  CreditPackPurchaseRequestPreliminaryPriceQuote,
  CreditPackPurchaseRequestRejection,
  CreditPackRequestStatusCheck,
  declarationOf,
  faultsOf,
  pooledChecking,
  pythonTimestamp,
  readJson,
  received,
  requestFieldsBase64,
  pslFloat,
  seal,
  type JsonObject,
  type Signing,
} from '#protocol';
import { testDatabases } from '../../../test/support/databases.js';
import { provenBy, send } from '../../../test/support/http-app.js';
import { RefusedRequest } from '../src/purchase/purchase.entity.js';
import { TestMarket } from './harness.js';

Logger.overrideLogger(false);
jest.setTimeout(60_000);

let market: TestMarket;
let app: NestExpressApplication;
let url: string;
beforeAll(async () => {
  market = await TestMarket.open({ url: () => testDatabases()[0]!.url(), supernodes: 3 });
  app = market.seller.module.createNestApplication<NestExpressApplication>(new WireAdapter(), wireOptions);
  configureHttp(app, market.seller.get(HttpSettings));
  await app.listen(0, '127.0.0.1');
  url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
});
afterAll(async () => {
  await app.close();
  await market.close();
});

const post = async (path: string, key: string, message: object, who: Signing = market.buyer) =>
  send('POST', `${url}/${path}`, { [key]: message, ...(await provenBy(url, who)) });
const ask = (request: object, who?: Signing) => post('credit_purchase_initial_request', 'credit_pack_request', request, who);

test('a quote has its declared fields and no others', async () => {
  const reply = await ask(await market.request());
  expect(reply.status).toBe(200);
  const names = declarationOf(CreditPackPurchaseRequestPreliminaryPriceQuote).fields.map(({ name }) => name);
  expect(Object.keys(reply.json() as object)).toEqual(names);
  expect(reply.text).toMatch(/"preliminary_quoted_price_per_credit_in_psl":23\.5[,}]/);
});

test('a wrong hash or signature gets a signed rejection, which is kept; a wrong shape is told', async () => {
  const request = await market.request();
  const hash = 'sha3_256_hash_of_credit_pack_purchase_request_fields';
  const forged = { ...request, [hash]: 'ab'.repeat(32) };
  const reply = await ask(forged);
  expect(reply.status).toBe(200);
  const rejection = received(CreditPackPurchaseRequestRejection, readJson(reply.text) as JsonObject);
  expect(await faultsOf(rejection, pooledChecking)).toEqual([]);
  expect(rejection.rejection_reason_string).toContain('does not match the computed hash');
  const reader = market.seller.get(Transactions).reader;
  const rejectionHash = rejection.sha3_256_hash_of_credit_pack_purchase_request_rejection_fields;
  expect(await reader.findOneBy(RefusedRequest, { rejectionHash })).not.toBeNull();
  // The claimed hash is not taken by it.
  expect((await ask(request)).text).toContain('preliminary_quoted_price_per_credit_in_psl');

  const { credit_usage_tracking_psl_address: _, ...incomplete } = request;
  const refused = await ask(incomplete);
  expect(refused.status).toBe(422);
  expect(refused.text).toContain('credit_usage_tracking_psl_address');
  expect((await ask(request, market.other)).status).toBe(401);
});

test('a vote is not for users, and a purchase that nobody knows is not found', async () => {
  const request = await market.request();
  const question = await seal(
    CreditPackPurchasePriceAgreementRequest,
    {
      id: '6f0cfa1e-6f6a-4b3c-9d7b-0d4b2f1f6a11',
      sha3_256_hash_of_credit_pack_purchase_request_response_fields: 'ab'.repeat(32),
      supernode_requesting_price_agreement_pastelid: market.buyer.pastelId,
      credit_pack_purchase_request_fields_json_b64: requestFieldsBase64(request),
      credit_usage_tracking_psl_address: request.credit_usage_tracking_psl_address,
      proposed_psl_price_per_credit: pslFloat(2_350_000),
      price_agreement_request_timestamp_utc_iso_string: pythonTimestamp(market.clock.now()),
      price_agreement_request_pastel_block_height: market.height,
      price_agreement_request_message_version_string: '1.0',
    },
    market.buyer,
  );
  const line = 'credit_pack_price_agreement_request';
  expect((await post(line, line, question)).status).toBe(403);
  const check = await seal(
    CreditPackRequestStatusCheck,
    {
      sha3_256_hash_of_credit_pack_purchase_request_fields: 'cd'.repeat(32),
      requesting_end_user_pastelid: market.buyer.pastelId,
    },
    market.buyer,
  );
  expect((await post('check_status_of_credit_purchase_request', 'credit_pack_request_status_check', check)).status).toBe(404);
});
