import type { Transaction } from '#chain';
import {
  decodeBase64Text,
  isJsonObject,
  JsonError,
  patoshisFromPsl,
  PythonNumber,
  pythonRound,
  readJson,
  sha3,
  MILLICREDITS_PER_CREDIT,
  millicreditsOfTenths,
  tenthsFromCredits,
  type CreditPackPurchaseRequestConfirmation,
  type CreditPackPurchaseRequestResponse,
  type Json,
  type JsonObject,
} from '#protocol';
import { signersOf } from '../peers/agreement.rules.js';
import { burnedPatoshisOf } from '../purchase/payment.rules.js';

/** How far the block behind the selection of signers may be from the offer (credit-packs spec 5.11.5). */
const SELECTION_BLOCKS_MAX = 10;

/** What every ticket has to meet; shared by all nodes of a network. */
export interface TicketTerms {
  readonly creditsMin: number;
  readonly creditsMax: number;
  /** Of P + B, inclusive: asked among asked and blacklisted. */
  readonly quorum: number;
  /** Of P, inclusive: agreeing among asked. */
  readonly majority: number;
  readonly burnWindowBlocks: number;
}

/** What cannot be read from the offer itself. */
export interface OfferFacts {
  /** Of its own hash and of the signature of the responding supernode. */
  readonly sealFaults: readonly string[];
  /** Selected supernodes whose signature over the base64 text of the request is good. */
  readonly requestSigners: ReadonlySet<string>;
  /** Of the PastelIDs that it names: those of supernodes at its height. */
  readonly supernodes: ReadonlySet<string>;
  /** Of the block at its `best_block_height`; undefined above the tip. */
  readonly merkleRoot: string | undefined;
}
/** What cannot be read from the ticket itself, the burn left out. */
export interface TicketFacts extends OfferFacts {
  /** Of the own hash of the confirmation and of the user's signature. */
  readonly confirmationFaults: readonly string[];
  /** Height of the ticket. */
  readonly height: number;
}
export interface TicketParts {
  readonly response: CreditPackPurchaseRequestResponse;
  readonly confirmation: CreditPackPurchaseRequestConfirmation;
}

/** What was asked for, as the buyer signed it. */
export interface SoldPack {
  readonly ownerPastelId: string;
  readonly authorisedPastelIds: readonly string[];
  readonly trackingAddress: string;
  /** As it was written. */
  readonly requestedCredits: string;
  readonly initialMillicredits: number;
}

/**
 * Everything that makes an offer one which later no node may call a good ticket: the re-validation of credit-packs spec 5.11 as far as
 * it goes before the burn, and what the original leaves out (W4). Sorted, without repetition.
 */
export function plannedTicketFaults(
  response: CreditPackPurchaseRequestResponse,
  facts: OfferFacts,
  terms: TicketTerms,
): string[] {
  const sold = soldBy(response);
  return sorted([
    ...facts.sealFaults,
    ...(typeof sold === 'string' ? [sold] : soldFaults(response, sold, terms)),
    ...supernodeFaults(response, facts),
    ...signatureFaults(response, facts),
    ...selectionFaults(response, facts),
    ...shareFaults(response, terms),
  ]);
}

/** The same for a whole ticket, its burn left out. */
export function ticketFaults({ response, confirmation }: TicketParts, facts: TicketFacts, terms: TicketTerms): string[] {
  const sold = soldBy(response);
  const faults = [...plannedTicketFaults(response, facts, terms), ...facts.confirmationFaults];
  const same = (what: string, left: unknown, right: unknown): void => {
    if (left !== right) faults.push(`The confirmation is for another ${what} than the response`);
  };
  same(
    'request',
    confirmation.sha3_256_hash_of_credit_pack_purchase_request_fields,
    response.sha3_256_hash_of_credit_pack_purchase_request_fields,
  );
  same(
    'response',
    confirmation.sha3_256_hash_of_credit_pack_purchase_request_response_fields,
    response.sha3_256_hash_of_credit_pack_purchase_request_response_fields,
  );
  same(
    'request text',
    confirmation.credit_pack_purchase_request_fields_json_b64,
    response.credit_pack_purchase_request_fields_json_b64,
  );
  if (typeof sold !== 'string' && confirmation.requesting_end_user_pastelid !== sold.ownerPastelId)
    faults.push('The confirmation is that of another user than the request');
  if (response.request_response_pastel_block_height > facts.height)
    faults.push(
      `The offer claims to be of height ${response.request_response_pastel_block_height}, above its own ticket at ${facts.height}`,
    );
  return sorted(faults);
}

