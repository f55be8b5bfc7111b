import { createHash } from 'node:crypto';
import axios from 'axios';
import { closed, schemas, type Wire } from './js-client-schemas.js';
import type { TestNetwork } from './network.js';

/** What the client posted and got, as it went over the wire. */
export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly status: number;
  readonly sent: string;
  readonly reply: string;
}
export interface JsSupernode {
  readonly url: string;
  readonly pastelId: string;
}
export interface JsPack {
  readonly txid: string;
  readonly trackingAddress: string;
  readonly supernode: JsSupernode;
  readonly requestHash: string;
  readonly burnTxid: string;
}

const BURN_ADDRESS = '44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7';
const FLOW_HEADERS = { Accept: 'application/json, text/plain, */*', 'User-Agent': 'axios/1.7.7' };
const PRICE_DIFFERENCE_MAX = 0.05;
const sha3 = (text: string): string => createHash('sha3-256').update(text, 'utf8').digest('hex');

/** The stringifier of the JavaScript clients (clients spec 11): compact JSON with blanks put in by search and replace. */
export function jsStringify(message: Wire): string {
  const sorted = Object.fromEntries(
    Object.entries(message)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([key, value]) => [
        key,
        typeof value === 'string' && /^\{.*\}$/s.test(value) ? JSON.stringify(value).slice(1, -1) : value,
      ]),
  );
  return JSON.stringify(sorted)
    .replace(/,(?! )/g, ', ')
    .replace(/(?<!\d):(?! )/g, ': ')
    .replace(/"(true|false)"/g, '$1');
}

/** Hash of all fields but the id, the last hash and the last signature; booleans as 1 and 0. */
export function jsHash(message: Wire): string {
  const names = Object.keys(message);
  const left = [
    'id',
    names.filter((name) => name.startsWith('sha3_256_hash_of')).at(-1),
    names.filter((name) => name.includes('_signature_on_')).at(-1),
  ];
  const hashed = Object.entries(message)
    .filter(([name]) => !left.includes(name))
    .map(([name, value]) => [name, typeof value === 'boolean' ? Number(value) : value]);
  return sha3(jsStringify(Object.fromEntries(hashed) as Wire));
}

/** The steps of the Node client, told by `spec/clients.md`: its bodies, its order, its checks, its own closed schemas. */
export class JsClient {
  readonly calls: Call[] = [];
  /** What the two market pages say: PSL in USD. */
  marketPrice: number;
  private constructor(
    private readonly network: TestNetwork,
    readonly pastelId: string,
    private readonly passphrase: string,
    marketPrice: number,
  ) {
    this.marketPrice = marketPrice;
  }

  static async create(network: TestNetwork, marketPrice: number): Promise<JsClient> {
    const { pastelid } = (await jsRpc(network, 'pastelid', 'newkey', 'js words')) as { pastelid: string };
    return new JsClient(network, pastelid, 'js words', marketPrice);
  }

  rpc(method: string, ...params: unknown[]): Promise<unknown> {
    return jsRpc(this.network, method, ...params);
  }
  async sign(text: string): Promise<string> {
    return ((await this.rpc('pastelid', 'sign', text, this.pastelId, this.passphrase, 'ed448')) as { signature: string })
      .signature;
  }
  /** `Z` or the Python spelling, three digits. */
  now(zone: 'Z' | '+00:00'): string {
    return this.network.clock.now().toISOString().replace('Z', zone);
  }
  async height(): Promise<number> {
    const block = (await this.rpc('getblock', await this.rpc('getbestblockhash'))) as { height: number };
    return block.height;
  }

