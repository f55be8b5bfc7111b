import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { byDistanceTo, pythonIndentedJson, type Signing } from '#protocol';
import { DataSource } from 'typeorm';
import { provenBy, send } from '../support/http-app.js';
import { TestNetwork, type RunningSupernode } from '../support/network.js';

let network: TestNetwork;
beforeAll(async () => {
  network = await TestNetwork.start();
}, 60_000);
afterAll(() => network.close());

const node = (index: number): RunningSupernode => network.supernodes[index]!;
const all = (): RunningSupernode[] => network.supernodes;
const call = async (index: number, method: 'GET' | 'POST', path: string, query: Record<string, string>) =>
  send(method, `${node(index).url}/${path}?${new URLSearchParams(query).toString()}`);
const rows = (at: RunningSupernode, sql: string): Promise<Record<string, unknown>[]> => at.app.get(DataSource).query(sql);

/** A message that one supernode sent to another, and the length of its envelope. */
interface Sent {
  readonly from: RunningSupernode;
  readonly to: RunningSupernode;
  readonly bytes: number;
}
const sent: Sent[] = [];
/** What `POST /send_message` and its like answer: `<what happened>: <the envelope as it went out>`. */
const note = (from: number, to: RunningSupernode[], answer: { message: string }): void => {
  const bytes = Buffer.byteLength(answer.message.slice(answer.message.indexOf(': ') + 2));
  sent.push(...to.map((one) => ({ from: node(from), to: one, bytes })));
};

/** The five tables of a node, against a recount of what was sent to it. */
async function expectExactTables(at: RunningSupernode): Promise<void> {
  const here = sent.filter(({ to }) => to === at);
  const senders = [...new Set(here.map(({ from }) => from))];
  const bytesOf = (some: Sent[]): number => some.reduce((sum, { bytes }) => sum + bytes, 0);
  const from = (sender: RunningSupernode): Sent[] => here.filter((one) => one.from === sender);
  const byPastelId = (a: RunningSupernode, b: RunningSupernode): number => (a.pastelId < b.pastelId ? -1 : 1);
  senders.sort(byPastelId);

  const messages = await rows(at, 'SELECT sending_sn_pastelid, receiving_sn_pastelid FROM messages ORDER BY id');
  expect(messages.map(({ sending_sn_pastelid }) => sending_sn_pastelid)).toEqual(here.map(({ from: { pastelId } }) => pastelId));
  expect(messages.every(({ receiving_sn_pastelid }) => receiving_sn_pastelid === at.pastelId)).toBe(true);
  expect(await rows(at, 'SELECT total_messages, total_senders, total_receivers FROM message_metadata')).toEqual(
    here.length === 0 ? [] : [{ total_messages: here.length, total_senders: senders.length, total_receivers: 1 }],
  );
  expect(
    await rows(
      at,
      `SELECT sending_sn_pastelid AS id, total_messages_sent AS messages, total_data_sent_bytes AS bytes
         FROM message_sender_metadata ORDER BY sending_sn_pastelid`,
    ),
  ).toEqual(senders.map((one) => ({ id: one.pastelId, messages: from(one).length, bytes: bytesOf(from(one)) })));
  expect(
    await rows(
      at,
      `SELECT receiving_sn_pastelid AS id, total_messages_received AS messages, total_data_received_bytes AS bytes
         FROM message_receiver_metadata`,
    ),
  ).toEqual(here.length === 0 ? [] : [{ id: at.pastelId, messages: here.length, bytes: bytesOf(here) }]);
  expect(
    await rows(
      at,
      `SELECT sending_sn_pastelid AS a, receiving_sn_pastelid AS b, total_messages AS messages, total_data_bytes AS bytes
         FROM message_sender_receiver_metadata ORDER BY sending_sn_pastelid`,
    ),
  ).toEqual(senders.map((one) => ({ a: one.pastelId, b: at.pastelId, messages: from(one).length, bytes: bytesOf(from(one)) })));
}

