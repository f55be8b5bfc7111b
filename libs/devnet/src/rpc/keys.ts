import { readFileSync } from 'node:fs';
import { keyFromWif, isScriptHash, messageSigner, scriptOf, signMessage, wif, addressOf, type KeyPair } from '../keys.js';
import { RPC, RpcError } from '../rpc-error.js';
import type { Call, MethodTable } from './method.js';
import type { Reply } from './reply.js';

function importKey({ devnet, account }: Call, text: string, label: string): KeyPair {
  const key = keyFromWif(text);
  if ('reason' in key) throw new RpcError(RPC.addressOrKey, `Invalid private key, ${key.reason}`);
  if (!account.wallet.isMine(key.address)) {
    devnet.record({ kind: 'key', user: account.user, secret: key.secret.toString('hex'), compressed: key.compressed, label });
  }
  return key;
}

export const keyMethods: MethodTable = {
  // The address index is complete, so a rescan finds nothing new: where it should start is read and not used.
  importprivkey: {
    usage: 'importprivkey "zcashprivkey" ( "label" rescan from )',
    run: (call) => {
      call.args.between(1, 4);
      call.args.strictFlag(2, true);
      return importKey(call, call.args.text(0), call.args.textOr(1, '')).address;
    },
  },
  dumpprivkey: {
    usage: 'dumpprivkey "t-addr"',
    run: ({ account, args }) => {
      args.between(1, 1);
      const address = args.text(0);
      const script = scriptOf(address);
      if (!script) throw new RpcError(RPC.addressOrKey, 'Invalid Pastel address');
      if (isScriptHash(script)) throw new RpcError(RPC.type, 'Address does not refer to a key');
      const key = account.wallet.key(address);
      if (!key) throw new RpcError(RPC.wallet, `Private key for address ${address} is not known`);
      return wif(key);
    },
  },
  importaddress: {
    usage: 'importaddress "address" ( "label" rescan from )',
    run: ({ devnet, account, args }) => {
      args.between(1, 4);
      args.strictFlag(2, true);
      const given = args.text(0);
      const address = scriptOf(given) ? given : addressOf(Buffer.from(/^(?:[0-9a-f]{2})+$/i.test(given) ? given : '', 'hex'));
      if (address === undefined) throw new RpcError(RPC.addressOrKey, 'Invalid Pastel address or script');
      if (account.wallet.isMine(address)) {
        throw new RpcError(RPC.wallet, 'The wallet already contains the private key for this address or script');
      }
      if (!account.wallet.isWatched(address))
        devnet.record({ kind: 'watch', user: account.user, address, label: args.textOr(1, '') });
      return null;
    },
  },
  importwallet: { usage: 'importwallet "filename"', run: (call) => importWallet(call) },
  validateaddress: {
    usage: 'validateaddress "t-addr"',
    run: ({ account: { wallet }, args }) => {
      args.between(1, 1);
      const address = args.text(0);
      const script = scriptOf(address);
      if (!script) return { isvalid: false };
      const key = wallet.key(address);
      return {
        isvalid: true,
        address,
        scriptPubKey: script.toString('hex'),
        ismine: key !== undefined,
        iswatchonly: wallet.isWatched(address),
        isscript: isScriptHash(script),
        ...(key && { pubkey: key.publicKey.toString('hex'), iscompressed: key.compressed }),
        account: wallet.labels.get(address),
      };
    },
  },
  signmessage: {
    usage: 'signmessage "t-addr" "message"',
    run: ({ account, args }) => {
      args.between(2, 2);
      const script = scriptOf(args.text(0));
      if (!script) throw new RpcError(RPC.type, 'Invalid address');
      if (isScriptHash(script)) throw new RpcError(RPC.type, 'Address does not refer to key');
      const key = account.wallet.key(args.text(0));
      if (!key) throw new RpcError(RPC.wallet, 'Private key not available');
      return signMessage(key, args.text(1));
    },
  },
  verifymessage: {
    usage: 'verifymessage "t-addr" "signature" "message"',
    run: ({ args }) => {
      args.between(3, 3);
      const script = scriptOf(args.text(0));
      if (!script) throw new RpcError(RPC.type, 'Invalid address');
      if (isScriptHash(script)) throw new RpcError(RPC.type, 'Address does not refer to key');
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(args.text(1))) throw new RpcError(RPC.addressOrKey, 'Malformed base64 encoding');
      return messageSigner(Buffer.from(args.text(1), 'base64'), args.text(2)) === args.text(0);
    },
  },
};

/** Lines of `<wif> <time> label=… # addr=…`; others are comments. */
function importWallet(call: Call): Reply {
  call.args.between(1, 1);
  let dump: string;
  try {
    dump = readFileSync(call.args.text(0), 'utf8');
  } catch {
    throw new RpcError(RPC.parameter, 'Cannot open wallet dump file');
  }
  for (const line of dump.split('\n').filter((text) => text !== '' && !text.startsWith('#'))) {
    const [key = ''] = line.split(' ');
    if (!('reason' in keyFromWif(key))) importKey(call, key, /label=(\S*)/.exec(line)?.[1] ?? '');
  }
  return null;
}
