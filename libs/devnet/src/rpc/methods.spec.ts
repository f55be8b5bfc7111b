import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { networks } from '#protocol';
import { methods } from './dispatcher.js';
import { serve, type Served } from '../support.spec-suite.js';

const BURN = networks.devnet.burnAddress;
const HEX64 = /^[0-9a-f]{64}$/;
const hex64 = expect.stringMatching(HEX64);
const address = expect.stringMatching(/^44[1-9A-HJ-NP-Za-km-z]{34}$/);
const amount = expect.any(Number);
const supernodeTicket = expect.objectContaining({
  ticket: expect.objectContaining({ id_type: 'masternode', pastelID: expect.any(String) }),
});

let served: Served;
const known: Record<string, string> = {};
beforeAll(async () => {
  served = await serve();
  const { user, devnet } = served;
  known['address'] = await user.call('getnewaddress');
  known['payment'] = await user.call('sendtoaddress', known['address'], 1500, 'for the tests');
  devnet.generate();
  known['burn'] = await user.call('sendmany', '', { [BURN]: 0.00015 }, 0, 'a burn', [''], known['address']);
  known['pastelid'] = (await user.call('pastelid', 'newkey', 'words')).pastelid;
  known['signature'] = (await user.call('pastelid', 'sign', 'text', known['pastelid'], 'words', 'ed448')).signature;
  known['idTicket'] = (await user.call('tickets', 'register', 'id', known['pastelid'], 'words', known['address'])).txid;
  known['contract'] = (await served.node.call('tickets', 'register', 'contract', 'e30=', 'PACK', 'abc')).txid;
  devnet.generate();
  known['block'] = devnet.state.ledger.tipHash;
  known['wif'] = await user.call('dumpprivkey', known['address']);
  known['hex'] = await user.call('getrawtransaction', known['payment'], 0, null);
  known['peerKey'] = devnet.supernodes[1]!.publicKey;
});
afterAll(() => served.close());

/** `$name` stands for what was made before. */
const filled = (params: readonly unknown[]): unknown[] =>
  params.map((param) => (typeof param === 'string' && param.startsWith('$') ? known[param.slice(1)] : param));

