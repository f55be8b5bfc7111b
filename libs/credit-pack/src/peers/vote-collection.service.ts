import { Injectable, Logger } from '@nestjs/common';
import { PeerSettings } from '#config';
import { Freshness } from '#http';
import { inParallel, type CreditPackPurchasePriceAgreementRequest } from '#protocol';
import { countedVotes, voteFaults, type Candidates, type Vote } from './agreement.rules.js';
import { Electorate } from './electorate.service.js';
import { PurchasePeers } from './purchase-peers.js';

/** Asks the other supernodes whether a price is fair (credit-packs spec 5.4). */
@Injectable()
export class VoteCollection {
  private readonly logger = new Logger(VoteCollection.name);

  constructor(
    private readonly electorate: Electorate,
    private readonly peers: PurchasePeers,
    private readonly freshness: Freshness,
    private readonly limits: PeerSettings,
  ) {}

  candidates(own: string): Promise<Candidates> {
    return this.electorate.candidates(own);
  }

  /** Valid votes only, one for each peer, in the order in which they came. */
  async votes(asked: readonly string[], question: CreditPackPurchasePriceAgreementRequest): Promise<Vote[]> {
    const votes: Vote[] = [];
    await inParallel(asked, this.limits.concurrentRequestsMax, async (pastelId) => {
      try {
        const vote = await this.peers.vote(pastelId, question);
        const faults = [...voteFaults(vote, question, pastelId), ...(await this.freshness.faultsOf(vote))];
        if (faults.length === 0) votes.push(vote);
        else this.logger.warn(`Vote of ${pastelId} not counted: ${faults.join(', ')}`);
      } catch (error) {
        this.logger.warn(`No vote from ${pastelId}: ${(error as Error).message}`);
      }
    });
    return countedVotes(votes, asked);
  }
}
