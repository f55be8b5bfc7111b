import 'reflect-metadata';
import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { creditsFloat, millicreditsOfTenths, patoshisFromPsl, pslText, tenthsFromCredits } from '#protocol';
import { testDatabases } from '../../../test/support/databases.js';
import type { Pricing, Workload } from '../src/providers/index.js';
import { base64, PACK, user, useWorld, type World } from './inference-world.spec-suite.js';

const REQUESTS = 10_000;
/** So many of them are stored, paid and run as well; each takes signatures and transactions. */
const RUN = 60;

const usd = fc.tuple(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 1, max: 999_999 }));
const price = usd.map(([whole, millionths]) => `${whole}.${String(millionths).padStart(6, '0')}`);
const pricings: fc.Arbitrary<Pricing> = fc.oneof(
  fc.record({ per: fc.constant('million tokens' as const), input: price, output: price }),
  fc.record({
    per: fc.constant('million tokens' as const),
    input: price,
    output: price,
    cacheWrite: price,
    completion: price.map(() => '0.0032'),
  }),
  fc.record({ per: fc.constant('call' as const), usd: fc.constantFrom('0.03', '0.065', '0.25') }),
);
const number = (max: number) => fc.integer({ min: -1, max }).chain((n) => fc.constantFrom<number | string>(n, String(n), ''));
const requests = fc.record({
  pricing: pricings,
  later: pricings,
  prompt: fc.string({ maxLength: 60 }).map((text) => `?${text}`),
  type: fc.constantFrom('text_completion', 'embedding'),
  parameters: fc.record({ number_of_tokens_to_generate: number(50_000), number_of_completions_to_generate: number(12) }),
});
type Drawn = typeof requests extends fc.Arbitrary<infer T> ? T : never;

describe('what is charged is what was quoted, to the last tenth of a credit', () => {
  const here = useWorld(testDatabases()[0]!);
  let world: World;
  /** The price table of the node. */
  let table: Pricing;
  beforeEach(async () => {
    world = here.world;
    const { model, provider } = (await world.catalog.find('sandbox-echo'))!;
    jest.spyOn(world.catalog, 'find').mockImplementation(async () => ({ model: { ...model, pricing: table }, provider }));
  });

  const fieldsOf = ({ prompt, type, parameters }: Drawn) => ({
    requested_model_canonical_string: 'sandbox-echo',
    model_inference_type_string: type,
    model_parameters_json_b64: base64(JSON.stringify(parameters)),
    model_input_data_json_b64: base64(prompt),
  });
  async function priced(drawn: Drawn): Promise<number> {
    table = drawn.pricing;
    const { cost, work } = await world.pricing.price(await world.pricing.recognise(fieldsOf(drawn)));
    expect(cost.tenths).toBe(byHand(drawn.pricing, work));
    return cost.tenths;
  }

  test(`${REQUESTS} random requests: the price is right, and every form of it says the same`, async () => {
    let different = 0;
    for (const drawn of fc.sample(requests, { numRuns: REQUESTS, seed: 20_260_105 })) {
      const tenths = await priced(drawn);
      // The field that is signed, read by a client; the output of the burn, as PSL and back; the hold.
      const said = [
        tenthsFromCredits(creditsFloat(tenths).text),
        patoshisFromPsl(pslText(tenths)),
        millicreditsOfTenths(tenths) / 100,
      ];
      if (!Number.isSafeInteger(tenths) || said.some((each) => each !== tenths)) different++;
    }
    expect(different).toBe(0);
  });

  test(`${RUN} of them stored, the prices changed, then paid and run: quote, hold, burn and books are one number`, async () => {
    let sum = 0;
    const pack = { ...world.ledger.packs.get(PACK)!, registrationTxid: 'e'.repeat(64), initialMillicredits: 10 ** 10 };
    await world.ledger.add(pack);
    const quoted: { id: string; tenths: number }[] = [];
    for (const [n, each] of fc.sample(requests, { numRuns: RUN, seed: 20_260_106 }).entries()) {
      const tenths = await priced(each);
      sum += tenths;
      const { request, response } = await world.quote({
        ...fieldsOf(each),
        credit_pack_ticket_pastel_txid: pack.registrationTxid,
      });
      const id = request.inference_request_id;
      quoted.push({ id, tenths });
      table = each.later;
      const amount = response.request_confirmation_message_amount_in_patoshis;
      expect([
        amount,
        tenthsFromCredits(response.proposed_cost_of_request_in_inference_credits.text),
        (await world.ledger.balanceOf(pack)).heldMillicredits / 100,
      ]).toEqual([tenths, tenths, tenths]);
      await world.confirm(id, world.burn(n + 1, { tenths: amount }));
      const job = (await world.repository.job(id))!;
      expect([job.state, job.cost_tenths]).toEqual(['CONFIRMED', tenths]);
      expect(await world.ledger.balanceOf(pack)).toMatchObject({ heldMillicredits: 0, burnedMillicredits: sum * 100 });
    }
    for (let turn = 0; turn < RUN; turn++) await world.settle();
    for (const { id, tenths } of quoted) {
      const { state, cost_in_credits } = await world.results.status(id, user.pastelId);
      expect([state, cost_in_credits]).toEqual(['COMPLETED', tenths / 10]);
    }
    expect(await world.ledger.balanceOf(pack)).toMatchObject({ heldMillicredits: 0, burnedMillicredits: sum * 100 });
  });
});

const TRILLION = 1e12;
/** In millionths of a millionth of a dollar, of which 0.0085 dollars are a credit; a tie goes to the even tenth. */
function byHand(pricing: Pricing, { inputTokens, outputTokensMax, completions }: Workload): number {
  const units = (amount: string, scale: number): bigint => BigInt(Math.round(Number(amount) * scale));
  const [input, output, each] = [inputTokens, outputTokensMax, completions].map(BigInt) as [bigint, bigint, bigint];
  let sum = 0n;
  if (pricing.per === 'call') sum = each * units(pricing.usd, TRILLION);
  if (pricing.per === 'million tokens') {
    const perInput = units(pricing.cacheWrite ?? pricing.input, 1e6);
    sum = each * (input * perInput + output * units(pricing.output, 1e6) + units(pricing.completion ?? '0', TRILLION));
  }
  const tenth = 850_000_000n;
  const [whole, twice] = [sum / tenth, (sum % tenth) * 2n];
  const up = twice > tenth || (twice === tenth && whole % 2n === 1n);
  return Math.max(5, Number(up ? whole + 1n : whole));
}
