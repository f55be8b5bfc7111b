import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import {
  auditInference,
  balanceOf,
  fundTrackingAddress,
  packsOf,
  purchaseCreditPack,
  runInference,
  type UserSide,
} from '#client';
import { writeRows } from '../support/rows.js';
import { TestNetwork } from '../support/network.js';
import { expectSold, moneyOf } from '../support/purchase.js';

describe.each(['SQLite', 'PostgreSQL'] as const)('on %s', (database) => {
  let network: TestNetwork;
  let side: UserSide;
  const steps: string[] = [];

  beforeAll(async () => {
    network = await TestNetwork.start({ database });
    side = { ...network.side(await network.newSigning()), report: ({ step }) => void steps.push(step) };
  }, 60_000);
  afterAll(async () => {
    // For test/database, once a version is released.
    if (database === 'SQLite' && process.env['UPDATE_ROWS'] === '1')
      await writeRows(network.supernodes.map(({ app }) => app.get(DataSource)));
    await network.close();
  });

  test('a pack is bought, an inference is paid from it, run and audited', async () => {
    const tracking = await fundTrackingAddress(side, 1500);
    network.mine();
    const before = moneyOf(network);
    const pack = await network.until(purchaseCreditPack(side, { credits: 1500, trackingAddress: tracking.address }));
    expect(pack).toMatchObject({ credits: 1500, trackingAddress: tracking.address });
    expect(steps).toEqual(expect.arrayContaining(['offer', 'burn', 'confirmation', 'announcement', 'status', 'ticket']));
    const seller = network.supernodes.find(({ pastelId }) => pastelId === pack.sellerPastelId)!;
    await expectSold(network, before, [{ registrationTxid: pack.registrationTxid, payer: seller.user }]);
    expect(await packsOf(side)).toEqual([
      expect.objectContaining({ registrationTxid: pack.registrationTxid, trackingAddress: tracking.address }),
    ]);
    expect(await balanceOf(side, pack.registrationTxid)).toMatchObject({ balanceTenths: 15_000 });

    const wish = { packTxid: pack.registrationTxid, model: 'sandbox-echo', input: 'hello there' };
    const served = await network.until(runInference(side, wish));
    const audited = { response: served.response, result: served.result, servedBy: served.supernodePastelId };
    const audit = await network.until(auditInference(side, audited));
    expect(audit).toMatchObject({ agreeing: 4, differing: 0 });

    const burned = 15_000 - (await balanceOf(side, pack.registrationTxid)).balanceTenths;
    expect(burned).toBe(Math.round(served.response.proposed_cost_of_request_in_inference_credits.value * 10));
  }, 90_000);
});