  async get(url: string, path: string): Promise<unknown> {
    return this.call('GET', url, path);
  }
  async post(url: string, path: string, body: unknown): Promise<unknown> {
    return this.call('POST', url, path, body);
  }
  private async call(method: 'GET' | 'POST', url: string, path: string, body?: unknown): Promise<unknown> {
    const sent = body === undefined ? '' : JSON.stringify(body);
    const { status, data } = await axios.request<string>({
      method,
      url: `${url}/${path}`,
      ...(method === 'POST' && { data: sent }),
      headers: { ...FLOW_HEADERS, ...(method === 'POST' && { 'Content-Type': 'application/json' }) },
      responseType: 'text',
      transformResponse: (text: string) => text,
      validateStatus: () => true,
      proxy: false,
    });
    this.calls.push({ method, path: path.split('?')[0]!, status, sent, reply: data });
    if (status < 200 || status > 299) throw new Error(`Request failed with status code ${status}: ${data}`);
    return path === '' ? undefined : JSON.parse(data);
  }
  async challenge(url: string): Promise<Record<string, string>> {
    const { challenge, challenge_id } = (await this.get(url, `request_challenge/${this.pastelId}`)) as Record<string, string>;
    return { challenge: challenge!, challenge_id: challenge_id!, challenge_signature: await this.sign(challenge!) };
  }
  async challenged(url: string, path: string, body: Wire): Promise<unknown> {
    return this.post(url, path, { ...body, ...(await this.challenge(url)) });
  }

  /** Steps 2.1 to 2.3: the list, the lively ones, the closest first. */
  async supernodes(closestTo = this.pastelId): Promise<JsSupernode[]> {
    const [full, rank, pubkey, extra] = (await Promise.all(
      ['full', 'rank', 'pubkey', 'extra'].map((part) => this.rpc('masternodelist', part)),
    )) as [Record<string, string>, Record<string, number>, Record<string, string>, Record<string, Record<string, string>>];
    const rows = Object.entries(full).map(([outpoint, text]) => {
      const [status, protocol, payee, lastSeen, active, lastPaid, lastPaidBlock, address] = text.trim().split(/\s+/);
      const numbers = [protocol, lastSeen, active, lastPaid, lastPaidBlock, rank[outpoint]].map(Number);
      const texts = [
        status,
        payee,
        address,
        pubkey[outpoint],
        extra[outpoint]!['extAddress'],
        extra[outpoint]!['extKey'],
        extra[outpoint]!['extP2P'],
      ];
      if (numbers.some(Number.isNaN) || texts.some((value) => !value)) throw new Error(`Validation error: ${text}`);
      return { status: status!, pastelId: extra[outpoint]!['extKey']!, url: `http://${address!}` };
    });
    const enabled = rows.filter(({ status }) => ['ENABLED', 'PRE_ENABLED'].includes(status));
    const lively = await Promise.all(enabled.map(async (node) => ((await this.isLively(node.url)) ? [node] : [])));
    const distance = (id: string): bigint => BigInt(`0x${sha3(id)}`) ^ BigInt(`0x${sha3(closestTo)}`);
    return lively.flat().sort((a, b) => (distance(a.pastelId) < distance(b.pastelId) ? -1 : 1));
  }
  private async isLively(url: string): Promise<boolean> {
    const { performance_ratio_score: ratio } = (await this.get(url, 'liveness_ping')) as {
      performance_ratio_score: number | null;
    };
    if (ratio !== undefined && Number(ratio) < 0.75) return false;
    await this.get(url, '');
    return true;
  }

  /** A new address with enough coins for the tracking of so many credits. */
  async fundedTrackingAddress(credits: number): Promise<string> {
    const address = (await this.rpc('getnewaddress')) as string;
    if (((await this.rpc('getbalance')) as number) < credits + 1) throw new Error('Insufficient balance');
    await this.rpc('sendtoaddress', address, credits + 1, 'Funding new address for credit pack');
    return address;
  }

