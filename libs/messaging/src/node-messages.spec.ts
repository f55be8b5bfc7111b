import { afterEach, describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { get, post } from '../test/caller.spec-suite.js';
import { FakeBus } from '../test/fake-network.spec-suite.js';
import { httpOf, LogLines } from '../test/harness.spec-suite.js';
import { InboxService } from './inbox.service.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});
const start = async () => {
  const clock = new ManualClock();
  const bus = new FakeBus(4, () => clock.now());
  const [sender, receiver] = await Promise.all([httpOf(bus.nodes[0]!, { clock }), httpOf(bus.nodes[1]!, { clock })]);
  closing.push(
    () => sender.close(),
    () => receiver.close(),
  );
  sender.module.useLogger(new LogLines());
  const id = (index: number) => bus.nodes[index]!.signing.pastelId;
  return { clock, bus, sender, receiver, id };
};

describe('messages between supernodes over HTTP', () => {
  test('one, some, all; in the query as the original has it, or in a body', async () => {
    const { bus, sender, id } = await start();
    const query = (given: Record<string, string | string[]>) =>
      new URLSearchParams(
        Object.entries(given).flatMap(([name, value]) => [value].flat().map((one) => [name, one] as [string, string])),
      ).toString();
    const words = { message: 'hi all', message_type: 'greeting', pastelid_passphrase: 'secret words' };
    const one = await post(`${sender.url}/send_message?${query({ ...words, receiving_sn_pastelid: id(1) })}`);
    expect(one).toMatchObject({
      status: 200,
      body: { status: 'success', message: expect.stringMatching(/^Message sent: \{"message": "hi all", /) as unknown },
    });
    const some = await post(
      `${sender.url}/broadcast_message?${query({ ...words, message: 'some', list_of_receiving_sn_pastelids: [id(1), id(2)], verbose: '1' })}`,
    );
    expect(some).toMatchObject({
      status: 200,
      body: { status: 'success', message: expect.stringMatching(/^Message broadcasted: /) as unknown },
    });
    const single = await post(
      `${sender.url}/broadcast_message?${query({ ...words, message: 'single', list_of_receiving_sn_pastelids: id(3) })}`,
    );
    expect(single.status).toBe(200);
    const all = await post(`${sender.url}/broadcast_message_to_all_sns`, { message: 'all', message_type: 'greeting' });
    expect(all).toMatchObject({
      status: 200,
      body: { status: 'success', deliveries: [{ sent: true }, { sent: true }, { sent: true }] },
    });
    const named = await post(
      `${sender.url}/broadcast_message_to_all_sns?${query({ ...words, message: 'named', list_of_receiving_sn_pastelids: [id(2)] })}`,
    );
    expect(named.status).toBe(200);
    expect(bus.nodes.map(({ inbox }) => inbox.length)).toEqual([0, 3, 3, 2]);
  });

  test('says what is missing, and what was not sent', async () => {
    const { sender, id } = await start();
    const missing = await post(`${sender.url}/send_message?message=hi`);
    expect(missing.status).toBe(422);
    expect((missing.body as { detail: { loc: string[] }[] }).detail.map(({ loc }) => loc)).toEqual([
      ['query', 'message_type'],
      ['query', 'receiving_sn_pastelid'],
    ]);
    const twice = await post(`${sender.url}/send_message?message=a&message=b&message_type=t&receiving_sn_pastelid=${id(1)}`);
    expect(twice.status).toBe(422);
    const unknown = await post(`${sender.url}/send_message`, {
      message: 'hi',
      message_type: 'greeting',
      receiving_sn_pastelid: 'nobody',
    });
    expect(unknown).toMatchObject({
      status: 200,
      body: { status: 'error', message: 'Error sending message: 1 of 1 not sent (nobody: not a listed supernode)' },
    });
    const typeless = await post(`${sender.url}/broadcast_message_to_all_sns`, { message: 'hi', message_type: '' });
    expect(typeless).toEqual({ status: 400, body: { detail: 'A message type is 1 to 200 printable characters' } });
  });

  test('get_messages shows what arrived, newest first', async () => {
    const { clock, sender, receiver, id } = await start();
    for (const [message, message_type] of [
      ['first', 'greeting'],
      ['second', 'note'],
      ['third', 'greeting'],
    ] as const) {
      await post(`${sender.url}/send_message`, { message, message_type, receiving_sn_pastelid: id(1) });
      clock.advance(60_000);
    }
    await receiver.module.get(InboxService).sweep(clock.now());
    const { body } = await get(`${receiver.url}/get_messages`);
    expect(body).toEqual([
      { message: 'third', message_type: 'greeting', sending_sn_pastelid: id(0), timestamp: '2026-01-05T12:02:00+00:00' },
      { message: 'second', message_type: 'note', sending_sn_pastelid: id(0), timestamp: '2026-01-05T12:01:00+00:00' },
      { message: 'first', message_type: 'greeting', sending_sn_pastelid: id(0), timestamp: '2026-01-05T12:00:00+00:00' },
    ]);
    const words = async (query: string) =>
      ((await get(`${receiver.url}/get_messages?${query}`)).body as { message: string }[]).map(({ message }) => message);
    expect(await words('last_k_minutes=2')).toEqual(['third', 'second']);
    expect(await words('message_type=note')).toEqual(['second']);
    expect(await words('limit=1&offset=1')).toEqual(['second']);
    expect((await get(`${receiver.url}/get_messages?last_k_minutes=x`)).status).toBe(422);
  });

  test('every route stands in the OpenAPI document with a summary, an example and its refusals', async () => {
    const { sender } = await start();
    const { paths } = (await get(`${sender.url}/openapi.json`)).body as {
      paths: Record<string, Record<string, { summary?: string; responses: Record<string, unknown> }>>;
    };
    for (const route of [
      'post /send_message',
      'post /broadcast_message',
      'post /broadcast_message_to_all_sns',
      'get /get_messages',
      'post /send_user_message',
      'get /get_user_messages',
      'get /get_user_messages/{pastelid}',
    ]) {
      const [method, path] = route.split(' ') as [string, string];
      const operation = paths[path]![method]!;
      expect(operation.summary).toBeTruthy();
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['200', '401', '422', '500']));
      expect(JSON.stringify(operation.responses['200'])).toContain('"example"');
    }
  });
});
