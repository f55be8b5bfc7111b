import { Injectable } from '@nestjs/common';
import { Chain } from '#chain';
import { PurchaseSettings } from '#config';
import { PeerHealth } from '#reputation';
import { candidatesOf, type Candidates } from './agreement.rules.js';
import { PurchasePeers } from './purchase-peers.js';
import { TicketSupernodes } from '../ledger/ticket-supernodes.service.js';

/** Whom to ask for a vote (credit-packs spec 5.3). */
@Injectable()
export class Electorate {
  constructor(
    private readonly chain: Chain,
    private readonly peers: PurchasePeers,
    private readonly health: PeerHealth,
    private readonly supernodes: TicketSupernodes,
    private readonly settings: PurchaseSettings,
  ) {}

  /**
   * Listed peers whose supernode ticket is mined: with others among the candidates no later check would accept the ticket (5.11.2).
   * @param own PastelID of this node
   */
  async candidates(own: string): Promise<Candidates> {
    const [listed, unreachable, block] = await Promise.all([
      this.peers.listed(),
      this.health.unreachable(),
      this.chain.bestBlock(),
    ]);
    const pastelIds = listed.map(({ pastelId }) => pastelId);
    const proven = await this.supernodes.among(pastelIds, block.height);
    const electorate = listed.filter(({ pastelId }) => proven.has(pastelId));
    return candidatesOf(electorate, own, unreachable, block.merkleRoot, this.settings.candidatesMin);
  }
}