  /** Message A. */
  async request(credits: number, trackingAddress: string, changes: Wire = {}): Promise<Wire> {
    const message = {
      id: crypto.randomUUID(),
      requesting_end_user_pastelid: this.pastelId,
      requested_initial_credits_in_credit_pack: credits,
      list_of_authorized_pastelids_allowed_to_use_credit_pack: JSON.stringify([this.pastelId]),
      credit_usage_tracking_psl_address: trackingAddress,
      request_timestamp_utc_iso_string: this.now('+00:00'),
      request_pastel_block_height: await this.height(),
      credit_purchase_request_message_version_string: '1.0',
      sha3_256_hash_of_credit_pack_purchase_request_fields: '',
      requesting_end_user_pastelid_signature_on_request_hash: '',
      ...changes,
    };
    return this.sealed(
      message,
      'sha3_256_hash_of_credit_pack_purchase_request_fields',
      'requesting_end_user_pastelid_signature_on_request_hash',
    );
  }
  async sealed(message: Wire, hashField: string, signatureField: string): Promise<Wire> {
    const hash = jsHash(message);
    return { ...message, [hashField]: hash, [signatureField]: await this.sign(hash) };
  }
  /** Steps A and B: a quote, or a rejection in a shape that the client takes. */
  async quote({ url }: JsSupernode, request: Wire): Promise<Wire> {
    const reply = (await this.challenged(url, 'credit_purchase_initial_request', { credit_pack_request: request })) as Wire;
    return reply['rejection_reason_string']
      ? closed('rejection', reply, schemas.rejection)
      : closed('quote', reply, schemas.quote);
  }

  /** Step C: whether the client finds the price fair. */
  isFair(quote: Wire): boolean {
    const price = quote['preliminary_quoted_price_per_credit_in_psl'] as number;
    const estimate = 0.01 / (1 - 0.15) / this.marketPrice;
    return price <= 100 && Math.abs(price - estimate) / estimate <= PRICE_DIFFERENCE_MAX;
  }
  /** Message D; without an id, the agreement as a number. */
  async answerTo(quote: Wire, agree: 0 | 1, changes: Wire = {}): Promise<Wire> {
    const message = {
      sha3_256_hash_of_credit_pack_purchase_request_fields: quote['sha3_256_hash_of_credit_pack_purchase_request_fields'],
      sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields:
        quote['sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields'],
      credit_pack_purchase_request_fields_json_b64: quote['credit_pack_purchase_request_fields_json_b64'],
      agree_with_preliminary_price_quote: agree,
      credit_usage_tracking_psl_address: quote['credit_usage_tracking_psl_address'],
      preliminary_quoted_price_per_credit_in_psl: quote['preliminary_quoted_price_per_credit_in_psl'],
      preliminary_price_quote_response_timestamp_utc_iso_string: this.now('+00:00'),
      preliminary_price_quote_response_pastel_block_height: await this.height(),
      preliminary_price_quote_response_message_version_string: '1.0',
      requesting_end_user_pastelid: this.pastelId,
      sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_response_fields: '',
      requesting_end_user_pastelid_signature_on_preliminary_price_quote_response_hash: '',
      ...changes,
    };
    return this.sealed(
      message,
      'sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_response_fields',
      'requesting_end_user_pastelid_signature_on_preliminary_price_quote_response_hash',
    );
  }
  /** Step D: the binding offer, or a termination. */
  async answerQuote({ url }: JsSupernode, answer: Wire): Promise<Wire> {
    const reply = (await this.challenged(url, 'credit_purchase_preliminary_price_quote_response', {
      preliminary_price_quote_response: answer,
    })) as Wire;
    return reply['termination_reason_string']
      ? closed('termination', reply, schemas.termination)
      : closed('response', reply, schemas.response);
  }

