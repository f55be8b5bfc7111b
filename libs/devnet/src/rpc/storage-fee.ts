import { RPC, RpcError } from '../rpc-error.js';
import type { Call, MethodTable } from './method.js';
import { Lexeme, type Reply, type ReplyObject } from './reply.js';

/** The devnet's global fee multiplier as a fraction, so that fees stay integers (pasteld spec B.1, C.9). */
const MULTIPLIER = { numerator: 1, denominator: 100 };
const PATOSHIS_PER_PSL = 100_000;
const FEES = { storagePerMb: 5_000, ticketPerKb: 200, senseCompute: 5_000, senseProcessingPerMb: 50 };

/** Whole PSL, what is over is cut off. */
const scaled = (fee: number): number => Math.floor((fee * MULTIPLIER.numerator) / MULTIPLIER.denominator);
const twins = (name: string, psl: number): ReplyObject => ({ [name]: psl, [`${name}Pat`]: psl * PATOSHIS_PER_PSL });
const common = (call: Call): ReplyObject => ({
  height: call.devnet.state.ledger.height,
  feeDeflatorFactor: new Lexeme('1.0'),
  globalFeeMultiplier: new Lexeme('0.01'),
  feeAdjustmentMultiplier: new Lexeme('1.0'),
});
const single =
  (name: string, fee: number) =>
  (call: Call): Reply => ({ ...twins(name, scaled(fee)), ...common(call) });

const commands: Record<string, (call: Call) => Reply> = {
  getactionfees: (call) => {
    const { args } = call;
    args.between(2, 3, RPC.parameter);
    const size = args.integer(1);
    if (size < 0) throw new RpcError(RPC.parameter, 'Data size cannot be negative');
    const megabytes = Math.max(1, size);
    return {
      datasize: size,
      ...common(call),
      ...twins('cascadefee', scaled(FEES.storagePerMb * megabytes + FEES.ticketPerKb * 5)),
      ...twins('sensefee', scaled(FEES.senseCompute * 10 + FEES.senseProcessingPerMb * megabytes + 5_000 + FEES.ticketPerKb * 5)),
    };
  },
  getfees: (call) => ({
    ...twins('storageFeePerMb', scaled(FEES.storagePerMb)),
    ...twins('ticketChainStorageFeePerKb', scaled(FEES.ticketPerKb)),
    ...twins('senseComputeFee', scaled(FEES.senseCompute)),
    ...twins('senseProcessingFeePerMb', scaled(FEES.senseProcessingPerMb)),
    ...common(call),
  }),
  getstoragefee: single('storageFeePerMb', FEES.storagePerMb),
  getnetworkfee: single('networkfee', FEES.storagePerMb),
  getlocalfee: single('localfee', FEES.storagePerMb),
  getticketfee: single('ticketChainStorageFeePerKb', FEES.ticketPerKb),
  getnftticketfee: single('nftticketfee', FEES.ticketPerKb),
  getsensecomputefee: single('senseComputeFee', FEES.senseCompute),
  getsenseprocessingfee: single('senseProcessingFeePerMb', FEES.senseProcessingPerMb),
};

export const storageFeeMethods: MethodTable = {
  storagefee: {
    usage: `storagefee "command" ...  commands: ${Object.keys(commands).join(', ')}`,
    run: (call) => {
      const command = commands[call.args.word(0)];
      if (!command) throw call.args.help();
      return command(call);
    },
  },
};
