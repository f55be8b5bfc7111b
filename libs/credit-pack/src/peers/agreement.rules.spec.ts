import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { byDistanceToHashedMerkleRoot, pslFloat } from '#protocol';
import {
  candidatesOf,
  countedVotes,
  signaturesOf,
  signersOf,
  terminationReasonOf,
  TOO_FEW_AGREED,
  TOO_FEW_ANSWERED,
  voteFaults,
  type Vote,
} from './agreement.rules.js';

describe('votes', () => {
  const shares = { quorum: 0.51, majority: 0.51, majorityOfAsked: 0.65 };
  const tally = (asked: number, answered: number, agreed: number) => terminationReasonOf({ asked, answered, agreed }, shares);

  test('quorum and majority are strict, the share of all inclusive', () => {
    expect(tally(100, 51, 51)).toBe(TOO_FEW_ANSWERED);
    expect(tally(100, 100, 51)).toBe(TOO_FEW_AGREED);
    expect(tally(100, 100, 64)).toBe(TOO_FEW_AGREED);
    expect(tally(100, 64, 64)).toBe(TOO_FEW_ANSWERED);
    expect(tally(100, 65, 65)).toBeUndefined();
    expect(tally(4, 3, 3)).toBeUndefined();
    expect(tally(4, 4, 2)).toBe(TOO_FEW_AGREED);
    expect(tally(0, 0, 0)).toBe(TOO_FEW_ANSWERED);
  });

  test('what is not terminated passes every later check', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), fc.nat(200), (a, b, c) => {
        const [agreed, answered, asked] = [a, b, c].sort((x, y) => x - y) as [number, number, number];
        if (tally(asked, answered, agreed)) return;
        expect(answered / asked).toBeGreaterThan(0.51);
        expect(agreed / answered).toBeGreaterThan(0.51);
        expect(agreed / asked).toBeGreaterThanOrEqual(0.65);
      }),
    );
  });

  const peers = (count: number) => Array.from({ length: count }, (_, i) => ({ pastelId: `id${i}`, ipAddress: `10.0.0.${i}` }));
  const root = 'ab'.repeat(32);
  test('with few peers nobody is left out; with enough the blacklist counts; oneself is never asked', () => {
    const dead = new Set(['10.0.0.1', '10.0.0.2']);
    const few = candidatesOf(peers(10), 'id0', dead, root, 10);
    expect(few.asked).toHaveLength(9);
    expect(few.blacklisted).toEqual([]);
    const enough = candidatesOf(peers(11), 'id0', dead, root, 10);
    expect(enough.asked).toHaveLength(8);
    expect(enough.blacklisted).toEqual(['id1', 'id2']);
    for (const { asked, blacklisted } of [few, enough]) expect([...asked, ...blacklisted]).not.toContain('id0');
    expect(new Set(candidatesOf([...peers(11), ...peers(11)], 'id0', dead, root, 10).asked).size).toBe(8);
  });

  test('at most ten sign, always the same for the same block', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(peers(30).map((p) => p.pastelId)), (agreeing) => {
        const signers = signersOf(agreeing, root);
        expect(signers).toHaveLength(Math.min(10, agreeing.length));
        expect(new Set(signersOf([...agreeing].reverse(), root))).toEqual(new Set(signers));
      }),
    );
  });

  const question = {
    sha3_256_hash_of_price_agreement_request_fields: 'h',
    credit_pack_purchase_request_fields_json_b64: 'b',
    credit_usage_tracking_psl_address: 'a',
    proposed_psl_price_per_credit: pslFloat(100),
  };
  const vote = { ...question, responding_supernode_pastelid: 'p' };
  test('a vote on anything but the question is none', () => {
    expect(voteFaults(vote as Vote, question as never, 'p')).toEqual([]);
    expect(voteFaults(vote as Vote, question as never, 'q')).toHaveLength(1);
    for (const field of Object.keys(question)) {
      const changed = { ...vote, [field]: field.startsWith('proposed') ? pslFloat(200) : 'x' };
      expect([field, voteFaults(changed as Vote, question as never, 'p').length]).toEqual([field, 1]);
    }
  });
  test('each peer has one vote', () => {
    const votes = [vote, vote, { ...vote, responding_supernode_pastelid: 'stranger' }] as Vote[];
    expect(countedVotes(votes, ['p', 'q'])).toHaveLength(1);
  });

  test('of any number of answers from anybody each peer that was asked has its first one', () => {
    const voter = fc.nat(12).map((n) => `id${n}`);
    fc.assert(
      fc.property(fc.array(fc.record({ voter, price: fc.nat(9) })), fc.uniqueArray(voter), (answers, asked) => {
        const votes = answers.map(({ voter: responding_supernode_pastelid, price }) => ({
          responding_supernode_pastelid,
          price,
        }));
        const counted = countedVotes(votes as unknown as Vote[], asked);
        const expected = asked.filter((id) => answers.some((answer) => answer.voter === id));
        expect(counted.map(({ responding_supernode_pastelid: id }) => id).sort()).toEqual(expected.sort());
        for (const vote of counted)
          expect(vote).toBe(votes.find((first) => first.responding_supernode_pastelid === vote.responding_supernode_pastelid));
        expect(counted.length).toBeLessThanOrEqual(asked.length);
      }),
    );
  });

  test('one vote more never ends what had enough, nor does one less begin it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.nat(100), fc.nat(100), (asked, a, b) => {
        const [agreed, answered] = [Math.min(a, b, asked), Math.min(Math.max(a, b), asked)];
        if (tally(asked, answered, agreed) !== undefined || answered === asked) return;
        expect(tally(asked, answered + 1, agreed + 1)).toBeUndefined();
      }),
    );
  });

  test('the signers are the closest to the block, closest first, whatever the order of the answers', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(peers(30).map((p) => p.pastelId)),
        fc.stringMatching(/^[0-9a-f]{64}$/),
        (agreeing, block) => {
          const signers = signersOf(agreeing, block);
          expect(signers).toEqual(byDistanceToHashedMerkleRoot(block, [...agreeing].sort()).slice(0, 10));
          expect(agreeing).toEqual(expect.arrayContaining(signers));
        },
      ),
    );
  });

  test('the offer shows two signatures of each signer, its own', () => {
    const votes = ['a', 'b', 'c'].map((id) => ({
      responding_supernode_pastelid: id,
      responding_supernode_signature_on_price_agreement_request_response_hash: `hash ${id}`,
      responding_supernode_signature_on_credit_pack_purchase_request_fields_json_b64: `request ${id}`,
    }));
    const of = (id: string) => ({
      price_agreement_request_response_hash_signature: `hash ${id}`,
      credit_pack_purchase_request_fields_json_b64_signature: `request ${id}`,
    });
    const table = signaturesOf(['c', 'a'], votes as Vote[]);
    expect(table).toEqual({ c: of('c'), a: of('a') });
    expect(Object.keys(table)).toEqual(['c', 'a']);
  });
});