/** Every row of the clients' table of methods, and what the server side calls besides. */
const table: readonly (readonly [string, readonly unknown[], unknown])[] = [
  ['getbestblockhash', [], hex64],
  [
    'getblock',
    ['$block'],
    expect.objectContaining({ height: expect.any(Number), merkleroot: hex64, hash: hex64, tx: expect.arrayContaining([hex64]) }),
  ],
  [
    'getblock',
    ['760001', 2],
    expect.objectContaining({ tx: [expect.objectContaining({ txid: hex64, vout: expect.any(Array) })] }),
  ],
  ['getblock', [760001, false], expect.stringMatching(/^05000000[0-9a-f]+$/)],
  ['getblockhash', [700000], hex64],
  ['getblockhash', [760100, -1], expect.arrayContaining([{ height: 760100, hash: hex64 }])],
  ['getblockcount', [], expect.any(Number)],
  ['getinfo', [], expect.objectContaining({ blocks: expect.any(Number), chain: 'devnet', errors: '' })],
  ['getblockchaininfo', [], expect.objectContaining({ chain: 'devnet', bestblockhash: hex64 })],
  ['getnetworkinfo', [], expect.objectContaining({ protocolversion: 170012 })],
  ['mnsync', ['status'], expect.objectContaining({ AssetID: 999, AssetName: 'Finished', IsSynced: true, IsFailed: false })],
  ['masternodelist', ['full'], expect.any(Object)],
  ['masternodelist', ['rank'], expect.any(Object)],
  ['masternodelist', ['pubkey'], expect.any(Object)],
  ['masternodelist', ['extra'], expect.any(Object)],
  ['masternode', ['top'], expect.any(Object)],
  ['masternode', ['count'], 5],
  ['pastelid', ['sign', 'text', '$pastelid', 'words', 'ed448'], { signature: expect.stringMatching(/^[A-Za-z0-9+/]{151}A$/) }],
  ['pastelid', ['verify', 'text', '$signature', '$pastelid', 'ed448'], { verification: 'OK' }],
  ['pastelid', ['verify', 'other', '$signature', '$pastelid', 'ed448'], { verification: 'Failed' }],
  [
    'pastelid',
    ['sign-base64-encoded', 'dGV4dA==', '$pastelid', 'words'],
    expect.objectContaining({ signature: expect.any(String) }),
  ],
  ['pastelid', ['verify-base64-encoded', 'dGV4dA==', '$signature', '$pastelid'], { verification: 'OK' }],
  [
    'pastelid',
    ['newkey', 'a passphrase'],
    { pastelid: expect.stringMatching(/^jX.{84}$/), legRoastKey: expect.stringMatching(/^Ex[vwx].{5599}$/) },
  ],
  [
    'pastelid',
    ['list'],
    expect.arrayContaining([expect.objectContaining({ PastelID: expect.any(String), legRoastKey: expect.any(String) })]),
  ],
  [
    'tickets',
    ['find', 'id', '$pastelid'],
    expect.objectContaining({ height: expect.any(Number), ticket: expect.objectContaining({ id_type: 'personal' }) }),
  ],
  ['tickets', ['list', 'id', 'mn'], Array.from({ length: 5 }, () => supernodeTicket)],
  ['tickets', ['list', 'id', 'mine', 0], []],
  ['tickets', ['get', '$contract', true], expect.objectContaining({ ticket: expect.objectContaining({ contract_ticket: {} }) })],
  [
    'tickets',
    ['list', 'contract', 'PACK', 700000],
    [expect.objectContaining({ ticket: expect.objectContaining({ contract_ticket: {} }) })],
  ],
  [
    'tickets',
    ['find', 'contract', 'abc'],
    expect.objectContaining({ ticket: expect.objectContaining({ contract_ticket: 'e30=' }) }),
  ],
  ['getbalance', [], amount],
  ['getnewaddress', [], address],
  ['sendtoaddress', [BURN, '0.00001', 'note'], hex64],
  ['sendmany', ['', { [BURN]: 0.00002 }, 0, 'note', [''], '$address'], hex64],
  ['sendmany', ['', { [BURN]: 0.00002 }, 1, 'note', [], '$address'], hex64],
  [
    'gettransaction',
    ['$burn'],
    expect.objectContaining({ txid: hex64, confirmations: 1, details: expect.any(Array), comment: 'a burn' }),
  ],
  ['gettransaction', ['$burn', true], expect.objectContaining({ fee: expect.any(Number), status: 'mined' })],
  ['listaddressamounts', [], expect.any(Object)],
  ['listaddressamounts', [true, 'spendableOnly'], expect.any(Object)],
  ['z_getbalance', [BURN], 0],
  [
    'getrawtransaction',
    ['$payment', 1],
    expect.objectContaining({ txid: hex64, vin: expect.any(Array), height: expect.any(Number), confirmations: 2 }),
  ],
  ['getrawtransaction', ['$payment', 0, null], expect.stringMatching(/^0400008085202f89/)],
  ['decoderawtransaction', ['$hex'], expect.objectContaining({ txid: hex64, versiongroupid: '892f2085' })],
  ['validateaddress', ['$address'], expect.objectContaining({ isvalid: true, ismine: true, address })],
  ['validateaddress', ['nonsense'], { isvalid: false }],
  ['importprivkey', ['$wif', 'label', true, 730000], address],
  ['dumpprivkey', ['$address'], expect.stringMatching(/^[c-][1-9A-Za-z]{51}$/)],
  ['importaddress', [BURN, 'burn_address', true], null],
  ['getwalletinfo', [], expect.objectContaining({ balance: amount, txcount: expect.any(Number) })],
  ['listsinceblock', ['$block', 1, true], expect.objectContaining({ transactions: expect.any(Array), lastblock: hex64 })],
  ['listunspent', [], expect.arrayContaining([expect.objectContaining({ txid: hex64, spendable: true })])],
  ['gettxout', ['$contract', 0], expect.objectContaining({ confirmations: 1 })],
  [
    'getaddressutxos',
    [{ addresses: [BURN], chainInfo: true }],
    expect.objectContaining({ utxos: expect.any(Array), hash: hex64 }),
  ],
  [
    'getaddressutxosextra',
    [{ addresses: [BURN], simple: false, minHeight: 700000 }],
    [expect.objectContaining({ patoshis: 15 })],
  ],
  ['getaddresstxids', [{ addresses: [BURN] }], [hex64]],
  ['getaddressbalance', [{ addresses: [BURN] }], { addresses: [{ address: BURN, balance: 15 }], balance: 15, received: 15 }],
  [
    'scanburntransactions',
    ['$address', 700000],
    expect.arrayContaining([expect.objectContaining({ txid: hex64, amountPat: 15 })]),
  ],
  ['getrawmempool', [], expect.any(Array)],
  ['getmempoolinfo', [], expect.objectContaining({ size: expect.any(Number) })],
  ['getdifficulty', [], 1],
  ['storagefee', ['getfees'], expect.objectContaining({ storageFeePerMb: 50, storageFeePerMbPat: 5_000_000 })],
  ['storagefee', ['getactionfees', 2], expect.objectContaining({ datasize: 2, cascadefee: 110, sensefee: 561 })],
  ['storagefee', ['getticketfee'], expect.objectContaining({ ticketChainStorageFeePerKb: 2 })],
  ['generate', [1], [hex64]],
  ['stop', [], 'Pastel server stopping'],
];

