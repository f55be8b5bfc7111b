import { createHash, randomUUID } from 'node:crypto';
import axios from 'axios';
import {
  isJsonObject,
  PythonNumber,
  pythonTimestamp,
  readJson,
  writeJson,
  type Json,
  type JsonObject,
  type Signing,
} from '#protocol';
import type { TestNetwork } from './network.js';

type PythonValue = string | boolean | PythonNumber | number;
export type PythonFields = Record<string, PythonValue>;

const sha3 = (text: string): string => createHash('sha3-256').update(text, 'utf8').digest('hex');
const printed = (value: PythonValue): string => {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return value instanceof PythonNumber ? value.text : JSON.stringify(value);
};

/** `json.dumps(fields, sort_keys=True, ensure_ascii=False)` of all but the id, the own hash and the signatures. */
function pythonHash(fields: PythonFields, leftOut: readonly string[]): string {
  const names = Object.keys(fields).filter((name) => name !== 'id' && !leftOut.includes(name));
  return sha3(
    `{${names
      .sort()
      .map((name) => `"${name}": ${printed(fields[name]!)}`)
      .join(', ')}}`,
  );
}

/** The messages of the Python client: floats as floats, six digits, `+00:00`, an id in what its models give one. */
export class PythonClient {
  constructor(
    private readonly network: TestNetwork,
    private readonly signing: Signing,
  ) {}
  get pastelId(): string {
    return this.signing.pastelId;
  }
  now(): string {
    return pythonTimestamp(new Date(this.network.clock.now().getTime() + 1)).replace(/(\.\d{3})\d*/, '$1104');
  }
  height(): Promise<number> {
    return this.network.user.chain.height();
  }

  async post(url: string, path: string, body: object): Promise<{ status: number; wire: Json }> {
    const { status, data } = await axios.post<string>(`${url}/${path}`, writeJson(body), {
      headers: { 'User-Agent': 'python-httpx/0.27.0', Accept: '*/*', 'Content-Type': 'application/json' },
      responseType: 'text',
      transformResponse: (text: string) => text,
      validateStatus: () => true,
      proxy: false,
    });
    return { status, wire: readJson(data) };
  }
  async challenge(url: string): Promise<Record<string, string>> {
    const { data } = await axios.get<Record<string, string>>(`${url}/request_challenge/${this.pastelId}`, { proxy: false });
    const { challenge = '', challenge_id = '' } = data;
    return { challenge, challenge_id, challenge_signature: await this.signing.sign(challenge) };
  }
  /** Posts under the challenge; anything but 200 and an object is an error. */
  async exchange(url: string, path: string, key: string, message: object): Promise<JsonObject> {
    const { status, wire } = await this.post(url, path, { [key]: message, ...(await this.challenge(url)) });
    if (status !== 200 || !isJsonObject(wire)) throw new Error(`${path} answered ${status}: ${writeJson(wire)}`);
    return wire;
  }
  async sealed(fields: PythonFields, hashField: string, signatureField: string): Promise<PythonFields> {
    const hash = pythonHash(fields, [hashField, signatureField]);
    return { ...fields, [hashField]: hash, [signatureField]: await this.signing.sign(hash) };
  }

