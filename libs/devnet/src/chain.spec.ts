import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { networks } from '#protocol';
import { serve, type Served } from './support.spec-suite.js';

const BURN = networks.devnet.burnAddress;
let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

/** An address with `count` coins of 2 PSL. */
async function tracking(count: number): Promise<string> {
  const address: string = await served.user.call('getnewaddress');
  for (let i = 0; i < count; i++) await served.user.call('sendtoaddress', address, 2);
  served.devnet.generate();
  return address;
}

describe('the address index', () => {
  test('knows who sent a burn; a waiting one stands there once for each input', async () => {
    const { user, devnet } = served;
    const address = await tracking(3);
    const txid = await user.call('sendmany', '', { [BURN]: 5 }, 0, '', [''], address);
    const query = { addresses: [BURN], simple: false, minHeight: 700000, sender: address, mempool: true };
    const waiting = await user.call('getaddressutxosextra', query);
    expect(waiting).toHaveLength(3);
    expect(waiting[0]).toMatchObject({ address: BURN, txid, patoshis: 500_000, height: -1, senderAddress: address });
    expect(await user.call('getaddressutxosextra', { ...query, mempool: false })).toEqual([]);
    devnet.generate();
    const mined = await user.call('getaddressutxosextra', query);
    expect(mined).toMatchObject([{ txid, patoshis: 500_000, height: devnet.state.ledger.height }]);
    expect(mined[0].senders).toHaveLength(3);
    expect(await user.call('getaddressutxosextra', { ...query, simple: true })).not.toHaveProperty('0.senders');
    expect(await user.call('getaddressutxosextra', { ...query, minHeight: devnet.state.ledger.height + 1 })).toEqual([]);
  });

  test('scans burns of one sender, and leaves out those of others', async () => {
    const { user, devnet } = served;
    const address = await tracking(1);
    await user.call('sendtoaddress', BURN, 0.5);
    const txid = await user.call('sendmany', '', { [BURN]: 0.25 }, 0, '', [''], address);
    expect(await user.call('scanburntransactions', address)).toMatchObject([
      { txid, blockhash: 'NA', blockindex: 0, amountPat: 25_000 },
    ]);
    devnet.generate();
    const { height, tipHash } = devnet.state.ledger;
    expect(await user.call('scanburntransactions', address, height)).toMatchObject([
      { txid, blockhash: tipHash, blockindex: height, confirmations: 1, amount: 0.25, vin: [{ amount: 2 }] },
    ]);
    expect(await user.call('scanburntransactions', address, height + 0)).toHaveLength(1);
  });

  test('follows spending: outputs, ids and balances', async () => {
    const { user, devnet } = served;
    const address = await tracking(1);
    const height = devnet.state.ledger.height;
    expect(await user.call('getaddressutxos', { addresses: [address] })).toMatchObject([{ patoshis: 200_000, height }]);
    const txid = await user.call('sendmany', '', { [BURN]: 0.1 }, 0, '', [''], address);
    expect(await user.call('getaddressutxos', { addresses: [address], status: 'spending' })).toHaveLength(1);
    expect(await user.call('getaddressutxos', { addresses: [address], status: 'unspent' })).toHaveLength(0);
    devnet.generate();
    const ids = await user.call('getaddresstxids', { addresses: [address] });
    expect(ids).toHaveLength(2);
    expect(ids[1]).toBe(txid);
    expect(await user.call('getaddresstxids', { addresses: [address, BURN], start: height + 1, end: height + 1 })).toEqual([
      txid,
    ]);
    const { balance, received } = await user.call('getaddressbalance', { addresses: [address] });
    expect(received).toBe(200_000 + balance);
    expect(balance).toBeLessThan(190_000);
  });
});

