import type { Supernode } from '#chain';
import type { Reply } from './reply.js';

export const isListed = ({ status }: Supernode): boolean => status === 'ENABLED' || status === 'PRE_ENABLED';

/** The four lists of `masternodelist`, each keyed by outpoint, made into rows (messaging spec 3.1). Rows that cannot be read are left out. */
export function joinSupernodeLists({
  full,
  rank,
  pubkey,
  extra,
}: Record<'full' | 'rank' | 'pubkey' | 'extra', Reply>): Supernode[] {
  return full.entries.flatMap(([outpoint, line]) => {
    const row = rowIn(line);
    if (!row) return [];
    const rankOf = rank.optional(outpoint)?.value;
    const more = extra.optional(outpoint);
    const known = {
      pubkey: textAt(pubkey, outpoint),
      extAddress: more && textAt(more, 'extAddress'),
      extP2P: more && textAt(more, 'extP2P'),
      pastelId: more && textAt(more, 'extKey'),
    };
    const present = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)) as Partial<
      Record<keyof typeof known, string>
    >;
    return [
      {
        outpoint,
        ...row,
        ...(rankOf !== undefined && Number.isSafeInteger(Number(rankOf)) && { rank: Number(rankOf) }),
        ...present,
      },
    ];
  });
}

/** Eight words: status, protocol, payee, last seen, active seconds, last paid, block of that, `ip:port`. */
function rowIn(line: Reply): Omit<Supernode, 'outpoint'> | undefined {
  const words = typeof line.value === 'string' ? line.value.trim().split(/\s+/) : [];
  const [status, protocolVersion, pslAddress, lastSeen, activeSeconds, lastPaid, lastPaidBlock, service] = words;
  const [, ipAddress, port] = /^\[?([0-9A-Za-z.:-]+?)\]?:(\d{1,5})$/.exec(service ?? '') ?? [];
  const numbers = [lastSeen, activeSeconds, lastPaid, lastPaidBlock, port].map(Number);
  if (words.length !== 8 || ipAddress === undefined || !numbers.every(Number.isSafeInteger)) return undefined;
  return {
    status: status!,
    protocolVersion: protocolVersion!,
    pslAddress: pslAddress!,
    lastSeen: numbers[0]!,
    activeSeconds: numbers[1]!,
    lastPaid: numbers[2]!,
    lastPaidBlock: numbers[3]!,
    ipAddress,
    port: numbers[4]!,
  };
}

/** Nodes without an `mnid` ticket show empty texts. */
function textAt(table: Reply, name: string): string | undefined {
  const value = table.optional(name)?.value;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
