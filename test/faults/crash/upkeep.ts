import assert from 'node:assert/strict';
import { send } from '../../support/http-app.js';
import { answered, type Story } from './story.js';

const DAY_MS = 86_400_000;

/** Long after everything: what is obsolete goes, and what money rests on stays. */
const longAfter: Story = async (world) => {
  await world.settle();
  for (const days of [4, 40, 100]) {
    await world.advance(days * DAY_MS);
    await world.mine();
    await world.sweep(false);
    await world.sweep();
  }
};
/** The operator has refused tickets judged again. */
const forgiven: Story = async (world) => {
  const reply = await answered(world, () => send('POST', `${world.patient.url}/clear_out_known_bad_credit_pack_table`, {}));
  assert.equal(reply.status, 200, reply.text);
  await world.mine();
  await world.sweep();
};

/** Who does the scheduled work: the first process on its books, one that goes on, one that stops, one that comes after. */
const leads: Story = async (world) => {
  await world.restartOnNewBooks();
  await world.rounds(3);
  await world.restart();
  await world.rounds(4);
};

export const upkeep: Readonly<Record<string, Story>> = { longAfter, forgiven, leads };
