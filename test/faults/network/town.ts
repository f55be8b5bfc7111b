import assert from 'node:assert/strict';
import { closestTo, purchaseCreditPack, type PurchasedPack, type Progress, type PurchaseOptions } from '#client';
import { PackLedger } from '#credit-pack';
import { Signing } from '#protocol';
import { TestNetwork, type RunningSupernode } from '../../support/network.js';
import { drawnSigning } from '../../support/drawn-signing.js';
import { shuffled, type Engine } from '../contract.js';
import { Wire } from './wire.js';

const CREDITS = 10;
/** Peers that never answer are waited for in earnest. */
const ENVIRONMENT = { INDIVIDUAL_SUPERNODE_PRICE_AGREEMENT_REQUEST_TIMEOUT_PERIOD_IN_SECONDS: '1' };

/** Five supernodes with HTTP, and something between them and those that ask. */
export class Town {
  readonly wire: Wire;
  private constructor(readonly network: TestNetwork) {
    this.wire = new Wire(network.supernodes);
  }
  static async open(engine: Engine): Promise<Town> {
    return new Town(await TestNetwork.start({ environment: ENVIRONMENT, newDatabase: () => engine.newDatabase() }));
  }
  get nodes(): readonly RunningSupernode[] {
    return this.network.supernodes;
  }
  signingOf(pastelId: string): Signing {
    return this.nodes.find((node) => node.pastelId === pastelId)!.app.get(Signing);
  }
  close(): Promise<void> {
    this.wire.clear();
    return this.network.close();
  }

  /** Somebody new, the supernode that he asks first, and the others in any order. */
  async cast(chance: () => number): Promise<{ buyer: Signing; seller: RunningSupernode; peers: RunningSupernode[] }> {
    const buyer = drawnSigning(chance);
    const [closest] = await closestTo(this.network.side(buyer), buyer.pastelId);
    const seller = this.nodes.find(({ pastelId }) => pastelId === closest!.pastelId)!;
    const peers = this.nodes.filter((node) => node !== seller);
    return { buyer, seller, peers: shuffled(chance, peers) };
  }
  async options(supernodesMax = 1): Promise<PurchaseOptions> {
    // The height that a node knows may be a second old.
    this.network.clock.advance(1_000);
    return { credits: CREDITS, trackingAddress: await this.network.user.wallet.newAddress(), supernodesMax };
  }
  async buy(signing: Signing, options: PurchaseOptions): Promise<PurchasedPack> {
    const pack = await this.network.until(purchaseCreditPack(this.network.side(signing), options));
    await this.network.until(this.network.sweep());
    for (const { app, user } of this.nodes) {
      const ledger = app.get(PackLedger);
      const known = await ledger.find(pack.registrationTxid);
      assert.equal(known?.initialMillicredits, CREDITS * 1000, `the pack at ${user}`);
    }
    await this.network.expectSound();
    return pack;
  }
  /** Why the client bought nothing. Not a coin has moved. */
  async refused(signing: Signing, options: PurchaseOptions): Promise<string> {
    const before = await this.coins();
    const attempt = new Promise<Error>((resolve, reject) => {
      const isPaid = ({ step }: Progress): void => void (step === 'burn' && reject(new Error('the client has paid')));
      purchaseCreditPack({ ...this.network.side(signing), report: isPaid }, options).then(
        ({ registrationTxid }) => reject(new Error(`bought ${registrationTxid}`)),
        resolve,
      );
    });
    const reason = await attempt;
    assert.deepEqual(await this.coins(), before, 'coins have moved');
    return reason.message;
  }
  private async coins(): Promise<unknown> {
    return [await this.network.user.wallet.balance(), this.network.devnet.state.mempool.size];
  }
}
