import { afterEach, expect, test } from '@jest/globals';
import { ChainRefusal } from '#chain';
import { raw, refusal, rpcWith, type Answers } from './fake-pasteld.spec-suite.js';
import { JsonRpcChain } from './json-rpc.chain.js';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});
async function chainWith(answers: Answers) {
  const fake = await rpcWith(answers);
  open.push(fake.close);
  return { ...fake, chain: new JsonRpcChain(fake.rpc) };
}
const id = (character: string): string => character.repeat(64);
const [A, B, C] = [id('a'), id('b'), id('c')];
const output = (n: number, value: number, address?: string, type = 'pubkeyhash') => ({
  value: value / 1e5, valuePat: value, n, scriptPubKey: { asm: '', hex: '', type, ...(address && { addresses: [address] }) },
}); // prettier-ignore
const transaction = (vin: object[], vout: object[], mined: object = { blockhash: C, height: 9, confirmations: 2 }) => ({
  hex: '',
  txid: A,
  vin,
  vout,
  ...mined,
});

test('inputs without an address are completed from the transactions that they spend, each asked for once', async () => {
  const { chain, calls } = await chainWith({
    getrawtransaction: ({ params: [txid] }) =>
      txid === A
        ? transaction(
            [
              { txid: B, vout: 0 },
              { txid: B, vout: 1 },
              { txid: C, vout: 0, address: '44own', valuePat: 9 },
            ],
            [output(0, 30, '44to')],
          )
        : transaction([], [output(0, 10, '44from'), output(1, 20, undefined, 'nonstandard')]),
  });
  expect(await chain.transaction(A)).toEqual({
    txid: A,
    inputs: [{ txid: B, vout: 0, address: '44from', patoshis: 10 }, { txid: B, vout: 1, patoshis: 20 }, { txid: C, vout: 0, address: '44own', patoshis: 9 }],
    outputs: [{ index: 0, patoshis: 30, address: '44to' }],
    mined: { height: 9, blockHash: C },
    confirmations: 2,
  }); // prettier-ignore
  expect(calls.map(({ params }) => params[0])).toEqual([A, B]);
});

test('look-ups of previous outputs are bounded', async () => {
  const vin = Array.from({ length: 150 }, (_, n) => ({ txid: n.toString(16).padStart(64, '0'), vout: 0 }));
  const { chain, calls } = await chainWith({
    getrawtransaction: ({ params: [txid] }) => (txid === A ? transaction(vin, []) : transaction([], [output(0, 1, '44x')])),
  });
  expect((await chain.transaction(A))!.inputs.filter(({ address }) => address !== undefined)).toHaveLength(100);
  expect(calls).toHaveLength(101);
});

test('a coinbase has no inputs, data outputs no address, a waiting transaction no block', async () => {
  const { chain } = await chainWith({
    getrawtransaction: () => transaction([{ coinbase: '03', sequence: 1 }], [output(0, 5, '44fake', 'multisig')], {}),
  });
  expect(await chain.transaction(A)).toEqual({ txid: A, inputs: [], outputs: [{ index: 0, patoshis: 5 }], confirmations: 0 });
});

test('what stands in a stale block only is no transaction of the chain', async () => {
  const { chain } = await chainWith({
    getrawtransaction: () => transaction([], [], { blockhash: C, height: -1, confirmations: 0 }),
  });
  expect(await chain.transaction(A)).toBeUndefined();
});

test('one waiting burn with three inputs of the sender counts once', async () => {
  const entry = { address: '44burn', txid: A, outputIndex: 0, patoshis: 5, height: -1, senderAddress: '44me' };
  const { chain, calls } = await chainWith({ getaddressutxosextra: () => [entry, entry, entry, { ...entry, outputIndex: 1 }] });
  expect(await chain.outputsSentBy('44me', '44burn', 700_000)).toHaveLength(2);
  expect(calls[0]!.params).toEqual([{ addresses: ['44burn'], simple: false, minHeight: 700_000, sender: '44me', mempool: true }]);
});

test('a block off the best chain, above the tip, or of a senseless name is none', async () => {
  const { chain, calls } = await chainWith({
    getblock: ({ params: [which] }) => (which === C ? { confirmations: -1 } : refusal(which === '99' ? -8 : -5, 'no')),
  });
  for (const which of [C, B, 99, -1, 1.5, 'tip']) expect(await chain.block(which)).toBeUndefined();
  expect(calls).toHaveLength(3);
});

const ticket = (txid: string, height: number, data: unknown) => ({
  height, txid, tx_info: {}, ticket: { type: 'contract', version: 1, key: 'k', sub_type: 'PACK', secondary_key: `key of ${txid[0]}`, timestamp: 1731000000, contract_ticket: data },
}); // prettier-ignore
const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('tickets: in chain order, numbers as they were written, malformed entries left out, odd data kept', async () => {
  const { chain } = await chainWith({
    'tickets list contract': () =>
      raw(
        200,
        JSON.stringify({
          result: [
            ticket(A, 7, 'plain text!'),
            null,
            { height: 'x' },
            ticket(B, 7, base64('{"n":12.0}')),
            ticket(C, 3, { n: 'N' }),
          ],
          error: null,
        }).replace('"N"', '1.50'),
      ),
    getblock: () => ({ height: 7, hash: C, merkleroot: C, time: 1, tx: [B, A], confirmations: 1 }),
  });
  const tickets = await chain.contractTickets('PACK', 1);
  expect(tickets.map(({ txid }) => txid)).toEqual([C, B, A]);
  const [first, second, third] = tickets.map(({ data }) => data);
  expect([String((first as Record<string, unknown>)['n']), String((second as Record<string, unknown>)['n']), third]).toEqual([
    '1.5',
    '12.0',
    'plain text!',
  ]);
});

test('a ticket that no parser takes does not hide the others', async () => {
  const poison = '['.repeat(100) + ']'.repeat(100);
  const asked: unknown[] = [];
  const { chain } = await chainWith({
    'tickets list contract': ({ params: [subType] }) => {
      asked.push(subType);
      if (subType !== 'all') return raw(200, `{"result":[{"ticket":{"contract_ticket":${poison}}}],"error":null}`);
      return [
        ticket(A, 7, base64(poison)),
        ticket(B, 8, base64('{"good":true}')),
        { ...ticket(C, 9, ''), ticket: { ...ticket(C, 9, '').ticket, sub_type: 'OTHER' } },
      ];
    },
  });
  const tickets = await chain.contractTickets('PACK', 1);
  expect(asked).toEqual(['PACK', 'all']);
  expect(tickets.map(({ txid, data }) => [txid, data])).toEqual([
    [A, base64(poison)],
    [B, Object.assign(Object.create(null), { good: true })],
  ]);
});

test('a ticket is looked up by its secondary key only', async () => {
  const { chain } = await chainWith({
    'tickets find contract': ({ params: [key] }) =>
      key === 'PACK' ? [ticket(A, 1, '')] : key === 'nothing' ? 'Key is not found' : ticket(A, 1, base64('{}')),
  });
  expect((await chain.findContractTicket('key of a'))?.txid).toBe(A);
  for (const key of ['PACK', 'nothing', 'k']) expect(await chain.findContractTicket(key)).toBeUndefined();
});

test('no ticket under a txid is no error; trouble of the node is', async () => {
  let message = 'No information available about transaction';
  const { chain } = await chainWith({ 'tickets get': () => refusal(-1, message) });
  expect(await chain.contractTicket(A)).toBeUndefined();
  message = 'Database corrupted';
  await expect(chain.contractTicket(A)).rejects.toThrow(ChainRefusal);
});
