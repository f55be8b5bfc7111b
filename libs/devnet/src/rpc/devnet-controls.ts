import { PythonNumber, type JsonObject } from '#protocol';
import { Controls } from '../controls.js';
import type { Fault } from '../faults.js';
import { RPC, RpcError } from '../rpc-error.js';
import { asInteger, asText, looseFlag } from './args.js';
import type { Call, MethodTable } from './method.js';
import type { Reply } from './reply.js';

const commands: Record<string, (call: Call) => Reply> = {
  reorganise: ({ devnet, args }) => {
    const options: JsonObject = args.has(2) ? args.object(2) : {};
    const drop = options['drop'];
    const keepWaiting = options['keepWaiting'] !== undefined && looseFlag(options['keepWaiting']);
    return new Controls(devnet).reorganise(args.integer(1), { drop: Array.isArray(drop) ? drop.map(asText) : [], keepWaiting });
  },
  droptransaction: ({ devnet, args }) => new Controls(devnet).dropTransaction(args.text(1)),
  doublespend: ({ devnet, args }) => new Controls(devnet).doubleSpend(args.text(1)),
  prefer_change_coins: ({ devnet, args }) => (devnet.preferChangeCoins = args.flag(1, true)),
  failnext: ({ devnet, args }) => {
    const user = args.has(4) ? args.text(4) : undefined;
    devnet.faults.failNext(args.text(1), args.integer(2), faultOf(args.object(3)), user);
    return null;
  },
  latency: ({ devnet, args }) => (devnet.faults.latencyMs = args.integer(1)),
  clear: ({ devnet }) => {
    devnet.faults.clear();
    return null;
  },
};

function faultOf(described: JsonObject): Fault {
  const kind = described['kind'];
  if (kind === 'error') {
    const { code, message } = described;
    return { kind, code: code instanceof PythonNumber ? asInteger(code) : RPC.misc, message: asText(message) };
  }
  if (kind === 'http-500' || kind === 'hang' || kind === 'reset' || kind === 'lost-answer') return { kind };
  throw new RpcError(RPC.parameter, 'The kind of a fault is error, http-500, hang, reset or lost-answer');
}

export const devnetMethods: MethodTable = {
  devnet: {
    usage: `devnet "command" ...  commands: ${Object.keys(commands).join(', ')}`,
    // Without leave it is as unknown as on a real node.
    run: (call) => {
      if (!call.devnet.options.controls) throw new RpcError(RPC.unknownMethod, 'Method not found');
      const command = commands[call.args.word(0)];
      if (!command) throw call.args.help();
      return command(call);
    },
  },
};
