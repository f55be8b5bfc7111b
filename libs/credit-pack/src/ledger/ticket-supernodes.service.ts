import { Injectable } from '@nestjs/common';
import { Chain, type IdentityTicket } from '#chain';
import { NetworkSettings } from '#config';
import { inParallel, PATOSHIS_PER_PSL } from '#protocol';

/** Calls in flight at the same time for one piece of work. */
const CALLS_MAX = 8;
const OUTPOINTS_KEPT_MAX = 20_000;

/** Which PastelIDs are those of supernodes, by their tickets on the chain (credit-packs spec 5.11.2). */
@Injectable()
export class TicketSupernodes {
  private known: { readonly tip: string; readonly tickets: ReadonlyMap<string, readonly IdentityTicket[]> } | undefined;
  /** `txid-n` -> patoshis; what a mined output holds never changes. */
  private readonly outpoints = new Map<string, number>();

  constructor(
    private readonly chain: Chain,
    private readonly settings: NetworkSettings,
  ) {}

  /** Those of the PastelIDs with a ticket up to the height whose outpoint holds the collateral; whether it was spent later does not matter. */
  async among(pastelIds: readonly string[], height: number): Promise<Set<string>> {
    const tickets = await this.tickets();
    const found = await inParallel([...new Set(pastelIds)], CALLS_MAX, async (pastelId) => {
      for (const { height: registered, outpoint } of tickets.get(pastelId) ?? []) {
        if (registered < 0 || registered > height || outpoint === undefined) continue;
        if ((await this.valueOf(outpoint)) >= this.settings.network.supernodeCollateralInPsl * PATOSHIS_PER_PSL) return pastelId;
      }
      return undefined;
    });
    return new Set(found.filter((pastelId) => pastelId !== undefined));
  }

  /** Read again for each new block. */
  private async tickets(): Promise<ReadonlyMap<string, readonly IdentityTicket[]>> {
    const { hash } = await this.chain.bestBlock();
    if (this.known?.tip === hash) return this.known.tickets;
    const tickets = new Map<string, IdentityTicket[]>();
    for (const ticket of await this.chain.identityTickets('mn')) {
      tickets.set(ticket.pastelId, [...(tickets.get(ticket.pastelId) ?? []), ticket]);
    }
    this.known = { tip: hash, tickets };
    return tickets;
  }

  private async valueOf(outpoint: string): Promise<number> {
    const known = this.outpoints.get(outpoint);
    if (known !== undefined) return known;
    const [, txid, index] = /^([0-9a-f]{64})-(\d{1,9})$/.exec(outpoint) ?? [];
    if (txid === undefined) return 0;
    const transaction = await this.chain.transaction(txid);
    const patoshis = transaction?.outputs.find((output) => output.index === Number(index))?.patoshis ?? 0;
    if (!transaction?.mined) return patoshis;
    if (this.outpoints.size >= OUTPOINTS_KEPT_MAX) this.outpoints.delete(this.outpoints.keys().next().value!);
    this.outpoints.set(outpoint, patoshis);
    return patoshis;
  }
}
