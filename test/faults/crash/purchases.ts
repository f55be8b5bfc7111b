import assert from 'node:assert/strict';
import { ClientError, fundTrackingAddress, purchaseCreditPack } from '#client';
import { CreditPackPurchaseRequestRejection, CreditPackPurchaseRequestResponse, exchanges, type Signing } from '#protocol';
import { Buyer } from '../../support/buyer.js';
import { first } from '../../support/network.js';
import { again, bought, now, ticketsOf, type Before, type Story } from './story.js';
import type { World } from './world.js';

type Offer = CreditPackPurchaseRequestResponse;
/** Longer than the burn of an offer counts. */
const WINDOW_BLOCKS = 52;
/** Longer than a quote is good for. */
const OFFER_MS = 2 * 3_600_000;
const RETRY_BLOCKS = 10;

/** One burn, one ticket, and a pack that stands on the patient's books. */
async function expectSold(world: World, before: Before, sale: { registrationTxid: string; burnTxid: string }): Promise<void> {
  await world.settle();
  assert.deepEqual(await world.burnsSince(before.height), [sale.burnTxid], 'burned once');
  const isNew = (txid: string): boolean => !before.tickets.includes(txid);
  assert.deepEqual(ticketsOf(world).filter(isNew), [sale.registrationTxid], 'one ticket');
  const known = await world.rows<{ registrationTxid: string; state: string }>('credit_pack', 'registrationTxid', 'state');
  assert.equal(known.find(({ registrationTxid }) => registrationTxid === sale.registrationTxid)?.state, 'standing');
}
async function expectNothingSold(world: World, before: Before, state: string): Promise<void> {
  await world.settle();
  assert.deepEqual(await world.burnsSince(before.height), [], 'nothing burned');
  assert.deepEqual(ticketsOf(world), before.tickets);
  const purchases = await world.rows<{ state: string }>('credit_pack_purchase', 'state');
  assert.ok(purchases.some((purchase) => purchase.state === state), `a purchase is ${state}`); // prettier-ignore
}

const purchase: Story = async (world, chance) => {
  const before = await now(world);
  const credits = 10 + Math.floor(chance() * 500);
  await expectSold(world, before, (await bought(world, world.signing(chance), credits, world.patient.pastelId)).pack);
};
/** The patient is one of those that are asked for their vote and are told what comes of it. */
const purchaseElsewhere: Story = async (world, chance) => {
  const before = await now(world);
  const seller = world.network.supernodes[Math.floor(chance() * world.network.supernodes.length)]!;
  await expectSold(world, before, (await bought(world, world.signing(chance, seller.pastelId), 20, seller.pastelId)).pack);
};

const declined: Story = async (world, chance) => {
  const before = await now(world);
  const side = world.side(world.signing(chance));
  const { address: trackingAddress } = await fundTrackingAddress(side, 20);
  const limits = { patoshisPerCreditMax: 1, supernodesMax: 1, tieBreak: first(world.patient.pastelId) };
  for (let tries = 0; tries < 3; tries++) {
    const buying = world.until(purchaseCreditPack(side, { credits: 20, trackingAddress, ...limits }));
    const code = await buying.then(
      () => 'bought',
      (error: unknown) => (error instanceof ClientError ? error.code : 'trouble'),
    );
    assert.notEqual(code, 'bought');
    if (code === 'too-expensive') break;
  }
  await expectNothingSold(world, before, 'declined');
};

const buyerOf = (world: World, signing: Signing): Buyer => new Buyer(world.network, signing);
/** From request to binding offer, from the beginning where the patient died in between. */
const offerOf = (world: World, buyer: Buyer, seller: { url: string; pastelId: string }): Promise<Offer> =>
  again(world, async () => {
    await world.advance(1_000);
    return buyer.offer(seller);
  });

const lapsed: Story = async (world, chance) => {
  const before = await now(world);
  const buyer = buyerOf(world, world.signing(chance));
  await again(world, async () => {
    await world.advance(1_000);
    return buyer.quote(world.patient);
  });
  await world.advance(OFFER_MS);
  await world.mine();
  await world.sweep();
  await expectNothingSold(world, before, 'lapsed');
};
const overdue: Story = async (world, chance) => {
  const before = await now(world);
  await offerOf(world, buyerOf(world, world.signing(chance)), world.patient);
  await world.mine(WINDOW_BLOCKS);
  await world.sweep();
  await expectNothingSold(world, before, 'overdue');
};
/** A burn is named that is nowhere. */
const failed: Story = async (world, chance) => {
  const before = await now(world);
  const buyer = buyerOf(world, world.signing(chance));
  const offer = await offerOf(world, buyer, world.patient);
  await world.advance(1_000);
  const confirmation = await buyer.confirmation(offer, 'ab'.repeat(32));
  // The call is held until the window is over.
  const answer = again(world, () => buyer.send(world.patient, exchanges.confirmation, confirmation));
  const { credit_pack_confirmation_outcome_string: outcome } = await answer;
  assert.equal(outcome, 'failure');
  await expectNothingSold(world, before, 'failed');
};
/** The patient thinks differently of the price than all others. */
const terminated: Story = async (world, chance) => {
  const before = await now(world);
  await world.restart({ FIXED_PSL_PRICE_IN_USD: '0.0006' });
  const buyer = buyerOf(world, world.signing(chance));
  await again(world, async () => {
    await world.advance(1_000);
    const agreement = await buyer.agreement(await buyer.quote(world.patient));
    const answer = await buyer.send(world.patient, exchanges.quoteResponse, agreement);
    assert.ok(!(answer instanceof CreditPackPurchaseRequestResponse), 'the purchase is terminated');
  });
  await world.restart();
  await expectNothingSold(world, before, 'terminated');
};
/** A request whose signature is that of other words. */
const rejected: Story = async (world, chance) => {
  const buyer = buyerOf(world, world.signing(chance));
  const answer = await again(world, async () => {
    await world.advance(1_000);
    const request = await buyer.request();
    const forged = { requesting_end_user_pastelid_signature_on_request_hash: await buyer.signing.sign('other words') };
    return buyer.send(world.patient, exchanges.purchaseRequest, Object.assign(request, forged));
  });
  assert.ok(answer instanceof CreditPackPurchaseRequestRejection);
  assert.ok((await world.rows('credit_pack_purchase_rejection', 'rejectionHash')).length > 0);
};

