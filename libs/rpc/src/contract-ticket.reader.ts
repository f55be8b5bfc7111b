import type { ContractTicket } from '#chain';
import { JsonError, readJson, type Json } from '#protocol';
import type { Reply } from './reply.js';

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** A contract ticket as `tickets get`, `find` and `list` show it (pasteld spec D); undefined for another sort of ticket. */
export function contractTicketIn(reply: Reply): ContractTicket | undefined {
  const ticket = reply.at('ticket');
  if (ticket.at('type').text !== 'contract') return undefined;
  return {
    txid: reply.at('txid').text,
    height: reply.at('height').integer,
    subType: ticket.at('sub_type').text,
    secondaryKey: ticket.at('secondary_key').text,
    timestamp: ticket.at('timestamp').integer,
    data: dataIn(ticket.at('contract_ticket').value),
  };
}

/** `list` of one sub-type decodes, everything else gives the base64 text as it was registered. */
function dataIn(data: Json): Json {
  if (typeof data !== 'string' || !BASE64.test(data) || data.length % 4 !== 0) return data;
  try {
    return readJson(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(data, 'base64')));
  } catch (error) {
    // TypeError: no UTF-8. Node's own errors are of another realm under some test runners, hence the name.
    if (error instanceof JsonError || (error as Error).name === 'TypeError') return data;
    throw error;
  }
}
