import { beforeEach, describe, expect, test } from '@jest/globals';
import { readJson } from '#protocol';
import { testDatabases } from '../../../../test/support/databases.js';
import { address, BURN, register, saleOf, seller, user, voters, type TestLedger } from './pack-ledger.spec-suite.js';
import { useLedger } from './use-ledger.spec-suite.js';

describe.each(testDatabases())('tickets on $name', (database) => {
  const here = useLedger(database);
  const { packs } = here;
  let node: TestLedger;
  beforeEach(() => {
    node = here.node;
  });
  const sweep = () => node.tickets.sweep(node.clock.now());

  test('a pack is found by its ticket and by its burn, also when nobody has swept', async () => {
    const { txid, burnTxid, pack } = await node.buy();
    expect(await node.ledger.find(burnTxid)).toEqual(pack);
    expect(pack).toMatchObject({
      registrationTxid: txid,
      initialMillicredits: 1_500_000,
      ownerPastelId: user.pastelId,
      height: node.chain.tip,
    });
    expect(await node.ledger.find('ab'.repeat(32))).toBeUndefined();
  });

  test('malformed and bad tickets stop nobody, and are judged once', async () => {
    const cheap = await saleOf(node.chain, { total: 29_000, trackingAddress: address('cheap') });
    const few = await saleOf(node.chain, { agreeing: voters.slice(1, 2), trackingAddress: address('few') });
    const good = await saleOf(node.chain);
    node.chain.mine();
    for (const ticket of [readJson('{}'), readJson('[[1]]'), 'no base64!']) node.chain.send({ to: [], ticket, key: 'x' });
    const bad = [register(node.chain, cheap), register(node.chain, few)];
    const txid = register(node.chain, good);
    node.chain.mine();
    await sweep();
    expect(await packs()).toEqual([txid]);
    for (const other of bad) expect(await node.ledger.find(other)).toBeUndefined();
  });

  test('of two tickets that name one burn the first on the chain wins; the same for an address', async () => {
    const one = await saleOf(node.chain);
    const sameBurn = await saleOf(node.chain, { burnTxid: one.burnTxid, trackingAddress: address('b'), total: 30_000 });
    const sameAddress = await saleOf(node.chain, { total: 30_002 });
    node.chain.mine();
    const txids = [sameBurn, one, sameAddress].map((sale) => register(node.chain, sale));
    node.chain.mine();
    await sweep();
    // The ticket for `one` is second for its burn, and so the third is first for the address.
    expect(await packs()).toEqual([txids[0], txids[2]]);
  });

  test('a ticket before its burn waits for it, and holds back a later one for the same burn', async () => {
    const burnTxid = node.chain.send({ from: 'wallet', to: [[BURN, 30_000 * 100_000]] });
    node.chain.drop(burnTxid);
    const first = await saleOf(node.chain, { burnTxid });
    const second = await saleOf(node.chain, { burnTxid, trackingAddress: address('b') });
    const [one] = [register(node.chain, first)];
    node.chain.mine();
    const later = register(node.chain, second);
    node.chain.mine();
    await sweep();
    expect(await packs()).toEqual([]);
    expect(await node.registered.requestUsingAddress(first.trackingAddress)).toBe(
      first.response.sha3_256_hash_of_credit_pack_purchase_request_fields,
    );
    expect(await node.registered.ticketNamingBurn(burnTxid)).toMatchObject({ isDecided: false });
    node.chain.rebroadcast(burnTxid);
    node.chain.mine();
    await sweep();
    await sweep();
    expect(await packs()).toEqual([one]);
    expect(await node.registered.ticketNamingBurn(burnTxid)).toMatchObject({ isDecided: true });
    expect(await node.ledger.find(later)).toBeUndefined();
  });

  test('a burn that never comes makes the ticket bad once its window is over', async () => {
    const sale = await saleOf(node.chain);
    node.chain.drop(sale.burnTxid);
    const txid = register(node.chain, sale);
    node.chain.mine();
    await sweep();
    node.chain.mine(50);
    await sweep();
    node.chain.rebroadcast(sale.burnTxid);
    node.chain.mine();
    await sweep();
    expect(await node.ledger.find(txid)).toBeUndefined();
    expect(await node.registered.ticketNamingBurn(sale.burnTxid)).toBeUndefined();
  });

  test('a small or a late burn pays for nothing', async () => {
    const small = await saleOf(node.chain, { burned: 30_000 * 100_000 - 1 });
    node.chain.mine();
    register(node.chain, small);
    node.chain.mine();
    const late = await saleOf(node.chain, { trackingAddress: address('late') });
    node.chain.drop(late.burnTxid);
    node.chain.mine(51);
    node.chain.rebroadcast(late.burnTxid);
    node.chain.mine();
    register(node.chain, late);
    node.chain.mine();
    expect(await packs()).toEqual([]);
  });

  test('an outage leaves no verdict behind', async () => {
    const sale = await saleOf(node.chain);
    node.chain.mine();
    const txid = register(node.chain, sale);
    node.chain.mine();
    node.chain.isDown = true;
    await expect(sweep()).rejects.toMatchObject({ name: 'ChainUnavailable' });
    await expect(node.ledger.find(txid)).rejects.toMatchObject({ name: 'ChainUnavailable' });
    node.chain.isDown = false;
    expect(await node.ledger.find(txid)).toBeDefined();
  });

  test('a ticket about which the node cannot answer holds up no other', async () => {
    const [odd, good] = [await saleOf(node.chain, { trackingAddress: address('odd') }), await saleOf(node.chain)];
    node.chain.mine();
    const [oddTxid, txid] = [register(node.chain, odd), register(node.chain, good)];
    node.chain.mine();
    node.chain.unreadable.add(odd.burnTxid);
    expect(await packs()).toEqual([txid]);
    node.chain.unreadable.clear();
    expect(await packs()).toEqual([oddTxid, txid]);
  });

  test('a reorganisation: the pack goes, comes back with its holds, and the order on the new branch decides', async () => {
    const { pack, txid, trackingAddress } = await node.buy();
    await node.hold(pack, 'r1', 150);
    node.chain.disconnect(1);
    await sweep();
    expect(await node.ledger.find(txid)).toBeUndefined();
    expect(await node.hold(pack, 'r2', 1)).toBe(false);
    const burn = node.chain.send({ from: trackingAddress, to: [[BURN, 150]] });
    expect(await node.ledger.claimBurn({ requestId: 'r1', txid: burn })).toEqual({ verdict: 'unseen' });
    node.chain.mine();
    expect(await node.ledger.find(txid)).toEqual({ ...pack, height: node.chain.tip });
    expect(await node.ledger.balanceOf(pack)).toMatchObject({ heldMillicredits: 15_000 });
  });

  test('a reorganisation that lets another ticket stand first', async () => {
    const one = await saleOf(node.chain);
    const two = await saleOf(node.chain, { burnTxid: one.burnTxid, trackingAddress: address('b') });
    node.chain.mine();
    const [first, second] = [register(node.chain, one), register(node.chain, two)];
    node.chain.mine();
    expect(await packs()).toEqual([first]);
    node.chain.disconnect(1, (txids) => [...txids].reverse());
    node.chain.mine(2);
    expect(await packs()).toEqual([second]);
    expect(await node.ledger.find(first)).toBeUndefined();
    expect(await node.ledger.find(one.burnTxid)).toMatchObject({ registrationTxid: second });
  });

  test('a purchase burn that is disconnected takes its pack with it, until it is mined again', async () => {
    const burnTxid = node.chain.send({ from: 'wallet', to: [[BURN, 30_000 * 100_000]] });
    node.chain.drop(burnTxid);
    const txid = register(node.chain, await saleOf(node.chain, { burnTxid }));
    node.chain.mine(3);
    await sweep();
    node.chain.rebroadcast(burnTxid);
    node.chain.mine();
    expect(await node.ledger.find(txid)).toBeDefined();
    node.chain.disconnect(1);
    await sweep();
    expect(await packs()).toEqual([]);
    node.chain.mine();
    expect(await packs()).toEqual([txid]);
  });

  test('a node that reads the chain anew makes nothing undone', async () => {
    const { txid } = await node.buy();
    node.chain.mine(150);
    await node.sweep();
    node.chain.disconnect(150);
    await expect(sweep()).rejects.toMatchObject({ name: 'ChainUnavailable' });
    expect(await node.ledger.find(txid)).toBeDefined();
  });

  test('clearing the known bad table lets the tickets be judged again, to the same end', async () => {
    const bad = await saleOf(node.chain, { total: 29_000 });
    node.chain.mine();
    const txid = register(node.chain, bad);
    node.chain.mine();
    await sweep();
    await node.retry.forgive();
    await sweep();
    expect(await node.ledger.find(txid)).toBeUndefined();
    expect(await packs()).toEqual([]);
  });

  test('the list, the balance and the messages have the shapes of the wire', async () => {
    const { txid, burnTxid, trackingAddress, response, confirmation } = await node.buy({
      users: [user.pastelId, voters[0]!.pastelId],
    });
    const [listed] = await node.packs.validTicketsFor(voters[0]!.pastelId);
    expect(listed).toMatchObject({
      credit_pack_registration_txid: txid,
      requesting_end_user_pastelid: user.pastelId,
      txid_of_credit_purchase_burn_transaction: burnTxid,
      credit_usage_tracking_psl_address: trackingAddress,
      number_of_confirmation_transactions: 0,
    });
    expect([listed!.psl_cost_per_credit.text, listed!.requested_initial_credits_in_credit_pack.text]).toEqual(['20.0', '1500']);
    expect(listed!.credit_pack_current_credit_balance!.text).toBe('1500');
    expect(JSON.parse(listed!.complete_credit_pack_data_json)).toHaveProperty('ticket_input_data_dict');
    expect(await node.packs.validTicketsFor(seller.pastelId)).toEqual([]);

    node.chain.send({ from: trackingAddress, to: [[BURN, 150]] });
    const balance = await node.packs.balance(txid, voters[0]!.pastelId);
    expect(balance.current_credit_balance.text).toBe('1485.0');
    expect(balance.number_of_confirmation_transactions).toBe(1);
    await expect(node.packs.balance(txid, seller.pastelId)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(node.packs.balance('nonsense', user.pastelId)).rejects.toMatchObject({ code: 'not-found' });

    expect(await node.packs.messagesOfTicket(txid)).toEqual({
      credit_pack_purchase_request_response: response,
      credit_pack_purchase_request_confirmation: confirmation,
    });
    await expect(node.packs.messagesOfTicket(burnTxid)).rejects.toThrow(
      `Credit pack ticket with TXID ${burnTxid} not found or was invalid!`,
    );
    const messages = await node.packs.messagesOfBurn(burnTxid);
    expect(Object.keys(messages.credit_pack_purchase_request)).toHaveLength(7);
    expect(await node.packs.registrationOfBurn(burnTxid)).toEqual({ final_credit_pack_registration_txid: txid });
  });

  test('a small purchase burn out of the tracking address is no usage', async () => {
    node.market.usdPerPsl = 0.2;
    const { pack } = await node.buy({
      credits: '10',
      price: 0.05,
      burnTxid: node.chain.send({ from: address('tracking'), to: [[BURN, 50_000]] }),
    });
    await node.sweep();
    expect(await node.ledger.balanceOf(pack)).toMatchObject({ burnedMillicredits: 0, availableMillicredits: 10_000 });
  });

  test('what others would refuse is told before an offer is made', async () => {
    const good = await saleOf(node.chain);
    expect(await node.registered.faultsOf(good.response)).toEqual([]);
    expect(await node.registered.faultsOf(good.response, good.confirmation)).toEqual([expect.stringContaining('was not mined')]);
    node.chain.mine();
    expect(await node.registered.faultsOf(good.response, good.confirmation)).toEqual([]);
    const narrow = await saleOf(node.chain, { agreeing: voters.slice(0, 2) });
    expect(await node.registered.faultsOf(narrow.response)).toEqual(['Too few of the supernodes asked agreed']);
  });

  test('two sweeps at once do no harm', async () => {
    const { txid } = await node.buy();
    await Promise.all([sweep(), node.tickets.catchUp(), sweep(), node.tickets.catchUp()]);
    expect(await packs()).toEqual([txid]);
  });
});
