import {
  answerClassOf,
  CreditPackPurchaseRequestConfirmation,
  CreditPackPurchaseRequestResponse,
  hashOf,
  InferenceAPIOutputResult,
  InferenceAPIUsageResponse,
  isJsonObject,
  ratingText,
  received,
  type Checking,
  type Exchange,
  type InferenceConfirmation,
  type Json,
  type JsonObject,
  type MessageClass,
  type RatingClaim,
  type Signing,
  CreditNote,
} from '#protocol';
import { readMessage, shapeFaultTexts } from './answers.js';
import { SupernodeUntrustworthy } from './errors.js';
import {
  arrayIn,
  balanceIn,
  livenessIn,
  menuIn,
  objectIn,
  packIn,
  reputationIn,
  ShapeError,
  textIn,
  TXID,
  type Balance,
  type Liveness,
  type ModelMenu,
  type SpendablePack,
  creditNotesIn,
  type OpenCreditNote,
} from './shapes.js';
import { Transport, type CallOptions } from './transport.js';

export interface SupernodeClientOptions {
  /** `http://host:port`, without a trailing slash. */
  readonly url: string;
  /** Signs the challenges, and so says who is asking. */
  readonly signing: Signing;
  readonly checking: Checking;
  /** Limit of one request, answer read; a call may name its own. Challenges have a limit of their own. */
  readonly timeoutMs?: number;
}
export interface ExchangeOptions extends CallOptions {
  /** PastelID that must have signed the answer. */
  readonly expectedSigner?: string;
}
/** Announcements are only acknowledged. */
export type Answer<Back> = [Back] extends [never] ? void : Back;
export interface TicketMessages {
  readonly response: CreditPackPurchaseRequestResponse;
  readonly confirmation: CreditPackPurchaseRequestConfirmation;
}
export interface AuditedResult {
  readonly result: InferenceAPIOutputResult;
  /** False for the copies that other supernodes hold: their text is cut, so that only the signature over the stated hash tells. */
  readonly whole: boolean;
}

const TIMEOUT_MS = 60_000;
const CHALLENGE_TIMEOUT_MS = 12_000;
/**
 * Signing whatever a peer calls a challenge would let it collect signatures on hashes, tickets and messages
 * (messaging spec 10.1 #2); what is a canonical UUID can be none of these.
 */
const CHALLENGE = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * What one supernode offers over HTTP, for users and for its peers (credit-packs spec 3.2, inference spec 2.1).
 * Every call ends within its time limit. Errors: {@link SupernodeRefused}, {@link SupernodeUnreachable},
 * {@link SupernodeUntrustworthy}.
 */
export class SupernodeClient {
  private readonly transport: Transport;
  private readonly signing: Signing;
  private readonly checking: Checking;

  constructor({ url, signing, checking, timeoutMs = TIMEOUT_MS }: SupernodeClientOptions) {
    this.transport = new Transport(url.replace(/\/+$/, ''), timeoutMs);
    this.signing = signing;
    this.checking = checking;
  }

  get url(): string {
    return this.transport.url;
  }

  /** Sends a sealed message; gives the verified answer, or nothing where the line promises an acknowledgement only. */
  async exchange<Out extends object, Back extends object>(
    line: Exchange<Out, Back>,
    message: Out,
    options: ExchangeOptions = {},
  ): Promise<Answer<Back>> {
    const wire = await this.challenged(line.path, { [line.key]: message }, options);
    if (line.answers.length === 0) return undefined as Answer<Back>;
    const type = answerClassOf(
      line,
      this.read(line.path, () => objectIn(wire, 'the answer')),
    );
    if (!type) throw this.untrustworthy(line.path, ['none of the answers that the protocol knows']);
    return (await this.verified(line.path, type, wire, options.expectedSigner)) as Answer<Back>;
  }

  /** Resolves when the front page answers 2xx, as clients demand before they choose a supernode. */
  async reachable(options: CallOptions = {}): Promise<void> {
    await this.transport.call({ method: 'GET', path: '', ...options }, false);
  }
  async liveness(options: CallOptions = {}): Promise<Liveness> {
    const wire = await this.transport.call({ method: 'GET', path: 'liveness_ping', ...options });
    return this.read('liveness_ping', () => livenessIn(wire));
  }
  async modelMenu(options: CallOptions = {}): Promise<ModelMenu> {
    const wire = await this.transport.call({ method: 'GET', path: 'get_inference_model_menu', ...options });
    return this.read('get_inference_model_menu', () => menuIn(wire));
  }