describe('contract tickets', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const pack = '{"z":12.0,"a":{"y":[1,2.50,"naïve"],"b":1e-5},"n":null}';

  test('cost 10 PSL, wait, and are decoded with sorted keys and their numbers', async () => {
    const { user, node, devnet } = served;
    const before = await node.call('getbalance');
    const { txid, key } = await node.call('tickets', 'register', 'contract', base64(pack), 'PACK', 'secondary');
    expect(key).toMatch(/^[a-z2-7]{52}={4}$/);
    const waiting = await user.call('tickets', 'get', txid, 1);
    expect(waiting).toMatchObject({
      height: -1,
      txid,
      ticket: { key, secondary_key: 'secondary', sub_type: 'PACK', type: 'contract', version: 1 },
    });
    expect(waiting.tx_info).toMatchObject({ multisig_tx_total_fee: 1_000_000, is_compressed: expect.any(Boolean) });
    expect(await user.call('tickets', 'find', 'contract', 'secondary')).toBe('Key is not found');
    expect(await user.call('tickets', 'list', 'contract', 'PACK')).toEqual([]);
    devnet.generate();
    const spent = before - (await node.call('getbalance'));
    expect(spent).toBeGreaterThan(10);
    expect(spent).toBeLessThan(10.1);
    const { vout } = await user.call('getrawtransaction', txid, 1);
    expect(vout.at(-1).scriptPubKey.type).toBe('pubkeyhash');
    expect(vout[0].scriptPubKey).toMatchObject({ type: 'multisig', asm: expect.stringMatching(/^1 .* OP_CHECKMULTISIG$/) });

    const text = await rawText('tickets', 'get', txid, 1);
    expect(text).toContain('"contract_ticket":{"a":{"b":1e-05,"y":[1,2.5,"naïve"]},"n":null,"z":12.0}');
    expect(await user.call('tickets', 'get', txid)).toMatchObject({ ticket: { contract_ticket: base64(pack) } });
    expect(await user.call('tickets', 'find', 'contract', key)).toMatchObject({
      txid,
      ticket: { contract_ticket: base64(pack) },
    });
    expect(await user.call('tickets', 'find', 'contract', 'PACK')).toMatchObject([{ txid }]);
    expect(await user.call('tickets', 'list', 'contract', 'all')).toMatchObject([{ ticket: { contract_ticket: base64(pack) } }]);
    expect(await user.call('tickets', 'list', 'contract', 'pack')).toEqual([]);
    expect(await user.call('tickets', 'list', 'contract', 'PACK', devnet.state.ledger.height + 1)).toEqual([]);
    expect((await user.call('tickets', 'list', 'contract', 'PACK'))[0].tx_info).toMatchObject({
      is_compressed: false,
      multisig_outputs_count: 0,
    });
  });

  test('of some size are compressed, and say so', async () => {
    const { txid } = await served.node.call(
      'tickets',
      'register',
      'contract',
      base64(JSON.stringify({ long: 'x'.repeat(50_000) })),
      'PACK',
      'long',
    );
    const { tx_info } = await served.user.call('tickets', 'get', txid, 1);
    expect(tx_info).toMatchObject({
      is_compressed: true,
      compressed_size: expect.any(Number),
      compression_ratio: expect.stringMatching(/^0\.\d{4}$/),
    });
    expect(tx_info.uncompressed_size).toBeGreaterThan(66_000);
  });

  test('hold one secondary key once, waiting or mined; none at all is no key', async () => {
    const { node, peer, devnet } = served;
    const { txid } = await node.call('tickets', 'register', 'contract', 'e30=', 'PACK', 'once');
    const message = `Ticket (contract) is invalid. Found 'Contract' ticket transaction in mempool with the same secondary key 'once'. [txid=${txid}]`;
    expect(await peer.refusal('tickets', 'register', 'contract', 'e31=', 'PACK', 'once')).toMatchObject({ code: -1, message });
    devnet.generate();
    expect(await peer.refusal('tickets', 'register', 'contract', 'e31=', 'PACK', 'once')).toMatchObject({
      code: -1,
      message: expect.stringContaining('This Contract is already registered in blockchain [key='),
    });
    for (let i = 0; i < 2; i++) await node.call('tickets', 'register', 'contract', 'e30=', 'PACK');
    expect(await node.refusal('tickets', 'register', 'contract', 'e30=', '', 'k')).toMatchObject({
      message: expect.stringContaining('sub type is not defined'),
    });
    expect(await node.refusal('tickets', 'register', 'contract', '', 'PACK', 'k')).toMatchObject({
      message: expect.stringContaining('data is empty'),
    });
    expect(await node.refusal('tickets', 'register', 'contract', 'e30=')).toMatchObject({ code: -8 });
  });

  test('of odd data come back as they were given', async () => {
    for (const [at, odd] of ['no base64!', base64('no JSON'), base64(`${'['.repeat(40)}${']'.repeat(40)}`), 'gA=='].entries()) {
      const { txid } = await served.node.call('tickets', 'register', 'contract', odd, 'ODD', at);
      expect((await served.user.call('tickets', 'get', txid, true)).ticket).toMatchObject({
        contract_ticket: odd,
        secondary_key: String(at),
      });
    }
  });

  test('cannot be paid from an address without coins', async () => {
    const empty = await served.user.call('getnewaddress');
    expect(await served.user.refusal('tickets', 'register', 'contract', 'e30=', 'PACK', 'poor', empty)).toMatchObject({
      code: -1,
      message: `Failed to create P2FMS from data provided. No unspent transaction found for address [${empty}] - cannot send data to the blockchain!`,
    });
  });

  test('are not found in other transactions', async () => {
    const payment = await served.user.call('sendtoaddress', BURN, 1);
    expect(await served.user.refusal('tickets', 'get', payment)).toMatchObject({
      code: -1,
      message: expect.stringContaining('Failed to parse P2FMS'),
    });
    expect(await served.user.refusal('tickets', 'get', 'e'.repeat(64))).toMatchObject({
      message: 'No information available about transaction',
    });
    expect(await served.user.refusal('tickets', 'get', 'abc')).toMatchObject({ code: -8 });
  });

  async function rawText(method: string, ...params: unknown[]): Promise<string> {
    const headers = { authorization: `Basic ${Buffer.from('devnet:devnet').toString('base64')}` };
    return (await fetch(served.url, { method: 'POST', headers, body: JSON.stringify({ method, params }) })).text();
  }
});

