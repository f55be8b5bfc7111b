import { expect } from '@jest/globals';
import { fundTrackingAddress, purchaseCreditPack, type UserSide } from '#client';
import { Environment, readSettings, SystemEntropy } from '#config';
import { PackLedger } from '#credit-pack';
import { inTenths, type BalanceInTenths } from './in-tenths.js';
import { InferenceSweeps, Reconciliation, type RequestStatus } from '#inference';
import {
  Clock,
  CreditNote,
  decodeBase64Text,
  encodeBase64,
  faultsOf,
  InferenceAPIOutputResult,
  InferenceAPIUsageRequest,
  InferenceAPIUsageResponse,
  networks,
  pooledChecking,
  pythonTimestamp,
  readJson,
  received,
  seal,
  type Json,
  type JsonObject,
  type MessageClass,
  type Signing,
} from '#protocol';
import { JsonRpcClient, JsonRpcWallet } from '#rpc';
import { newIdentity, provenBy, send, type Reply } from './http-app.js';
import type { RunningSupernode, TestNetwork } from './network.js';

const { burnAddress } = networks.devnet;
const entropy = new SystemEntropy();
const PROMPT = 'Hello there';
const PROMPT_TOKENS = Math.ceil(PROMPT.length / 3);
/** What a credit buys of the sandbox: 0.0085 USD (target value less margin) at 10 USD a million tokens out; tokens in cost a quarter. */
const TOKENS_PER_CREDIT = 850;

type RequestDraft = Partial<
  Pick<
    InferenceAPIUsageRequest,
    | 'inference_request_id'
    | 'credit_pack_ticket_pastel_txid'
    | 'requested_model_canonical_string'
    | 'model_inference_type_string'
    | 'model_parameters_json_b64'
    | 'model_input_data_json_b64'
    | 'inference_request_utc_iso_string'
  >
>;
export interface Quoted {
  readonly request: InferenceAPIUsageRequest;
  readonly response: InferenceAPIUsageResponse;
  readonly id: string;
  readonly responseId: string;
  /** What the request costs, in tenths of credits and so in patoshis to burn. */
  readonly tenths: number;
  readonly lastHeight: number;
}
/** The parameters of a request, as the Python client prints them. */
export const parameters = (values: object): RequestDraft => ({ model_parameters_json_b64: encodeBase64(JSON.stringify(values)) });
/** A request of the sandbox that costs so many tenths of credits. */
export const costing = (tenths: number, more: object = {}): RequestDraft =>
  parameters({ number_of_tokens_to_generate: Math.round((tenths / 10) * TOKENS_PER_CREDIT - PROMPT_TOKENS / 4), ...more });

/**
 * Somebody who owns a credit pack, or may spend one, and talks plain HTTP to supernodes. Each method is one step of a story, so that a
 * test may leave one out, repeat it, or do it wrong.
 */
export class InferenceUser {
  private constructor(
    readonly network: TestNetwork,
    readonly signing: Signing,
    readonly packTxid: string,
    readonly trackingAddress: string,
  ) {}

  /** Buys a pack for a new PastelID, of which others may spend. */
  static async withPack(network: TestNetwork, credits: number, others: readonly Signing[] = []): Promise<InferenceUser> {
    const signing = newIdentity();
    const side = network.side(signing);
    const { address } = await fundTrackingAddress(side, credits);
    network.mine();
    const authorisedPastelIds = [signing, ...others].map(({ pastelId }) => pastelId);
    const pack = await network.until(purchaseCreditPack(side, { credits, trackingAddress: address, authorisedPastelIds }));
    return new InferenceUser(network, signing, pack.registrationTxid, address);
  }
  /** Another PastelID at the same pack; whether it may is another matter. */
  as(signing: Signing): InferenceUser {
    return new InferenceUser(this.network, signing, this.packTxid, this.trackingAddress);
  }
  get side(): UserSide {
    return this.network.side(this.signing);
  }

  /** 1.2 credits where nothing else is said. */
  async request(draft: RequestDraft = {}): Promise<InferenceAPIUsageRequest> {
    // Nodes believe a height that they know for up to a second.
    this.network.clock.advance(1_000);
    const unsealed = {
      inference_request_id: entropy.uuid(),
      requesting_pastelid: this.signing.pastelId,
      credit_pack_ticket_pastel_txid: this.packTxid,
      requested_model_canonical_string: 'sandbox-echo',
      model_inference_type_string: 'text_completion',
      model_parameters_json_b64: encodeBase64('{}'),
      model_input_data_json_b64: encodeBase64(PROMPT),
      inference_request_utc_iso_string: pythonTimestamp(this.network.clock.now()),
      inference_request_pastel_block_height: this.network.height,
      status: 'initiating',
      inference_request_message_version_string: '1.0',
      ...draft,
    };
    return seal(InferenceAPIUsageRequest, unsealed, this.signing);
  }
  async make(node: RunningSupernode, request: InferenceAPIUsageRequest): Promise<Reply> {
    return this.post(node, 'make_inference_api_usage_request', { inference_api_usage_request: request });
  }
  async quote(node: RunningSupernode, draft: RequestDraft = {}): Promise<Quoted> {
    const request = await this.request(draft);
    return quotedBy(request, await this.make(node, request));
  }