/** Two buyers name one address at two supernodes at the same time: the patient may sign for neither. */
const oneAddressTwice: Story = async (world, chance) => {
  const before = await now(world);
  const [one, other] = world.network.supernodes;
  for (let tries = 0; tries < 10 && !world.stored.has('purchase peer: vote taken back'); tries++) {
    const kills = world.kills;
    const address = await world.network.user.wallet.newAddress();
    const buyers = [one!, other!].map((seller) => ({ seller, buyer: buyerOf(world, world.signing(chance)) }));
    await world.advance(1_000);
    const named = { credit_usage_tracking_psl_address: address };
    const quotes = await world
      .until(Promise.all(buyers.map(({ buyer, seller }) => buyer.quote(seller, named))))
      .catch(() => undefined);
    if (!quotes) continue;
    const agreements = await Promise.all(buyers.map(({ buyer }, i) => buyer.agreement(quotes[i]!)));
    const sent = buyers.map(({ buyer, seller }, i) => buyer.send(seller, exchanges.quoteResponse, agreements[i]!));
    await world.until(Promise.allSettled(sent));
    if (world.kills > kills) break;
  }
  await world.mine(WINDOW_BLOCKS);
  await world.settle();
  assert.deepEqual(await world.burnsSince(before.height), []);
};

/** The seller is gone after its offer; the closest agreeing supernode stores the ticket. */
const storedByPeer =
  (isByPatient: boolean): Story =>
  async (world, chance) => {
    const before = await now(world);
    const [closest, seller] = isByPatient
      ? [world.patient, world.network.supernodes.at(-1)!]
      : [world.network.supernodes[1]!, world.network.supernodes.at(-1)!];
    const buyer = buyerOf(world, world.signing(chance, closest.pastelId));
    const offer = await offerOf(world, buyer, seller);
    await world.settle();
    const burnTxid = await buyer.burn(offer);
    await world.mine();
    const confirmation = await buyer.confirmation(offer, burnTxid);
    await world.network.stopSupernode(seller);
    const agreeing = offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms;
    assert.ok(agreeing.includes(closest.pastelId), 'the closest supernode agrees');
    for (const peer of [world.patient, ...world.network.supernodes].filter(({ pastelId }) => agreeing.includes(pastelId)))
      await again(world, () => buyer.send(peer, exchanges.confirmationAnnouncement, confirmation));
    await world.mine(RETRY_BLOCKS + 1);
    const answer = await again(world, async () => {
      await world.advance(1_000);
      return buyer.send(closest, exchanges.storageRetry, await buyer.storageRetry(offer, closest.pastelId));
    });
    assert.equal(answer.credit_pack_storage_retry_confirmation_outcome_string, 'success');
    // With empty books: it learns of the pack from the chain.
    await world.network.startSupernode(seller);
    const registrationTxid = answer.pastel_api_credit_pack_ticket_registration_txid;
    await expectSold(world, before, { registrationTxid, burnTxid });
  };

/** The last blocks are replaced by others. */
const reorganised: Story = async (world, chance) => {
  const before = await now(world);
  const { pack } = await bought(world, world.signing(chance), 20, world.patient.pastelId);
  await world.sweep();
  world.network.devnet.controls.reorganise(1 + Math.floor(chance() * 5));
  await world.mine();
  await world.sweep();
  await expectSold(world, before, pack);
};
/** While the patient judges a ticket, its node answers the one question wrongly. */
const undecided: Story = async (world, chance) => {
  const before = await now(world);
  const seller = world.network.supernodes[0]!;
  const fault = { kind: 'error', code: -1, message: 'on purpose' } as const;
  for (let tries = 0; tries < 3 && !world.stored.has('ledger: undecided ticket judged again'); tries++) {
    world.network.devnet.faults.failNext('getrawtransaction', 6, fault, world.patient.user);
    const { pack } = await bought(world, world.signing(chance, seller.pastelId), 20, seller.pastelId);
    world.network.devnet.faults.clear();
    await world.advance(61_000);
    await world.mine();
    await world.sweep();
    await world.settle();
    const known = await world.rows<{ registrationTxid: string; state: string }>('credit_pack', 'registrationTxid', 'state');
    assert.equal(known.find(({ registrationTxid }) => registrationTxid === pack.registrationTxid)?.state, 'standing');
  }
  assert.ok((await world.burnsSince(before.height)).length > 0);
};

export const purchases: Readonly<Record<string, Story>> = {
  purchase,
  purchaseElsewhere,
  declined,
  lapsed,
  overdue,
  failed,
  terminated,
  rejected,
  oneAddressTwice,
  storedByPatient: storedByPeer(true),
  storedByOther: storedByPeer(false),
  reorganised,
  undecided,
};
