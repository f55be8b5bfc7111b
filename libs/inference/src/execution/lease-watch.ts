import type { InferenceJob } from '../inference.entities.js';

type Lease = Pick<InferenceJob, 'inference_request_id' | 'executor' | 'attempts' | 'due_at_ms'>;

/**
 * Which leases nobody renews any more. Each process sees for itself how long a lease has not changed, so that no clock is compared with
 * another one: of processes whose clocks differ none takes a request off another one that is alive.
 */
export class LeaseWatch {
  private seen = new Map<string, { readonly mark: string; readonly sinceMs: number }>();

  /**
   * Those of the leases that have been seen without a change for so long.
   * @param leases all that are of interest; what is not among them any more is forgotten
   */
  unchanged<L extends Lease>(leases: readonly L[], passedMs: number, forMs: number): L[] {
    const seen = new Map(
      leases.map((lease) => {
        const id = lease.inference_request_id;
        const mark = `${lease.executor} ${lease.attempts} ${lease.due_at_ms}`;
        const before = this.seen.get(id);
        return [id, before?.mark === mark ? before : { mark, sinceMs: passedMs }] as const;
      }),
    );
    this.seen = seen;
    return leases.filter(({ inference_request_id: id }) => passedMs - seen.get(id)!.sinceMs >= forMs);
  }
}