describe('messages between supernodes', () => {
  test('a broadcast to all reaches each of the other four exactly once and is counted exactly', async () => {
    const answer = await call(0, 'POST', 'broadcast_message_to_all_sns', { message: 'good morning', message_type: 'greeting' });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ status: 'success' });
    expect(answer.json().deliveries).toHaveLength(4);
    note(0, all().slice(1), answer.json());
    // The second sweep sees the same inbox again: pasteld prunes nothing.
    await network.sweep();
    await network.sweep();
    for (const one of all()) await expectExactTables(one);
    for (const index of [1, 2, 3, 4]) {
      const list = (await call(index, 'GET', 'get_messages', { message_type: 'greeting' })).json();
      expect(list).toMatchObject([{ message: 'good morning', sending_sn_pastelid: node(0).pastelId }]);
    }
    expect((await call(0, 'GET', 'get_messages', {})).json()).toEqual([]);
  });

  test('a message to one, broadcasts to some, the same words again: every counter on every node stays exact', async () => {
    const query = { message: 'nur für dich', message_type: 'greeting' };
    const toOne = await call(1, 'POST', 'send_message', { ...query, receiving_sn_pastelid: node(3).pastelId });
    expect(toOne.json()).toMatchObject({ status: 'success', deliveries: [{ pastelId: node(3).pastelId, sent: true }] });
    note(1, [node(3)], toOne.json());
    await network.sweep();

    // pasteld knows a message by sender, receiver, second and text: a second later, the same words are another message.
    network.clock.advance(1000);
    note(1, [node(3)], (await call(1, 'POST', 'send_message', { ...query, receiving_sn_pastelid: node(3).pastelId })).json());
    await network.sweep();

    const body = {
      message: 'x'.repeat(100_000),
      message_type: 'long',
      list_of_receiving_sn_pastelids: [2, 4].map((i) => node(i).pastelId),
    };
    note(3, [node(2), node(4)], (await send('POST', `${node(3).url}/broadcast_message`, body)).json());
    await network.sweep();

    for (let from = 4; from >= 0; from--) {
      const answer = await call(from, 'POST', 'broadcast_message_to_all_sns', {
        message: `all of you, ${from}`,
        message_type: 'x',
      });
      note(
        from,
        all().filter((one) => one !== node(from)),
        answer.json(),
      );
      await network.sweep();
    }
    for (const one of all()) await expectExactTables(one);
  });

  test('what cannot be delivered is said, receiver by receiver', async () => {
    const answer = await call(2, 'POST', 'send_message', {
      message: 'hello',
      message_type: 'x',
      receiving_sn_pastelid: 'nobody',
    });
    expect([answer.status, answer.json()]).toMatchObject([
      200,
      { status: 'error', deliveries: [{ pastelId: 'nobody', sent: false }] },
    ]);
    await network.sweep();
    for (const one of all()) await expectExactTables(one);
  });
});

describe('messages between users', () => {
  let alice: Signing;
  let bob: Signing;
  let closest: RunningSupernode[];
  beforeAll(async () => {
    [alice, bob] = [await network.newSigning(), await network.newSigning()];
    const order = byDistanceTo(
      bob.pastelId,
      all().map(({ pastelId }) => pastelId),
    );
    closest = order.slice(0, 3).map((pastelId) => all().find((one) => one.pastelId === pastelId)!);
  });
  const farthest = (): RunningSupernode => all().find((one) => !closest.includes(one))!;
  const mailbox = async (at: RunningSupernode, who: Signing): Promise<Record<string, unknown>[]> => {
    const proof = new URLSearchParams({ pastelid: who.pastelId, ...(await provenBy(at.url, who)) });
    return (await send('GET', `${at.url}/get_user_messages?${proof.toString()}`)).json();
  };
  const firstMailbox = async (at: RunningSupernode, who: Signing): Promise<Record<string, unknown>[]> => {
    const { challenge_id, challenge_signature } = await provenBy(at.url, who);
    const proof = new URLSearchParams({ challenge_id, pastelid_signature: challenge_signature });
    return (await send('GET', `${at.url}/get_user_messages/${who.pastelId}?${proof.toString()}`)).json();
  };

  test('the later dialect: brought to any supernode, found by the recipient at the closest three', async () => {
    const at = farthest();
    const ends = { from_pastelid: alice.pastelId, to_pastelid: bob.pastelId };
    const user_message = { ...ends, message_body: '"hello bob"', message_signature: await alice.sign('hello bob') };
    const answer = await send('POST', `${at.url}/send_user_message`, { user_message, ...(await provenBy(at.url, alice)) });
    expect([answer.status, answer.json()]).toMatchObject([
      200,
      { message_body: '"hello bob"', deliveries: [1, 2, 3].map(() => ({ sent: true })) },
    ]);
    await network.sweep();
    await network.sweep();

    const id = answer.json().user_message.id as string;
    for (const one of closest) expect(await mailbox(one, bob)).toMatchObject([{ ...user_message, id }]);
    expect(await mailbox(at, alice)).toMatchObject([{ ...user_message, id }]);
    expect(await mailbox(at, await network.newSigning())).toEqual([]);
    const others = all().filter((one) => one !== at && !closest.includes(one));
    for (const one of others) expect(await mailbox(one, bob)).toEqual([]);
  });

  test('the first dialect, brought to one of the closest: the other two get it, and the same id everywhere', async () => {
    const at = closest[0]!;
    const message_body = 'grüße';
    const ends = { from_pastelid: bob.pastelId, to_pastelid: bob.pastelId, message_body };
    const signed = `{${Object.entries(ends)
      .map(([key, value]) => `"${key}": ${pythonIndentedJson(value)}`)
      .join(', ')}}`;
    const user_message = { ...ends, signature: await bob.sign(signed) };
    const { challenge_id, challenge_signature } = await provenBy(at.url, bob);
    const answer = await send('POST', `${at.url}/send_user_message`, {
      user_message,
      challenge_id,
      pastelid_signature: challenge_signature,
    });
    expect([answer.status, answer.json()]).toMatchObject([200, { user_message, deliveries: [{ sent: true }, { sent: true }] }]);
    await network.sweep();

    const id = answer.json().user_message.id as string;
    for (const one of closest)
      expect((await firstMailbox(one, bob)).filter((message) => message['id'] === id)).toMatchObject([user_message]);
  });
});