describe('PastelIDs', () => {
  test('are registered for 1000 PSL of the address that is named', async () => {
    const { user, devnet } = served;
    const { pastelid } = await user.call('pastelid', 'newkey', 'words');
    const address = await user.call('getnewaddress');
    const register = (passphrase = 'words') => ['tickets', 'register', 'id', pastelid, passphrase, address] as const;
    expect(await user.refusal(...register())).toMatchObject({ message: expect.stringContaining('No unspent transaction found') });
    await user.call('sendtoaddress', address, 900);
    devnet.generate();
    expect(await user.refusal(...register())).toMatchObject({ message: expect.stringContaining('to cover the price 1000 PSL.') });
    await user.call('sendtoaddress', address, 200);
    devnet.generate();
    expect(await user.refusal(...register('wrong'))).toMatchObject({ message: expect.stringContaining('Passphrase is invalid') });
    const { txid, key } = await user.call(...register());
    expect(key).toBe(pastelid);
    expect(await user.call('tickets', 'find', 'id', pastelid)).toBe('Key is not found');
    devnet.generate();
    expect(await user.call('tickets', 'find', 'id', address)).toMatchObject({
      txid,
      ticket: { pastelID: pastelid, id_type: 'personal' },
    });
    expect(await user.refusal(...register())).toMatchObject({
      message: expect.stringContaining('already registered in blockchain'),
    });
    expect(await served.node.refusal(...register())).toMatchObject({ message: expect.stringContaining('See "pastelid newkey"') });
    expect(await user.call('tickets', 'list', 'id', 'mine')).toEqual([]);
    devnet.generate(4);
    expect(await user.call('tickets', 'list', 'id', 'mine')).toMatchObject([{ txid }]);
    expect(await user.refusal('tickets', 'register', 'mnid', pastelid, 'words')).toMatchObject({ code: -32603 });
  });
});

