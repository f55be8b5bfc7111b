import { Injectable, Logger } from '@nestjs/common';
import { ChainUnavailable } from '#chain';
import { PackChainAudit, type Difference } from '#credit-pack';
import { Metrics } from '#http';
import { MILLICREDITS_PER_CREDIT } from '#protocol';
import { Reconciliation, type Books } from './reconciliation.service.js';

const TOLD_MAX = 20;

/** Recomputes the books from the rows and from the chain, and tells of what differs in the log and in the metrics. Changes nothing. */
@Injectable()
export class BooksCheck {
  private readonly logger = new Logger(BooksCheck.name);
  private readonly differences;
  private readonly checkedAt;
  private readonly credits;
  private readonly frozen;

  constructor(
    private readonly reconciliation: Reconciliation,
    private readonly chain: PackChainAudit,
    metrics: Metrics,
  ) {
    this.differences = metrics.gauge('pastel_books_differences', 'Differences that the last check of the books found');
    this.checkedAt = metrics.gauge('pastel_books_checked_timestamp_seconds', 'When the books were last checked to the end');
    this.frozen = metrics.gauge('pastel_books_frozen', 'Packs and requests whose ticket or burn has vanished from the chain');
    this.credits = metrics.gauge('pastel_books_credits', 'Credits that were burned for requests, by what became of them', [
      'fate',
    ]);
  }

  /** Trouble with the chain is no difference: the check is made again at the next time. */
  async sweep(now: Date): Promise<void> {
    const books = await this.reconciliation.reconcile();
    this.show(books);
    try {
      this.tell([...books.differences, ...(await this.chain.differences())]);
      this.checkedAt.set(now.getTime() / 1000);
    } catch (error) {
      if (!(error instanceof ChainUnavailable)) throw error;
      this.tell(books.differences);
      this.logger.warn(`The books were not compared with the chain: ${error.message}`);
    }
  }

  private show({ burnedMillicredits: { served, underway }, notesMillicredits: { open, redeemed }, frozen }: Books): void {
    this.frozen.set(frozen.length);
    for (const { packTxid, requestId, millicredits } of frozen.slice(0, TOLD_MAX))
      this.logger.warn(`Frozen in pack ${packTxid}${requestId ? ` for request ${requestId}` : ''}: ${millicredits} millicredits`);
    const fates = { served, underway, 'credit note open': open, 'credit note redeemed': redeemed };
    for (const [fate, millicredits] of Object.entries(fates)) this.credits.set({ fate }, millicredits / MILLICREDITS_PER_CREDIT);
  }

  private tell(differences: readonly Difference[]): void {
    this.differences.set(differences.length);
    for (const { packTxid, what, stored, computed } of differences.slice(0, TOLD_MAX))
      this.logger.error(
        `The books differ: ${packTxid ? `pack ${packTxid}, ` : ''}${what}: stored ${stored}, computed ${computed}`,
      );
    if (differences.length > TOLD_MAX) this.logger.error(`The books differ in ${differences.length - TOLD_MAX} more places`);
  }
}
