import { lookup as dnsLookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { Agent as HttpAgent, type ClientRequestArgs } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import { endpoint, isPublicAddress } from './address.rules.js';

const SOCKETS = { keepAlive: true, maxSockets: 64 } as const;

type Connected = (error: Error | null, stream: Duplex) => void;
/** Answers with every address of a name. */
export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** A request to this machine or its networks, which nobody configured. */
class AddressRefused extends Error {
  readonly code = 'EADDRNOTALLOWED';
  constructor() {
    super('The address is not a public one, and not configured');
  }
}
const refusing: LookupFunction = (_hostname, _options, callback) => callback(new AddressRefused(), '', 0);

/**
 * Agents whose sockets connect to public addresses only, and to the `host:port`s of `exceptions`. It is the address that the socket is about to
 * connect to which counts: no spelling of it, no name that points to it, and no name that points elsewhere the second time gets around that.
 * Each redirect is a connection of its own, so it is looked at like any other.
 */
export function guardedAgents(
  exceptions: ReadonlySet<string>,
  resolve: Resolve = dnsLookup,
): { httpAgent: HttpAgent; httpsAgent: HttpsAgent } {
  const guard = new Guard(exceptions, resolve);
  return { httpAgent: new GuardedHttpAgent(guard), httpsAgent: new GuardedHttpsAgent(guard) };
}

class Guard {
  constructor(
    private readonly exceptions: ReadonlySet<string>,
    private readonly resolve: Resolve,
  ) {}

  /** What to connect with instead. */
  checked<T extends ClientRequestArgs>(options: T): T {
    const { socketPath, port } = options;
    const host = options.host ?? options.hostname ?? 'localhost';
    if (socketPath) return nowhere(options);
    if (this.exceptions.has(endpoint(host, port ?? ''))) return { ...options, lookup: this.unguarded };
    if (isIP(host) === 0) return { ...options, lookup: this.guarded };
    return isPublicAddress(host) ? options : nowhere(options);
  }

  private readonly guarded: LookupFunction = (hostname, options, callback) =>
    this.look(hostname, options, callback, isPublicAddress);
  private readonly unguarded: LookupFunction = (hostname, options, callback) =>
    this.look(hostname, options, callback, () => true);

  private look(
    hostname: string,
    options: Parameters<LookupFunction>[1],
    callback: Parameters<LookupFunction>[2],
    isAllowed: (address: string) => boolean,
  ): void {
    this.resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const allowed = addresses.filter(({ address }) => isAllowed(address));
      const [first] = allowed;
      if (!first) return callback(new AddressRefused(), '', 0);
      return options.all ? callback(null, allowed) : callback(null, first.address, first.family);
    });
  }
}

/** Fails in the way that any failing connection does. */
const nowhere = <T extends ClientRequestArgs>(options: T): T => ({
  ...options,
  socketPath: undefined,
  path: undefined,
  host: 'refused.invalid',
  lookup: refusing,
});

class GuardedHttpAgent extends HttpAgent {
  constructor(private readonly guard: Guard) {
    super(SOCKETS);
  }
  override createConnection(options: ClientRequestArgs, callback?: Connected): Duplex | null | undefined {
    return super.createConnection(this.guard.checked(options), callback);
  }
}

class GuardedHttpsAgent extends HttpsAgent {
  constructor(private readonly guard: Guard) {
    super(SOCKETS);
  }
  override createConnection(options: RequestOptions, callback?: Connected): Duplex | null | undefined {
    return super.createConnection(this.guard.checked(options), callback);
  }
}
