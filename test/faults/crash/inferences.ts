import assert from 'node:assert/strict';
import {
  memoryJournal,
  rateInference,
  runInference,
  SupernodeClient,
  SupernodeRefused,
  type InferenceOutcome,
  type InferenceState,
} from '#client';
import {
  encodeBase64,
  exchanges,
  InferenceAPIUsageRequest,
  pooledChecking,
  pythonTimestamp,
  seal,
  type InferenceAPIUsageResponse,
} from '#protocol';
import { provenBy, send } from '../../support/http-app.js';
import { first } from '../../support/network.js';
import { again, answered, bought, insisted, now, type Bought, type Story } from './story.js';
import type { World } from './world.js';

/** A pack that the stories of a world spend from. */
const packs = new WeakMap<World, Promise<Bought>>();
const spending = (world: World, chance: () => number): Promise<Bought> => {
  const known = packs.get(world) ?? bought(world, world.signing(chance), 50_000, world.network.supernodes[0]!.pastelId);
  packs.set(world, known);
  return known;
};

type Burned = InferenceOutcome & { readonly burnTxid: string };
export async function served(
  world: World,
  { side, pack }: Bought,
  parameters: Readonly<Record<string, unknown>>,
  supernode = world.patient.pastelId,
  input = 'Hello there',
): Promise<Burned> {
  const journal = memoryJournal<InferenceState>();
  const outcome = await again(world, () =>
    runInference(side, {
      packTxid: pack.registrationTxid,
      model: 'sandbox-echo',
      input,
      parameters,
      tieBreak: first(supernode),
      journal,
    }),
  );
  assert.ok(outcome.burnTxid !== undefined, 'it was paid by a burn');
  return { ...outcome, burnTxid: outcome.burnTxid };
}

interface Job {
  readonly inference_request_id: string;
  readonly state: string;
  readonly burn_txid: string | null;
  readonly cost_tenths: number | string;
}
const jobsOf = (world: World): Promise<Job[]> =>
  world.rows('inference_requests', 'inference_request_id', 'state', 'burn_txid', 'cost_tenths');

/** The request ended so, at the patient or where it went instead, and was charged what was quoted. */
async function expectEnding(world: World, { request, burnTxid, costTenths, ...rest }: Burned, state: string): Promise<void> {
  if (rest.supernodePastelId !== world.patient.pastelId) return;
  const job = (await jobsOf(world)).find(({ inference_request_id: id }) => id === request.inference_request_id);
  assert.deepEqual([job?.state, job?.burn_txid, Number(job?.cost_tenths)], [state, burnTxid, costTenths]);
}

const infer =
  (parametersFor: (chance: () => number) => Readonly<Record<string, unknown>>, isServed: boolean): Story =>
  async (world, chance) => {
    const spender = await spending(world, chance);
    const before = await now(world);
    const outcome = await served(world, spender, parametersFor(chance));
    await world.settle();
    assert.deepEqual(await world.burnsSince(before.height), [outcome.burnTxid], 'burned once');
    assert.equal(outcome.unserved === undefined, isServed, outcome.unserved?.message);
    await expectEnding(world, outcome, isServed ? 'COMPLETED' : 'FAILED');
  };

/** The patient keeps copies of what another supernode answered, and takes a rating of it. */
const inferElsewhere: Story = async (world, chance) => {
  const spender = await spending(world, chance);
  const other = world.network.supernodes[1]!.pastelId;
  const { result, supernodePastelId: servedBy } = await served(world, spender, {}, other);
  // The other one announces, the patient takes it in and hands it out.
  await world.rounds(4);
  await world.settle();
  await again(world, () => rateInference(spender.side, { result, servedBy, score: 4 }));
  const copies = await world.rows<{ inference_response_id: string }>('inference_announced_copies', 'inference_response_id');
  const own = copies.filter(({ inference_response_id: id }) => id === result.inference_response_id);
  assert.equal(own.length, 2, 'copies of response and result');
};

export interface Quoted {
  readonly id: string;
  readonly response: InferenceAPIUsageResponse;
  readonly tenths: number;
  readonly client: SupernodeClient;
  /** Once; as it comes. */
  name(txid: string): Promise<void>;
  confirm(txid: string): Promise<'good' | 'refused'>;
  burn(patoshis: number): Promise<string>;
}
/** A quote of a supernode, without anybody who pays it. */
export async function quotedAt(
  world: World,
  { url, pastelId }: { readonly url: string; readonly pastelId: string },
  { side, pack }: Bought,
  parameters = '{}',
): Promise<Quoted> {
  const client = new SupernodeClient({ url, signing: side.signing, checking: pooledChecking });
  const response = await again(world, async () => {
    await world.advance(1_000);
    const request = await seal(
      InferenceAPIUsageRequest,
      {
        inference_request_id: side.entropy.uuid(),
        requesting_pastelid: side.signing.pastelId,
        credit_pack_ticket_pastel_txid: pack.registrationTxid,
        requested_model_canonical_string: 'sandbox-echo',
        model_inference_type_string: 'text_completion',
        model_parameters_json_b64: encodeBase64(parameters),
        model_input_data_json_b64: encodeBase64('Hello there'),
        inference_request_utc_iso_string: pythonTimestamp(world.clock.now()),
        inference_request_pastel_block_height: world.height,
        status: 'initiating',
        inference_request_message_version_string: '1.0',
      },
      side.signing,
    );
    return client.exchange(exchanges.usageRequest, request, { expectedSigner: pastelId });
  });
  const id = response.inference_request_id;
  const name = (txid: string): Promise<void> =>
    client.confirmInference({
      inference_request_id: id,
      requesting_pastelid: side.signing.pastelId,
      confirmation_transaction: { txid },
    });
  const confirm = (txid: string): Promise<'good' | 'refused'> =>
    again(world, async () => {
      try {
        await name(txid);
        return 'good';
      } catch (error) {
        if (error instanceof SupernodeRefused && error.status === 409) return 'refused';
        throw error;
      }
    });
  const burn = (patoshis: number): Promise<string> =>
    side.wallet.sendMany(new Map([[world.burnAddress, patoshis]]), pack.trackingAddress);
  return { id, response, tenths: response.request_confirmation_message_amount_in_patoshis, client, name, confirm, burn };
}
const quoted = async (world: World, chance: () => number): Promise<Quoted> =>
  quotedAt(world, world.patient, await spending(world, chance));