describe('supernodes', () => {
  test('have rows that the strictest client takes', async () => {
    const { user } = served;
    const lists = await Promise.all(['full', 'rank', 'pubkey', 'extra'].map((mode) => user.call('masternodelist', mode)));
    const [full, rank, pubkey, extra] = lists as [
      Record<string, string>,
      Record<string, number>,
      Record<string, string>,
      Record<string, object>,
    ];
    expect(Object.keys(full)).toHaveLength(5);
    for (const [outpoint, line] of Object.entries(full)) {
      expect(line).toMatch(/^ {11}ENABLED 170012 44\S{34} \d{10} [ \d]{8} \d{10} \d{6} 127\.0\.0\.\d:29933$/);
      expect([rank[outpoint], pubkey[outpoint]]).toEqual([expect.any(Number), expect.stringMatching(/^04[0-9a-f]{128}$/)]);
      expect(extra[outpoint]).toMatchObject({
        extAddress: expect.stringMatching(/:4444$/),
        extP2P: expect.stringMatching(/:4445$/),
        extKey: expect.stringMatching(/^jX/),
      });
    }
    expect(Object.values(rank).sort()).toEqual([1, 2, 3, 4, 5]);
    const some = Object.keys(full)[0]!;
    expect(Object.keys(await user.call('masternodelist', 'full', some))).toEqual([some]);
    expect(await user.call('masternode', 'list', 'addr', '127.0.0.3')).toEqual({
      [served.devnet.supernodes[2]!.outpoint]: '127.0.0.3:29933',
    });
    const height = String(served.devnet.state.ledger.height);
    expect((await user.call('masternode', 'top'))[height].map((row: { rank: string }) => row.rank)).toEqual([
      '1',
      '2',
      '3',
      '4',
      '5',
    ]);
  });

  test('change their status when a test says so', async () => {
    served.devnet.controls.setMasternodeStatus('sn5', 'EXPIRED');
    expect(Object.values(await served.user.call('masternodelist')).sort()).toEqual([
      'ENABLED',
      'ENABLED',
      'ENABLED',
      'ENABLED',
      'EXPIRED',
    ]);
    expect(await served.user.call('masternode', 'count', 'enabled')).toBe(4);
    served.devnet.controls.setMasternodeStatus('sn5', 'ENABLED');
  });

  test('write to each other; the same text in one second is one message, none comes back to its sender', async () => {
    const { node, peer, devnet } = served;
    const [own, other] = devnet.supernodes.map(({ publicKey }) => publicKey);
    for (const text of ['one', 'one', 'two']) await node.call('masternode', 'message', 'send', other, text);
    await node.call('masternode', 'message', 'send', own, 'to myself');
    const inbox = (await peer.call('masternode', 'message', 'list')) as Record<
      string,
      { From: string; To: string; Timestamp: number; Message: string }
    >[];
    expect(inbox.flatMap((entry) => Object.values(entry).map(({ Message }) => Message)).sort()).toEqual(['one', 'two']);
    expect(inbox.map((entry) => Object.keys(entry)[0])).toEqual(inbox.map((entry) => Object.keys(entry)[0]).sort());
    expect(Object.values(inbox[0]!)[0]).toMatchObject({
      From: devnet.supernodes[0]!.outpoint,
      To: devnet.supernodes[1]!.outpoint,
      Timestamp: devnet.seconds,
    });
    expect(await node.call('masternode', 'message', 'list')).toEqual([]);
    expect(await node.refusal('masternode', 'message', 'send', 'xyz', 'text')).toMatchObject({
      code: -32603,
      message: 'Invalid Masternode Public Key',
    });
    expect(await node.refusal('masternode', 'message', 'send', `04${'00'.repeat(64)}`, 'text')).toMatchObject({
      code: -1,
      message: 'Unknown Masternode',
    });
    expect(await node.refusal('masternode', 'message', 'sign', 'text')).toMatchObject({ code: -1 });
    expect(await served.user.refusal('masternode', 'message', 'send', own, 'text')).toMatchObject({ code: -32603 });
  });
});
