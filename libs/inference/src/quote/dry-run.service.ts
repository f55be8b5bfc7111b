import { Injectable } from '@nestjs/common';
import { encodeBase64, Refusal, TENTHS_PER_CREDIT } from '#protocol';
import type { DryRunAnswer, DryRunQuestion } from './dry-run.dto.js';
import { PricingService } from './pricing.service.js';

/**
 * What a request would cost, and why, for anybody. It goes the way of a request, so the price is the same; nothing is stored, held, or
 * asked of the chain or of a model service.
 */
@Injectable()
export class DryRunService {
  constructor(private readonly pricing: PricingService) {}

  /** Throws a Refusal that names what is wrong. */
  async price(question: DryRunQuestion): Promise<DryRunAnswer> {
    const { model } = question;
    const recognised = await this.pricing.recognise({
      requested_model_canonical_string: model,
      model_inference_type_string: question.inference_type ?? (await this.pricing.firstTypeOf(model)) ?? '',
      model_parameters_json_b64: oneOf(
        'parameters',
        question.parameters && JSON.stringify(question.parameters),
        question.parameters_json_b64,
      ),
      model_input_data_json_b64: oneOf('input', question.input, question.input_b64),
    });
    const { inferenceType, parameters, fallbacks, cost } = await this.pricing.price(recognised, false);
    return {
      model,
      inference_type: inferenceType,
      cost_in_credits: cost.tenths / TENTHS_PER_CREDIT,
      amount_in_patoshis: cost.tenths,
      currency: cost.currency,
      items: cost.items,
      total: cost.total,
      credits_per_unit: cost.creditsEach,
      credits_before_rounding: cost.credits,
      minimum_in_credits: this.pricing.creditPricing.minimumTenths / TENTHS_PER_CREDIT,
      parameters,
      fallback_models: fallbacks.map((fallback) => fallback.model),
    };
  }
}

/** A null is as good as nothing. */
function oneOf(name: string, plain?: string | null, base64?: string | null): string {
  if (typeof plain !== 'string') return base64 ?? '';
  if (typeof base64 === 'string') throw new Refusal('bad-request', `${name} is given twice, as it is and as base64`);
  return encodeBase64(plain);
}