  /** What a request would cost here, and why: the body and the answer of `POST /quote`. Nobody signs anything. */
  async priceOf(question: object, options: CallOptions = {}): Promise<JsonObject> {
    const wire = await this.transport.call({ method: 'POST', path: 'quote', body: question, ...options });
    return this.read('quote', () => objectIn(wire, 'the answer'));
  }

  /** What this supernode thinks of another one, 0 to 5. */
  async reputation(pastelId: string, options: CallOptions = {}): Promise<number> {
    const path = 'reputation';
    const wire = await this.transport.call({ method: 'GET', path: `${path}/${encodeURIComponent(pastelId)}`, ...options });
    return this.read(path, () => reputationIn(wire));
  }
  /** Tells what the supernode that ran a request of ours is worth; whether it was taken. */
  async rate(rating: RatingClaim, options: CallOptions = {}): Promise<boolean> {
    const path = 'update_inference_sn_reputation_score';
    const body = {
      supernode_pastelid: rating.supernodePastelId,
      reputation_score: rating.score,
      pastelid: this.signing.pastelId,
      inference_response_id: rating.inferenceId,
      ...(rating.resultHash !== undefined && { inference_result_hash: rating.resultHash }),
      signature: await this.signing.sign(ratingText(rating)),
    };
    const wire = await this.transport.call({ method: 'POST', path, body, ...options });
    return this.read(path, () => objectIn(wire, 'the answer')['is_updated'] === true);
  }

  /** The packs that the asking PastelID may spend. */
  async packs(options: CallOptions = {}): Promise<SpendablePack[]> {
    const path = 'get_valid_credit_pack_tickets_for_pastelid';
    const wire = await this.challenged(path, { pastelid: this.signing.pastelId }, options);
    return this.read(path, () => arrayIn(wire, 'the answer').map(packIn));
  }
  async balance(ticketTxid: string, options: CallOptions = {}): Promise<Balance> {
    const path = 'check_credit_pack_balance';
    const wire = await this.challenged(path, { credit_pack_ticket_txid: ticketTxid }, options);
    return this.read(path, () => balanceIn(wire));
  }
  /** The ticket as it stands on the chain; hashes and signatures of both parts are checked. */
  async ticket(registrationTxid: string, options: CallOptions = {}): Promise<TicketMessages> {
    const path = 'get_credit_pack_ticket_from_txid';
    const query = { txid: registrationTxid, pastelid: this.signing.pastelId, ...(await this.challenge(options)) };
    return this.ticketIn(path, await this.transport.call({ method: 'GET', path, query, ...options }));
  }
  async ticketOfBurn(burnTxid: string, options: CallOptions = {}): Promise<TicketMessages> {
    const path = 'retrieve_credit_pack_ticket_from_purchase_burn_txid';
    return this.ticketIn(path, await this.challenged(path, { purchase_burn_txid: burnTxid }, options));
  }
  async registrationTxidOfBurn(burnTxid: string, options: CallOptions = {}): Promise<string> {
    const path = 'get_final_credit_pack_registration_txid_from_credit_purchase_burn_txid';
    const wire = await this.challenged(path, { purchase_burn_txid: burnTxid }, options);
    return this.read(path, () => textIn(objectIn(wire, 'the answer'), 'final_credit_pack_registration_txid', TXID));
  }

  /** Answered at once; whether the burn was good shows in the status. */
  async confirmInference(confirmation: InferenceConfirmation, options: CallOptions = {}): Promise<void> {
    await this.challenged('confirm_inference_request', { inference_confirmation: confirmation }, options);
  }
  /** What this supernode owes the asking PastelID; only notes whose hash and signature are good. */
  async creditNotes(options: ExchangeOptions = {}): Promise<OpenCreditNote[]> {
    const path = 'credit_notes';
    const wire = await this.transport.call({ method: 'GET', path, query: await this.challenge(options), ...options });
    const { notes, open } = this.read(path, () => creditNotesIn(wire));
    return Promise.all(
      notes.map(async (each) => {
        const note = await this.verified(path, CreditNote, each, options.expectedSigner);
        return { note, openTenths: open.get(note.credit_note_id) ?? 0 };
      }),
    );
  }
  /** Accepts the quote of a request that is paid from a credit note. */
  async redeemCreditNote(inferenceRequestId: string, options: CallOptions = {}): Promise<void> {
    await this.challenged('redeem_credit_note', { inference_request_id: inferenceRequestId }, options);
  }
  async isResultReady(inferenceResponseId: string, options: CallOptions = {}): Promise<boolean> {
    const path = `check_status_of_inference_request_results/${encodeURIComponent(inferenceResponseId)}`;
    return (await this.transport.call({ method: 'GET', path, ...options })) === true;
  }
  async result(inferenceResponseId: string, options: ExchangeOptions = {}): Promise<InferenceAPIOutputResult> {
    const path = 'retrieve_inference_output_results';
    const query = {
      inference_response_id: inferenceResponseId,
      pastelid: this.signing.pastelId,
      ...(await this.challenge(options)),
    };
    const wire = await this.transport.call({ method: 'POST', path, query, body: {}, ...options });
    return this.verified(path, InferenceAPIOutputResult, wire, options.expectedSigner);
  }

