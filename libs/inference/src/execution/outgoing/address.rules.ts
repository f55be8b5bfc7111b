import ipaddr from 'ipaddr.js';

/** Given out to everybody, yet answers with what only the machine itself should know (Azure). */
const METADATA = new Set(['168.63.129.16']);
/** IPv6 that is given out to anybody lies in 2000::/3. */
const GLOBAL_IPV6 = ipaddr.IPv6.parse('2000::');

/**
 * Whether an address leads out of this machine and its own networks. `false` for loopback, private, link-local (which holds the metadata
 * services), shared, multicast, unspecified, documentation and benchmarking ranges, IPv6 that carries an IPv4 address inside (mapped ones
 * count as what they carry), and for what is no address.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (METADATA.has(parsed.toString())) return false;
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(GLOBAL_IPV6, 3)) return false;
  return parsed.range() === 'unicast';
}

/** `host:port` of a URL, by which an exception is known; `URL` writes all spellings of an address alike. */
export function endpointOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return endpoint(hostname.replace(/^\[(.*)\]$/, '$1'), port === '' ? (protocol === 'https:' ? 443 : 80) : port);
}

export const endpoint = (host: string, port: number | string): string => `${host.toLowerCase()}:${port}`;
