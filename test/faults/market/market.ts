import assert from 'node:assert/strict';
import { DataSource } from 'typeorm';
import { fundTrackingAddress, purchaseCreditPack, type PurchasedPack, type UserSide } from '#client';
import { SystemEntropy } from '#config';
import { PackLedger } from '#credit-pack';
import { InferenceSweeps, Reconciliation } from '#inference';
import {
  type Clock,
  encodeBase64,
  InferenceAPIUsageRequest,
  networks,
  pythonTimestamp,
  type PythonNumber,
  readJson,
  seal,
  type JsonObject,
  type Signing,
} from '#protocol';
import { newIdentity, provenBy, send, type Reply } from '../../support/http-app.js';
import { first, TestNetwork, type RunningSupernode } from '../../support/network.js';
import type { Engine } from '../contract.js';

const { burnAddress } = networks.devnet;
const entropy = new SystemEntropy();

/** Three supernodes and somebody with a credit pack. The first node has its books in a database that outlives it. */
export class Market {
  private constructor(
    readonly network: TestNetwork,
    private readonly databaseUrl: string,
    readonly signing: Signing,
  ) {}

  static async open(engine: Engine): Promise<Market> {
    const network = await TestNetwork.start({ supernodes: 3 });
    const market = new Market(network, await engine.newDatabase(), newIdentity());
    await market.restart();
    return market;
  }

  get node(): RunningSupernode {
    return this.network.supernodes.find(({ user }) => user === 'sn1')!;
  }
  /** The first node ends and starts again on the same books. */
  async restart(environment: Record<string, string> = {}, clock: Clock = this.network.clock): Promise<void> {
    const old = this.node;
    await this.network.stopSupernode(old);
    const { ip, port, user, pastelId } = old;
    const facts = this.network.devnet.supernodes.find((each) => each.pastelId === pastelId)!;
    assert.deepEqual([facts.ip, facts.port, facts.user], [ip, port, user]);
    await this.network.startSupernode(facts, { databaseUrl: this.databaseUrl, environment, clock });
  }

  get side(): UserSide {
    return this.network.side(this.signing);
  }
  /** Bought from the first node. */
  async pack(credits: number): Promise<PurchasedPack> {
    const { address } = await fundTrackingAddress(this.side, credits);
    this.network.mine();
    return this.network.until(purchaseCreditPack(this.side, { credits, trackingAddress: address, tieBreak: this.first }));
  }
  /** The first node comes first. */
  get first(): ReturnType<typeof first> {
    return first(this.node.pastelId);
  }

  async usageRequest(packTxid: string): Promise<InferenceAPIUsageRequest> {
    // Nodes believe a height that they know for up to a second.
    this.network.clock.advance(1_000);
    const draft = {
      inference_request_id: entropy.uuid(),
      requesting_pastelid: this.signing.pastelId,
      credit_pack_ticket_pastel_txid: packTxid,
      requested_model_canonical_string: 'sandbox-echo',
      model_inference_type_string: 'text_completion',
      model_parameters_json_b64: encodeBase64('{}'),
      model_input_data_json_b64: encodeBase64('Hello there'),
      inference_request_utc_iso_string: pythonTimestamp(this.network.clock.now()),
      inference_request_pastel_block_height: this.network.height,
      status: 'initiating',
      inference_request_message_version_string: '1.0',
    };
    return seal(InferenceAPIUsageRequest, draft, this.signing);
  }
  async post(path: string, body: object, node = this.node): Promise<Reply> {
    return send('POST', `${node.url}/${path}`, { ...body, ...(await provenBy(node.url, this.signing)) });
  }
  async get(path: string, node = this.node): Promise<Reply> {
    const proof = new URLSearchParams(await provenBy(node.url, this.signing));
    return send('GET', `${node.url}/${path}?${proof.toString()}`);
  }
  /** Credits are held for it at the first node. */
  async quoted(packTxid: string): Promise<{ id: string; tenths: number }> {
    const request = await this.usageRequest(packTxid);
    const reply = await this.post('make_inference_api_usage_request', { inference_api_usage_request: request });
    assert.equal(reply.status, 200, reply.text);
    const response = readJson(reply.text) as JsonObject;
    const tenths = (response['request_confirmation_message_amount_in_patoshis'] as PythonNumber).value;
    return { id: request.inference_request_id, tenths };
  }
  burn(patoshis: number, change: string): Promise<string> {
    return this.network.user.wallet.sendMany(new Map([[burnAddress, patoshis]]), change);
  }
  confirm(id: string, txid: string): Promise<Reply> {
    const confirmation = {
      inference_request_id: id,
      requesting_pastelid: this.signing.pastelId,
      confirmation_transaction: { txid },
    };
    return this.post('confirm_inference_request', { inference_confirmation: confirmation });
  }
  async serve(): Promise<void> {
    const sweeps = this.node.app.get(InferenceSweeps);
    await sweeps.sweep(this.network.clock.now());
    await sweeps.executions.idle();
  }
  async stateOf(id: string): Promise<string> {
    const reply = await this.get(`inference_request_state/${id}`);
    assert.equal(reply.status, 200, reply.text);
    return (reply.json() as { state: string }).state;
  }

  /** What the first node has on its books of a pack; they must agree with themselves. */
  async balance(packTxid: string) {
    assert.deepEqual((await this.node.app.get(Reconciliation).reconcile()).differences, []);
    const ledger = this.node.app.get(PackLedger);
    return ledger.balanceOf((await ledger.find(packTxid))!);
  }
  /** Rows of every table of every node but those that are left out. */
  async counts(without: readonly string[] = []): Promise<Record<string, Record<string, number>>> {
    const nodes = this.network.supernodes.map(async ({ app, user }) => {
      const { entityMetadatas, manager } = app.get(DataSource);
      const tables = entityMetadatas.filter(({ tableName }) => !without.includes(tableName));
      const rows = await Promise.all(
        tables.map(async ({ target, tableName }) => [tableName, await manager.count(target)] as const),
      );
      return [user, Object.fromEntries(rows)] as const;
    });
    return Object.fromEntries(await Promise.all(nodes));
  }

  close(): Promise<void> {
    return this.network.close();
  }
}
