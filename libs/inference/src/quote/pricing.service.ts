import { Injectable } from '@nestjs/common';
import { InferenceSettings, PurchaseSettings } from '#config';
import { Refusal, TENTHS_PER_CREDIT, type InferenceAPIUsageRequest } from '#protocol';
import { COST_TENTHS_MAX, tenthsOfUsd } from './cost.rules.js';
import { promptOf } from './input.rules.js';
import { ModelCatalog } from '../menu/model-catalog.service.js';
import { parametersOf } from './parameters.rules.js';
import type { InferenceType, ParameterValues } from '../providers/index.js';

/** The fields of a request that its price depends on. */
type WorkAsked = Pick<
  InferenceAPIUsageRequest,
  'requested_model_canonical_string' | 'model_inference_type_string' | 'model_parameters_json_b64' | 'model_input_data_json_b64'
>;

/** What a request asks for, checked, and what it costs. */
export interface PricedWork {
  readonly model: string;
  readonly provider: string;
  readonly inferenceType: InferenceType;
  readonly parameters: ParameterValues;
  readonly costTenths: number;
}

/** From the words of a request to work that can be run, and its price. Nothing here asks the chain. */
@Injectable()
export class PricingService {
  constructor(
    private readonly catalog: ModelCatalog,
    private readonly settings: InferenceSettings,
    private readonly purchase: PurchaseSettings,
  ) {}

  /** What the model does where nobody says; undefined where it is not offered. */
  async firstTypeOf(modelName: string): Promise<InferenceType | undefined> {
    return (await this.catalog.find(modelName))?.model.supported_inference_type_strings[0];
  }

  /** Throws a Refusal that names what is wrong. */
  async price(request: WorkAsked): Promise<PricedWork> {
    const { requested_model_canonical_string: name, model_inference_type_string: type } = request;
    const offer = await this.catalog.find(name);
    if (!offer) throw new Refusal('bad-request', `This supernode does not offer the model '${name.slice(0, 200)}'`);
    const inferenceType = offer.model.supported_inference_type_strings.find((supported) => supported === type);
    const ability = inferenceType && offer.provider.abilities[inferenceType];
    if (!inferenceType || !ability) {
      const offered = offer.model.supported_inference_type_strings.join(', ');
      throw new Refusal('bad-request', `${name} does not do '${type.slice(0, 200)}'; it does ${offered}`);
    }
    const parameters = parametersOf(request.model_parameters_json_b64, offer.model, inferenceType);
    const work = ability.count(promptOf(request.model_input_data_json_b64), parameters);
    const costTenths = this.costTenthsOf(ability.price(work, name));
    return { model: name, provider: offer.provider.name, inferenceType, parameters, costTenths };
  }

  private costTenthsOf(usd: number): number {
    const { targetUsdPerCredit: usdPerCredit, targetProfitMargin: margin } = this.purchase;
    const tenths = tenthsOfUsd(usd, { usdPerCredit, margin, minimumTenths: this.settings.minimumCostTenths });
    if (tenths === undefined) throw new Refusal('bad-request', 'There is no price for this request');
    if (tenths > COST_TENTHS_MAX) {
      const [cost, most] = [tenths / TENTHS_PER_CREDIT, COST_TENTHS_MAX / TENTHS_PER_CREDIT];
      throw new Refusal('bad-request', `This request would cost ${cost} credits; one request may cost ${most} at most`);
    }
    return tenths;
  }
}
