import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Environment, SettingsError } from './environment.js';
import { readSettings } from './settings.js';
import { namesNode, readPastelConf, SettingSources } from './sources.js';

const problemsOf = (values: Record<string, string>): readonly string[] => {
  try {
    readSettings(new Environment(values));
    return [];
  } catch (error) {
    return (error as SettingsError).problems.map(({ name }) => name);
  }
};

test('the defaults stand', () => {
  const settings = readSettings(new Environment({}));
  expect(settings.network.network.name).toBe('testnet');
  expect(settings.http.port).toBe(7123);
  expect(settings.purchase.majorityOfAsked).toBe(0.65);
  expect(settings.inference.minimumCostTenths).toBe(5);
});

test('every bad setting is named at once', () => {
  expect(problemsOf({ UVICORN_PORT: 'seven', TARGET_PROFIT_MARGIN: '2', LOG_LEVEL: 'loud', RPC_PORT: '1234' })).toEqual([
    'RPC_PORT',
    'UVICORN_PORT',
    'TARGET_PROFIT_MARGIN',
    'LOG_LEVEL',
  ]);
});

test('a known or short operator token is refused', () => {
  expect(problemsOf({ OPERATOR_TOKEN: 'CHANGEME' })).toEqual(['OPERATOR_TOKEN']);
  expect(problemsOf({ OPERATOR_TOKEN: 'a-token-of-my-own-making' })).toEqual([]);
});

test('a menu from elsewhere comes by https, and somebody vouches for it', () => {
  const url = 'https://menu.example/model_menu.json';
  const hash = 'A'.repeat(64);
  expect(problemsOf({ MODEL_MENU_URL: 'http://menu.example/', MODEL_MENU_SHA256: hash })).toEqual(['MODEL_MENU_URL']);
  expect(problemsOf({ MODEL_MENU_URL: 'file:///etc/passwd', MODEL_MENU_SHA256: hash })).toEqual(['MODEL_MENU_URL']);
  expect(problemsOf({ MODEL_MENU_URL: url })).toEqual(['MODEL_MENU_URL']);
  expect(problemsOf({ MODEL_MENU_URL: url, MODEL_MENU_SHA256: 'abc' })).toEqual(['MODEL_MENU_SHA256']);
  expect(problemsOf({ MODEL_MENU_URL: url, MODEL_MENU_SIGNER: 'jXnobody' })).toEqual(['MODEL_MENU_SIGNER']);
  const { menu } = readSettings(new Environment({ MODEL_MENU_URL: url, MODEL_MENU_SHA256: hash }));
  expect(menu).toMatchObject({ url, sha256: hash.toLowerCase(), signer: undefined, refreshMs: 3_600_000 });
});

test('a switch takes 0 for off', () => {
  expect(readSettings(new Environment({ TEMP_OVERRIDE_LOCALHOST_ONLY: '0' })).http.localhostOnlyDisabled).toBe(false);
  expect(readSettings(new Environment({ TEMP_OVERRIDE_LOCALHOST_ONLY: '1' })).http.localhostOnlyDisabled).toBe(true);
});

test('pastel.conf: comments, the first "=", the last of a repeated key', () => {
  expect(readPastelConf('# rpcuser=no\nrpcuser=a\n rpcuser = b \nrpcpassword=p=q=r\ntestnet=1\nrpcport=9932\n')).toEqual({
    RPC_USER: 'b',
    RPC_PASSWORD: 'p=q=r',
    RPC_PORT: '9932',
  });
});

test('environment before .env before pastel.conf', () => {
  const home = mkdtempSync(join(tmpdir(), 'settings-'));
  mkdirSync(join(home, '.pastel'));
  writeFileSync(join(home, '.pastel', 'pastel.conf'), 'rpcuser=conf\nrpcpassword=conf\nrpcport=19932\n');
  writeFileSync(join(home, '.env'), 'RPC_USER=file\nRPC_PASSWORD="quoted text"\n');
  const sources = SettingSources.ofMachine({ RPC_USER: 'environment' }, home, home);
  const { rpc } = readSettings(new Environment(sources));
  expect([rpc.user, rpc.password, rpc.port]).toEqual(['environment', 'quoted text', 19932]);
  expect(namesNode(sources)).toBe(true);
  expect(namesNode(SettingSources.ofMachine({}, join(home, '.pastel'), join(home, '.pastel')))).toBe(false);
});