  /** Step E: no more than a send; nobody waits for a confirmation. */
  async burn(response: Wire): Promise<string> {
    const total = response['proposed_total_cost_of_credit_pack_in_psl'] as number;
    const amount = Math.round(total * 1e5) / 1e5;
    return (await this.rpc('sendtoaddress', BURN_ADDRESS, amount, 'Burn transaction for credit pack ticket')) as string;
  }
  /** Step F: held open by the supernode until the ticket stands on the chain. */
  async confirm({ url }: JsSupernode, response: Wire, burnTxid: string): Promise<Wire> {
    const hash = 'sha3_256_hash_of_credit_pack_purchase_request_confirmation_fields';
    const signature =
      'requesting_end_user_pastelid_signature_on_sha3_256_hash_of_credit_pack_purchase_request_confirmation_fields';
    const message = {
      id: crypto.randomUUID(),
      sha3_256_hash_of_credit_pack_purchase_request_fields: response['sha3_256_hash_of_credit_pack_purchase_request_fields'],
      sha3_256_hash_of_credit_pack_purchase_request_response_fields:
        response['sha3_256_hash_of_credit_pack_purchase_request_response_fields'],
      credit_pack_purchase_request_fields_json_b64: response['credit_pack_purchase_request_fields_json_b64'],
      requesting_end_user_pastelid: this.pastelId,
      txid_of_credit_purchase_burn_transaction: burnTxid,
      credit_purchase_request_confirmation_utc_iso_string: this.now('Z'),
      credit_purchase_request_confirmation_pastel_block_height: await this.height(),
      credit_purchase_request_confirmation_message_version_string: '1.0',
      [hash]: '',
      [signature]: '',
    };
    const confirmation = await this.sealed(message, hash, signature);
    const reply = (await this.challenged(url, 'confirm_credit_purchase_request', { confirmation })) as Wire;
    return closed('confirmation response', reply, schemas.confirmationResponse);
  }
  /** Step G: asked once, right after; anything but `completed` ends the flow. */
  async status({ url }: JsSupernode, requestHash: string): Promise<Wire> {
    const credit_pack_request_status_check = {
      sha3_256_hash_of_credit_pack_purchase_request_fields: requestHash,
      requesting_end_user_pastelid: this.pastelId,
      requesting_end_user_pastelid_signature_on_sha3_256_hash_of_credit_pack_purchase_request_fields:
        await this.sign(requestHash),
    };
    const reply = (await this.challenged(url, 'check_status_of_credit_purchase_request', {
      credit_pack_request_status_check,
    })) as Wire;
    return closed('status', reply, schemas.status);
  }

  /** Steps A to H. The first supernode decides: after it the client cannot go on (step H). */
  async buy(credits: number): Promise<JsPack> {
    const trackingAddress = await this.fundedTrackingAddress(credits);
    const [supernode] = await this.supernodes();
    const request = await this.request(credits, trackingAddress);
    const quote = await this.quote(supernode!, request);
    JSON.parse(atob(quote['credit_pack_purchase_request_fields_json_b64'] as string));
    const answer = await this.answerTo(quote, this.isFair(quote) ? 1 : 0);
    const response = await this.answerQuote(supernode!, answer);
    if (response['termination_reason_string']) throw new Error(response['termination_reason_string'] as string);
    const burnTxid = await this.burn(response);
    const confirmed = await this.confirm(supernode!, response, burnTxid);
    const requestHash = request['sha3_256_hash_of_credit_pack_purchase_request_fields'] as string;
    const status = await this.status(supernode!, requestHash);
    if (status['status'] !== 'completed') throw new Error('The client goes into storage retry, which cannot work');
    return {
      txid: confirmed['pastel_api_credit_pack_ticket_registration_txid'] as string,
      trackingAddress,
      supernode: supernode!,
      requestHash,
      burnTxid,
    };
  }

