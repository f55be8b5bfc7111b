import { kinds } from '#protocol';
import type { ModelMenuEntry } from './providers/index.js';
import type { RequestStatus } from './results/result.service.js';

const model: ModelMenuEntry = {
  model_name: 'some-model',
  model_url: '',
  description: 'Says again what it was told',
  supported_inference_type_strings: ['text_completion'],
  input_fields: [
    {
      name: 'prompt',
      file_type: 'text',
      optional: false,
      description: 'What to complete',
      inference_types_parameter_applies_to: ['text_completion'],
    },
  ],
  output_fields: [
    {
      name: 'generated_text',
      file_type: 'text',
      optional: false,
      description: 'What came of it',
      inference_types_parameter_applies_to: ['text_completion'],
    },
  ],
  model_parameters: [
    {
      name: 'number_of_tokens_to_generate',
      type: 'int',
      default: 1000,
      description: 'At most so many',
      inference_types_parameter_applies_to: ['text_completion'],
      minimum: 1,
      maximum: 8192,
    },
  ],
  credit_costs: { api_based_pricing: 1 },
};

export const menuShown = {
  type: 'object',
  properties: { models: { type: 'array', items: { type: 'object', example: model } } },
};

const id = String(kinds.uuid.shown.example);
const status: RequestStatus = {
  inference_request_id: id,
  inference_response_id: id,
  state: 'COMPLETED',
  model: model.model_name,
  detail: null,
  cost_in_credits: 0.5,
  burn_txid: String(kinds.txid.shown.example),
  max_block_height_to_include_confirmation_transaction: 1010,
  attempts: 1,
  input_tokens: 12,
  output_tokens: 34,
  usage_source: 'reported',
};
export const statusShown = { type: 'object', example: status };