async function expectState(world: World, { id }: Quoted, state: string): Promise<void> {
  await world.settle();
  assert.equal((await jobsOf(world)).find(({ inference_request_id }) => inference_request_id === id)?.state, state);
}

const quoteExpires: Story = async (world, chance) => {
  const quote = await quoted(world, chance);
  const before = await now(world);
  await world.mine(60);
  await world.sweep();
  await expectState(world, quote, 'EXPIRED');
  assert.deepEqual(await world.burnsSince(before.height), []);
};
const burnTooLarge: Story = async (world, chance) => {
  const quote = await quoted(world, chance);
  const txid = await quote.burn(quote.tenths + 7);
  await world.mine();
  assert.equal(await quote.confirm(txid), 'refused');
  await expectState(world, quote, 'REFUSED');
};
/** A burn of somebody else is named, or one that is nowhere, then the right one. */
const namedWrong =
  (isKnown: boolean): Story =>
  async (world, chance) => {
    const quote = await quoted(world, chance);
    const { user } = world.network;
    const wrong = isKnown ? await user.wallet.sendToAddress(world.burnAddress, quote.tenths) : 'ab'.repeat(32);
    await world.mine();
    assert.equal(await quote.confirm(wrong), isKnown ? 'refused' : 'good');
    await world.sweep();
    await world.advance(5_000);
    await world.sweep();
    const right = await quote.burn(quote.tenths);
    await world.mine();
    assert.equal(await quote.confirm(right), 'good');
    await expectState(world, quote, 'COMPLETED');
  };
const handedIn: Story = async (world, chance) => {
  const quote = await quoted(world, chance);
  const txid = await quote.burn(quote.tenths);
  await world.mine();
  // No clock moves: the patient is not to run it by itself.
  await insisted(world, () => quote.name(txid));
  const { inference_response_id } = quote.response;
  const result = { inference_request_id: quote.id, inference_response_id, output_results: { output_text: 'Hello' } };
  const reply = await answered(world, () => send('POST', `${world.patient.url}/send_inference_output_results`, result));
  // Told of it a second time after a crash, it may be done already.
  assert.ok([200, 409].includes(reply.status), reply.text);
  await expectState(world, quote, 'COMPLETED');
};
/** What was paid and not served pays for a later request. */
const paidByNote: Story = async (world, chance) => {
  const spender = await spending(world, chance);
  let noteId: string | undefined;
  for (let tries = 0; tries < 5 && noteId === undefined; tries++) {
    const { supernodePastelId, unserved } = await served(world, spender, { sandbox_failure: 'refused' });
    if (supernodePastelId === world.patient.pastelId) noteId = unserved?.creditNoteId;
  }
  assert.ok(noteId !== undefined, 'a credit note is owed');
  const before = await now(world);
  const quote = await quotedAt(world, world.patient, spender, JSON.stringify({ credit_note_id: noteId }));
  const reply = await answered(world, async () => {
    const proof = await provenBy(world.patient.url, spender.side.signing);
    return send('POST', `${world.patient.url}/redeem_credit_note`, { inference_request_id: quote.id, ...proof });
  });
  assert.equal(reply.status, 200, reply.text);
  await expectState(world, quote, 'COMPLETED');
  assert.deepEqual(await world.burnsSince(before.height), [], 'nothing is burned');
};
/** A burn that nobody named is dropped from the mempool after the patient saw it. */
const burnVanishes: Story = async (world, chance) => {
  const quote = await quoted(world, chance);
  const txid = await quote.burn(quote.tenths);
  const { pack } = await spending(world, chance);
  // Looking at the balance is looking at the mempool.
  await insisted(world, () => quote.client.balance(pack.registrationTxid));
  assert.ok(world.network.devnet.controls.dropTransaction(txid));
  for (let block = 0; block < 12; block++) {
    await world.mine();
    await world.sweep();
  }
  await world.mine(60);
  await expectState(world, quote, 'EXPIRED');
};

export const inferences: Readonly<Record<string, Story>> = {
  infer: infer((chance) => ({ number_of_tokens_to_generate: 100 + Math.floor(chance() * 900) }), true),
  inferAgain: infer(() => ({ sandbox_failure: 'unavailable_once' }), true),
  inferInVain: infer((chance) => ({ sandbox_failure: chance() < 0.5 ? 'refused' : 'malformed' }), false),
  inferSlowly: infer(() => ({ sandbox_delay_ms: 50_000 }), true),
  inferElsewhere,
  quoteExpires,
  burnTooLarge,
  burnOfAnother: namedWrong(true),
  burnNowhere: namedWrong(false),
  handedIn,
  paidByNote,
  burnVanishes,
};
