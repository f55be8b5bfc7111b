import { afterEach, describe, expect, test } from '@jest/globals';
import { Global, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Chain, Identity, SupernodeNetwork, Wallet } from '#chain';
import { Environment, readSettings, SettingsModule, SystemClock } from '#config';
import { Clock, identityFromSeed, Signing, verifySync } from '#protocol';
import { fakePasteld, PASSWORD, refusal, type Answers } from './fake-pasteld.spec-suite.js';
import { RpcModule } from './rpc.module.js';

const own = identityFromSeed(Buffer.alloc(57, 9));
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});

@Global()
@Module({ providers: [{ provide: Clock, useClass: SystemClock }], exports: [Clock] })
class MachineModule {}

/** A node whose supernode list has one row: this node, `aa-0`. */
const answers: Answers = {
  'masternode status': () => ({ outpoint: 'aa-0' }),
  'masternodelist full': () => ({ 'aa-0': 'ENABLED 170012 44p 1731000000 1 0 0 127.0.0.1:7123' }),
  'masternodelist rank': () => ({}),
  'masternodelist pubkey': () => ({}),
  'masternodelist extra': () => ({ 'aa-0': { extKey: own.pastelId } }),
  'pastelid sign': async ({ params: [text, pastelId, passphrase] }) =>
    pastelId === own.pastelId && passphrase === 'words'
      ? { signature: await own.sign(text as string) }
      : refusal(-1, "Passphrase is invalid. Failed to decrypt secure item 'pkey_ed448' data"),
  getblockcount: () => 7,
};
async function started(environment: Record<string, string>) {
  const pasteld = await fakePasteld(answers);
  open.push(pasteld.close);
  const rpc = { RPC_HOST: '127.0.0.1', RPC_PORT: String(pasteld.port), NETWORK: 'devnet', RPC_USER: 'u', RPC_PASSWORD: PASSWORD };
  const settings = readSettings(new Environment({ ...rpc, ...environment }));
  const module = await Test.createTestingModule({ imports: [MachineModule, SettingsModule.of(settings), RpcModule] }).compile();
  open.push(() => module.close());
  return module;
}
const failure = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    () => new Error('no failure'),
    (error: unknown) => error as Error,
  );

describe('RpcModule', () => {
  test('offers every port, and signs as the node of the supernode list', async () => {
    const module = await started({ LOCAL_PASTEL_ID_PASSPHRASE: 'words' });
    for (const port of [Chain, Identity, SupernodeNetwork, Wallet]) expect(module.get<object>(port)).toBeInstanceOf(port);
    expect(await module.get<Chain>(Chain).height()).toBe(7);
    const signing = module.get<Signing>(Signing);
    expect(signing.pastelId).toBe(own.pastelId);
    expect(verifySync(own.pastelId, 'text', await signing.sign('text'))).toBe(true);
  });

  test('a configured PastelID counts first', async () => {
    const module = await started({ LOCAL_PASTEL_ID: own.pastelId, LOCAL_PASTEL_ID_PASSPHRASE: 'words' });
    expect(module.get<Signing>(Signing).pastelId).toBe(own.pastelId);
  });

  test('does not start where the node could not sign, and says why without the passphrase', async () => {
    expect((await failure(started({}))).message).toContain('LOCAL_PASTEL_ID_PASSPHRASE');
    const wrong = await failure(started({ LOCAL_PASTEL_ID_PASSPHRASE: 'wrong words' }));
    expect(wrong.message).toContain('Passphrase is invalid');
    expect(wrong.message).not.toContain('wrong words');
  });
});