  /** What this supernode was told of somebody else's response. Signed by the one that served it. */
  async auditResponse(inferenceResponseId: string, options: ExchangeOptions = {}): Promise<InferenceAPIUsageResponse> {
    const path = 'audit_inference_request_response';
    return this.verified(
      path,
      InferenceAPIUsageResponse,
      await this.audit(path, inferenceResponseId, options),
      options.expectedSigner,
    );
  }
  async auditResult(inferenceResponseId: string, options: ExchangeOptions = {}): Promise<AuditedResult> {
    const path = 'audit_inference_request_result';
    const wire = await this.audit(path, inferenceResponseId, options);
    const result = received(
      InferenceAPIOutputResult,
      this.read(path, () => objectIn(wire, 'the answer')),
    );
    const faults = shapeFaultTexts(result);
    if (faults.length > 0) throw this.untrustworthy(path, faults);
    const { responding_supernode_pastelid: signer, sha3_256_hash_of_inference_result_fields: hash } = result;
    if (!(await this.checking.verify(signer, hash, result.responding_supernode_signature_on_inference_result_id)))
      faults.push('the signature over the stated hash does not verify');
    if (options.expectedSigner !== undefined && signer !== options.expectedSigner)
      faults.push(`signed by ${signer}, not by ${options.expectedSigner}`);
    if (faults.length > 0) throw this.untrustworthy(path, faults);
    return { result, whole: hashOf(result) === hash };
  }

  private audit(path: string, inferenceResponseId: string, options: CallOptions): Promise<Json> {
    return this.signing.sign(inferenceResponseId).then((signature) =>
      this.transport.call({
        method: 'POST',
        path,
        body: { inference_response_id: inferenceResponseId, pastel_id: this.signing.pastelId, signature },
        ...options,
      }),
    );
  }

  private async challenged(path: string, body: Record<string, unknown>, options: CallOptions): Promise<Json> {
    const proof = await this.challenge(options);
    return this.transport.call({ method: 'POST', path, body: { ...body, ...proof }, ...options });
  }
  /** One for each call: a supernode takes it once. */
  private async challenge({
    signal,
    timeoutMs = CHALLENGE_TIMEOUT_MS,
  }: CallOptions): Promise<Record<'challenge' | 'challenge_id' | 'challenge_signature', string>> {
    const path = `request_challenge/${encodeURIComponent(this.signing.pastelId)}`;
    const wire = await this.transport.call({
      method: 'GET',
      path,
      timeoutMs: Math.min(timeoutMs, CHALLENGE_TIMEOUT_MS),
      ...(signal && { signal }),
    });
    const { challenge, challenge_id } = isJsonObject(wire) ? wire : ({} as JsonObject);
    if (typeof challenge !== 'string' || typeof challenge_id !== 'string' || !CHALLENGE.test(challenge)) {
      throw this.untrustworthy('request_challenge', ['its challenge is no UUID; nothing was signed']);
    }
    return { challenge, challenge_id, challenge_signature: await this.signing.sign(challenge) };
  }

  private async verified<M extends object>(path: string, type: MessageClass<M>, wire: Json, expectedSigner?: string): Promise<M> {
    const { message, faults } = await readMessage(type, wire, this.checking, expectedSigner);
    if (faults.length > 0) throw this.untrustworthy(path, faults);
    return message;
  }
  private async ticketIn(path: string, wire: Json): Promise<TicketMessages> {
    const from = this.read(path, () => objectIn(wire, 'the answer'));
    return {
      response: await this.verified(
        path,
        CreditPackPurchaseRequestResponse,
        from['credit_pack_purchase_request_response'] ?? null,
      ),
      confirmation: await this.verified(
        path,
        CreditPackPurchaseRequestConfirmation,
        from['credit_pack_purchase_request_confirmation'] ?? null,
      ),
    };
  }
  private read<T>(path: string, reader: () => T): T {
    try {
      return reader();
    } catch (error) {
      throw error instanceof ShapeError ? this.untrustworthy(path, [error.message]) : error;
    }
  }
  private untrustworthy(path: string, faults: string[]): SupernodeUntrustworthy {
    return new SupernodeUntrustworthy(this.url, path, faults);
  }
}
