import { afterEach, describe, expect, test } from '@jest/globals';
import { PATOSHIS_PER_PSL, PythonNumber, verifySync, writeJson } from '#protocol';
import { auditInference } from './audit-inference.js';
import { createPastelId } from './create-pastelid.js';
import { BURN, FakeChain, fakeUser, signer } from './fake-network.spec-suite.js';
import { silence, type FakeCall } from './fake-server.spec-suite.js';
import { fakeSupernode, type Lies, type WhatIsTold } from './fake-supernode.spec-suite.js';
import { fundTrackingAddress } from './fund-tracking-address.js';
import { purchaseCreditPack } from './purchase-credit-pack.js';
import type { PurchaseState } from './purchase-state.js';
import { runInference } from './run-inference.js';
import type { InferenceState } from './inference-state.js';
import { ClientError, memoryJournal, type Journal } from './side.js';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});
const failure = (call: Promise<unknown>): Promise<ClientError> =>
  call.then(
    () => new ClientError('bad-input', 'no failure'),
    (error: unknown) => error as ClientError,
  );

/** A user and three supernodes that sell and serve, each with its lies. The first of `nodes` is asked first. */
async function world(...lies: Lies[]) {
  const user = fakeUser();
  const chain = user.side.chain as FakeChain;
  const told: WhatIsTold = { offers: new Map(), confirmations: new Map() };
  const all = [10, 11, 12].map(signer);
  const nodes: Awaited<ReturnType<typeof fakeSupernode>>[] = [];
  // Which of them is closest to the user is a matter of their keys: lies go by that order.
  for (const own of all) user.network.urls.set(own.pastelId, '');
  const { closestTo } = await import('./choice.js');
  const order = (await closestTo(user.side, user.side.signing.pastelId)).map(({ pastelId }) => pastelId);
  for (const [at, pastelId] of order.entries()) {
    const own = all.find((signing) => signing.pastelId === pastelId)!;
    const node = await fakeSupernode(
      own,
      all.filter((peer) => peer !== own),
      user.ledger,
      chain,
      told,
      lies[at],
    );
    user.network.urls.set(pastelId, node.url);
    open.push(node.close);
    nodes.push(node);
  }
  const trackingAddress = (await fundTrackingAddress(user.side, 1500)).address;
  return { ...user, nodes, told: user.told, buy: { credits: 1500, trackingAddress } };
}
const TOTAL = 36_000 * PATOSHIS_PER_PSL + 777;
const wrong = { quote: () => ({ credit_usage_tracking_psl_address: BURN }) };

describe('a PastelID', () => {
  test('is made, paid for and waited for; a lost answer is not paid again', async () => {
    const { side, ledger, identity, told } = fakeUser();
    expect(await createPastelId(side, { passphrase: 'x' })).toEqual({
      pastelId: side.signing.pastelId,
      patoshis: 1000 * PATOSHIS_PER_PSL,
    });
    expect(told.map(({ step }) => step)).toEqual(['pastelid', 'registration', 'registered']);
    const other = fakeUser();
    other.ledger.losesAnswer = true;
    await createPastelId(other.side, { passphrase: 'x' });
    expect([identity.registrations.length, other.identity.registrations.length, ledger.burns.length]).toEqual([1, 1, 0]);
  });

  test('needs an address with 1000.1 PSL, which is filled', async () => {
    const { side, ledger, told } = fakeUser();
    ledger.balances.clear();
    ledger.balances.set('44a', 90_000_000).set('44b', 100_000_000).set('44c', 100_005_000);
    expect((await failure(createPastelId(side, { passphrase: 'x' }))).code).toBe('not-enough-coins');
    ledger.balances.set('44main', 300_000_000);
    ledger.balances.delete('44c');
    await createPastelId(side, { passphrase: 'x' });
    expect(told.at(-1)!.step).toBe('registered');
  });
});

