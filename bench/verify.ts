import { VerifiedMessagePipe, describe } from '#http';
import {
  CreditPackPurchaseRequestPreliminaryPriceQuote as Quote,
  directChecking,
  identityFromSeed,
  pooledChecking,
  PythonNumber,
  readJson,
  seal,
  sha3,
  verifySync,
  writeJson,
} from '#protocol';
import { interleaved, median, printTable, quantile, ratios, timed } from './measure.js';

const MESSAGES = 100;
/** How many checks the thread pool is given at a time. */
const IN_FLIGHT = 32;

/** What a message costs from the bytes of the body to a checked instance, against the one signature check that it cannot do without. */
export async function benchVerify(rounds: number): Promise<void> {
  const signer = identityFromSeed(Buffer.alloc(57, 7));
  const quotes = await Promise.all(Array.from({ length: MESSAGES }, (_, n) => quoteOf(n, signer)));
  const bodies = quotes.map((quote) => writeJson({ quote }));
  const proofs = quotes.map(
    (quote) =>
      [
        signer.pastelId,
        quote.sha3_256_hash_of_credit_pack_purchase_request_preliminary_price_quote_fields,
        quote.responding_supernode_signature_on_credit_pack_purchase_request_preliminary_price_quote_hash,
      ] as const,
  );
  describe(Quote);
  const check = (pipe: VerifiedMessagePipe, body: string): Promise<object> =>
    pipe.transform((readJson(body) as Record<string, unknown>)['quote'], { type: 'body', metatype: Quote, data: 'quote' });
  const direct = new VerifiedMessagePipe(directChecking);
  const pooled = new VerifiedMessagePipe(pooledChecking);
  const unsigned = new VerifiedMessagePipe({ verify: async () => true });
  const oneByOne = (pipe: VerifiedMessagePipe) => () =>
    timed(async () => {
      for (const body of bodies) await check(pipe, body);
    });
  const together = <T>(items: readonly T[], work: (item: T) => Promise<unknown>) =>
    timed(async () => {
      for (let at = 0; at < items.length; at += IN_FLIGHT) await Promise.all(items.slice(at, at + IN_FLIGHT).map(work));
    });
  const candidates = {
    bare: () =>
      timed(() => {
        for (const proof of proofs) verifySync(...proof);
      }),
    full: oneByOne(direct),
    rest: oneByOne(unsigned),
    barePooled: () => together(proofs, (proof) => pooledChecking.verify(...proof)),
    fullPooled: () => together(bodies, (body) => check(pooled, body)),
  };
  await interleaved(5, candidates);
  const times = await interleaved(rounds, candidates);

  const row = (name: string, values: number[], floor: number[]) => {
    const each = values.map((ms) => (ms * 1000) / MESSAGES);
    return [name, quantile(each, 0), median(each), 1e6 / median(each), `${(100 / median(ratios(values, floor))).toFixed(0)} %`];
  };
  printTable(
    `A quote of ${bodies[0]!.length} bytes: parse, shape, canonical text, hash and signature (${rounds} rounds of ${MESSAGES})`,
    ['', 'best us', 'median us', 'per second', 'of the floor'],
    [
      row('floor: bare Ed448 check', times.bare, times.bare),
      row('full check', times.full, times.bare),
      row('  all but the signature', times.rest, times.bare),
      row(`floor: bare, ${IN_FLIGHT} on the thread pool`, times.barePooled, times.barePooled),
      row(`full check, ${IN_FLIGHT} on the thread pool`, times.fullPooled, times.barePooled),
    ],
  );
}

const quoteOf = (n: number, signer: ReturnType<typeof identityFromSeed>): Promise<Quote> =>
  seal(
    Quote,
    {
      sha3_256_hash_of_credit_pack_purchase_request_fields: sha3(`request ${n}`),
      credit_usage_tracking_psl_address: 'tPbWLCrGJVcMyTgJV7yMCN7UWRKSLCtZ6vD',
      credit_pack_purchase_request_fields_json_b64: Buffer.from(JSON.stringify({ n, fields: 'x'.repeat(600) })).toString(
        'base64',
      ),
      preliminary_quoted_price_per_credit_in_psl: PythonNumber.float(58.8),
      preliminary_total_cost_of_credit_pack_in_psl: PythonNumber.float(88_200),
      preliminary_price_quote_timestamp_utc_iso_string: '2026-01-05T12:00:00.123456Z',
      preliminary_price_quote_pastel_block_height: 500_000 + n,
      preliminary_price_quote_message_version_string: '1.0',
      responding_supernode_pastelid: signer.pastelId,
    },
    signer,
  );