describe('methods', () => {
  test.each(table)('%s %j', async (method, params, expected) => {
    expect(await served.user.call(method, ...filled(params))).toEqual(expected);
  });

  test('of a supernode alone', async () => {
    expect(await served.node.call('masternode', 'message', 'send', known['peerKey'], 'hello')).toBeNull();
    expect(await served.peer.call('masternode', 'message', 'list')).toHaveLength(1);
    expect(await served.node.call('masternode', 'outputs')).toEqual({
      [served.devnet.supernodes[0]!.outpoint.slice(0, 64)]: '0',
    });
    expect(await served.node.call('masternode', 'genkey')).toMatch(/^9/);
  });

  test('are all called by some test here or beside', () => {
    const elsewhere = [
      'importwallet',
      'signmessage',
      'verifymessage',
      'sendrawtransaction',
      'devnet',
      'masternode',
      'tickets',
      'pastelid',
    ];
    const called = new Set([...table.map(([method]) => method), ...elsewhere]);
    expect([...methods.keys()].filter((method) => !called.has(method))).toEqual([]);
  });
});

describe('refusals', () => {
  test.each([
    ['getblock', ['99999999'], -8, 'Block height 99999999 out of range [0..'],
    ['getblock', ['x1'], -8, 'Invalid block height parameter [x1]'],
    ['getblock', ['0123456789'], -8, 'Incorrect block hash parameter value size: 10, expected: 64. [0123456789]'],
    ['getblock', ['e'.repeat(64)], -5, 'not found in index'],
    ['getblock', [1, 3], -8, 'Verbosity must be in range from 0 to 2'],
    ['getblockhash', [99999999], -8, 'Block height out of range'],
    ['getblockhash', [1, -2], -8, 'Block count out of range'],
    ['getrawtransaction', ['e'.repeat(64)], -5, 'No such mempool or blockchain transaction'],
    ['getrawtransaction', ['xyz'], -8, "parameter 1 must be hexadecimal string (not 'xyz')"],
    ['getrawtransaction', ['e'.repeat(64), true], -1, 'JSON value is not an integer as expected'],
    ['decoderawtransaction', ['00'], -22, 'TX decode failed'],
    ['sendrawtransaction', ['zz'], -22, 'TX decode failed'],
    ['gettransaction', ['e'.repeat(64)], -5, 'Invalid or non-wallet transaction id'],
    ['listsinceblock', ['', 0], -8, 'Invalid parameter'],
    ['listunspent', [1, 2, ['bad']], -5, 'Invalid Pastel address: bad'],
    ['getbalance', ['account'], -11, 'Accounts are not supported'],
    ['listaddressamounts', [false, 'none'], -8, 'filter'],
    ['z_getbalance', ['bad'], -5, 'Invalid from address, should be a taddr or zaddr.'],
    ['dumpprivkey', [BURN], -4, 'is not known'],
    ['dumpprivkey', ['bad'], -5, 'Invalid Pastel address'],
    ['importprivkey', ['bad'], -5, 'Invalid private key, failed to decode base58-encoded string'],
    ['importaddress', ['bad'], -5, 'Invalid Pastel address or script'],
    ['importaddress', ['$address'], -4, 'The wallet already contains the private key'],
    ['importwallet', ['/nowhere/at/all'], -8, 'Cannot open wallet dump file'],
    ['getaddressutxosextra', [{ addresses: BURN }], -5, 'Addresses is expected to be an array'],
    ['getaddressutxosextra', [{ addresses: ['bad'] }], -5, 'Invalid address'],
    ['getaddressutxosextra', [{ addresses: [BURN], sender: '' }], -5, 'Invalid Pastel send address'],
    ['getaddressutxosextra', [{ addresses: [BURN], simple: 'maybe' }], -8, 'Invalid bool value: maybe'],
    ['getaddresstxids', [{ addresses: [BURN], start: 5 }], -5, 'Start and end'],
    ['scanburntransactions', ['*'], -5, 'Invalid Pastel tracking transparent address'],
    ['masternodelist', ['full', 'a', 'b', 'c'], -8, 'Too many parameters'],
    ['masternodelist', ['nonsense'], -8, 'masternodelist'],
    ['masternode', ['top', 99999999], -8, 'Block height out of range'],
    ['pastelid', ['newkey'], -8, 'pastelid'],
    ['pastelid', ['newkey', ''], -1, 'passphrase for new key cannot be empty!'],
    ['pastelid', ['sign', 't', '$pastelid', ''], -1, 'passphrase for the private key cannot be empty!'],
    [
      'pastelid',
      ['sign', 't', '$pastelid', 'wrong'],
      -1,
      "Passphrase is invalid. Failed to decrypt secure item 'pkey_ed448' data",
    ],
    ['pastelid', ['sign', 't', 'jXnobody', 'words'], -1, 'Pastel ID [jXnobody] is not stored in this local node'],
    ['pastelid', ['sign', 't', '$pastelid', 'words', 'rsa'], -1, "Signing algorithm 'rsa' is not supported"],
    ['pastelid', ['sign', 't', '$pastelid', 'words', 'legroast'], -1, 'not supported by the development node'],
    ['pastelid', ['sign-base64-encoded', '***', '$pastelid', 'words'], -8, 'Cannot decode "base64-encoded-text" parameter'],
    ['pastelid', ['passwd', '$pastelid', 'words', ''], -8, "'new_passphrase' parameter cannot be empty!"],
    ['pastelid', ['importkey'], -1, 'NOT IMPLEMENTED'],
    ['storagefee', ['getactionfees', -1], -8, 'negative'],
    ['generate', [0], -8, 'numblocks'],
  ])('%s %j -> %s %s', async (method, params, code, message) => {
    expect(await served.user.refusal(method, ...filled(params))).toEqual({
      status: 500,
      code,
      message: expect.stringContaining(message),
    });
  });
});

test('messages are signed and verified by addresses', async () => {
  const { user } = served;
  const signature = await user.call('signmessage', known['address'], 'text');
  expect(await user.call('verifymessage', known['address'], signature, 'text')).toBe(true);
  expect(await user.call('verifymessage', known['address'], signature, 'other')).toBe(false);
  expect(await user.refusal('verifymessage', known['address'], '*', 'text')).toMatchObject({ code: -5 });
  expect(await user.refusal('signmessage', BURN, 'text')).toMatchObject({ code: -4, message: 'Private key not available' });
});

test('a passphrase can be changed', async () => {
  const { user } = served;
  const id = (await user.call('pastelid', 'newkey', 'old')).pastelid;
  expect(await user.call('pastelid', 'passwd', id, 'old', 'new')).toEqual({ result: 'successful' });
  expect(await user.refusal('pastelid', 'sign', 't', id, 'old')).toMatchObject({ code: -1 });
  expect(await user.call('pastelid', 'sign', 't', id, 'new')).toHaveProperty('signature');
});
