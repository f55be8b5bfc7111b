import { ClientError, isSupernodeTrouble, SupernodeClient } from '#client';
import { isJsonObject, writeJson, type Json, type JsonObject } from '#protocol';
import type { Context } from './context.js';
import { parametersIn } from './inference-commands.js';
import { printResult, table } from './output.js';

export interface QuoteOptions {
  readonly model?: string;
  readonly type: string;
  readonly param?: string[];
}

const TIMEOUT_MS = 10_000;
const SUPERNODES_ASKED_MAX = 20;
/** A price takes no signature. */
const nobody = { pastelId: '', sign: () => Promise.reject(new Error('nothing to sign')) };

/** Asks one supernode after another until one tells its price. */
export async function quote({ node, terminal, json }: Context, prompt: string, options: QuoteOptions): Promise<void> {
  const { network, checking } = node.observer;
  const parameters = parametersIn(options.param ?? []);
  const reasons: string[] = [];
  for (const supernode of (await network.list()).slice(0, SUPERNODES_ASKED_MAX)) {
    const client = new SupernodeClient({ url: network.urlOf(supernode), signing: nobody, checking, timeoutMs: TIMEOUT_MS });
    try {
      const model = options.model ?? (await client.modelMenu()).find((each) => each.inferenceTypes.includes(options.type))?.name;
      if (model === undefined) continue;
      const price = await client.priceOf({ model, inference_type: options.type, input: prompt, parameters });
      return printResult(terminal, json, price, textOf(price));
    } catch (error) {
      if (!isSupernodeTrouble(error)) throw error;
      reasons.push(error.message);
    }
  }
  throw new ClientError('not-run', reasons[0] ?? `No supernode offers a model for ${options.type}`);
}

function textOf(price: JsonObject): string {
  const items = Array.isArray(price['items']) ? price['items'].filter(isJsonObject) : [];
  const rows = items.map((item) => ['what', 'quantity', 'price', 'amount'].map((name) => shown(item[name])));
  const told = (name: string): string => shown(price[name]);
  return [
    table([['what', 'how many', `${told('currency')} each`, told('currency')], ...rows]),
    `${told('total')} ${told('currency')} × ${told('credits_per_unit')} = ${told('credits_before_rounding')} credits`,
    `${told('model')} (${told('inference_type')}) costs ${told('cost_in_credits')} credits`,
  ].join('\n');
}
const shown = (value: Json | undefined): string => (typeof value === 'string' ? value : writeJson(value));
