import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { auditInference, balanceOf, createPastelId, fundTrackingAddress, packsOf, purchaseCreditPack, runInference, type UserSide } from '#client';
import { networks, pooledChecking } from '#protocol';
import { SystemEntropy } from '#config';
import { TestNetwork } from '../support/network.js';

let network: TestNetwork;
let side: UserSide;

beforeAll(async () => {
  network = await TestNetwork.start();
  const { rpc: _rpc, ...user } = network.user;
  side = { ...user, clock: network.clock, signing: await network.newSigning(), checking: pooledChecking, entropy: new SystemEntropy(), burnAddress: networks.devnet.burnAddress, report: (p) => { console.log(p.step, p.text, p.waitsFor ?? ''); } };
}, 60_000);
afterAll(() => network.close());

test('a pack is bought, an inference is paid from it, run and audited', async () => {
  const tracking = await fundTrackingAddress(side, 1500);
  network.mine();
  const pack = await network.until(purchaseCreditPack(side, { credits: 1500, trackingAddress: tracking.address }));
  const packs = await packsOf(side);
  expect(packs).toHaveLength(1);
  const balance = await balanceOf(side, pack.registrationTxid);
  console.log(pack, balance);
  const served = await network.until(runInference(side, { packTxid: pack.registrationTxid, model: 'sandbox-echo', input: 'hello there' }));
  console.log(served);
  const audit = await network.until(auditInference(side, { response: served.response, result: served.result, servedBy: served.supernodePastelId }));
  console.log(JSON.stringify(audit, null, 1));
}, 60_000);
