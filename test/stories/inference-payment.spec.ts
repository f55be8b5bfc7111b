import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { networks, type Signing } from '#protocol';
import { newIdentity } from '../support/http-app.js';
import type { BalanceInTenths } from '../support/in-tenths.js';
import { costing, InferenceUser, serve, walletOf, type Quoted } from '../support/inference-user.js';
import { TestNetwork, type RunningSupernode } from '../support/network.js';

jest.setTimeout(60_000);

const { burnAddress } = networks.devnet;

describe.each(['SQLite', 'PostgreSQL'] as const)('paying for inference, books on %s', (database) => {
  let network: TestNetwork;
  let user: InferenceUser;
  let friend: Signing;
  let stranger: ReturnType<typeof walletOf>;
  /** Serves and keeps the books that are looked at. */
  let node: RunningSupernode;
  let other: RunningSupernode;
  let before: BalanceInTenths;

  beforeAll(async () => {
    network = await TestNetwork.start({ database });
    [node, other] = [network.supernodes[0]!, network.supernodes[1]!];
    stranger = walletOf(network, 'sn5');
    friend = newIdentity();
    user = await InferenceUser.withPack(network, 1500, [friend]);
  }, 120_000);
  afterAll(async () => {
    stranger.rpc.close();
    await network.close();
  });
  beforeEach(async () => {
    before = await user.books(node);
  });
  afterEach(() => {
    network.devnet.controls.preferChangeCoins = true;
  });

  /** How the books have moved since the story began, in tenths of credits. */
  async function moved() {
    const now = await user.books(node);
    return {
      available: now.availableTenths - before.availableTenths,
      held: now.heldTenths - before.heldTenths,
      burned: now.burnedTenths - before.burnedTenths,
      burns: now.usageBurns - before.usageBurns,
    };
  }
  const movedBy = (held: number, burned: number, burns: number) => ({ available: 0 - held - burned, held, burned, burns });

  async function expectServed({ id, responseId }: Quoted, who = user): Promise<void> {
    expect((await who.status(node, id)).state).toBe('COMPLETED');
    expect((await who.result(node, responseId)).output).toBe('You said: Hello there');
  }
  /** The owner's own burn that does not pay: not run, a signed note for all of it, the hold gone. */
  async function expectOwed({ id, responseId }: Quoted, txid: string, burned: number, code: string): Promise<void> {
    expect(await user.status(node, id)).toMatchObject({ state: 'REFUSED', attempts: 0, burn_txid: txid });
    expect((await user.result(node, responseId)).output).toEqual({ error: expect.objectContaining({ code }) });
    const [note, ...more] = await user.notesFor(node, txid);
    expect(more).toEqual([]);
    expect(note).toMatchObject({
      inference_request_id: id,
      requesting_pastelid: user.signing.pastelId,
      credit_pack_ticket_pastel_txid: user.packTxid,
    });
    expect(note!.credits_owed.value).toBe(burned / 10);
    expect(await moved()).toEqual(movedBy(0, burned, 1));
  }

  test('paid from the tracking address: held, burned, served, and counted by every supernode', async () => {
    const quoted = await user.quote(node);
    expect(quoted.tenths).toBe(12);
    expect(quoted.response.remaining_credits_in_pack_after_request_processed.value).toBe((before.availableTenths - 12) / 10);
    expect(await moved()).toEqual(movedBy(12, 0, 0));
    const txid = await user.pay(node, quoted);
    expect((await network.user.chain.transaction(txid))!.inputs.map(({ address }) => address)).toEqual([user.trackingAddress]);
    expect(await moved()).toEqual(movedBy(0, 12, 1));
    await serve(node);
    await expectServed(quoted);
    network.mine();
    await network.sweep();
    expect(await moved()).toEqual(movedBy(0, 12, 1));
    const expected = { credits: (before.initialTenths - before.burnedTenths - 12) / 10, burns: before.usageBurns + 1 };
    for (const supernode of network.supernodes) expect(await user.balance(supernode)).toEqual(expected);
    expect(await user.notesFor(node, txid)).toEqual([]);
  });

  test('paid from other coins, only the change goes to the tracking address: accepted and counted', async () => {
    network.devnet.controls.preferChangeCoins = false;
    const quoted = await user.quote(node);
    const txid = await user.pay(node, quoted);
    const { inputs, outputs } = (await network.user.chain.transaction(txid))!;
    expect(inputs.map(({ address }) => address)).not.toContain(user.trackingAddress);
    expect(outputs.map(({ address }) => address)).toContain(user.trackingAddress);
    await serve(node);
    await expectServed(quoted);
    network.mine();
    await network.sweep();
    expect(await moved()).toEqual(movedBy(0, 12, 1));
    expect((await user.balance(node)).credits).toBe((before.initialTenths - before.burnedTenths - 12) / 10);
  });

  test("a stranger's burn of the same amount is refused; the right one still pays", async () => {
    const quoted = await user.quote(node);
    const theirs = await stranger.wallet.sendMany(new Map([[burnAddress, quoted.tenths]]), await stranger.wallet.newAddress());
    for (const mined of [false, true]) {
      if (mined) network.mine();
      const refused = await user.confirm(node, quoted.id, theirs);
      expect([refused.status, refused.json().detail]).toEqual([409, expect.stringContaining('tracking address')]);
    }
    await serve(node);
    expect((await user.status(node, quoted.id)).state).toBe('QUOTED');
    expect(await moved()).toEqual(movedBy(12, 0, 0));
    await user.pay(node, quoted);
    await serve(node);
    await expectServed(quoted);
    expect(await moved()).toEqual(movedBy(0, 12, 1));
  });

  test("a stranger's burns with the change to the tracking address do not drain the pack", async () => {
    const elsewhere = await user.balance(other);
    const txid = await stranger.wallet.sendMany(new Map([[burnAddress, 5_000]]), user.trackingAddress);
    const { inputs, outputs } = (await network.user.chain.transaction(txid))!;
    expect(inputs.map(({ address }) => address)).not.toContain(user.trackingAddress);
    expect(outputs.map(({ address }) => address)).toContain(user.trackingAddress);
    expect(await moved()).toEqual(movedBy(0, 0, 0));
    network.mine();
    await network.sweep();
    expect(await moved()).toEqual(movedBy(0, 0, 0));
    expect(await user.balance(other)).toEqual(elsewhere);
  });

  test('one burn for two requests, named for both at the same moment: one is served', async () => {
    const [first, second] = [await user.quote(node), await user.quote(node)];
    const txid = await user.burn(12);
    const replies = await Promise.all([first, second].map(({ id }) => user.confirm(node, id, txid)));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
    await serve(node);
    const [paid, unpaid] = replies[0]!.status === 200 ? [first, second] : [second, first];
    await expectServed(paid);
    expect((await user.confirm(node, unpaid.id, txid)).status).toBe(409);
    expect((await user.status(node, unpaid.id)).state).toBe('QUOTED');
    expect(await moved()).toEqual(movedBy(12, 12, 1));
    await user.pay(node, unpaid);
    await serve(node);
    await expectServed(unpaid);
    expect(await moved()).toEqual(movedBy(0, 24, 2));
  });

  test('not paid: the quote expires and the credits are free again', async () => {
    const quoted = await user.quote(node);
    network.mine(quoted.lastHeight - network.height + 5);
    await serve(node);
    expect((await user.status(node, quoted.id)).state).toBe('QUOTED');
    expect(await moved()).toEqual(movedBy(12, 0, 0));
    network.mine();
    await serve(node);
    expect(await user.status(node, quoted.id)).toMatchObject({ state: 'EXPIRED', burn_txid: null, attempts: 0 });
    expect(await moved()).toEqual(movedBy(0, 0, 0));
    expect((await user.retrieve(node, quoted.responseId)).status).toBe(404);
  });

  test.each([
    ['still open', 1],
    ['expired', 8],
  ])('paid too late, the quote %s: not run, a credit note', async (_, late) => {
    const quoted = await user.quote(node);
    network.mine(quoted.lastHeight - network.height + late);
    await serve(node);
    const txid = await user.burn(quoted.tenths);
    // Not decided while it waits: its owner can still take it back.
    expect((await user.confirm(node, quoted.id, txid)).status).toBe(200);
    expect(await user.notesFor(node, txid)).toEqual([]);
    network.mine();
    expect((await user.confirm(node, quoted.id, txid)).status).toBe(409);
    await serve(node);
    await expectOwed(quoted, txid, quoted.tenths, 'burn_too_late');
    expect((await user.confirm(node, quoted.id, txid)).status).toBe(409);
    await expectOwed(quoted, txid, quoted.tenths, 'burn_too_late');
  });

  test('burned in time and named only after the quote had expired: served', async () => {
    const quoted = await user.quote(node);
    const txid = await user.burn(quoted.tenths);
    network.mine(quoted.lastHeight - network.height + 8);
    await serve(node);
    expect((await user.status(node, quoted.id)).state).toBe('EXPIRED');
    expect(await moved()).toEqual(movedBy(0, 12, 1));
    expect((await user.confirm(node, quoted.id, txid)).status).toBe(200);
    await serve(node);
    await expectServed(quoted);
    expect(await moved()).toEqual(movedBy(0, 12, 1));
  });

  test('over-paid: not run, a credit note for all that was burned', async () => {
    const quoted = await user.quote(node);
    const txid = await user.burn(quoted.tenths + 3);
    network.mine();
    const refused = await user.confirm(node, quoted.id, txid);
    expect([refused.status, refused.json().detail]).toEqual([409, expect.stringContaining('asks for exactly 12')]);
    await serve(node);
    await expectOwed(quoted, txid, 15, 'burn_overpaid');
  });

  test('under-paid: refused, what was burned is gone, the right burn still pays', async () => {
    const quoted = await user.quote(node);
    const txid = await user.burn(quoted.tenths - 1);
    const refused = await user.confirm(node, quoted.id, txid);
    expect([refused.status, refused.json().detail]).toEqual([409, expect.stringContaining('burns 11 patoshis')]);
    expect(await moved()).toEqual(movedBy(12, 11, 1));
    await user.pay(node, quoted);
    await serve(node);
    await expectServed(quoted);
    expect(await moved()).toEqual(movedBy(0, 23, 2));
  });

  test('by a PastelID that is not authorised: nothing is held', async () => {
    const thief = user.as(newIdentity());
    const refused = await thief.make(node, await thief.request());
    expect([refused.status, refused.json().detail]).toEqual([403, expect.stringContaining('not authorised')]);
    expect(await moved()).toEqual(movedBy(0, 0, 0));
  });

  test('by a second PastelID that the owner authorised: served, and the result is its own', async () => {
    const second = user.as(friend);
    const quoted = await second.quote(node);
    await second.pay(node, quoted);
    await serve(node);
    await expectServed(quoted, second);
    expect((await user.retrieve(node, quoted.responseId)).status).toBe(403);
    expect(await moved()).toEqual(movedBy(0, 12, 1));
  });

  test('more than 10,000 credits at once, and more than the pack has: refused before anything is held', async () => {
    const dear = await user.make(node, await user.request(costing(100_010)));
    expect([dear.status, dear.json().detail]).toEqual([400, expect.stringContaining('10000 at most')]);
    const over = await user.make(node, await user.request(costing(before.availableTenths + 1)));
    expect([over.status, over.json().detail]).toEqual([400, expect.stringContaining('Insufficient credits')]);
    expect(await moved()).toEqual(movedBy(0, 0, 0));
  });

  test('a cost that equals the balance is served, and then there is nothing left', async () => {
    const quoted = await user.quote(node, costing(before.availableTenths));
    expect(quoted.tenths).toBe(before.availableTenths);
    expect(quoted.response.remaining_credits_in_pack_after_request_processed.text).toBe('0.0');
    await user.pay(node, quoted);
    await serve(node);
    await expectServed(quoted);
    network.mine();
    await network.sweep();
    expect(await user.books(node)).toMatchObject({ availableTenths: 0, heldTenths: 0, burnedTenths: 15_000 });
    const refused = await user.make(node, await user.request());
    expect([refused.status, refused.json().detail]).toEqual([400, expect.stringContaining('Insufficient')]);
    expect((await user.balance(node)).credits).toBe(0);
    // The others know of every burn but the one that only its claim ties to the pack.
    expect((await user.balance(other)).credits).toBe(1.2);
  });
});
