import {
  byDistanceToHashedMerkleRoot,
  byDistanceToRawMerkleRoot,
  type CreditPackPurchasePriceAgreementRequest,
  type CreditPackPurchasePriceAgreementRequestResponse,
  type CreditPackPurchaseRequestResponse,
  type CreditPackPurchaseRequestResponseTermination,
} from '#protocol';

/** So many signatures a ticket carries (credit-packs spec 5.5). */
const SIGNERS_MAX = 10;
/** The two reasons that a 2.7 may give (credit-packs spec 2.7). */
export const TOO_FEW_ANSWERED = 'Not enough supernodes responded with valid price agreement responses';
export const TOO_FEW_AGREED = 'Not enough supernodes agreed to the proposed pricing';
export type TerminationReason = CreditPackPurchaseRequestResponseTermination['termination_reason_string'];

export interface ListedPeer {
  readonly pastelId: string;
  readonly ipAddress: string;
}
export interface Candidates {
  /** In the order in which they are asked and stand in the ticket. */
  readonly asked: readonly string[];
  /** In the order of the list. */
  readonly blacklisted: readonly string[];
}

/**
 * Whom to ask (credit-packs spec 5.3).
 * @param listed the supernode list, this node included
 * @param candidatesMin with fewer peers than this nobody is left out
 */
export function candidatesOf(
  listed: readonly ListedPeer[],
  own: string,
  unreachable: ReadonlySet<string>,
  merkleRoot: string,
  candidatesMin: number,
): Candidates {
  const peers = unique(listed.filter(({ pastelId }) => pastelId !== own));
  const isLeftOut = ({ ipAddress }: ListedPeer): boolean => peers.length >= candidatesMin && unreachable.has(ipAddress);
  const ids = (some: readonly ListedPeer[]): string[] => some.map(({ pastelId }) => pastelId);
  return {
    asked: byDistanceToRawMerkleRoot(merkleRoot, ids(peers.filter((peer) => !isLeftOut(peer)))),
    blacklisted: ids(peers.filter(isLeftOut)),
  };
}
function unique(peers: readonly ListedPeer[]): ListedPeer[] {
  return [...new Map(peers.map((peer) => [peer.pastelId, peer])).values()];
}

export type Vote = CreditPackPurchasePriceAgreementRequestResponse;

/** Why an answer is no vote on this question; its hash and both signatures are checked already (W2). */
export function voteFaults(vote: Vote, question: CreditPackPurchasePriceAgreementRequest, askedPastelId: string): string[] {
  const faults: string[] = [];
  const same = (what: string, theirs: unknown, ours: unknown): void => {
    if (theirs !== ours) faults.push(`${what} is not what was asked`);
  };
  same('responding_supernode_pastelid', vote.responding_supernode_pastelid, askedPastelId);
  same(
    'sha3_256_hash_of_price_agreement_request_fields',
    vote.sha3_256_hash_of_price_agreement_request_fields,
    question.sha3_256_hash_of_price_agreement_request_fields,
  );
  same(
    'credit_pack_purchase_request_fields_json_b64',
    vote.credit_pack_purchase_request_fields_json_b64,
    question.credit_pack_purchase_request_fields_json_b64,
  );
  same('credit_usage_tracking_psl_address', vote.credit_usage_tracking_psl_address, question.credit_usage_tracking_psl_address);
  same('proposed_psl_price_per_credit', vote.proposed_psl_price_per_credit.value, question.proposed_psl_price_per_credit.value);
  return faults;
}

/** One vote for each peer that was asked, the first that came. */
export function countedVotes(votes: readonly Vote[], asked: readonly string[]): Vote[] {
  const counted = new Map<string, Vote>();
  for (const vote of votes) {
    const voter = vote.responding_supernode_pastelid;
    if (asked.includes(voter) && !counted.has(voter)) counted.set(voter, vote);
  }
  return [...counted.values()];
}

export interface Shares {
  readonly quorum: number;
  readonly majority: number;
  readonly majorityOfAsked: number;
}
/**
 * Undefined when the peers agree. Quorum and majority are strict (5.4); the share of all that were asked is inclusive, as the later
 * checks of the ticket measure the majority against it (5.11, W5).
 */
export function terminationReasonOf(
  tally: { asked: number; answered: number; agreed: number },
  shares: Shares,
): TerminationReason | undefined {
  const { asked, answered, agreed } = tally;
  if (asked === 0 || !(answered / asked > shares.quorum)) return TOO_FEW_ANSWERED;
  if (!(agreed / answered > shares.majority)) return TOO_FEW_AGREED;
  if (!(agreed / asked >= shares.majorityOfAsked)) return answered === agreed ? TOO_FEW_ANSWERED : TOO_FEW_AGREED;
  return undefined;
}

/** Whose signatures go into the offer (credit-packs spec 5.5). */
export const signersOf = (agreeing: readonly string[], merkleRoot: string): string[] =>
  byDistanceToHashedMerkleRoot(merkleRoot, agreeing).slice(0, SIGNERS_MAX);

/** The signature over the base64 text of the request that an offer shows for this voter; undefined where it shows none. */
export function requestSignatureOf(
  { selected_agreeing_supernodes_signatures_dict: table }: CreditPackPurchaseRequestResponse,
  pastelId: string,
): string | undefined {
  return Object.hasOwn(table, pastelId) ? table[pastelId]!['credit_pack_purchase_request_fields_json_b64_signature'] : undefined;
}

/** PastelID -> its two signatures, as the offer carries them (credit-packs spec 2.8). */
export function signaturesOf(signers: readonly string[], votes: readonly Vote[]): Record<string, Record<string, string>> {
  const byVoter = new Map(votes.map((vote) => [vote.responding_supernode_pastelid, vote]));
  return Object.fromEntries(
    signers.map((signer) => {
      const vote = byVoter.get(signer)!;
      return [
        signer,
        {
          price_agreement_request_response_hash_signature:
            vote.responding_supernode_signature_on_price_agreement_request_response_hash,
          credit_pack_purchase_request_fields_json_b64_signature:
            vote.responding_supernode_signature_on_credit_pack_purchase_request_fields_json_b64,
        },
      ];
    }),
  );
}
