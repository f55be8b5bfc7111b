import assert from 'node:assert/strict';
import { CreditPackPurchaseRequestResponse, PythonNumber, seal, Signing, writeJson } from '#protocol';
import { isRefusal, purchaseAt, sayTo, toldAt } from '../../../libs/credit-pack/test/doors.js';
import { drawnSigning } from '../../support/drawn-signing.js';
import { pick, seeded, shuffled } from '../contract.js';
import type { Bourse } from './bourse.js';
import { answerFor, bought } from './quorum.js';

/**
 * A peer says yes to one seller and no to another; a seller shows some of its peers another offer than the buyer, before or after the true
 * one. Each of them is good by itself, and the pack is the same everywhere.
 */
export async function equivocators(bourse: Bourse, seed: number): Promise<void> {
  const chance = seeded(seed);
  const { market } = bourse;
  const [seller, twoFaced, honest, ...others] = shuffled(chance, bourse.nodes);
  const shown = new Set([twoFaced, ...others].slice(0, 1 + Math.floor(chance() * 3)));
  const fair = twoFaced!.usdPerPsl;
  bourse.carryPlainly(() => true);
  const plainly = bourse.carrier;
  const refusals: string[] = [];
  bourse.carrier = async (letter) => {
    const { from, to, line, message } = letter;
    if (line === 'priceAgreement' && to === twoFaced && from !== seller!.pastelId) {
      to.usdPerPsl = fair * 2;
      return plainly(letter).finally(() => (to.usdPerPsl = fair));
    }
    if (line !== 'responseAnnouncement' || from !== seller!.pastelId || !shown.has(to)) return plainly(letter);
    const offer = message as CreditPackPurchaseRequestResponse;
    const total = PythonNumber.float(Number((offer.proposed_total_cost_of_credit_pack_in_psl.value + 0.00001).toFixed(5)));
    const draft = { ...offer, proposed_total_cost_of_credit_pack_in_psl: total };
    const other = await seal(CreditPackPurchaseRequestResponse, draft, seller!.get(Signing));
    const inOrder = shuffled(chance, [other, offer]);
    await plainly({ ...letter, message: inOrder[0]! });
    const refusal = await plainly({ ...letter, message: inOrder[1]! }).catch(String);
    refusals.push(String(refusal));
    return undefined;
  };

  const [buyer, trackingAddress, fromHeight] = [drawnSigning(chance), await market.wallet.newAddress(), market.height];
  const offer = await answerFor(bourse, seller!, buyer, trackingAddress);
  assert.ok(offer instanceof CreditPackPurchaseRequestResponse, writeJson(offer));
  assert.ok(offer.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms.includes(twoFaced!.pastelId));
  await bourse.settle();
  const requestHash = offer.sha3_256_hash_of_credit_pack_purchase_request_fields;
  for (const node of bourse.nodes)
    if (node !== seller) assert.equal((await toldAt(node, requestHash)).length, 1, `${node.user} remembers one offer`);
  assert.equal(refusals.length, shown.size);
  for (const refusal of refusals) assert.match(refusal, /another offer/);
  const burnTxid = await market.burn(offer);
  const confirmation = await market.confirmation(offer, burnTxid, buyer);
  // Whoever was shown the other one does not take a confirmation of this.
  const responseHash = offer.sha3_256_hash_of_credit_pack_purchase_request_response_fields;
  for (const node of shuffled(
    chance,
    bourse.nodes.filter((one) => one !== seller),
  )) {
    const knows = (await toldAt(node, requestHash))[0]!.responseHash === responseHash;
    const said = sayTo(node, 'confirmationAnnouncement', confirmation);
    if (knows) await said;
    else await assert.rejects(said, isRefusal);
  }
  const completion = (await sayTo(seller!, 'confirmation', confirmation)) as Record<string, string>;
  await bourse.settle();
  await bourse.expectPack(burnTxid, completion['pastel_api_credit_pack_ticket_registration_txid']!, fromHeight, 1);

  const second = { seller: pick(chance, [honest!, ...others]), buyer: drawnSigning(chance) };
  await bought(bourse, second.seller, second.buyer, await market.wallet.newAddress());
  assert.equal((await purchaseAt(second.seller, requestHash))?.state, undefined);
}