  /** Burns with the change to the tracking address. */
  burn(patoshis: number): Promise<string> {
    return this.network.user.wallet.sendMany(new Map([[burnAddress, patoshis]]), this.trackingAddress);
  }
  confirm(node: RunningSupernode, requestId: string, txid: string): Promise<Reply> {
    const confirmation = {
      inference_request_id: requestId,
      requesting_pastelid: this.signing.pastelId,
      confirmation_transaction: { txid },
    };
    return this.post(node, 'confirm_inference_request', { inference_confirmation: confirmation });
  }
  /** Burns what the quote asks for and says so. Gives the burn's txid. */
  async pay(node: RunningSupernode, { id, tenths }: Quoted): Promise<string> {
    const txid = await this.burn(tenths);
    const reply = await this.confirm(node, id, txid);
    expect([reply.status, reply.text]).toEqual([200, expect.stringContaining(txid)]);
    return txid;
  }

  async status(node: RunningSupernode, requestId: string): Promise<RequestStatus> {
    const reply = await this.get(node, `inference_request_state/${requestId}`);
    expect(reply.status).toBe(200);
    return reply.json() as RequestStatus;
  }
  async retrieve(node: RunningSupernode, responseId: string): Promise<Reply> {
    const proof = await provenBy(node.url, this.signing);
    const query = new URLSearchParams({ inference_response_id: responseId, pastelid: this.signing.pastelId, ...proof });
    return send('POST', `${node.url}/retrieve_inference_output_results?${query.toString()}`, '{}');
  }
  /** The result, its hash and signature checked, and what it holds. */
  async result(
    node: RunningSupernode,
    responseId: string,
  ): Promise<{ result: InferenceAPIOutputResult; output: Json; text: string }> {
    const reply = await this.retrieve(node, responseId);
    expect(reply.status).toBe(200);
    const result = await verified(InferenceAPIOutputResult, reply.text);
    expect(result.responding_supernode_pastelid).toBe(node.pastelId);
    return { result, output: readJson(decodeBase64Text(result.inference_result_json_base64)!), text: reply.text };
  }
  /** What the node owes for one burn; hash and signature are checked. */
  async notesFor(node: RunningSupernode, burnTxid: string): Promise<CreditNote[]> {
    const reply = await this.get(node, 'credit_notes');
    expect(reply.status).toBe(200);
    const { credit_notes: notes } = readJson(reply.text) as { credit_notes: JsonObject[] };
    const all = await Promise.all(notes.map((note) => verified(CreditNote, note)));
    for (const note of all) expect(note.responding_supernode_pastelid).toBe(node.pastelId);
    return all.filter(({ burn_txid }) => burn_txid === burnTxid);
  }
  /** `id` of a response or of a request. */
  async audit(node: RunningSupernode, what: 'response' | 'result', id: string, owner = this.signing.pastelId): Promise<Reply> {
    const question = { inference_response_id: id, pastel_id: owner, signature: await this.signing.sign(id) };
    return send('POST', `${node.url}/audit_inference_request_${what}`, question);
  }

  /** What any node says is left of the pack, in credits, and of how many burns it knows. */
  async balance(node: RunningSupernode): Promise<{ credits: number; burns: number }> {
    const reply = await this.post(node, 'check_credit_pack_balance', { credit_pack_ticket_txid: this.packTxid });
    expect(reply.status).toBe(200);
    const { current_credit_balance: credits, number_of_confirmation_transactions: burns } = reply.json();
    return { credits, burns };
  }
  /** The node's own books of the pack. They must agree with themselves whenever anybody looks. */
  async books(node: RunningSupernode): Promise<BalanceInTenths> {
    const ledger = node.app.get(PackLedger);
    const books = inTenths(await ledger.balanceOf((await ledger.find(this.packTxid))!));
    expect(books.availableTenths + books.heldTenths + books.burnedTenths).toBe(books.initialTenths);
    expect((await node.app.get(Reconciliation).reconcile()).differences).toEqual([]);
    return books;
  }

  post(node: RunningSupernode, path: string, body: object): Promise<Reply> {
    return provenBy(node.url, this.signing).then((proof) => send('POST', `${node.url}/${path}`, { ...body, ...proof }));
  }
  async get(node: RunningSupernode, path: string): Promise<Reply> {
    const proof = new URLSearchParams(await provenBy(node.url, this.signing));
    return send('GET', `${node.url}/${path}?${proof.toString()}`);
  }
}

export async function quotedBy(request: InferenceAPIUsageRequest, reply: Reply): Promise<Quoted> {
  expect([reply.status, reply.text]).toEqual([200, expect.stringContaining(request.inference_request_id)]);
  const response = await verified(InferenceAPIUsageResponse, reply.text);
  return {
    request,
    response,
    id: request.inference_request_id,
    responseId: response.inference_response_id,
    tenths: response.request_confirmation_message_amount_in_patoshis,
    lastHeight: response.max_block_height_to_include_confirmation_transaction,
  };
}
async function verified<M extends object>(type: MessageClass<M>, wire: string | JsonObject): Promise<M> {
  const message = received(type, typeof wire === 'string' ? (readJson(wire) as JsonObject) : wire);
  expect(await faultsOf(message, pooledChecking)).toEqual([]);
  return message;
}

/** Everything that a node does by itself for its requests, until nothing runs any more. */
export async function serve(node: RunningSupernode): Promise<void> {
  const sweeps = node.app.get(InferenceSweeps);
  await sweeps.sweep(node.app.get(Clock).now());
  await sweeps.executions.idle();
}

/** The wallet of somebody else: one of the supernodes' own. Close `rpc` at the end. */
export function walletOf(network: TestNetwork, user: string): { wallet: JsonRpcWallet; rpc: JsonRpcClient } {
  const { rpc: settings } = readSettings(new Environment(network.environmentOf(user)));
  const rpc = new JsonRpcClient(settings, network.clock);
  return { rpc, wallet: new JsonRpcWallet(rpc) };
}
