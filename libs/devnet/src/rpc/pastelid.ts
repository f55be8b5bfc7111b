import { verifySync } from '#protocol';
import { newPastelId } from '../pastelids.js';
import { RPC, RpcError } from '../rpc-error.js';
import type { Args } from './args.js';
import type { Call, MethodTable } from './method.js';
import type { Reply } from './reply.js';

const LEGROAST_MISSING = "Signing algorithm 'legroast' is not supported by the development node";

export const pastelIdMethods: MethodTable = {
  pastelid: {
    usage: 'pastelid "command" ...  commands: newkey, list, sign, sign-base64-encoded, verify, verify-base64-encoded, passwd',
    run: (call) => {
      const command = commands[call.args.word(0)];
      if (!command) throw call.args.help();
      return command(call);
    },
  },
};

const commands: Record<string, (call: Call) => Reply | Promise<Reply>> = {
  newkey: async ({ devnet, account, args }) => {
    args.between(2, 2, RPC.parameter);
    const passphrase = notEmpty(args, 1, 'passphrase for new key');
    const key = await newPastelId(passphrase, devnet.entropy);
    devnet.record({ kind: 'pastelid', user: account.user, key });
    return { pastelid: key.pastelId, legRoastKey: key.legRoastKey };
  },
  list: ({ account }) => account.pastelIds.all().map(({ pastelId, legRoastKey }) => ({ PastelID: pastelId, legRoastKey })),
  sign: (call) => sign(call, Buffer.from(textOf(call.args))),
  'sign-base64-encoded': (call) => sign(call, decoded(textOf(call.args))),
  verify: ({ args }) => verify(args, textOf(args)),
  'verify-base64-encoded': ({ args }) => verify(args, decoded(textOf(args)).toString('utf8')),
  passwd: async ({ devnet, account, args }) => {
    args.between(4, 4, RPC.parameter);
    const [id, old, renewed] = [args.text(1), args.text(2), args.text(3)];
    if (old === '') throw new RpcError(RPC.parameter, "pastelid passwd 'old_passphrase' parameter cannot be empty!");
    if (renewed === '') throw new RpcError(RPC.parameter, "pastelid passwd 'new_passphrase' parameter cannot be empty!");
    const key = await account.pastelIds.resealed(id, old, renewed, devnet.entropy);
    devnet.record({ kind: 'pastelid', user: account.user, key });
    return { result: 'successful' };
  },
  importkey: () => {
    throw new RpcError(RPC.misc, 'NOT IMPLEMENTED');
  },
  'sign-by-key': () => ({}),
};

async function sign({ account, args }: Call, text: Uint8Array): Promise<Reply> {
  args.between(4, 5, RPC.parameter);
  checkAlgorithm(args.textOr(4, ''));
  return { signature: await account.pastelIds.sign(args.text(2), notEmpty(args, 3, 'passphrase for the private key'), text) };
}
function verify(args: Args, text: string): Reply {
  args.between(4, 5, RPC.parameter);
  checkAlgorithm(args.textOr(4, ''));
  const [signature] = args.text(2).split(/[^A-Za-z0-9+/]/, 1);
  return { verification: verifySync(args.text(3), text, signature ?? '') ? 'OK' : 'Failed' };
}
function checkAlgorithm(name: string): void {
  if (name === 'legroast') throw new RpcError(RPC.misc, LEGROAST_MISSING);
  if (name !== '' && name !== 'ed448') throw new RpcError(RPC.misc, `Signing algorithm '${name}' is not supported`);
}
function textOf(args: Args): string {
  if (args.count < 2) throw args.help();
  return args.text(1);
}
function notEmpty(args: Args, at: number, what: string): string {
  const value = args.text(at);
  if (value === '') throw new RpcError(RPC.misc, `pastelid ${args.word(0)} ${what} cannot be empty!`);
  return value;
}
function decoded(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new RpcError(RPC.parameter, 'Cannot decode "base64-encoded-text" parameter');
  return bytes;
}