/**
 * The signatures of the voters cover credits and address, not the price that they were asked about, so a dishonest supernode could write
 * any price beside them (W4). Honest ones are within some percent of each other; more than the market may move between an offer and its
 * ticket is left.
 */
const PRICE_SHARE_MIN = 1 / 3;
/** Only tickets so young, in blocks, are measured against today's price: what a PSL was worth long ago is not known. */
const PRICE_KNOWN_BLOCKS = 100;
export const isPriceKnown = (ticketHeight: number, tip: number): boolean => tip - ticketHeight <= PRICE_KNOWN_BLOCKS;
/** @param own price of a credit at this node */
export const priceFaults = ({ psl_cost_per_credit: price }: CreditPackPurchaseRequestResponse, own: number): string[] =>
  price.value >= own * PRICE_SHARE_MIN ? [] : [`${price.text} PSL for a credit is less than any supernode would agree to`];

/** Why a mined transaction does not pay for the offer (5.6, 5.11.1). More than the total is accepted. */
export function paymentFaults(
  response: CreditPackPurchaseRequestResponse,
  transaction: Transaction,
  burnAddress: string,
  terms: TicketTerms,
): string[] {
  const total = patoshisOf(response.proposed_total_cost_of_credit_pack_in_psl.value) ?? Infinity;
  const burned = burnedPatoshisOf(transaction, burnAddress);
  const faults: string[] = [];
  if (burned < total) faults.push(`The transaction burns ${burned} patoshis, less than the total of ${total}`);
  const [from, to] = burnWindow(response, terms);
  const height = transaction.mined?.height;
  if (height === undefined || height < from || height > to) faults.push(burnMissing(response, terms));
  return faults;
}
/** First and last height at which a burn counts for the offer. */
export const burnWindow = (response: CreditPackPurchaseRequestResponse, terms: TicketTerms): [from: number, to: number] => {
  const offered = response.request_response_pastel_block_height;
  return [offered, offered + terms.burnWindowBlocks];
};
export function burnMissing(response: CreditPackPurchaseRequestResponse, terms: TicketTerms): string {
  const [from, to] = burnWindow(response, terms);
  return `The burn transaction was not mined in the blocks ${from} to ${to}`;
}

/** Reads the request that an offer is for; a text where it cannot be, or is not the one whose hash the offer names. */
export function soldBy(response: CreditPackPurchaseRequestResponse): SoldPack | string {
  const text = decodeBase64Text(response.credit_pack_purchase_request_fields_json_b64);
  if (text === undefined) return 'The request in the ticket is no base64 text';
  if (sha3(text) !== response.sha3_256_hash_of_credit_pack_purchase_request_fields)
    return 'The request hash is not that of the request';
  const request = objectIn(text);
  const credits = request?.['requested_initial_credits_in_credit_pack'];
  const owner = request?.['requesting_end_user_pastelid'];
  const trackingAddress = request?.['credit_usage_tracking_psl_address'];
  const authorisedPastelIds = textsIn(request?.['list_of_authorized_pastelids_allowed_to_use_credit_pack']);
  if (
    !(credits instanceof PythonNumber) ||
    typeof owner !== 'string' ||
    typeof trackingAddress !== 'string' ||
    !authorisedPastelIds
  )
    return 'The request in the ticket lacks a field';
  const tenths = tenthsFromCredits(credits);
  const initialMillicredits = millicreditsOfTenths(tenths ?? 0);
  if (initialMillicredits <= 0) return `${credits.text} is no number of credits`;
  return { ownerPastelId: owner, authorisedPastelIds, trackingAddress, requestedCredits: credits.text, initialMillicredits };
}

