import { decodeBase64Text } from './kernel/base64.js';
import { declarationOf, type MessageClass } from './kernel/declaration.js';
import { sha3 } from './kernel/hash.js';
import { isJsonObject, JsonError, readJson, type Json, type JsonObject } from './kernel/json.js';
import { pythonJson } from './kernel/json-text.js';
import { PythonNumber } from './kernel/python-number.js';
import { received, shapeFaultsOf, toJson } from './kernel/wire.js';
import {
  CreditPackPurchaseRequest,
  CreditPackPurchaseRequestConfirmation,
  CreditPackPurchaseRequestResponse,
} from './messages/purchase.js';
import { CREDIT_PACK_TICKET_SUBTYPE } from './network.js';
import { contractTicketOf, fullyParsedText, parsedThroughout, TicketError, type ContractTicket } from './ticket-data.js';

/** A credit pack as it stands on the chain (credit-packs spec 5.7). */
export interface CreditPackTicket {
  /** The seven hashed fields of the purchase request; neither id nor signature is on the chain. Lists in it are real lists. */
  readonly request: Readonly<Record<string, Json>>;
  readonly response: CreditPackPurchaseRequestResponse;
  readonly confirmation: CreditPackPurchaseRequestConfirmation;
  /** F(D): the ticket's secondary key, and so what keeps it from being registered twice. */
  readonly fullyParsedHash: string;
}

const REQUEST = 'credit_pack_purchase_request_dict';
const RESPONSE = 'credit_pack_purchase_request_response_dict';
const CONFIRMATION = 'credit_pack_purchase_request_confirmation_dict';
/** pasteld takes no transaction over 2,000,000 bytes, and the contents may stand there compressed. */
const TICKET_TEXT_MAX = 16 * 1024 * 1024;

/**
 * The ticket to register: its JSON text (before base64) and F(D), the secondary key.
 *
 * @throws TicketError where the response's base64 text does not hold a request
 */
export function composeTicket(
  response: CreditPackPurchaseRequestResponse,
  confirmation: CreditPackPurchaseRequestConfirmation,
): ContractTicket {
  return contractTicketOf({
    [REQUEST]: requestInside(response.credit_pack_purchase_request_fields_json_b64),
    [RESPONSE]: toJson(response),
    [CONFIRMATION]: toJson(confirmation),
  });
}

/**
 * Reads what stands on the chain: pasteld's decoded `contract_ticket`, its JSON text, or the base64 of that text.
 * Recomputes F(D), checks the shape of every field, and that request, response and confirmation belong together.
 * Own hashes and signatures of the messages are left to `faultsOf`: they cost time.
 *
 * @throws TicketError that says what is wrong; nothing else, whatever was registered
 */
export function readTicket(contractTicket: Json): CreditPackTicket {
  const outer = objectIn(contractTicket);
  if (outer['ticket_identifier_string'] !== CREDIT_PACK_TICKET_SUBTYPE) throw new TicketError('Not a credit pack ticket');
  const data = outer['ticket_input_data_dict'];
  if (!isJsonObject(data)) throw new TicketError('ticket_input_data_dict is missing or no object');
  const parsed = parsedThroughout(data) as JsonObject;

  const response = messageIn(CreditPackPurchaseRequestResponse, parsed, RESPONSE);
  const confirmation = messageIn(CreditPackPurchaseRequestConfirmation, parsed, CONFIRMATION);
  const inside = requestInside(response.credit_pack_purchase_request_fields_json_b64);
  const request = parsedThroughout(inside) as JsonObject;
  const stated = parsed[REQUEST];
  if (!isJsonObject(stated) || !sameValues(stated, request))
    throw new TicketError(`${REQUEST} differs from the request that was signed`);
  const faults = shapeFaultsOf(received(CreditPackPurchaseRequest, inside)).filter((fault) => !SEAL_OF_REQUEST.has(fault.field));
  if (faults.length > 0) throw new TicketError(`${REQUEST}: ${faults[0]!.field}: ${faults[0]!.complaint}`);
  checkLinks(response, confirmation);

  const claimed = outer['ticket_input_data_fully_parsed_sha3_256_hash'];
  const fullyParsedHash = [parsed, withFloatsAsFloats(parsed, request)]
    .map((d) => sha3(fullyParsedText(d)))
    .find((hash) => hash === claimed);
  if (fullyParsedHash === undefined) throw new TicketError('The fully parsed hash does not match the contents');
  return { request, response, confirmation, fullyParsedHash };
}

