import { Injectable } from '@nestjs/common';
import { InferenceSettings, PurchaseSettings } from '#config';
import { Refusal, TENTHS_PER_CREDIT, type InferenceAPIUsageRequest } from '#protocol';
import { COST_TENTHS_MAX, costOf, type Cost } from './cost.rules.js';
import { inputOf } from './input.rules.js';
import { ModelCatalog } from '../menu/model-catalog.service.js';
import { fallbackModelsIn, parametersOf } from './parameters.rules.js';
import type { Fallback } from '../execution/attempt.service.js';
import { ProviderGate } from '../execution/provider-gate.js';
import { Providers } from '../execution/providers.service.js';
import { ProviderFailure, type Ask, type InferenceType, type Workload } from '../providers/index.js';

/** The fields of a request that its price depends on. */
type WorkAsked = Pick<
  InferenceAPIUsageRequest,
  'requested_model_canonical_string' | 'model_inference_type_string' | 'model_parameters_json_b64' | 'model_input_data_json_b64'
>;

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

/** From the words of a request to work that can be run, and its price. Nothing here asks the chain. */
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

  /** Throws a Refusal that names what is wrong. */
  async price(request: WorkAsked): Promise<PricedWork> {
    const priced = await this.priceOfOne(request);
    const fallbacks: Fallback[] = [];
    for (const name of fallbackModelsIn(request.model_parameters_json_b64)) {
      fallbacks.push(
        await this.fallback(await this.priceOfOne({ ...request, requested_model_canonical_string: name }), priced.cost),
      );
    }
    return { ...priced, fallbacks };
  }

  /** Never at a higher price: the quoted one is what is paid, whoever serves. */
  private async fallback({ model, provider, parameters, work, cost }: PricedAlone, quoted: Cost): Promise<Fallback> {
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

  private async priceOfOne(request: WorkAsked): Promise<PricedAlone> {
    const { requested_model_canonical_string: name, model_inference_type_string: type } = request;
    const offer = await this.catalog.find(name);
    if (!offer) throw new Refusal('bad-request', `This supernode does not offer the model '${name.slice(0, 200)}'`);
    const { model, provider } = offer;
    if (this.gate.isBroken(provider.name)) throw new Refusal('unavailable', `The service behind ${name} is away; try again soon`);
    const inferenceType = model.entry.supported_inference_type_strings.find((supported) => supported === type);
    const ability = inferenceType && provider.abilities[inferenceType];
    if (!inferenceType || !ability) {
      const offered = model.entry.supported_inference_type_strings.join(', ');
      throw new Refusal('bad-request', `${name} does not do '${type.slice(0, 200)}'; it does ${offered}`);
    }
    const parameters = parametersOf(request.model_parameters_json_b64, model.entry, inferenceType);
    const ask = { model, parameters, input: inputOf(inferenceType, request.model_input_data_json_b64) };
    const surroundings = this.providers.surroundingsOf(provider, AbortSignal.timeout(COUNTING_TIMEOUT_MS));
    const work = await this.asRefusal(async () => ability.count(ask, surroundings));
    if (work.inputTokens > (model.inputTokensMax ?? Infinity)) {
      const [tokens, most] = [work.inputTokens, model.inputTokensMax];
      throw new Refusal('bad-request', `The input has ${tokens} tokens; ${name} reads ${most} at most at its price`);
    }
    return { ...ask, provider: provider.name, inferenceType, work, cost: this.costOf(ask, inferenceType, work) };
  }

  private costOf({ model }: Ask, type: InferenceType, work: Workload): Cost {
    const { targetUsdPerCredit: usdPerCredit, targetProfitMargin: margin } = this.purchase;
    const { minimumCostTenths: minimumTenths, creditCostMultiplier: rawMultiplier } = this.settings;
    const cost = costOf(model, type, work, { usdPerCredit, margin, minimumTenths, rawMultiplier });
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
