import { byDistanceTo, byDistanceToHashedMerkleRoot, byDistanceToRawMerkleRoot, distance, sha3 } from '#protocol';
import { hasMembers, numberOf, objectOf, objectsIn, textOf, textsIn, type VectorShape } from './file.js';

export const xor: VectorShape = {
  name: 'XOR distances and orders',
  matches: (content) => hasMembers(content, 'pairwise_distance'),
  async run(content, report, file) {
    const all = objectOf(content);
    for (const [index, vector] of objectsIn(all['pairwise_distance']).entries()) {
      await report.run(`${file} distance #${index + 1}`, (compare) => {
        const [a, b] = [textOf(vector['a']), textOf(vector['b'])];
        compare('hash of a', sha3(a), vector['sha3_a']);
        compare('hash of b', sha3(b), vector['sha3_b']);
        compare('decimal', distance(a, b).toString(), vector['distance_decimal']);
        compare('hex', distance(a, b).toString(16), textOf(vector['distance_hex']).replace(/^(0x)?0*(?=.)/, ''));
      });
    }
    for (const [index, vector] of objectsIn(all['closest_of_list']).entries()) {
      const closest = (): string | undefined => byDistanceTo(textOf(vector['pastelid']), textsIn(vector['list']))[0];
      await report.run(`${file} closest #${index + 1}`, (compare) => compare('closest', closest(), vector['closest']));
    }
    for (const [index, vector] of objectsIn(all['n_closest']).entries()) {
      await report.run(`${file} n closest #${index + 1}`, (compare) => {
        const ordered = byDistanceTo(textOf(vector['pastelid']), textsIn(vector['list'])).slice(0, numberOf(vector['n']));
        compare('order', ordered, textsIn(vector['ordered']));
      });
    }
    for (const [index, vector] of objectsIn(all['top_n_by_hashed_merkle_root']).entries()) {
      await report.run(`${file} by hashed merkle root #${index + 1}`, (compare) => {
        const root = textOf(vector['best_block_merkle_root']);
        compare('hash of the root', sha3(root), vector['sha3_of_merkle_root_text']);
        const ordered = byDistanceToHashedMerkleRoot(root, textsIn(vector['supernode_pastelids'])).slice(
          0,
          numberOf(vector['n']),
        );
        compare('order', ordered, textsIn(vector['ordered']));
      });
    }
    for (const [index, vector] of objectsIn(all['full_order_by_raw_merkle_root']).entries()) {
      await report.run(`${file} by raw merkle root #${index + 1}`, (compare) => {
        const blacklist = new Set(textsIn(vector['blacklisted_ips']));
        const supernodes = objectsIn(vector['supernodes']).map((s) => ({ pastelId: textOf(s['extKey']), ip: textOf(s['ip']) }));
        const candidates = supernodes.filter(({ ip }) => !blacklist.has(ip)).map(({ pastelId }) => pastelId);
        const ordered = byDistanceToRawMerkleRoot(textOf(vector['best_block_merkle_root']), candidates);
        compare(
          'order',
          ordered.filter((pastelId) => pastelId !== vector['my_pastelid']),
          textsIn(vector['ordered_potentially_agreeing']),
        );
        const left = supernodes.filter(({ ip }) => blacklist.has(ip)).map(({ pastelId }) => pastelId);
        compare('blacklisted', left, textsIn(vector['list_of_blacklisted_supernode_pastelids']));
      });
    }
    for (const [index, vector] of objectsIn(all['closest_agreeing_supernode']).entries()) {
      const closest = (): string | undefined => byDistanceTo(textOf(vector['end_user_pastelid']), textsIn(vector['agreeing']))[0];
      await report.run(`${file} closest agreeing #${index + 1}`, (compare) => compare('closest', closest(), vector['closest']));
    }
  },
};
