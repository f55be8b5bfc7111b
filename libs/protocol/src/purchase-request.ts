import { canonicalText } from './kernel/canonical.js';
import { decodeBase64Text, encodeBase64 } from './kernel/base64.js';
import { sha3 } from './kernel/hash.js';
import { isJsonObject, readJson, STRANGERS_VALUES_MAX, type Json } from './kernel/json.js';
import { PythonNumber } from './kernel/python-number.js';
import { isPastelId } from './kernel/pastelid.js';
import { received, shapeFaultsOf } from './kernel/wire.js';
import { CreditPackPurchaseRequest } from './messages/purchase.js';

/** Of a purchase request, what is signed and what is on the chain are read alike: an instance, or the seven fields of a ticket. */
interface RequestFields {
  readonly list_of_authorized_pastelids_allowed_to_use_credit_pack?: Json;
  readonly requested_initial_credits_in_credit_pack?: Json;
}

/** A pack is shared by few; the text is a caller's. */
const AUTHORIZED_MAX = 1000;

/**
 * Who may spend the pack, each exactly once, in the order of the list: from the JSON text that clients send, or an array.
 * `undefined` where it is no list, is empty, too long, or holds anything that is no PastelID.
 */
export function authorisedPastelIds(request: RequestFields): string[] | undefined {
  const list = listIn(request.list_of_authorized_pastelids_allowed_to_use_credit_pack);
  if (!list || list.length === 0 || list.length > AUTHORIZED_MAX) return undefined;
  const pastelIds = list.filter((item): item is string => typeof item === 'string' && isPastelId(item));
  return pastelIds.length === list.length ? [...new Set(pastelIds)] : undefined;
}

function listIn(value: Json | undefined): Json[] | undefined {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'string') return undefined;
  try {
    const inner = readJson(value, STRANGERS_VALUES_MAX);
    return Array.isArray(inner) ? inner : undefined;
  } catch {
    return undefined;
  }
}

/** Whole credits, from `1500` or `1500.0`; `undefined` for anything that is no positive exact integer. */
export function wholeCreditsOf(request: RequestFields): number | undefined {
  const credits = request.requested_initial_credits_in_credit_pack;
  if (!(credits instanceof PythonNumber)) return undefined;
  return Number.isSafeInteger(credits.value) && credits.value > 0 ? credits.value : undefined;
}

/** The value of `credit_pack_purchase_request_fields_json_b64`: made once, then copied verbatim (credit-packs spec 1.6). */
export const requestFieldsBase64 = (request: CreditPackPurchaseRequest): string => encodeBase64(canonicalText(request));

/**
 * The request inside a `credit_pack_purchase_request_fields_json_b64`, without id, own hash and signature; `undefined`
 * unless its SHA3-256 is the request hash that stands beside it and every field has its shape. The original checks neither.
 */
export function requestInFields(base64: string, requestHash: string): CreditPackPurchaseRequest | undefined {
  const text = decodeBase64Text(base64);
  if (text === undefined || sha3(text) !== requestHash) return undefined;
  try {
    const wire = readJson(text);
    if (!isJsonObject(wire)) return undefined;
    const request = received(CreditPackPurchaseRequest, wire);
    const faults = shapeFaultsOf(request).filter(({ type, field }) => !(type === 'missing' && SEAL.has(field)));
    return faults.length === 0 && canonicalText(request) === text ? request : undefined;
  } catch {
    return undefined;
  }
}
const SEAL: ReadonlySet<string> = new Set([
  'sha3_256_hash_of_credit_pack_purchase_request_fields',
  'requesting_end_user_pastelid_signature_on_request_hash',
]);
