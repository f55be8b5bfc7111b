import type { DevnetCore } from '../core.js';
import type { Account } from '../state.js';
import type { Args } from './args.js';
import type { Reply } from './reply.js';

export interface Call {
  readonly devnet: DevnetCore;
  readonly account: Account;
  readonly args: Args;
}
export interface Method {
  /** What the node answers to a call with the wrong number of parameters. */
  readonly usage: string;
  readonly run: (call: Call) => Reply | Promise<Reply>;
}
export type MethodTable = Readonly<Record<string, Method>>;
