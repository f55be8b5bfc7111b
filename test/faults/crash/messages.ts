import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { SupernodeNetwork } from '#chain';
import { NodeMessenger } from '#messaging';
import { newIdentity, provenBy, send } from '../../support/http-app.js';
import { answered, type Story } from './story.js';
import { FAILS_ONCE } from './supernode-handlers.js';
import type { World } from './world.js';

/** Longer than a list of supernodes is believed. */
const LIST_MS = 61 * 60_000;

const ids = (world: World): Promise<{ message_type: string; message_body: string }[]> =>
  world.rows('messages', 'message_type', 'message_body');

/** Rounds of sweeps in which everything that arrived is taken in and handed out. */
async function handedOut(world: World): Promise<void> {
  await world.rounds(4);
  await world.settle();
}

/** Messages of other supernodes: plain ones, one whose handler fails at first, and one that is none. */
const received: Story = async (world) => {
  const [sender, other] = world.network.supernodes;
  const words = randomUUID();
  for (const type of ['greeting', FAILS_ONCE])
    await sender!.app.get(NodeMessenger).sendTo(world.patient.pastelId, type, `${type} ${words}`);
  await other!.app.get(SupernodeNetwork).send(world.patient.publicKey, `no envelope ${words}`);
  await handedOut(world);
  const stored = (await ids(world)).filter(({ message_body }) => message_body.includes(words));
  assert.deepEqual(stored.map(({ message_type }) => message_type).sort(), [FAILS_ONCE, 'greeting'].sort());
  await expectCounted(world);
};

/** A message whose sender the patient does not find on its list at the moment. */
const deferred: Story = async (world) => {
  const { controls } = world.network.devnet;
  const sender = world.network.supernodes[2]!;
  const words = randomUUID();
  controls.setMasternodeStatus(sender.user, 'POSE_BAN');
  await world.advance(LIST_MS);
  await world.sweepPatient();
  controls.setMasternodeStatus(sender.user, 'ENABLED');
  await sender.app.get(NodeMessenger).sendTo(world.patient.pastelId, 'greeting', words);
  await world.advance(6_000);
  await world.sweepPatient();
  await world.advance(LIST_MS);
  await handedOut(world);
  assert.equal((await ids(world)).filter(({ message_body }) => message_body.includes(words)).length, 1);
  await expectCounted(world);
};

/** A user brings a message for another; it is stored once, and relayed. */
const ofUser: Story = async (world) => {
  const [alice, bob] = [newIdentity(), newIdentity()];
  const words = randomUUID();
  const message = { from_pastelid: alice.pastelId, to_pastelid: bob.pastelId, message_body: words, id: randomUUID() };
  const user_message = { ...message, message_signature: await alice.sign(words) };
  const reply = await answered(world, async () => {
    const proof = await provenBy(world.patient.url, alice);
    return send('POST', `${world.patient.url}/send_user_message`, { user_message, ...proof });
  });
  assert.equal(reply.status, 200, reply.text);
  await handedOut(world);
  const stored = await world.rows<{ message_body: string }>('user_messages', 'message_body');
  assert.equal(stored.filter(({ message_body }) => message_body === words).length, 1);
};

/** The counters say what is there. */
async function expectCounted(world: World): Promise<void> {
  const messages = (await ids(world)).length;
  const [all] = await world.rows<{ total_messages: number | string }>('message_metadata', 'total_messages');
  const senders = await world.rows<{ n: number | string }>('message_sender_metadata', 'total_messages_sent');
  const sum = senders.reduce((total, row) => total + Number(Object.values(row)[0]), 0);
  assert.ok(Number(all?.total_messages) >= messages);
  assert.equal(sum, Number(all?.total_messages));
}

/** Somebody answers a challenge with another's signature. */
const wrongSignature: Story = async (world) => {
  const [alice, eve] = [newIdentity(), newIdentity()];
  const proof = { ...eve, pastelId: alice.pastelId, sign: (text: string) => eve.sign(text) };
  const reply = await answered(world, async () => {
    const query = new URLSearchParams({ pastelid: alice.pastelId, ...(await provenBy(world.patient.url, proof)) });
    return send('GET', `${world.patient.url}/get_user_messages?${query.toString()}`);
  });
  assert.equal(reply.status, 401, reply.text);
};

export const messages: Readonly<Record<string, Story>> = { received, deferred, ofUser, wrongSignature };
