import { PROTOCOL_VERSION } from '../masternodes.js';
import { RPC, RpcError } from '../rpc-error.js';
import type { MethodTable } from './method.js';
import { DIFFICULTY, psl } from './reply.js';

const GENERATE_MAX = 1_000;

export const controlMethods: MethodTable = {
  getinfo: {
    usage: 'getinfo',
    run: ({ devnet, account, args }) => {
      args.between(0, 0);
      return {
        version: 2_021_002,
        protocolversion: PROTOCOL_VERSION,
        walletversion: 60_000,
        balance: psl(account.wallet.balance()),
        blocks: devnet.state.ledger.height,
        timeoffset: 0,
        connections: devnet.options.supernodes.length,
        proxy: '',
        difficulty: DIFFICULTY,
        chain: 'devnet',
        keypoololdest: devnet.state.ledger.start.time,
        keypoolsize: 101,
        paytxfee: psl(0),
        relayfee: psl(30),
        errors: '',
      };
    },
  },
  generate: {
    usage: 'generate numblocks',
    // The node allows it on regtest only; a devnet of one machine has no other miner to wait for.
    run: ({ devnet, args }) => {
      args.between(1, 2);
      const count = args.integer(0);
      if (count < 1 || count > GENERATE_MAX) throw new RpcError(RPC.parameter, `numblocks must be 1 to ${GENERATE_MAX}`);
      return devnet.generate(count);
    },
  },
  // Other nodes of the devnet live in the same process: the answer is given, and nothing stops.
  stop: { usage: 'stop', run: () => 'Pastel server stopping' },
};
