import { Injectable } from '@nestjs/common';
import { InferenceSettings, PurchaseSettings } from '#config';
import { Refusal, TENTHS_PER_CREDIT, type InferenceAPIUsageRequest } from '#protocol';
import { COST_TENTHS_MAX, costOf, workFault, type Cost, type CreditPricing } from './cost.rules.js';
import { inputOf } from './input.rules.js';
import { ModelCatalog } from '../menu/model-catalog.service.js';
import { fallbackModelsIn, parametersOf } from './parameters.rules.js';
import type { Fallback } from '../execution/attempt.service.js';
import { ProviderGate } from '../execution/provider-gate.js';
import { Providers } from '../execution/providers.service.js';
import {
  ProviderFailure,
  type Ask,
  type InferenceType,
  type Input,
  type Model,
  type ParameterValues,
  type Provider,
  type Surroundings,
  type Workload,
} from '../providers/index.js';

/** The fields of a request that its price depends on. */
type WorkAsked = Pick<
  InferenceAPIUsageRequest,
  'requested_model_canonical_string' | 'model_inference_type_string' | 'model_parameters_json_b64' | 'model_input_data_json_b64'
>;

/** A model that may do the work, with parameters that it takes. */
interface Choice {
  readonly model: Model;
  readonly provider: Provider;
  readonly parameters: ParameterValues;
}
/** A request that makes sense so far. What it works on was not looked at yet. */
export interface RecognisedWork {
  readonly inferenceType: InferenceType;
  readonly choice: Choice;
  readonly fallbacks: readonly Choice[];
  readonly inputB64: string;
}

/** What a request asks for, checked, and what it costs. */
export interface PricedWork extends Ask {
  readonly provider: string;
  readonly inferenceType: InferenceType;
  readonly work: Workload;
  readonly cost: Cost;
  /** What may run instead, by the user's wish; none costs more. */
  readonly fallbacks: readonly Fallback[];
}
type PricedAlone = Omit<PricedWork, 'fallbacks'>;

/** How long a service that has to be asked for a length may take. */
const COUNTING_TIMEOUT_MS = 60_000;

/**
 * From the words of a request to work that can be run, and its price. Nothing here asks the chain. What costs next to nothing is one step
 * ({@link recognise}), what takes time another ({@link price}), so that it can be asked in between who pays (inference spec 8 W17).
 */
@Injectable()
export class PricingService {
  constructor(
    private readonly catalog: ModelCatalog,
    private readonly providers: Providers,
    private readonly gate: ProviderGate,
    private readonly settings: InferenceSettings,
    private readonly purchase: PurchaseSettings,
  ) {}

  /** What the model does where nobody says; undefined where it is not offered. */
  async firstTypeOf(modelName: string): Promise<InferenceType | undefined> {
    return (await this.catalog.find(modelName))?.model.entry.supported_inference_type_strings[0];
  }

  /** What turns USD and raw numbers into credits on this node. */
  get creditPricing(): CreditPricing {
    const { targetUsdPerCredit: usdPerCredit, targetProfitMargin: margin } = this.purchase;
    const { minimumCostTenths: minimumTenths, creditCostMultiplier: rawMultiplier } = this.settings;
    return { usdPerCredit, margin, minimumTenths, rawMultiplier };
  }

  /** Model, sort of work and parameters. Throws a Refusal that names what is wrong. */
  async recognise(request: WorkAsked): Promise<RecognisedWork> {
    const { choice, inferenceType } = await this.choiceOf(request);
    const fallbacks: Choice[] = [];
    for (const name of fallbackModelsIn(request.model_parameters_json_b64))
      fallbacks.push((await this.choiceOf({ ...request, requested_model_canonical_string: name })).choice);
    return { inferenceType, choice, fallbacks, inputB64: request.model_input_data_json_b64 };
  }

  /**
   * Reads the input and counts it. `mayAsk`: model services that alone know how long it is may be asked; for whom they are not, the
   * price of such work is not to be had. Throws a Refusal that names what is wrong.
   */
  async price({ inferenceType, choice, fallbacks, inputB64 }: RecognisedWork, mayAsk = true): Promise<PricedWork> {
    const input = inputOf(inferenceType, inputB64);
    const priced = await this.priceOfOne(choice, inferenceType, input, mayAsk);
    const instead: Fallback[] = [];
    for (const each of fallbacks)
      instead.push(this.fallback(await this.priceOfOne(each, inferenceType, input, mayAsk), priced.cost));
    return { ...priced, fallbacks: instead };
  }