describe('a purchase', () => {
  test('ends with a ticket on the chain, paid to the patoshi, and agreeing supernodes that know', async () => {
    const { side, ledger, nodes, told, buy } = await world();
    const pack = await purchaseCreditPack(side, buy);
    expect(pack).toMatchObject({
      credits: 1500,
      patoshis: TOTAL,
      patoshisPerCredit: 24 * PATOSHIS_PER_PSL,
      trackingAddress: buy.trackingAddress,
      sellerPastelId: nodes[0]!.pastelId,
    });
    expect(pack.registrationTxid).toBe(ledger.tickets[0]!.txid);
    expect(ledger.burns.map(({ outputs }) => outputs.find(({ address }) => address === BURN)!.patoshis)).toEqual([TOTAL]);
    expect(nodes.map(({ seen }) => [seen.requests.length, seen.confirmations.length, seen.announced])).toEqual([
      [1, 1, 0],
      [0, 0, 1],
      [0, 0, 1],
    ]);
    expect(writeJson(nodes[0]!.seen.requests[0]!.requested_initial_credits_in_credit_pack)).toBe('1500');
    expect(told.map(({ step }) => step)).toEqual([
      'tracking address',
      'supernodes',
      'quote',
      'offer',
      'burn',
      'confirmation',
      'announcement',
      'status',
      'ticket',
    ]);
    expect(told.find(({ step }) => step === 'burn')!.patoshis).toBe(TOTAL);
  });

  test.each<[string, Lies]>([
    ['rejects', { rejects: 'No credits today' }],
    ['quotes for another address', wrong],
    ['quotes another total', { quote: () => ({ preliminary_total_cost_of_credit_pack_in_psl: PythonNumber.float(36_100) }) }],
    ['offers another total', { offer: () => ({ proposed_total_cost_of_credit_pack_in_psl: PythonNumber.float(36_000.00778) }) }],
    ['offers another price', { offer: () => ({ psl_cost_per_credit: PythonNumber.float(24.1) }) }],
    ['offers for another address', { offer: () => ({ credit_usage_tracking_psl_address: BURN }) }],
    ['names a false merkle root', { offer: () => ({ best_block_merkle_root: 'ab'.repeat(32) }) }],
    ['counts itself', { offer: ({ responding_supernode_pastelid: own, list_of_potentially_agreeing_supernodes: ids }) => ({ list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms: [...ids, own] }) }],
    ['counts strangers', { offer: () => ({ list_of_potentially_agreeing_supernodes: [signer(77).pastelId], list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms: [signer(77).pastelId] }) }],
    ['has too few votes', { offer: ({ list_of_potentially_agreeing_supernodes: ids }) => ({ list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms: ids.slice(1) }) }],
    ['hides a signer', { offer: ({ list_of_potentially_agreeing_supernodes: ids }) => ({ list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms_selected_for_signature_inclusion: ids.slice(1) }) }],
    ['forges a vote', { offer: ({ selected_agreeing_supernodes_signatures_dict: table }) => ({ selected_agreeing_supernodes_signatures_dict: Object.fromEntries(Object.entries(table).map(([id, vote]) => [id, { ...vote, credit_pack_purchase_request_fields_json_b64_signature: vote['price_agreement_request_response_hash_signature']! }])) }) }],
  ])('goes to the next supernode where the first %s', async (_name, lie) => {
    const { side, ledger, nodes, told, buy } = await world(lie);
    expect((await purchaseCreditPack(side, buy)).sellerPastelId).toBe(nodes[1]!.pastelId);
    expect(ledger.burns).toHaveLength(1);
    expect(told.filter(({ step }) => step === 'refused')).toHaveLength(1);
  }); // prettier-ignore

  test('fails with every reason where nobody sells, and nothing is paid', async () => {
    const { side, ledger, buy } = await world({ rejects: 'too many' }, wrong, { rejects: 'closed' });
    const error = await failure(purchaseCreditPack(side, buy));
    expect([error.code, error.hint]).toEqual(['not-sold', 'Nothing was paid.']);
    for (const reason of ['too many', 'tracking address', 'closed']) expect(error.message).toContain(reason);
    expect(ledger.burns).toEqual([]);
  });

  test('keeps to the ceiling and to the means, and declines so that no offer stays open', async () => {
    const { side, ledger, nodes, buy } = await world();
    expect((await failure(purchaseCreditPack(side, { ...buy, patoshisPerCreditMax: 23 * PATOSHIS_PER_PSL }))).code).toBe(
      'too-expensive',
    );
    expect(nodes.map(({ seen }) => seen.declined)).toEqual([1, 1, 1]);
    ledger.balances.set('44main', TOTAL - PATOSHIS_PER_PSL * 100);
    expect((await failure(purchaseCreditPack(side, buy))).code).toBe('not-enough-coins');
    expect([ledger.burns.length, nodes[0]!.seen.declined]).toEqual([0, 2]);
  });

  test('that the wallet refuses in the end leaves nothing to take up', async () => {
    const { side, ledger, buy } = await world();
    const journal = memoryJournal<PurchaseState>();
    // Enough in sum, but no coin that is large enough for this wallet.
    ledger.balances.set('44main', TOTAL - 1).set('44more', TOTAL - 1);
    expect((await failure(purchaseCreditPack(side, { ...buy, journal }))).code).toBe('not-enough-coins');
    expect([ledger.burns.length, await journal.load()]).toEqual([0, undefined]);
  });

  test.each([1.5, 0, -1, Number.NaN])('of %p credits is none', async (credits) => {
    const { side, buy } = await world();
    expect((await failure(purchaseCreditPack(side, { ...buy, credits }))).code).toBe('bad-input');
  });

  test('sends the very same confirmation again after a dropped connection', async () => {
    const drop = ({ request }: FakeCall): typeof silence => {
      request.socket.destroy();
      return silence;
    };
    const { side, ledger, nodes, buy } = await world({
      confirmTrouble: [drop, drop, () => ({ status: 503, text: '{"detail":"busy"}' })],
    });
    await purchaseCreditPack(side, buy);
    expect(nodes[0]!.seen.confirmations).toHaveLength(4);
    expect(new Set(nodes[0]!.seen.confirmations).size).toBe(1);
    expect(ledger.burns).toHaveLength(1);
  });

  test('waits for a seller that is stopping and starts again', async () => {
    const stopping = () => ({ status: 503, text: '{"detail":"This supernode is stopping"}' });
    const { side, nodes, buy } = await world({ confirmTrouble: Array.from({ length: 8 }, () => stopping) });
    await purchaseCreditPack(side, buy);
    expect(nodes.map(({ seen }) => [seen.confirmations.length, seen.retries])).toEqual([
      [9, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  test('is taken up after a crash between burn and confirmation, without burning again', async () => {
    const { side, ledger, buy } = await world();
    const journal = memoryJournal<PurchaseState>();
    const crash = {
      load: journal.load,
      save: (step: `${string}: ${string}`, state: PurchaseState | undefined) =>
        state?.burnTxid === undefined ? journal.save(step, state) : Promise.reject(new Error('power cut')),
    };
    expect((await failure(purchaseCreditPack(side, { ...buy, journal: crash }))).message).toBe('power cut');
    expect((await journal.load())!.burnTxid).toBeUndefined();
    const never = () => Promise.reject(new Error('asked for another address'));
    const pack = await purchaseCreditPack(side, { credits: 99, trackingAddress: never, journal });
    expect([pack.credits, ledger.burns.length, await journal.load()]).toEqual([1500, 1, undefined]);
  });

  test('whose payment got no answer searches the chain for it', async () => {
    const { side, ledger, buy } = await world();
    ledger.losesAnswer = true;
    const pack = await purchaseCreditPack(side, buy);
    expect(ledger.burns.map(({ txid }) => txid)).toEqual([pack.burnTxid]);
  });

  test('that may or may not be paid is not paid again, until it is certain', async () => {
    const { side, ledger, buy } = await world();
    const journal = memoryJournal<PurchaseState>();
    ledger.losesCall = true;
    expect((await failure(purchaseCreditPack(side, { ...buy, journal }))).code).toBe('burn-uncertain');
    expect((await failure(purchaseCreditPack(side, { ...buy, journal }))).code).toBe('burn-uncertain');
    expect(ledger.burns).toEqual([]);
    ledger.mine(30);
    await purchaseCreditPack(side, { ...buy, journal });
    expect(ledger.burns).toHaveLength(1);
  });

  test('is stored by another supernode where the seller fails', async () => {
    const { side, ledger, nodes, buy } = await world({ confirmFails: 'The wallet of the supernode is empty' });
    const before = ledger.height;
    const pack = await purchaseCreditPack(side, buy);
    expect(pack.registrationTxid).toBe(ledger.tickets[0]!.txid);
    expect(nodes.map(({ seen }) => seen.retries)).toEqual([0, 1, 0]);
    expect(ledger.height - before).toBeGreaterThan(10);
  });

  test('whose burn the seller refuses ends there, and can be taken up', async () => {
    const { side, nodes, buy } = await world({
      confirmFails: 'Burn transaction not confirmed within the required number of blocks',
    });
    const journal = memoryJournal<PurchaseState>();
    const error = await failure(purchaseCreditPack(side, { ...buy, journal }));
    expect([error.code, nodes[1]!.seen.retries, (await journal.load())?.burnTxid]).toEqual([
      'not-completed',
      0,
      expect.any(String),
    ]);
  });
});

describe('an inference', () => {
  const wish = { model: 'sandbox', input: 'Why?', parameters: { temperature: 0.5 } };
  async function served(...lies: Lies[]) {
    const all = await world(...lies);
    const pack = await purchaseCreditPack(all.side, all.buy);
    return { ...all, wish: { ...wish, packTxid: pack.registrationTxid } };
  }

  test('is paid exactly, from and back to the tracking address, and verified', async () => {
    const { side, ledger, nodes, buy, wish: wanted } = await served();
    const outcome = await runInference(side, wanted);
    expect(outcome).toMatchObject({
      output: 'an answer that is long enough to be cut',
      costTenths: 20,
      supernodePastelId: nodes[0]!.pastelId,
    });
    const burn = ledger.transactions.get(outcome.burnTxid!)!;
    expect(burn.outputs.map(({ address }) => address)).toEqual([BURN, buy.trackingAddress]);
    expect(burn.outputs[0]!.patoshis).toBe(20);
    expect(nodes[0]!.seen.usageBurns).toEqual([outcome.burnTxid]);
    const { model_input_data_json_b64: input, model_parameters_json_b64: parameters, status } = nodes[0]!.seen.usage[0]!;
    expect([Buffer.from(input, 'base64').toString(), JSON.parse(Buffer.from(parameters, 'base64').toString()), status]).toEqual([
      'Why?',
      { temperature: 0.5 },
      'initiating',
    ]);
  });

  test('is fetched from a supernode that is stopping and starts again', async () => {
    const stopping = { status: 503, text: '{"detail":"This supernode is stopping"}' };
    const { side, wish: wanted } = await served({ resultTrouble: [stopping, stopping] });
    expect((await runInference(side, wanted)).output).toBe('an answer that is long enough to be cut');
  });

  test.each<[string, Lies]>([
    [
      'asks too much',
      {
        usage: () => ({
          proposed_cost_of_request_in_inference_credits: PythonNumber.float(2000),
          request_confirmation_message_amount_in_patoshis: 20_000,
        }),
      },
    ],
    ['wants another amount than the cost', { usage: () => ({ request_confirmation_message_amount_in_patoshis: 21 }) }],
    [
      'wants the change elsewhere',
      { usage: () => ({ credit_usage_tracking_psl_address: '44oTheSellersOwnAddressXXXXXXXXXXXXX' }) },
    ],
    ['leaves no time to pay', { usage: () => ({ max_block_height_to_include_confirmation_transaction: 1 }) }],
    ['answers another request', { usage: () => ({ inference_request_id: '6f1c1f0e-8c1b-4a53-9d55-0a5b1f1d2c3f' }) }],
  ])('is not paid to a supernode that %s', async (_name, lie) => {
    const { side, nodes, wish: wanted } = await served(lie);
    expect((await runInference(side, wanted)).supernodePastelId).toBe(nodes[1]!.pastelId);
    expect(nodes[0]!.seen.usageBurns).toEqual([]);
  });

  test.each([
    [{ model: 'other' }, 'not-run'],
    [{ inferenceType: 'embedding' }, 'not-run'],
    [{ parameters: { top: 1 } }, 'not-run'],
    [{ tenthsMax: 19 }, 'too-expensive'],
    [{ packTxid: 'ab'.repeat(32) }, 'no-such-pack'],
    [{ packTxid: 'pack' }, 'no-such-pack'],
  ])('with %j is not paid (%s)', async (change, code) => {
    const { side, ledger, wish: wanted } = await served();
    const error = await failure(runInference(side, { ...wanted, ...change }));
    expect(error.code).toBe(code);
    expect(ledger.burns).toHaveLength(1);
  });

  test('needs a PastelID that may spend the pack, and coins on its address', async () => {
    const { side, ledger, buy, wish: wanted } = await served();
    expect((await failure(runInference({ ...side, signing: signer(5) }, wanted))).code).toBe('not-authorised');
    ledger.balances.set(buy.trackingAddress, 900);
    const error = await failure(runInference(side, wanted));
    expect([error.code, error.message.includes(buy.trackingAddress), ledger.burns.length]).toEqual(['not-enough-coins', true, 1]);
  });

  test('whose result is of somebody else, or of another request, is not believed', async () => {
    const { side, wish: wanted } = await served({
      result: () => ({ inference_request_id: '6f1c1f0e-8c1b-4a53-9d55-0a5b1f1d2c3f' }),
    });
    expect((await failure(runInference(side, wanted))).name).toBe('SupernodeUntrustworthy');
  });

  test('that could not be served says so, and names the credit note', async () => {
    const { side, wish: wanted } = await served({
      output: { error: { code: 'provider_failed', message: 'no luck', credit_note_id: 'n' } },
    });
    expect((await runInference(side, wanted)).unserved).toEqual({
      code: 'provider_failed',
      message: 'no luck',
      creditNoteId: 'n',
    });
  });

  const dying = (journal: Journal<InferenceState>, at: string): Journal<InferenceState> => ({
    load: journal.load,
    save: (step, state) => (step.endsWith(at) ? Promise.reject(new Error('power cut')) : journal.save(step, state)),
  });

  test('is taken up after a crash between burn and confirmation: the same request, paid once', async () => {
    const { side, ledger, nodes, wish: wanted } = await served();
    const journal = memoryJournal<InferenceState>();
    const crashed = runInference(side, { ...wanted, journal: dying(journal, 'burn sent') });
    expect((await failure(crashed)).message).toBe('power cut');
    expect((await journal.load())!.burnTxid).toBeUndefined();
    const outcome = await runInference(side, { ...wanted, journal });
    expect(nodes[0]!.seen.usage.map(({ inference_request_id }) => inference_request_id)).toEqual([
      outcome.request.inference_request_id,
    ]);
    expect([ledger.burns.length, await journal.load()]).toEqual([2, undefined]);
  });

  test('that was never paid is not paid again until that is certain, and begins anew', async () => {
    const { side, ledger, wish: wanted } = await served();
    const journal = memoryJournal<InferenceState>();
    ledger.losesCall = true;
    expect((await failure(runInference(side, { ...wanted, journal }))).code).toBe('burn-uncertain');
    expect((await failure(runInference(side, { ...wanted, journal }))).code).toBe('burn-uncertain');
    expect(ledger.burns).toHaveLength(1);
    ledger.mine(30);
    await runInference(side, { ...wanted, journal });
    expect(ledger.burns).toHaveLength(2);
  });

  test('is forgotten by the journal only when its outcome is kept', async () => {
    const { side, ledger, wish: wanted } = await served();
    const journal = memoryJournal<InferenceState>();
    const keep = () => Promise.reject(new Error('power cut'));
    expect((await failure(runInference(side, { ...wanted, journal, keep }))).message).toBe('power cut');
    const kept: string[] = [];
    const outcome = await runInference(side, { ...wanted, journal, keep: async ({ burnTxid }) => void kept.push(burnTxid!) });
    expect([kept, ledger.burns.length, await journal.load()]).toEqual([[outcome.burnTxid], 2, undefined]);
  });

  test('whose burn got no answer is found by its tracking address', async () => {
    const { side, ledger, wish: wanted } = await served();
    ledger.losesAnswer = true;
    const outcome = await runInference(side, wanted);
    expect(ledger.burns.map(({ txid }) => txid)).toContain(outcome.burnTxid);
    expect(ledger.burns).toHaveLength(2);
  });

  test('is audited by the others: they agree, or are caught having been told something else', async () => {
    const { side, nodes, wish: wanted } = await served();
    const outcome = await runInference(side, wanted);
    const audit = await auditInference(side, { ...outcome, servedBy: outcome.supernodePastelId });
    expect([audit.agreeing, audit.differing, audit.auditors.map(({ url }) => url).sort()]).toEqual([
      2,
      0,
      nodes
        .slice(1)
        .map(({ url }) => url)
        .sort(),
    ]);
    const changed = Object.assign(Object.create(Object.getPrototypeOf(outcome.result) as object), outcome.result, {
      inference_result_json_base64: 'b3RoZXI=',
    }) as typeof outcome.result;
    const caught = await auditInference(side, { ...outcome, result: changed, servedBy: outcome.supernodePastelId });
    expect([caught.agreeing, caught.differing, caught.auditors[0]!.differences]).toEqual([
      0,
      2,
      ['inference_result_json_base64'],
    ]);
    await nodes[1]!.close();
    const partial = await auditInference(side, { ...outcome, servedBy: outcome.supernodePastelId, timeoutMs: 3_000 });
    expect(partial.auditors.map(({ result }) => result).sort()).toEqual(['agrees', 'does not know']);
  });
});

test('what the seller is told is signed by the buyer', async () => {
  const { side, nodes, buy } = await world();
  await purchaseCreditPack(side, buy);
  const request = nodes[0]!.seen.requests[0]!;
  expect(
    verifySync(
      side.signing.pastelId,
      request.sha3_256_hash_of_credit_pack_purchase_request_fields,
      request.requesting_end_user_pastelid_signature_on_request_hash,
    ),
  ).toBe(true);
});
