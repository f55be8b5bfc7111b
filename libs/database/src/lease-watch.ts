/**
 * Which leases nobody renews any more. Each process sees for itself how long a lease has not changed, so that no clock is compared with
 * another one: of processes whose clocks differ none takes anything off another one that is alive.
 */
export class LeaseWatch<L> {
  private seen = new Map<string, { readonly mark: string; readonly sinceMs: number }>();

  /**
   * @param idOf what is leased
   * @param markOf whatever a renewal changes
   */
  constructor(
    private readonly idOf: (lease: L) => string,
    private readonly markOf: (lease: L) => string,
  ) {}

  /**
   * Those of the leases that have been seen without a change for so long.
   * @param leases all that are of interest; what is not among them any more is forgotten
   * @param passedMs see `Clock.monotonicMs`
   */
  unchanged(leases: readonly L[], passedMs: number, forMs: number): L[] {
    const seen = new Map(
      leases.map((lease) => {
        const [id, mark] = [this.idOf(lease), this.markOf(lease)];
        const before = this.seen.get(id);
        return [id, before?.mark === mark ? before : { mark, sinceMs: passedMs }] as const;
      }),
    );
    this.seen = seen;
    return leases.filter((lease) => passedMs - seen.get(this.idOf(lease))!.sinceMs >= forMs);
  }
}
