import { isJsonObject, patoshisFromPsl, PythonNumber, type Json, type JsonObject, type CreditNote } from '#protocol';

/** Thrown by the readers below; the client turns it into a {@link SupernodeUntrustworthy}. */
export class ShapeError extends Error {}

/** `GET /liveness_ping`: the scores are null until a supernode has measured itself. */
export interface Liveness {
  readonly status: string;
  readonly performanceRatio?: number;
}
/** A pack that the asking PastelID may spend (credit-packs spec 5.12). Credits in tenths, prices in patoshis. */
export interface SpendablePack {
  readonly registrationTxid: string;
  readonly burnTxid: string;
  readonly ownerPastelId: string;
  readonly trackingAddress: string;
  readonly confirmationHeight: number;
  readonly pricePerCreditPatoshis: number;
  readonly initialTenths: number;
  /** Absent where the supernode could not tell. */
  readonly balanceTenths?: number;
  readonly usageBurns?: number;
}
export interface Balance {
  readonly balanceTenths: number;
  readonly usageBurns: number;
}
export interface ModelParameter {
  readonly name: string;
  readonly type: string;
  readonly default: Json;
  readonly description: string;
  readonly inferenceTypes: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly options?: readonly string[];
}
export interface Model {
  readonly name: string;
  readonly description: string;
  readonly inferenceTypes: readonly string[];
  readonly parameters: readonly ModelParameter[];
}
export type ModelMenu = readonly Model[];

export function objectIn(value: Json | undefined, what: string): JsonObject {
  if (!isJsonObject(value)) throw new ShapeError(`${what} is not a JSON object`);
  return value;
}
export function arrayIn(value: Json | undefined, what: string): Json[] {
  if (!Array.isArray(value)) throw new ShapeError(`${what} is not a JSON array`);
  return value;
}
export function textIn(from: JsonObject, name: string, pattern?: RegExp): string {
  const value = from[name];
  if (typeof value !== 'string' || (pattern && !pattern.test(value)))
    throw new ShapeError(`${name} is ${value === undefined ? 'missing' : 'not what it should be'}`);
  return value;
}
export function numberIn(from: JsonObject, name: string): PythonNumber {
  const value = from[name];
  if (!(value instanceof PythonNumber)) throw new ShapeError(`${name} is ${value === undefined ? 'missing' : 'not a number'}`);
  return value;
}
const optionalNumber = (from: JsonObject, name: string): number | undefined => {
  const value = from[name];
  return value instanceof PythonNumber ? value.value : undefined;
};
/** The original adds credits as floats, so a balance may carry binary dust. */
const tenths = (credits: number): number => Math.round(credits * 10);

export const TXID = /^[0-9a-f]{64}$/;

export function livenessIn(wire: Json): Liveness {
  const from = objectIn(wire, 'the answer');
  const ratio = optionalNumber(from, 'performance_ratio_score');
  return { status: textIn(from, 'status'), ...(ratio !== undefined && { performanceRatio: ratio }) };
}

const SCORE_MAX = 5;
/** `GET /reputation/{pastelid}`. */
export function reputationIn(wire: Json): number {
  const { value } = numberIn(objectIn(wire, 'the answer'), 'reputation_score');
  if (!(value >= 0 && value <= SCORE_MAX)) throw new ShapeError('reputation_score is not what it should be');
  return value;
}

export function balanceIn(wire: Json): Balance {
  const from = objectIn(wire, 'the answer');
  return {
    balanceTenths: tenths(numberIn(from, 'current_credit_balance').value),
    usageBurns: numberIn(from, 'number_of_confirmation_transactions').value,
  };
}

export function packIn(wire: Json): SpendablePack {
  const from = objectIn(wire, 'a pack');
  const [balance, burns] = [
    optionalNumber(from, 'credit_pack_current_credit_balance'),
    optionalNumber(from, 'number_of_confirmation_transactions'),
  ];
  return {
    registrationTxid: textIn(from, 'credit_pack_registration_txid', TXID),
    burnTxid: textIn(from, 'txid_of_credit_purchase_burn_transaction', TXID),
    ownerPastelId: textIn(from, 'requesting_end_user_pastelid'),
    trackingAddress: textIn(from, 'credit_usage_tracking_psl_address'),
    confirmationHeight: numberIn(from, 'credit_purchase_request_confirmation_pastel_block_height').value,
    pricePerCreditPatoshis: patoshisFromPsl(numberIn(from, 'psl_cost_per_credit')) ?? 0,
    initialTenths: tenths(numberIn(from, 'requested_initial_credits_in_credit_pack').value),
    ...(balance !== undefined && { balanceTenths: tenths(balance) }),
    ...(burns !== undefined && { usageBurns: burns }),
  };
}

/** A supernode's word on credits that it owes, and what is left of them. */
export interface OpenCreditNote {
  readonly note: CreditNote;
  readonly openTenths: number;
}
/** The notes as they came, and by their ids the tenths of credits that are open. */
export function creditNotesIn(wire: Json): { notes: Json[]; open: Map<string, number> } {
  const answer = objectIn(wire, 'the answer');
  const balances = arrayIn(answer['balances'], 'balances').map((entry): [string, number] => {
    const balance = objectIn(entry, 'a balance');
    return [textIn(balance, 'credit_note_id'), tenths(numberIn(balance, 'credits_open').value)];
  });
  return { notes: arrayIn(answer['credit_notes'], 'credit_notes'), open: new Map(balances) };
}

/** Models that cannot be read are left out: one odd entry of a menu is no reason to do without the others. */
export function menuIn(wire: Json): ModelMenu {
  return arrayIn(objectIn(wire, 'the answer')['models'], 'models').flatMap((entry): Model[] => {
    if (!isJsonObject(entry) || typeof entry['model_name'] !== 'string') return [];
    const parameters = Array.isArray(entry['model_parameters']) ? entry['model_parameters'] : [];
    return [
      {
        name: entry['model_name'],
        description: textOr(entry['description']),
        inferenceTypes: typesIn(entry['supported_inference_type_strings']),
        parameters: parameters.flatMap(parameterIn),
      },
    ];
  });
}
function parameterIn(entry: Json): ModelParameter[] {
  if (!isJsonObject(entry) || typeof entry['name'] !== 'string') return [];
  const [minimum, maximum] = [optionalNumber(entry, 'minimum'), optionalNumber(entry, 'maximum')];
  return [
    {
      name: entry['name'],
      type: textOr(entry['type']),
      default: entry['default'] ?? null,
      description: textOr(entry['description']),
      inferenceTypes: typesIn(entry['inference_types_parameter_applies_to']),
      ...(minimum !== undefined && { minimum }),
      ...(maximum !== undefined && { maximum }),
      ...(Array.isArray(entry['options']) && { options: textsIn(entry['options']) }),
    },
  ];
}
const textOr = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
const textsIn = (values: Json[]): string[] => values.filter((value) => typeof value === 'string');
/** An array, or the text of a Python list such as `['text_completion']` (inference spec 1.2). */
const typesIn = (value: Json | undefined): string[] =>
  Array.isArray(value) ? textsIn(value) : (textOr(value).match(/\w+/g) ?? []);
