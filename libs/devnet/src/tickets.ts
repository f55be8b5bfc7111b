import { readJson, type Json } from '#protocol';
import type { Block } from './block.js';
import { ByteReader, DecodeError, i64, sized, sizedText, u32 } from './bytes.js';
import type { ChainWatcher, Ledger } from './ledger.js';
import type { Mempool } from './mempool.js';
import { ticketDataOf, type TicketData } from './p2fms.js';
import type { Tx } from './transaction.js';

export const TICKET_ID = { pastelid: 0, contract: 14 } as const;
const VERSION = 1;
export const CONTRACT_PRICE_PATOSHIS = 10 * 100_000;
export const PASTELID_PRICE_PATOSHIS = 1_000 * 100_000;

export interface ContractRecord {
  readonly type: 'contract';
  /** As it was given: base64 text that nobody has looked into. */
  readonly contractTicket: string;
  /** Base32 of 32 random bytes. */
  readonly key: string;
  readonly secondaryKey: string;
  readonly subType: string;
  /** Unix seconds. */
  readonly timestamp: number;
}
export interface PastelIdRecord {
  readonly type: 'pastelid';
  readonly pastelId: string;
  readonly legRoastKey: string;
  readonly address: string;
  /** `txid-n`; empty for a person's. */
  readonly outpoint: string;
  readonly timestamp: number;
  /** Ed448 over the other fields, hex. */
  readonly signature: string;
}
export type TicketRecord = ContractRecord | PastelIdRecord;

export interface Ticket<R extends TicketRecord = TicketRecord> {
  readonly txid: string;
  /** -1 in the mempool. */
  readonly height: number;
  readonly record: R;
  readonly data: TicketData;
}

export function recordBytes(record: TicketRecord): Buffer {
  const version = Buffer.from([VERSION, 0]);
  if (record.type === 'contract') {
    const texts = [record.contractTicket, record.key, record.secondaryKey, record.subType].map(sizedText);
    return Buffer.concat([version, ...texts, i64(record.timestamp), sizedText(''), u32(0)]);
  }
  // The node's own layout of a PastelID ticket is not known; this one is the devnet's.
  const texts = [record.pastelId, record.legRoastKey, record.address, record.outpoint].map(sizedText);
  return Buffer.concat([version, ...texts, i64(record.timestamp), sized(Buffer.from(record.signature, 'hex'))]);
}

function readRecord({ ticketId, record }: TicketData): TicketRecord | undefined {
  const reader = new ByteReader(record);
  try {
    reader.u16();
    const texts = [reader.sizedText(), reader.sizedText(), reader.sizedText(), reader.sizedText()] as const;
    const timestamp = reader.i64();
    if (ticketId === TICKET_ID.contract) {
      return { type: 'contract', contractTicket: texts[0], key: texts[1], secondaryKey: texts[2], subType: texts[3], timestamp };
    }
    const signature = reader.sized().toString('hex');
    if (ticketId !== TICKET_ID.pastelid) return undefined;
    return {
      type: 'pastelid',
      pastelId: texts[0],
      legRoastKey: texts[1],
      address: texts[2],
      outpoint: texts[3],
      timestamp,
      signature,
    };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

const read = new WeakMap<Tx, { readonly record: TicketRecord; readonly data: TicketData } | null>();

/** The ticket that a transaction carries. */
function ticketOf(tx: Tx, height: number): Ticket | undefined {
  let known = read.get(tx);
  if (known === undefined) {
    const data = ticketDataOf(tx);
    const record = data && readRecord(data);
    known = data && record ? { record, data } : null;
    read.set(tx, known);
  }
  return known ? { txid: tx.txid, height, ...known } : undefined;
}

/** What a contract ticket holds; plain text where it is not base64 of JSON. */
export function contractData(record: ContractRecord): Json {
  const bytes = Buffer.from(record.contractTicket, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== record.contractTicket.replace(/=+$/, '')) return record.contractTicket;
  try {
    return readJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return record.contractTicket;
  }
}

/** Mined tickets in chain order, and those of the mempool by look-up. */
export class TicketIndex implements ChainWatcher {
  private readonly mined = new Map<string, Ticket>();

  constructor(
    private readonly ledger: Ledger,
    private readonly mempool: Mempool,
  ) {}

  connected(block: Block): void {
    for (const tx of block.txs) {
      const ticket = ticketOf(tx, block.height);
      if (ticket) this.mined.set(tx.txid, ticket);
    }
  }
  disconnected(block: Block): void {
    for (const tx of block.txs) this.mined.delete(tx.txid);
  }

  /** Mined or waiting. */
  get(txid: string): Ticket | undefined {
    const waiting = this.mempool.find(txid);
    return this.mined.get(txid) ?? (waiting && ticketOf(waiting.tx, -1));
  }
  contracts(): Ticket<ContractRecord>[] {
    return [...this.mined.values()].filter((ticket): ticket is Ticket<ContractRecord> => ticket.record.type === 'contract');
  }
  pastelIds(): Ticket<PastelIdRecord>[] {
    return [...this.mined.values()].filter((ticket): ticket is Ticket<PastelIdRecord> => ticket.record.type === 'pastelid');
  }
  waiting(): Ticket[] {
    return this.mempool.all().flatMap(({ tx }) => ticketOf(tx, -1) ?? []);
  }
  confirmations(ticket: Ticket): number {
    return ticket.height < 0 ? 0 : this.ledger.height + 1 - ticket.height;
  }
}
