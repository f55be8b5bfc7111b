import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import { testDatabases } from '../../../test/support/databases.js';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { challenged, firstChallenged, get, post } from '../test/caller.spec-suite.js';
import { FakeBus, identityOf } from '../test/fake-network.spec-suite.js';
import { httpOf, LogLines, messagingOf } from '../test/harness.spec-suite.js';
import { InboxService } from './inbox.service.js';
import { MessageTypes } from './message-types.js';
import { NodeMessenger } from './node-messenger.js';
import { RetentionService } from './retention.service.js';
import { UserMessage, UserMessageRelay } from './user-message.entities.js';
import { UserMessageRelays } from './user-message.relay.js';
import { relaysFor } from './user-message.rules.js';

const alice = identityOf('alice');
const bob = identityOf('bob');
const eve = identityOf('eve');
const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

interface View {
  id: string;
  timestamp: string;
  message_body: string;
  [name: string]: unknown;
}

describe.each(testDatabases())('user messages on $name', (database) => {
  const start = async (nodes = 5, index = 0) => {
    const clock = new ManualClock();
    const bus = new FakeBus(nodes, () => clock.now());
    const node = await httpOf(bus.nodes[index]!, { clock, url: await database.url() });
    closing.push(() => node.close());
    node.module.useLogger(new LogLines());
    const sendAs = async (user_message: object, by = alice) =>
      post(`${node.url}/send_user_message`, { user_message, ...(await challenged(node.url, by)) });
    const listOf = async (who = alice, more = '') => {
      const { body } = await get(
        `${node.url}/get_user_messages?${new URLSearchParams({ pastelid: who.pastelId, ...(await challenged(node.url, who)) }).toString()}${more}`,
      );
      return body as View[];
    };
    return { clock, bus, ...node, sendAs, listOf, rows: node.module.get(DataSource).manager };
  };
  /** As the later clients make it: the body is the words as JSON, the signature is over the bare words. */
  const later = async (words: string, more: object = {}) => ({
    from_pastelid: alice.pastelId,
    to_pastelid: bob.pastelId,
    message_body: JSON.stringify(words),
    message_signature: await alice.sign(words),
    ...more,
  });

  test('the later dialect: relayed to the three closest, answered with an id of its own, listed for both ends', async () => {
    const { bus, sendAs, listOf, clock } = await start();
    const id = randomUUID();
    const { status, body } = await sendAs(await later('hello', { id, timestamp: '2024-06-01T12:00:00.000Z' }));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      from_pastelid: alice.pastelId,
      to_pastelid: bob.pastelId,
      message_body: '"hello"',
      message_signature: await alice.sign('hello'),
      message: '"hello"',
      message_type: 'user_message',
      sending_sn_pastelid: bus.nodes[0]!.signing.pastelId,
      timestamp: clock.now().toISOString(),
      user_message: { id, signature: await alice.sign('hello') },
    });
    expect((body as View).id).toMatch(UUID4);
    expect((body as View).id).not.toBe(id);
    const closest = relaysFor(
      bob.pastelId,
      bus.nodes.map(({ signing }) => signing.pastelId),
    );
    for (const [index, { signing, inbox }] of bus.nodes.entries())
      expect(inbox).toHaveLength(index !== 0 && closest.includes(signing.pastelId) ? 1 : 0);

    const view = {
      id,
      timestamp: clock.now().toISOString(),
      from_pastelid: alice.pastelId,
      to_pastelid: bob.pastelId,
      message_body: '"hello"',
      message_signature: await alice.sign('hello'),
    };
    expect(await listOf(alice)).toEqual([view]);
    expect(await listOf(bob)).toEqual([view]);
    expect(await listOf(eve)).toEqual([]);
  });

  test('the first dialect: other names, signature over the object, list by path', async () => {
    const { url } = await start();
    const message_body = 'grüße "an" alle';
    const signed = `{"from_pastelid": "${alice.pastelId}", "to_pastelid": "${bob.pastelId}", "message_body": "gr\\u00fc\\u00dfe \\"an\\" alle"}`;
    const user_message = {
      from_pastelid: alice.pastelId,
      to_pastelid: bob.pastelId,
      message_body,
      signature: await alice.sign(signed),
    };
    const { status, body } = await post(`${url}/send_user_message`, { user_message, ...(await firstChallenged(url, alice)) });
    expect([status, body]).toMatchObject([
      200,
      { message: message_body, user_message: { message_body, signature: user_message.signature } },
    ]);

    const query = new URLSearchParams(await firstChallenged(url, bob)).toString();
    const { body: list } = await get(`${url}/get_user_messages/${bob.pastelId}?${query}`);
    expect(list).toMatchObject([{ from_pastelid: alice.pastelId, message_body, signature: user_message.signature }]);
  });

  test('the same sender and id is a repeat; the same words under another id are another message', async () => {
    const { bus, sendAs, listOf } = await start();
    const id = randomUUID();
    const message = await later('hello', { id });
    const answers = [await sendAs(message), await sendAs(message), await sendAs({ ...message, id: randomUUID() })];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map(({ body }) => (body as View).id)).size).toBe(3);
    expect(await listOf()).toHaveLength(2);
    for (const { inbox } of bus.nodes) expect([0, 2]).toContain(inbox.length);

    const other = await sendAs(await later('other words', { id }));
    expect(other).toEqual({ status: 409, body: { detail: 'from_pastelid has sent another message under this id' } });
    expect(await listOf()).toHaveLength(2);
  });

  test('refuses with the reason, and stores nothing', async () => {
    const { url, sendAs, rows } = await start();
    const good = await later('hello');
    const refused = [
      await sendAs({ ...good, message_signature: await eve.sign('hello') }),
      await sendAs({ ...good, message_body: '"goodbye"' }),
      await sendAs(good, eve),
      await sendAs({ ...good, to_pastelid: 'nobody' }),
      await sendAs({ ...good, message_signature: undefined }),
      await sendAs({ ...good, message_body: 'a\0b' }),
      await sendAs({ ...good, message_body: { an: 'object' } }),
      await sendAs({ ...good, id: 'my-id' }),
      await post(`${url}/send_user_message`, { user_message: good }),
      await post(`${url}/send_user_message`, { ...(await challenged(url, alice)) }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([400, 400, 401, 422, 422, 422, 422, 422, 422, 422]);
    const fields = refused.slice(3).map(({ body }) => (body as { detail: { loc: string[] }[] }).detail[0]!.loc.join('.'));
    expect(fields).toEqual([
      'body.user_message.to_pastelid',
      'body.user_message.message_signature',
      'body.user_message.message_body',
      'body.user_message.message_body',
      'body.user_message.id',
      'body.challenge',
      'body.user_message',
    ]);
    expect(await rows.count(UserMessage)).toBe(0);
    const stolen = await get(
      `${url}/get_user_messages?${new URLSearchParams({ pastelid: bob.pastelId, ...(await challenged(url, alice)) }).toString()}`,
    );
    expect(stolen.status).toBe(401);
  });

  test('pages, oldest first', async () => {
    const { sendAs, listOf, clock } = await start();
    for (let n = 0; n < 5; n++, clock.advance(1000)) await sendAs(await later(`message ${n}`));
    const words = (list: View[]) => list.map(({ message_body }) => message_body);
    expect(words(await listOf())).toEqual([0, 1, 2, 3, 4].map((n) => `"message ${n}"`));
    expect(words(await listOf(alice, '&limit=2&offset=1'))).toEqual(['"message 1"', '"message 2"']);
    expect(words(await listOf(alice, '&offset=4'))).toEqual(['"message 4"']);
  });

  test('arrives at the supernodes near the recipient once, whoever relays it and how often', async () => {
    const { bus, clock, sendAs, rows } = await start();
    const id = randomUUID();
    await sendAs(await later('hello', { id }));
    const closest = relaysFor(
      bob.pastelId,
      bus.nodes.map(({ signing }) => signing.pastelId),
    );
    const near = bus.nodes.find(({ signing }, index) => index !== 0 && closest.includes(signing.pastelId))!;
    const receiver = await messagingOf(near, { clock, url: await database.url() });
    closing.push(() => receiver.close());
    receiver.useLogger(new LogLines());
    expect(await receiver.get(InboxService).sweep(clock.now())).toMatchObject({ stored: 1, handled: 1 });
    const there = receiver.get(DataSource).manager;
    const [{ id: theirId, timestamp, relayed_by, signed_form } = new UserMessage()] = await there.findBy(UserMessage, {});
    expect({ theirId, timestamp, relayed_by, signed_form }).toEqual({
      theirId: id,
      timestamp: clock.now(),
      relayed_by: bus.nodes[0]!.signing.pastelId,
      signed_form: 'text inside the body',
    });
    expect(await rows.count(UserMessageRelay)).toBe(0);

    // The same again from another node, forged ones, and one as the original's nodes send it: no id, no time.
    clock.advance(1000);
    const other = bus.nodes.findIndex((node, index) => node !== near && index !== 0);
    const relay = await messagingOf(bus.nodes[other]!, { clock });
    closing.push(() => relay.close());
    const messageOf = async (words: string, more: object) => ({
      message: words,
      message_type: 'user_message',
      signature: await alice.sign(words),
      from_pastelid: alice.pastelId,
      to_pastelid: bob.pastelId,
      ...more,
    });
    const relayed = [
      await messageOf('hello', { id, message: '"hello"' }),
      await messageOf('hi', { signature: await eve.sign('hi') }),
      await messageOf('x', { from_pastelid: 7 }),
      await messageOf('from an old node', {}),
      await messageOf('from an old node', { more: 'members' }),
    ];
    for (const text of [...relayed.map((one) => JSON.stringify(one)), 'no JSON', '[]']) {
      await relay.get(NodeMessenger).sendTo(near.signing.pastelId, MessageTypes.userMessage, text);
    }
    expect(await receiver.get(InboxService).sweep(clock.now())).toMatchObject({ stored: 7, handled: 7 });
    expect((await there.findBy(UserMessage, {})).map(({ message_body }) => message_body)).toEqual([
      '"hello"',
      'from an old node',
    ]);
  });

  test('what cannot be relayed now is relayed later, and is no reason to refuse', async () => {
    const { bus, clock, module, sendAs, rows } = await start();
    for (const { supernode } of bus.nodes) bus.unreachable.add(supernode.pubkey!);
    const { status, body } = await sendAs(await later('hello', { id: randomUUID() }));
    const { deliveries } = body as { deliveries: { sent: boolean }[] };
    expect(status).toBe(200);
    expect(deliveries.length).toBeGreaterThanOrEqual(2);
    expect(deliveries.every(({ sent }) => !sent)).toBe(true);
    bus.unreachable.clear();
    await module.get(UserMessageRelays).sweep(clock.now());
    expect(await rows.count(UserMessageRelay)).toBe(deliveries.length);
    clock.advance(5000);
    await module.get(UserMessageRelays).sweep(clock.now());
    expect(await rows.count(UserMessageRelay)).toBe(0);
    expect(bus.nodes.flatMap(({ inbox }) => inbox)).toHaveLength(deliveries.length);
  });

  test('are kept longer than messages between supernodes, but not for ever', async () => {
    const { clock, module, sendAs, rows } = await start();
    await sendAs(await later('hello'));
    clock.advance(89 * 86_400_000);
    await module.get(RetentionService).sweep(clock.now());
    expect(await rows.count(UserMessage)).toBe(1);
    clock.advance(2 * 86_400_000);
    await module.get(RetentionService).sweep(clock.now());
    expect(await rows.count(UserMessage)).toBe(0);
  });
});