/** What the request loses on its way to the chain. */
const SEAL_OF_REQUEST: ReadonlySet<string> = new Set(
  declarationOf(CreditPackPurchaseRequest).fields.flatMap(({ name, hashed }) => (hashed ? [] : [name])),
);

function objectIn(contractTicket: Json): JsonObject {
  if (isJsonObject(contractTicket)) return contractTicket;
  if (typeof contractTicket !== 'string') throw new TicketError('Not a JSON object');
  if (contractTicket.length > TICKET_TEXT_MAX) throw new TicketError('The ticket is too large');
  const text = contractTicket.trimStart().startsWith('{') ? contractTicket : decodeBase64Text(contractTicket);
  return readObject(text ?? '', 'The ticket');
}

function readObject(text: string, what: string): JsonObject {
  try {
    const value = readJson(text);
    if (isJsonObject(value)) return value;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
  }
  throw new TicketError(`${what} is no JSON object`);
}

function requestInside(base64: string): JsonObject {
  const text = decodeBase64Text(base64);
  if (text === undefined) throw new TicketError('credit_pack_purchase_request_fields_json_b64 is no base64 text');
  return readObject(text, 'credit_pack_purchase_request_fields_json_b64');
}

function messageIn<M extends object>(type: MessageClass<M>, data: JsonObject, key: string): M {
  const wire = data[key];
  if (!isJsonObject(wire)) throw new TicketError(`${key} is missing or no object`);
  const message = received(type, wire);
  const [fault] = shapeFaultsOf(message);
  if (fault) throw new TicketError(`${key}: ${fault.field}: ${fault.complaint}`);
  return message;
}

/** Who refers to whom; the original checks none of it (W4). */
function checkLinks(response: CreditPackPurchaseRequestResponse, confirmation: CreditPackPurchaseRequestConfirmation): void {
  const base64 = response.credit_pack_purchase_request_fields_json_b64;
  const requestHash = response.sha3_256_hash_of_credit_pack_purchase_request_fields;
  if (sha3(decodeBase64Text(base64)!) !== requestHash) throw new TicketError('The request hash is not that of the request');
  if (confirmation.credit_pack_purchase_request_fields_json_b64 !== base64)
    throw new TicketError('The confirmation carries another request');
  if (confirmation.sha3_256_hash_of_credit_pack_purchase_request_fields !== requestHash) {
    throw new TicketError('The confirmation names another request');
  }
  const responseHash = response.sha3_256_hash_of_credit_pack_purchase_request_response_fields;
  if (confirmation.sha3_256_hash_of_credit_pack_purchase_request_response_fields !== responseHash) {
    throw new TicketError('The confirmation names another response');
  }
}

/** Equal but for the printing of numbers. */
const sameValues = (left: Json, right: Json): boolean => pythonJson(plainNumbers(left)) === pythonJson(plainNumbers(right));
function plainNumbers(value: Json): Json {
  if (value instanceof PythonNumber) return value.isInteger ? value : integral(value);
  if (Array.isArray(value)) return value.map(plainNumbers);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plainNumbers(member)]));
}
const integral = (number: PythonNumber): PythonNumber =>
  Number.isSafeInteger(number.value) ? PythonNumber.asJavaScriptPrints(number.value) : number;

/** A JSON library on the way may have printed 12.0 as 12: the declared float fields as floats, the request as it was signed. */
function withFloatsAsFloats(parsed: JsonObject, request: JsonObject): JsonObject {
  const response = { ...(parsed[RESPONSE] as JsonObject) };
  for (const { name, kind } of declarationOf(CreditPackPurchaseRequestResponse).fields) {
    const value = response[name];
    if (kind.storage === 'number' && value instanceof PythonNumber) response[name] = value.asFloat();
  }
  return { ...parsed, [REQUEST]: request, [RESPONSE]: response };
}