  /** Message of step 5.2: input and parameters as the page gives them. */
  async usageRequest(packTxid: string, input: unknown, parameters: Wire, changes: Wire = {}): Promise<Wire> {
    const sortedParameters = Object.fromEntries(Object.entries(parameters).sort(([a], [b]) => a.localeCompare(b)));
    const message = {
      inference_request_id: crypto.randomUUID(),
      requesting_pastelid: this.pastelId,
      credit_pack_ticket_pastel_txid: packTxid,
      requested_model_canonical_string: 'sandbox-echo',
      model_inference_type_string: 'text_completion',
      model_parameters_json_b64: Buffer.from(JSON.stringify(sortedParameters, null, 2)).toString('base64'),
      model_input_data_json_b64: Buffer.from(JSON.stringify(input)).toString('base64'),
      inference_request_utc_iso_string: this.now('Z'),
      inference_request_pastel_block_height: await this.height(),
      status: 'initiating',
      inference_request_message_version_string: '1.0',
      sha3_256_hash_of_inference_request_fields: '',
      requesting_pastelid_signature_on_request_hash: '',
      ...changes,
    };
    return this.sealed(message, 'sha3_256_hash_of_inference_request_fields', 'requesting_pastelid_signature_on_request_hash');
  }
  async quoteUsage({ url }: JsSupernode, request: Wire): Promise<Wire> {
    const reply = (await this.challenged(url, 'make_inference_api_usage_request', {
      inference_api_usage_request: request,
    })) as Wire;
    const response = closed('inference response', reply, schemas.inferenceResponse);
    await this.checkUsageResponse(request, response);
    return response;
  }
  /** The embedded signature as the Node client checks it; hash and height as the web client does (12). */
  private async checkUsageResponse(request: Wire, response: Wire): Promise<void> {
    const hash = response['sha3_256_hash_of_inference_request_response_fields'] as string;
    const sealed = response['supernode_pastelid_and_signature_on_inference_request_response_hash'] as string;
    const { signing_sn_pastelid: signer, sn_signature_on_response_hash: signature } = JSON.parse(sealed) as Record<
      string,
      string
    >;
    const { verification } = (await this.rpc('pastelid', 'verify', hash, signature, signer, 'ed448')) as { verification: string };
    if (verification !== 'OK') throw new Error('The signature in the response is not good');
    if (jsHash(response) !== hash) throw new Error('SHA3-256 hash does not match');
    if (response['inference_request_id'] !== request['inference_request_id']) throw new Error('FOREIGN KEY constraint failed');
    const difference = (response['inference_request_response_pastel_block_height'] as number) - (await this.height());
    if (Math.abs(difference) > 1) throw new Error('Pastel block height difference');
  }

  /** Steps 5.3 and 5.4. */
  async payUsage(request: Wire, response: Wire): Promise<string> {
    const trackingAddress = response['credit_usage_tracking_psl_address'] as string;
    const amount = (response['request_confirmation_message_amount_in_patoshis'] as number) / 100_000;
    const amounts = (await this.rpc('listaddressamounts')) as Record<string, number>;
    if ((amounts[trackingAddress] ?? 0) < amount) throw new Error('Insufficient balance in the tracking address');
    const comment = `Confirmation tracking transaction for inference request with request_id ${String(request['inference_request_id'])}`;
    const txid = (await this.rpc('sendmany', '', { [BURN_ADDRESS]: amount }, 0, comment, [''], trackingAddress)) as string;
    if (!/^[0-9a-f]{64}$/.test(txid) || !(await this.rpc('gettransaction', txid))) throw new Error('No such transaction');
    return txid;
  }
  /** Step 5.5; the length of the reply is read. */
  async confirmUsage({ url }: JsSupernode, request: Wire, txid: string): Promise<unknown> {
    const reply = await this.challenged(url, 'confirm_inference_request', {
      inference_confirmation: {
        inference_request_id: request['inference_request_id'],
        requesting_pastelid: this.pastelId,
        confirmation_transaction: { txid },
      },
    });
    if (reply === null) throw new TypeError("Cannot read properties of null (reading 'length')");
    return reply;
  }
  /** Step 5.6: only a bare `true` counts. */
  async awaitResult({ url }: JsSupernode, response: Wire): Promise<void> {
    const path = `check_status_of_inference_request_results/${String(response['inference_response_id'])}`;
    let wait = 3_000;
    for (let i = 1; i <= 60; i++) {
      await this.network.clock.wait(wait);
      if ((await this.get(url, path)) === true) return;
      wait *= 1.04 ** i;
    }
    throw new Error('The result never came');
  }
  /** Step 5.7. */
  async result({ url }: JsSupernode, response: Wire): Promise<Wire> {
    const { challenge, challenge_id, challenge_signature } = await this.challenge(url);
    const query = {
      inference_response_id: response['inference_response_id'] as string,
      pastelid: this.pastelId,
      challenge: challenge!,
      challenge_id: challenge_id!,
      challenge_signature: challenge_signature!,
    };
    const encoded = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const reply = (await this.post(url, `retrieve_inference_output_results?${encoded.join('&')}`, {})) as Wire;
    return closed('inference result', reply, schemas.inferenceResult);
  }

