/** What a node in trouble does instead of answering. */
export type Fault =
  | { readonly kind: 'error'; readonly code: number; readonly message: string }
  /** HTTP 500 with a body that is not JSON. */
  | { readonly kind: 'http-500' }
  /** Takes the request and never answers. */
  | { readonly kind: 'hang' }
  | { readonly kind: 'reset' }
  /** Does what was asked, then loses the answer. */
  | { readonly kind: 'lost-answer' };

interface Planned {
  readonly method: string;
  readonly user: string | undefined;
  readonly fault: Fault;
  left: number;
}

const PLANNED_MAX = 1_000;

/** Faults that tests ask for; a real network needs no help. */
export class Faults {
  private planned: Planned[] = [];
  /** Milliseconds before each answer. */
  latencyMs = 0;

  /**
   * The next `times` calls of `method` fail. `method` is the RPC method, with its sub-commands where they matter: `getblock`,
   * `tickets register contract`, or `*`. `user`: only those of one credential.
   */
  failNext(method: string, times: number, fault: Fault, user?: string): void {
    if (this.planned.length >= PLANNED_MAX) throw new RangeError('Too many faults are planned');
    this.planned.push({ method, user, fault, left: times });
  }
  clear(): void {
    this.planned = [];
    this.latencyMs = 0;
  }

  /** `call`: the method and its leading text parameters, joined by blanks. Uses the fault up. */
  take(call: string, user: string): Fault | undefined {
    const hit = this.planned.find(
      ({ method, user: only }) =>
        (only === undefined || only === user) && (method === '*' || call === method || call.startsWith(`${method} `)),
    );
    if (!hit) return undefined;
    hit.left -= 1;
    if (hit.left <= 0) this.planned.splice(this.planned.indexOf(hit), 1);
    return hit.fault;
  }
}
