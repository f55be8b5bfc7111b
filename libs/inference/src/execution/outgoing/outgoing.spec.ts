import type { LookupAddress } from 'node:dns';
import { createServer, get, type Agent, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import axios from 'axios';
import fc from 'fast-check';
import { settings } from '../../../test/inference-world.spec-suite.js';
import { endpointOf, isPublicAddress } from './address.rules.js';
import { guardedAgents, type Resolve } from './guarded-agents.js';
import { Outgoing } from './outgoing.service.js';

/** Answers every request, and counts them. */
let server: Server;
let port: number;
let served = 0;
let location: string | undefined;
beforeAll(async () => {
  server = createServer((request, response) => {
    served++;
    if (request.url === '/redirect' && location !== undefined) response.writeHead(302, { location });
    response.end('reached');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** A name server that says each of these in turn, the last for ever. */
const saying = (...answers: string[][]): Resolve => {
  let index = 0;
  return (_hostname, _options, callback) => {
    const answer = answers[Math.min(index++, answers.length - 1)]!;
    const addresses = answer.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }));
    setImmediate(() => callback(null, addresses));
  };
};
/** Where a connection would go; broken off before anything leaves this machine. */
const beginning = (agent: Agent): Promise<string | undefined> =>
  new Promise((resolve) => {
    const request = get({ agent, host: 'service.example', port });
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    request.on('socket', (socket) => {
      socket.on('lookup', (_error: unknown, address?: string) => {
        if (!address) return;
        resolve(`to ${address}`);
        request.destroy();
      });
    });
  });
const outcomeOf = async (url: string, { exceptions = [], resolve }: { exceptions?: string[]; resolve?: Resolve } = {}) => {
  const agents = guardedAgents(new Set(exceptions), resolve);
  const client = axios.create({ adapter: 'http', proxy: false, maxRedirects: 3, timeout: 2000, ...agents });
  const before = served;
  const outcome = await client.get<string>(url).then(
    ({ data }) => data,
    (error: { code?: string }) => error.code,
  );
  agents.httpAgent.destroy();
  agents.httpsAgent.destroy();
  return { outcome, served: served - before };
};
const REFUSED = { outcome: 'EADDRNOTALLOWED', served: 0 };

describe('an address is public', () => {
  test.each(['8.8.8.8', '1.1.1.1', '93.184.216.34', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '::ffff:8.8.8.8'])(
    '%s is',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  test.each([
    [
      'loopback',
      '127.0.0.1',
      '127.255.255.254',
      '::1',
      '0:0:0:0:0:0:0:1',
      '127.1',
      '0x7f.1',
      '2130706433',
      '0177.0.0.1',
      '0x7f000001',
    ],
    ['unspecified', '0.0.0.0', '0.1.2.3', '::', '0'],
    ['private', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd00:ec2::254', 'fec0::1'],
    ['link-local and metadata', '169.254.169.254', '169.254.0.1', 'fe80::1', 'fe80::1%eth0', '168.63.129.16', '100.100.100.200'],
    ['shared', '100.64.0.1', '100.127.255.255', '192.0.0.192'],
    ['multicast and broadcast', '224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1'],
    ['not given out', '240.0.0.1', '192.0.2.1', '198.18.0.1', '203.0.113.1', '2001:db8::1', '100::1', '4000::1', '3fff::1'],
    ['mapped', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '::FFFF:169.254.169.254', '::ffff:0:127.0.0.1'],
    ['with an IPv4 address inside', '::127.0.0.1', '::7f00:1', '64:ff9b::7f00:1', '64:ff9b:1::a00:1', '2002:7f00:1::', '2001::1'],
    ['no address', '', 'localhost', 'example.com', '1.2.3.4.5', '256.1.1.1', '[::1]', ':::'],
  ])('%s: %s and the like are not', (_kind, ...addresses) => {
    for (const address of addresses) expect([address, isPublicAddress(address)]).toEqual([address, false]);
  });

  test('never one of the private blocks, in IPv4 or in any IPv6 clothes of it', () => {
    const blocks: [number, number][] = [
      [0x00000000, 8],
      [0x0a000000, 8],
      [0x7f000000, 8],
      [0xa9fe0000, 16],
      [0xac100000, 12],
      [0xc0a80000, 16],
      [0x64400000, 10],
      [0xe0000000, 3],
    ];
    const inBlock = fc
      .tuple(fc.constantFrom(...blocks), fc.nat({ max: 0xffffffff }))
      .map(([[base, bits], any]) => (base | ((any % 2 ** (32 - bits)) >>> 0)) >>> 0);
    fc.assert(
      fc.property(inBlock, (address) => {
        const dotted = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
        const [high, low] = [(address >>> 16).toString(16), (address & 0xffff).toString(16)];
        const clothes = [
          dotted,
          String(address),
          `0x${address.toString(16)}`,
          `::ffff:${dotted}`,
          `::ffff:${high}:${low}`,
          `::${high}:${low}`,
          `64:ff9b::${high}:${low}`,
          `2002:${high}:${low}::1`,
        ];
        for (const each of clothes) expect([each, isPublicAddress(each)]).toEqual([each, false]);
      }),
    );
  });

  test('never throws', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (text) => typeof isPublicAddress(text) === 'boolean'));
  });
});

describe('a connection is refused before anything is sent', () => {
  test.each([
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '0x7f.1',
    '0x7f000001',
    '0x7F.0x0.0x0.0x1',
    '2130706433',
    '017700000001',
    '0177.0.0.1',
    '0177.0.0.01',
    '00000177.1',
    '127.0.0.1.',
    'localhost',
    'LOCALHOST',
    '%6c%6f%63alhost',
    '%31%32%37.0.0.1',
    '127。0。0。1',
    '１２７.０.０.１',
    '①②⑦.⓪.⓪.①',
    'ⓛocalhost',
    '0.0.0.0',
    '0',
    '[::1]',
    '[::]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '169.254.169.254',
    '0xa9fea9fe',
    '2852039166',
    '10.0.0.1',
    '192.168.0.1',
    '172.16.0.1',
    '100.100.100.200',
    'user@127.0.0.1',
    'example.com@127.0.0.1',
  ])('to http://%s', async (host) => {
    expect(await outcomeOf(`http://${host}:${port}/`)).toEqual(REFUSED);
  });

  test('over TLS as well', async () => {
    expect(await outcomeOf(`https://127.0.0.1:${port}/`)).toEqual(REFUSED);
    expect(await outcomeOf(`https://localhost:${port}/`)).toEqual(REFUSED);
  });

  test('to a name whose addresses are all private; the private ones among others are not used', async () => {
    const to = (...addresses: string[]) => outcomeOf(`http://service.example:${port}/`, { resolve: saying(addresses) });
    expect(await to('127.0.0.1')).toEqual(REFUSED);
    expect(await to('::1', '10.0.0.1', '::ffff:127.0.0.1')).toEqual(REFUSED);
    const { httpAgent } = guardedAgents(new Set(), saying(['127.0.0.1', '192.0.2.1', '8.8.8.8']));
    expect(await beginning(httpAgent)).toBe('to 8.8.8.8');
  });

  test('to a name that was elsewhere the first time', async () => {
    const { httpAgent } = guardedAgents(new Set(), saying(['8.8.8.8'], ['127.0.0.1']));
    expect(await beginning(httpAgent)).toBe('to 8.8.8.8');
    expect(await beginning(httpAgent)).toBe('EADDRNOTALLOWED');
  });

  test('to a socket in the file system', async () => {
    const { httpAgent } = guardedAgents(new Set());
    const code = await new Promise((resolve) => {
      get({ agent: httpAgent, socketPath: '/tmp/any.sock', path: '/' }, () => resolve('reached')).on(
        'error',
        (error: NodeJS.ErrnoException) => resolve(error.code),
      );
    });
    expect(code).toBe('EADDRNOTALLOWED');
  });

  test('after a redirect', async () => {
    const other = createServer((_, response) => response.end('inner'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    const exceptions = [`127.0.0.1:${port}`];
    expect(await outcomeOf(`http://127.0.0.1:${port}/redirect`, { exceptions })).toEqual({
      outcome: 'EADDRNOTALLOWED',
      served: 1,
    });
    await new Promise((resolve) => other.close(resolve));
  });
});

describe('what is configured is reached', () => {
  test('by its host and port, and on no other port', async () => {
    const exceptions = [endpointOf(`http://127.0.0.1:${port}/v1`)];
    expect(await outcomeOf(`http://127.0.0.1:${port}/`, { exceptions })).toEqual({ outcome: 'reached', served: 1 });
    expect(await outcomeOf(`http://127.0.0.1:${port + 1}/`, { exceptions })).toEqual(REFUSED);
    expect(await outcomeOf(`http://127.0.0.2:${port}/`, { exceptions })).toEqual(REFUSED);
  });

  test('by a name, wherever that leads', async () => {
    const options = { exceptions: [`model-server:${port}`], resolve: saying(['127.0.0.1']) };
    expect(await outcomeOf(`http://model-server:${port}/`, options)).toEqual({ outcome: 'reached', served: 1 });
    expect(await outcomeOf(`http://other:${port}/`, options)).toEqual(REFUSED);
  });

  test.each([
    ['http://Host.Example/v1', 'host.example:80'],
    ['https://host.example', 'host.example:443'],
    ['http://0x7f.1:8089/', '127.0.0.1:8089'],
    ['http://[::FFFF:127.0.0.1]:1', '::ffff:7f00:1:1'],
  ])('%s is %s', (url, expected) => expect(endpointOf(url)).toBe(expected));
});

describe('the client', () => {
  const reach = async (options: ConstructorParameters<typeof Outgoing>[0], ownUrls: string[], path = '/') => {
    const client = new Outgoing(options).client({ ownUrls, redirectsMax: path === '/' ? 0 : 2 });
    return client.get<string>(`http://127.0.0.1:${port}${path}`).then(
      ({ data, status }) => data || status,
      (error: { code?: string; message: string }) => error.code ?? error.message,
    );
  };

  test('reaches a provider at its own URL, and what the operator named besides', async () => {
    expect(await reach(settings, [])).toBe('EADDRNOTALLOWED');
    expect(await reach(settings, [`http://127.0.0.1:${port}/v1`])).toBe('reached');
    expect(await reach({ ...settings, outgoingPrivateAddresses: [`127.0.0.1:${port}`] }, [])).toBe('reached');
  });

  test('follows no redirect where none is needed, and otherwise only to https', async () => {
    location = `http://127.0.0.1:${port}/`;
    const client = new Outgoing(settings).client({ ownUrls: [`http://127.0.0.1:${port}`] });
    const reply = await client.get(`http://127.0.0.1:${port}/redirect`, { validateStatus: () => true });
    expect(reply.status).toBe(302);
    const outcome = await reach(settings, [`http://127.0.0.1:${port}`], '/redirect');
    expect(outcome).toMatch(/https|REDIRECT/);
  });
});
