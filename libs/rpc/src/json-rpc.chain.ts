import {
  Chain,
  ChainRefusal,
  type AddressOutput,
  type Block,
  type ContractTicket,
  type IdentityTicket,
  type Transaction,
  type TransactionInput,
  type TransactionOutput,
} from '#chain';
import { contractTicketIn } from './contract-ticket.reader.js';
import type { JsonRpcClient } from './json-rpc.client.js';
import { readable, UnreadableReply, type Reply } from './reply.js';

/** Error codes (pasteld spec C.1). */
const MISC = -1;
const NOT_FOUND = -5;
const BAD_PARAMETER = -8;
const HEX64 = /^[0-9a-f]{64}$/;
/** What `tickets get` says of a txid that is no ticket; with the same code it reports true trouble. */
const NO_TICKET = /No information available about transaction|Failed to parse P2FMS/;
/** Inputs whose previous output is looked up, where the node keeps no index of spent outputs. */
const LOOKED_UP_MAX = 100;
const OUTPUTS_KEPT_MAX = 5000;

/** The chain through a pasteld with `txindex=1` and `insightexplorer=1`. */
export class JsonRpcChain extends Chain {
  /** Outputs of transactions never change; keyed by txid. */
  private readonly outputs = new Map<string, readonly TransactionOutput[]>();

  constructor(private readonly rpc: JsonRpcClient) {
    super();
  }

  async height(): Promise<number> {
    return (await this.rpc.call('getblockcount')).integer;
  }

  async bestBlock(): Promise<Block> {
    return blockIn(await this.rpc.call('getblock', [(await this.rpc.call('getbestblockhash')).text]));
  }

  async block(heightOrHash: number | string): Promise<Block | undefined> {
    if (typeof heightOrHash === 'number' ? !isHeight(heightOrHash) : !HEX64.test(heightOrHash)) return undefined;
    const reply = await unless([NOT_FOUND, BAD_PARAMETER], this.rpc.call('getblock', [String(heightOrHash)]));
    return reply && reply.at('confirmations').integer > 0 ? blockIn(reply) : undefined;
  }

  async transaction(txid: string): Promise<Transaction | undefined> {
    const reply = await this.rawTransaction(txid);
    if (!reply) return undefined;
    const [height, blockHash] = [reply.optional('height')?.integer, reply.optional('blockhash')?.text];
    // In a block that is off the best chain, and not back in the mempool.
    if (blockHash !== undefined && (height === undefined || height < 0)) return undefined;
    return {
      txid,
      inputs: await this.inputsOf(reply),
      outputs: this.remember(txid, reply),
      confirmations: reply.optional('confirmations')?.integer ?? 0,
      ...(blockHash !== undefined && height !== undefined && { mined: { height, blockHash } }),
    };
  }

  async transactionIdsOf(address: string, fromHeight: number, toHeight: number): Promise<string[]> {
    // pasteld takes positive heights only.
    const start = Math.max(1, fromHeight);
    if (start > toHeight) return [];
    return (await this.rpc.call('getaddresstxids', [{ addresses: [address], start, end: toHeight }])).list.map(
      ({ text }) => text,
    );
  }

  async outputsSentBy(sender: string, address: string, minHeight: number): Promise<AddressOutput[]> {
    const reply = await this.rpc.call('getaddressutxosextra', [
      { addresses: [address], simple: false, minHeight, sender, mempool: true },
    ]);
    const outputs = reply.list.map((entry) => ({
      txid: entry.at('txid').text,
      index: entry.at('outputIndex').integer,
      patoshis: entry.at('patoshis').integer,
      height: entry.at('height').integer,
    }));
    // In the mempool there is one entry for each matching input (pasteld spec C.5).
    return [...new Map(outputs.map((output) => [`${output.txid}:${output.index}`, output])).values()];
  }

  async contractTicket(txid: string): Promise<ContractTicket | undefined> {
    if (!HEX64.test(txid)) return undefined;
    try {
      // Not decoded by pasteld, which would write the numbers anew and fail on some texts.
      return contractTicketIn(await this.rpc.call('tickets get', [txid, false]));
    } catch (error) {
      if (error instanceof ChainRefusal && error.code === MISC && NO_TICKET.test(error.message)) return undefined;
      throw error;
    }
  }

  async contractTickets(subType: string, minHeight: number): Promise<ContractTicket[]> {
    const tickets = readable((await this.ticketList(subType, minHeight)).list, contractTicketIn).filter(
      (ticket) => ticket.subType === subType && ticket.height >= minHeight,
    );
    return this.inChainOrder(tickets);
  }

  async findContractTicket(secondaryKey: string): Promise<ContractTicket | undefined> {
    // The same call also finds by primary key and, as a list, by sub-type; "Key is not found" is a text.
    const reply = await this.rpc.call('tickets find contract', [secondaryKey]);
    const ticket = reply.isObject ? contractTicketIn(reply) : undefined;
    return ticket?.secondaryKey === secondaryKey ? ticket : undefined;
  }

