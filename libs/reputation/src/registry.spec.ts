import { expect, test } from '@jest/globals';
import type { Supernode } from '#chain';
import { supernodeDataOf, supernodeListCsv, supernodeListJson } from './registry.rules.js';

const node: Supernode = {
  outpoint: 'ab-0',
  status: 'ENABLED',
  protocolVersion: '170012',
  pslAddress: '44addr',
  lastSeen: 1_711_110_896,
  activeSeconds: 3600,
  lastPaid: 0,
  lastPaidBlock: 7,
  ipAddress: '127.0.0.2',
  port: 29933,
  rank: 2,
  pubkey: '04ff',
  extAddress: '127.0.0.2:4444',
  extP2P: 'a "quoted", one',
  pastelId: 'jXone',
};

test('JSON: epoch milliseconds and ten decimals, keyed by outpoint', () => {
  expect(supernodeListJson([node])['ab-0']).toMatchObject({
    lastseentime: 1_711_110_896_000,
    lastpaidtime: 0,
    activedays: 0.0416666667,
    'ipaddress:port': '127.0.0.2:29933',
    rank: 2,
  });
});

test('CSV: the exact header, full double precision, quotes only where needed', () => {
  const [header, row, end] = supernodeListCsv([node, { ...node, activeSeconds: 259_200 }]).split('\n');
  expect(header).toBe(
    'supernode_status,protocol_version,supernode_psl_address,lastseentime,activeseconds,lastpaidtime,lastpaidblock,ipaddress:port,rank,pubkey,extAddress,extP2P,extKey,activedays',
  );
  expect(row).toBe(
    'ENABLED,170012,44addr,2024-03-22 12:34:56,3600,1970-01-01 00:00:00,7,127.0.0.2:29933,2,04ff,127.0.0.2:4444,"a ""quoted"", one",jXone,0.041666666666666664',
  );
  expect(end).toMatch(/,3\.0$/);
});

test('a node without rank or PastelID is shown as Unknown in the lists and as null in the look-ups', () => {
  const { rank: _rank, pastelId: _pastelId, ...bare } = node;
  expect(supernodeListJson([bare])['ab-0']).toMatchObject({ rank: 'Unknown', extKey: 'Unknown' });
  expect(supernodeDataOf(bare)).toMatchObject({
    extKey: null,
    lastseentime: '2024-03-22T12:34:56',
    'ipaddress:port': '127.0.0.2:29933',
  });
});