  /** Never at a higher price: the quoted one is what is paid, whoever serves. */
  private fallback({ model, provider, parameters, work, cost }: PricedAlone, quoted: Cost): Fallback {
    const { model_name } = model.entry;
    if (cost.tenths > quoted.tenths) {
      const [own, most] = [cost.tenths / TENTHS_PER_CREDIT, quoted.tenths / TENTHS_PER_CREDIT];
      throw new Refusal('bad-request', `fallback_models: ${model_name} would cost ${own} credits, the request costs ${most}`);
    }
    return {
      model: model_name,
      provider,
      upstream_model: model.upstream,
      parameters: JSON.stringify(parameters),
      workload: JSON.stringify(work),
    };
  }

  private async choiceOf(request: WorkAsked): Promise<{ choice: Choice; inferenceType: InferenceType }> {
    const { requested_model_canonical_string: name, model_inference_type_string: type } = request;
    const offer = await this.catalog.find(name);
    if (!offer) throw new Refusal('bad-request', `This supernode does not offer the model '${name.slice(0, 200)}'`);
    const { model, provider } = offer;
    if (this.gate.isBroken(provider.name)) throw new Refusal('unavailable', `The service behind ${name} is away; try again soon`);
    const inferenceType = model.entry.supported_inference_type_strings.find((supported) => supported === type);
    if (!inferenceType || !provider.abilities[inferenceType]) {
      const offered = model.entry.supported_inference_type_strings.join(', ');
      throw new Refusal('bad-request', `${name} does not do '${type.slice(0, 200)}'; it does ${offered}`);
    }
    const parameters = parametersOf(request.model_parameters_json_b64, model.entry, inferenceType);
    return { choice: { model, provider, parameters }, inferenceType };
  }

  private async priceOfOne(
    { model, provider, parameters }: Choice,
    inferenceType: InferenceType,
    input: Input,
    mayAsk: boolean,
  ): Promise<PricedAlone> {
    const ask = { model, parameters, input };
    const surroundings = this.providers.surroundingsOf(provider, AbortSignal.timeout(COUNTING_TIMEOUT_MS));
    const work = await this.asRefusal(async () =>
      provider.abilities[inferenceType]!.count(ask, mayAsk ? surroundings : nobodyAround(surroundings)),
    );
    const fault = workFault(work, model);
    if (fault !== undefined) throw new Refusal('bad-request', fault);
    return { ...ask, provider: provider.name, inferenceType, work, cost: this.costOf(ask, inferenceType, work) };
  }

  private costOf({ model }: Ask, type: InferenceType, work: Workload): Cost {
    const cost = costOf(model, type, work, this.creditPricing);
    if (cost === undefined) throw new Refusal('bad-request', 'There is no price for this request');
    if (cost.tenths > COST_TENTHS_MAX) {
      const [credits, most] = [cost.tenths / TENTHS_PER_CREDIT, COST_TENTHS_MAX / TENTHS_PER_CREDIT];
      throw new Refusal('bad-request', `This request would cost ${credits} credits; one request may cost ${most} at most`);
    }
    return cost;
  }

  /** A service that has to be asked for a length, and does not tell it: nothing is sold. */
  private async asRefusal<T>(count: () => Promise<T>): Promise<T> {
    try {
      return await count();
    } catch (error) {
      if (!(error instanceof ProviderFailure)) throw error;
      throw new Refusal(error.code === 'refused' ? 'bad-request' : 'unavailable', this.providers.fit(error).message);
    }
  }
}

/** For a price that nobody pays for: no service is asked, no file is handed over. */
function nobodyAround(surroundings: Surroundings): Surroundings {
  const refuse = (): never => {
    throw new Refusal('bad-request', 'The service alone can tell the price of this; it is asked when a signed request comes');
  };
  return Object.defineProperties({ ...surroundings }, { http: { get: refuse }, files: { get: refuse } });
}