  async registerContractTicket({
    data,
    subType,
    secondaryKey,
  }: {
    data: string;
    subType: string;
    secondaryKey: string;
  }): Promise<{ txid: string }> {
    const reply = await this.rpc.call('tickets register contract', [Buffer.from(data).toString('base64'), subType, secondaryKey]);
    return { txid: reply.at('txid').text };
  }

  async identityTickets(which: 'all' | 'mn'): Promise<IdentityTicket[]> {
    const reply = await this.rpc.call('tickets list id', [which]);
    return readable(reply.list, (entry) => {
      const ticket = entry.at('ticket');
      const outpoint = ticket.optional('outpoint')?.text;
      return {
        txid: entry.at('txid').text,
        height: entry.at('height').integer,
        pastelId: ticket.at('pastelID').text,
        address: ticket.at('address').text,
        ...(outpoint !== undefined && { outpoint }),
      };
    });
  }

  private async rawTransaction(txid: string): Promise<Reply | undefined> {
    return HEX64.test(txid) ? unless([NOT_FOUND], this.rpc.call('getrawtransaction', [txid, 1])) : undefined;
  }

  /** A coinbase has none. */
  private async inputsOf(reply: Reply): Promise<TransactionInput[]> {
    const inputs = reply.at('vin').list.filter((input) => !input.optional('coinbase') && input.optional('txid'));
    const unknown = inputs
      .filter((input) => !input.optional('address') || !input.optional('valuePat'))
      .map((input) => input.at('txid').text);
    const looked = [...new Set(unknown)].slice(0, LOOKED_UP_MAX);
    const found = new Map(await Promise.all(looked.map(async (txid) => [txid, await this.outputsOf(txid)] as const)));
    return inputs.map((input): TransactionInput => {
      const [txid, vout] = [input.at('txid').text, input.at('vout').integer];
      const previous = found.get(txid)?.find(({ index }) => index === vout);
      const address = input.optional('address')?.text ?? previous?.address;
      const patoshis = input.optional('valuePat')?.integer ?? previous?.patoshis;
      return { txid, vout, ...(address !== undefined && { address }), ...(patoshis !== undefined && { patoshis }) };
    });
  }

  private async outputsOf(txid: string): Promise<readonly TransactionOutput[]> {
    const known = this.outputs.get(txid);
    if (known) return known;
    const reply = await this.rawTransaction(txid);
    return reply ? this.remember(txid, reply) : [];
  }
  private remember(txid: string, reply: Reply): readonly TransactionOutput[] {
    const outputs = reply.at('vout').list.map(outputIn);
    if (this.outputs.size >= OUTPUTS_KEPT_MAX) this.outputs.delete(this.outputs.keys().next().value!);
    this.outputs.set(txid, outputs);
    return outputs;
  }

  /**
   * Anybody may register anything, and what pasteld decodes for us may be a text that our parser refuses (nested too
   * deeply, say): one such ticket must not hide all others, so they are then fetched undecoded, among all sub-types.
   */
  private ticketList(subType: string, minHeight: number): Promise<Reply> {
    return this.rpc.call('tickets list contract', [subType, minHeight]).catch((error: unknown) => {
      if (error instanceof UnreadableReply) return this.rpc.call('tickets list contract', ['all', minHeight]);
      throw error;
    });
  }

  /** By height; within a block as the block has them. */
  private async inChainOrder(tickets: ContractTicket[]): Promise<ContractTicket[]> {
    const heights = tickets.map(({ height }) => height);
    const crowded = [...new Set(heights.filter((height, at) => heights.indexOf(height) !== at))];
    const blocks = await Promise.all(crowded.map(async (height) => [height, (await this.block(height))?.txids ?? []] as const));
    const place = new Map(blocks.flatMap(([, txids]) => txids.map((txid, at) => [txid, at] as const)));
    return tickets.sort((a, b) => a.height - b.height || (place.get(a.txid) ?? 0) - (place.get(b.txid) ?? 0));
  }
}

const isHeight = (height: number): boolean => Number.isSafeInteger(height) && height >= 0 && height < 1e9;

async function unless(codes: readonly number[], call: Promise<Reply>): Promise<Reply | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ChainRefusal && codes.includes(error.code)) return undefined;
    throw error;
  }
}

function blockIn(reply: Reply): Block {
  const previousHash = reply.optional('previousblockhash')?.text;
  return {
    height: reply.at('height').integer,
    hash: reply.at('hash').text,
    merkleRoot: reply.at('merkleroot').text,
    time: reply.at('time').integer,
    txids: reply.at('tx').list.map(({ text }) => text),
    ...(previousHash !== undefined && { previousHash }),
  };
}

function outputIn(reply: Reply): TransactionOutput {
  const script = reply.at('scriptPubKey');
  const addresses = script.optional('addresses')?.list ?? [];
  // The `addresses` of data outputs (multisig) are of no meaning (pasteld spec C.3).
  const address = script.optional('type')?.text !== 'multisig' && addresses.length === 1 ? addresses[0]!.text : undefined;
  return {
    index: reply.at('n').integer,
    patoshis: reply.optional('valuePat')?.integer ?? reply.at('value').patoshis,
    ...(address !== undefined && { address }),
  };
}