  /** Steps 5.2 to 5.7 at one supernode. */
  async infer(supernode: JsSupernode, packTxid: string, input: unknown, parameters: Wire) {
    const request = await this.usageRequest(packTxid, input, parameters);
    const response = await this.quoteUsage(supernode, request);
    const burnTxid = await this.payUsage(request, response);
    await this.confirmUsage(supernode, request, burnTxid);
    await this.awaitResult(supernode, response);
    const result = await this.result(supernode, response);
    const text = Buffer.from(result['inference_result_json_base64'] as string, 'base64').toString('utf8');
    return { request, response, result, text, burnTxid };
  }

  /** Chapter 6: all of these supernodes must hold the response now, and the result 20 s later. */
  async audit(supernodes: readonly JsSupernode[], responseId: string): Promise<{ responses: Wire[]; results: Wire[] }> {
    const body = { inference_response_id: responseId, pastel_id: this.pastelId, signature: await this.sign(responseId) };
    const ask = (path: string) => Promise.all(supernodes.map(({ url }) => this.post(url, path, body)));
    const responses = (await ask('audit_inference_request_response')) as Wire[];
    await this.network.clock.wait(20_000);
    const results = (await ask('audit_inference_request_result')) as Wire[];
    return {
      responses: responses.map((reply) => closed('audited response', reply, schemas.inferenceResponse)),
      results: results.map((reply) => closed('audited result', reply, schemas.inferenceResult)),
    };
  }

  /** Chapter 7: to the three supernodes closest to the recipient. The replies are kept by their id. */
  async sendUserMessage(toPastelId: string, text: string): Promise<Wire[]> {
    const closest = (await this.supernodes(toPastelId)).slice(0, 3);
    const user_message = {
      id: crypto.randomUUID(),
      from_pastelid: this.pastelId,
      to_pastelid: toPastelId,
      message_body: JSON.stringify(text),
      message_signature: await this.sign(text),
      timestamp: this.now('Z'),
    };
    const replies = await Promise.all(closest.map(({ url }) => this.challenged(url, 'send_user_message', { user_message })));
    return replies.map((reply) => reply as Wire);
  }
  async userMessages({ url }: JsSupernode): Promise<Wire[]> {
    const query = new URLSearchParams({ pastelid: this.pastelId, ...(await this.challenge(url)) });
    return (await this.get(url, `get_user_messages?${query.toString()}`)) as Wire[];
  }
}

/** Any status but 200 loses the text of the error, as in the client. */
export async function jsRpc(network: TestNetwork, method: string, ...params: unknown[]): Promise<unknown> {
  const { data } = await axios.post<{ result: unknown; error: unknown }>(
    `http://127.0.0.1:${network.rpcPort}/`,
    { jsonrpc: '2.0', method, params, id: 1 },
    {
      auth: { username: 'devnet', password: 'devnet' },
      headers: { Host: '127.0.0.1', 'User-Agent': 'AuthServiceProxy/0.1' },
      proxy: false,
    },
  );
  if (data.error !== null && data.error !== undefined) throw new Error(JSON.stringify(data.error));
  if (data.result === undefined) throw new Error('missing JSON-RPC result');
  return data.result;
}
