import type { Supernode } from '#chain';
import { pythonFloatText } from '#protocol';

/** Shown where the list has nothing to say (messaging spec 3.1). */
const UNKNOWN = 'Unknown';
const SECONDS_PER_DAY = 86_400;

const addressOf = ({ ipAddress, port }: Supernode): string => `${ipAddress}:${port}`;
const utc = (unixSeconds: number): string => new Date(unixSeconds * 1000).toISOString().slice(0, 19);

/** The columns of the list, in the order of the original's table. */
const columnsOf = (node: Supernode) => ({
  supernode_status: node.status,
  protocol_version: node.protocolVersion,
  supernode_psl_address: node.pslAddress,
  lastseentime: node.lastSeen,
  activeseconds: node.activeSeconds,
  lastpaidtime: node.lastPaid,
  lastpaidblock: node.lastPaidBlock,
  'ipaddress:port': addressOf(node),
  rank: node.rank ?? UNKNOWN,
  pubkey: node.pubkey ?? UNKNOWN,
  extAddress: node.extAddress ?? UNKNOWN,
  extP2P: node.extP2P ?? UNKNOWN,
  extKey: node.pastelId ?? UNKNOWN,
  activedays: node.activeSeconds / SECONDS_PER_DAY,
});

/** `/supernode_list_json`: rows by outpoint, times in epoch milliseconds, floats with ten decimals (messaging spec 3.2). */
export const supernodeListJson = (nodes: readonly Supernode[]) =>
  Object.fromEntries(
    nodes.map((node) => {
      const row = columnsOf(node);
      return [
        node.outpoint,
        {
          ...row,
          lastseentime: row.lastseentime * 1000,
          lastpaidtime: row.lastpaidtime * 1000,
          activedays: Number(row.activedays.toFixed(10)),
        },
      ] as const;
    }),
  );

const HEADER =
  'supernode_status,protocol_version,supernode_psl_address,lastseentime,activeseconds,lastpaidtime,lastpaidblock,ipaddress:port,rank,pubkey,extAddress,extP2P,extKey,activedays';
const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** `/supernode_list_csv`: no outpoint, times as `YYYY-MM-DD HH:MM:SS`, days as Python prints a float (messaging spec 3.3). */
export function supernodeListCsv(nodes: readonly Supernode[]): string {
  const lines = nodes.map((node) => {
    const row = columnsOf(node);
    const cells = {
      ...row,
      lastseentime: utc(row.lastseentime).replace('T', ' '),
      lastpaidtime: utc(row.lastpaidtime).replace('T', ' '),
    };
    return Object.entries(cells)
      .map(([name, cell]) => quoted(name === 'activedays' ? pythonFloatText(Number(cell)) : String(cell)))
      .join(',');
  });
  return [HEADER, ...lines, ''].join('\n');
}
/** One node, as the look-ups answer (messaging spec 3.4); both names that the address has had. */
export function supernodeDataOf(node: Supernode) {
  return {
    supernode_status: node.status,
    protocol_version: node.protocolVersion,
    supernode_psl_address: node.pslAddress,
    lastseentime: utc(node.lastSeen),
    activeseconds: node.activeSeconds,
    lastpaidtime: utc(node.lastPaid),
    lastpaidblock: node.lastPaidBlock,
    'ipaddress:port': addressOf(node),
    ipaddress_port: addressOf(node),
    rank: node.rank ?? 0,
    pubkey: node.pubkey ?? UNKNOWN,
    extAddress: node.extAddress ?? null,
    extP2P: node.extP2P ?? null,
    extKey: node.pastelId ?? null,
    activedays: node.activeSeconds / SECONDS_PER_DAY,
  };
}