  async request(credits: PythonNumber, trackingAddress: string, changes: PythonFields = {}): Promise<PythonFields> {
    return this.sealed(
      {
        id: randomUUID(),
        requesting_end_user_pastelid: this.pastelId,
        requested_initial_credits_in_credit_pack: credits,
        list_of_authorized_pastelids_allowed_to_use_credit_pack: JSON.stringify([this.pastelId]),
        credit_usage_tracking_psl_address: trackingAddress,
        request_timestamp_utc_iso_string: this.now(),
        request_pastel_block_height: await this.height(),
        credit_purchase_request_message_version_string: '1.0',
        ...changes,
      },
      'sha3_256_hash_of_credit_pack_purchase_request_fields',
      'requesting_end_user_pastelid_signature_on_request_hash',
    );
  }
  /** Echoes the price as it was printed. */
  async answerTo(quote: JsonObject, agree: boolean, changes: PythonFields = {}): Promise<PythonFields> {
    const echoed = [
      'sha3_256_hash_of_credit_pack_purchase_request_fields',
      'sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields',
      'credit_pack_purchase_request_fields_json_b64',
      'credit_usage_tracking_psl_address',
      'preliminary_quoted_price_per_credit_in_psl',
    ];
    return this.sealed(
      {
        id: randomUUID(),
        ...Object.fromEntries(echoed.map((name) => [name, quote[name] as string | PythonNumber])),
        agree_with_preliminary_price_quote: agree,
        preliminary_price_quote_response_timestamp_utc_iso_string: this.now(),
        preliminary_price_quote_response_pastel_block_height: await this.height(),
        preliminary_price_quote_response_message_version_string: '1.0',
        requesting_end_user_pastelid: this.pastelId,
        ...changes,
      },
      'sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_response_fields',
      'requesting_end_user_pastelid_signature_on_preliminary_price_quote_response_hash',
    );
  }
  async confirmation(response: JsonObject, burnTxid: string): Promise<PythonFields> {
    const echoed = [
      'sha3_256_hash_of_credit_pack_purchase_request_fields',
      'sha3_256_hash_of_credit_pack_purchase_request_response_fields',
      'credit_pack_purchase_request_fields_json_b64',
    ];
    return this.sealed(
      {
        id: randomUUID(),
        ...Object.fromEntries(echoed.map((name) => [name, response[name] as string])),
        requesting_end_user_pastelid: this.pastelId,
        txid_of_credit_purchase_burn_transaction: burnTxid,
        credit_purchase_request_confirmation_utc_iso_string: this.now(),
        credit_purchase_request_confirmation_pastel_block_height: await this.height(),
        credit_purchase_request_confirmation_message_version_string: '1.0',
      },
      'sha3_256_hash_of_credit_pack_purchase_request_confirmation_fields',
      'requesting_end_user_pastelid_signature_on_sha3_256_hash_of_credit_pack_purchase_request_confirmation_fields',
    );
  }
  /** The prompt is sent as bare text. */
  async usageRequest(packTxid: string, prompt: string, parameters: object): Promise<PythonFields> {
    const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
    return this.sealed(
      {
        id: randomUUID(),
        inference_request_id: randomUUID(),
        requesting_pastelid: this.pastelId,
        credit_pack_ticket_pastel_txid: packTxid,
        requested_model_canonical_string: 'sandbox-echo',
        model_inference_type_string: 'text_completion',
        model_parameters_json_b64: base64(writeJson(parameters)),
        model_input_data_json_b64: base64(prompt),
        inference_request_utc_iso_string: this.now(),
        inference_request_pastel_block_height: await this.height(),
        status: 'initiating',
        inference_request_message_version_string: '1.0',
      },
      'sha3_256_hash_of_inference_request_fields',
      'requesting_pastelid_signature_on_request_hash',
    );
  }
  /** What the client checks of a usage response: hash, signature, height. */
  async checkUsageResponse(wire: JsonObject, verify: (signer: string, text: string, signature: string) => Promise<boolean>) {
    const hashField = 'sha3_256_hash_of_inference_request_response_fields';
    const sealField = 'supernode_pastelid_and_signature_on_inference_request_response_hash';
    const hash = pythonHash(wire as PythonFields, [hashField, sealField]);
    if (hash !== wire[hashField]) throw new Error('SHA3-256 hash does not match');
    const seal = JSON.parse(wire[sealField] as string) as Record<string, string>;
    if (!(await verify(seal['signing_sn_pastelid']!, hash, seal['sn_signature_on_response_hash']!)))
      throw new Error('bad signature');
    const height = Number((wire['inference_request_response_pastel_block_height'] as PythonNumber).text);
    if (Math.abs(height - (await this.height())) > 1) throw new Error('height');
  }
}
