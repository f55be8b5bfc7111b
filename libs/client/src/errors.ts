/** Of a supernode that stops, starts or is busy, or of the balancer before it. */
const PASSING_STATUSES: readonly number[] = [429, 502, 503, 504];

/** The supernode was reached and said no: any answer but 2xx. `detail` is its own explanation, shortened. */
export class SupernodeRefused extends Error {
  override readonly name = 'SupernodeRefused';
  constructor(
    readonly url: string,
    readonly path: string,
    readonly status: number,
    readonly detail: string,
  ) {
    super(`${url} refused /${path} (${status}): ${detail}`);
  }

  /** The same call is worth another try later. */
  get isPassing(): boolean {
    return PASSING_STATUSES.includes(this.status);
  }
}

/** No answer: connection refused or lost, or out of time. Whether the supernode acted is not known. */
export class SupernodeUnreachable extends Error {
  override readonly name = 'SupernodeUnreachable';
  constructor(
    readonly url: string,
    readonly path: string,
    readonly reason: string,
  ) {
    super(`${url} did not answer /${path}: ${reason}`);
  }
}

/** An answer that is not what the protocol promises: wrong shape, hash, signature or signer. Nothing in it is to be believed. */
export class SupernodeUntrustworthy extends Error {
  override readonly name = 'SupernodeUntrustworthy';
  constructor(
    readonly url: string,
    readonly path: string,
    readonly faults: readonly string[],
  ) {
    super(`${url} answered /${path} with something that cannot be trusted: ${faults.slice(0, 5).join('; ')}`);
  }
}