function soldFaults(response: CreditPackPurchaseRequestResponse, sold: SoldPack, terms: TicketTerms): string[] {
  const faults: string[] = [];
  if (sold.trackingAddress !== response.credit_usage_tracking_psl_address)
    faults.push('The response names another tracking address than the request');
  const credits = sold.initialMillicredits / MILLICREDITS_PER_CREDIT;
  if (credits < terms.creditsMin || credits > terms.creditsMax)
    faults.push(`${sold.requestedCredits} credits are not within ${terms.creditsMin} to ${terms.creditsMax}`);
  const price = response.psl_cost_per_credit.value;
  const [total, needed] = [patoshisOf(response.proposed_total_cost_of_credit_pack_in_psl.value), patoshisOf(credits * price)];
  if (!(price > 0) || !total || !needed || total < needed) faults.push('The total is less than the credits at their price');
  return faults;
}

function supernodeFaults(response: CreditPackPurchaseRequestResponse, { supernodes }: OfferFacts): string[] {
  const asked = response.list_of_potentially_agreeing_supernodes;
  const agreeing = response.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms;
  const seller = response.responding_supernode_pastelid;
  const faults = [...new Set([seller, ...asked, ...agreeing])]
    .filter((pastelId) => !supernodes.has(pastelId))
    .map((pastelId) => `${pastelId} was no supernode at the height of the offer`);
  if (repeats(asked) || repeats(agreeing)) faults.push('A supernode is listed twice');
  const askedSet = new Set(asked);
  if (agreeing.some((pastelId) => !askedSet.has(pastelId))) faults.push('A supernode agrees that was not asked');
  if (askedSet.has(seller)) faults.push('The responding supernode votes on its own price');
  return faults;
}

function signatureFaults(response: CreditPackPurchaseRequestResponse, { requestSigners }: OfferFacts): string[] {
  return response.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms_selected_for_signature_inclusion
    .filter((pastelId) => !requestSigners.has(pastelId))
    .map((pastelId) => `The signature of ${pastelId} on the request is missing or wrong`);
}

function selectionFaults(response: CreditPackPurchaseRequestResponse, { merkleRoot }: OfferFacts): string[] {
  const faults: string[] = [];
  const agreeing = response.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms;
  const selected = response.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms_selected_for_signature_inclusion;
  if (merkleRoot !== response.best_block_merkle_root)
    faults.push(`The merkle root is not that of the block at height ${response.best_block_height}`);
  if (Math.abs(response.request_response_pastel_block_height - response.best_block_height) > SELECTION_BLOCKS_MAX)
    faults.push(`The block of the selection is more than ${SELECTION_BLOCKS_MAX} blocks from the offer`);
  const expected = new Set(signersOf(agreeing, response.best_block_merkle_root));
  if (new Set(selected).size !== expected.size || selected.some((pastelId) => !expected.has(pastelId)))
    faults.push('The selected supernodes are not the agreeing ones that are closest to the merkle root');
  return faults;
}

function shareFaults(response: CreditPackPurchaseRequestResponse, terms: TicketTerms): string[] {
  const asked = response.list_of_potentially_agreeing_supernodes.length;
  const blacklisted = response.list_of_blacklisted_supernode_pastelids.length;
  const agreed = response.list_of_supernode_pastelids_agreeing_to_credit_pack_purchase_terms.length;
  const faults: string[] = [];
  if (asked === 0 || !(asked / (asked + blacklisted) >= terms.quorum)) faults.push('Too few supernodes were asked for a quorum');
  if (agreed === 0 || !(agreed / asked >= terms.majority)) faults.push('Too few of the supernodes asked agreed');
  return faults;
}

/** Clients burn the total rounded to five decimals (credit-packs spec 5.6). */
const patoshisOf = (psl: number): number | undefined => patoshisFromPsl(PythonNumber.float(pythonRound(psl, 5)));
const repeats = (texts: readonly string[]): boolean => new Set(texts).size !== texts.length;
const sorted = (faults: readonly string[]): string[] => [...new Set(faults)].sort();

function parsed(text: string): Json | undefined {
  try {
    return readJson(text);
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
function objectIn(text: string): JsonObject | undefined {
  const value = parsed(text);
  return isJsonObject(value) ? value : undefined;
}
/** A list, or the JSON text of one. */
function textsIn(value: Json | undefined): string[] | undefined {
  const list = typeof value === 'string' ? parsed(value) : value;
  return Array.isArray(list) && list.every((item) => typeof item === 'string') ? list : undefined;
}
