import { Injectable } from '@nestjs/common';
import { SupernodeNetwork } from '#chain';
import { SupernodeClient } from '#client';
import { PeerSettings, PurchaseSettings } from '#config';
import { Checking, exchanges, Signing, type CreditPackPurchasePriceAgreementRequest, type Exchange } from '#protocol';
import type { ListedPeer, Vote } from './agreement.rules.js';
import type { AnnouncementLine } from '../purchase/outbox.entity.js';

/** The other supernodes, as far as a purchase needs them. */
export abstract class PurchasePeers {
  /** Every listed supernode that has a PastelID, this node included. */
  abstract listed(): Promise<ListedPeer[]>;
  /** The peer's vote, its hash and signatures verified. Rejects when none came in time. */
  abstract vote(pastelId: string, question: CreditPackPurchasePriceAgreementRequest): Promise<Vote>;
  /** Rejects unless the peer acknowledged. */
  abstract announce(pastelId: string, line: AnnouncementLine, message: object): Promise<void>;
  async isListed(pastelId: string): Promise<boolean> {
    return (await this.listed()).some((peer) => peer.pastelId === pastelId);
  }
}

@Injectable()
export class HttpPurchasePeers extends PurchasePeers {
  constructor(
    private readonly network: SupernodeNetwork,
    private readonly signing: Signing,
    private readonly checking: Checking,
    private readonly peers: PeerSettings,
    private readonly purchase: PurchaseSettings,
  ) {
    super();
  }

  async listed(): Promise<ListedPeer[]> {
    const list = await this.network.list();
    return list.flatMap(({ pastelId, ipAddress }) => (pastelId === undefined ? [] : [{ pastelId, ipAddress }]));
  }

  async vote(pastelId: string, question: CreditPackPurchasePriceAgreementRequest): Promise<Vote> {
    const client = await this.clientOf(pastelId, this.purchase.peerTimeoutMs);
    return client.exchange(exchanges.priceAgreement, question, { expectedSigner: pastelId });
  }

  async announce(pastelId: string, line: AnnouncementLine, message: object): Promise<void> {
    const client = await this.clientOf(pastelId, this.peers.messagingTimeoutMs);
    const exchange: Exchange = exchanges[line];
    await client.exchange(exchange, message);
  }

  private async clientOf(pastelId: string, timeoutMs: number): Promise<SupernodeClient> {
    const supernode = (await this.network.list()).find((listed) => listed.pastelId === pastelId);
    if (!supernode) throw new Error(`${pastelId} is no listed supernode`);
    return new SupernodeClient({
      url: this.network.urlOf(supernode),
      signing: this.signing,
      checking: this.checking,
      timeoutMs,
    });
  }
}
