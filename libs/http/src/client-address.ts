import { isIPv4 } from 'node:net';
import type { Request } from 'express';

const LOOPBACK = /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/;
const plain = (address: string): string => {
  const mapped = /^::ffff:(.+)$/i.exec(address)?.[1];
  return mapped !== undefined && isIPv4(mapped) ? mapped : address;
};

/**
 * Who calls: the peer of the connection, or what a proxy named in TRUSTED_PROXIES says of it (Express's `trust proxy`, set by
 * `configureHttp`). IPv4 addresses in IPv6 clothes come out as IPv4.
 */
export const clientAddress = (request: Request): string => plain(request.ip ?? request.socket.remoteAddress ?? '');

export const isLoopback = (address: string): boolean => LOOPBACK.test(plain(address)) || address === '::1';

const hostOf = (url: string): string => {
  const parsed = URL.canParse(url) ? new URL(url).hostname : '';
  return parsed.replace(/^\[(.*)\]$/, '$1');
};
/** `URL` writes ::ffff:127.0.0.1 as ::ffff:7f00:1. */
const namesThisMachine = (host: string): boolean =>
  host === 'localhost' || isLoopback(host) || /^::ffff:7f[\da-f]{2}:[\da-f]{1,4}$/.test(host);

/**
 * Whether the call was made on this machine, by a program or by a page of this machine: not passed on by a proxy that nobody
 * vouches for, not made by a foreign page in the operator's browser, not under a foreign name that was pointed here.
 */
export function isFromThisMachine(request: Request): boolean {
  if (!isLoopback(clientAddress(request))) return false;
  const peer = plain(request.socket.remoteAddress ?? '');
  const forwarded = request.headers['x-forwarded-for'] ?? request.headers['forwarded'];
  if (forwarded !== undefined && request.ips.length === 0) return false;
  if (request.ips.length > 0) return true;
  const { host, origin } = request.headers;
  if (request.headers['sec-fetch-site'] === 'cross-site') return false;
  if (origin !== undefined && !namesThisMachine(hostOf(origin))) return false;
  return isLoopback(peer) && (host === undefined || namesThisMachine(hostOf(`http://${host}`)));
}
