import type { FileType, InferenceType, ModelMenuEntry } from '../provider.js';

type Field = readonly [
  name: string,
  file_type: FileType,
  description: string,
  types: readonly InferenceType[],
  optional?: boolean,
];

/** What is sent for each sort of work, as the clients know it (inference spec 1.3). */
const inputs: readonly Field[] = [
  [
    'input_prompt',
    'text',
    'The text to work on',
    ['text_completion', 'embedding', 'semantic_search', 'advanced_semantic_search'],
  ],
  ['prompt', 'text', 'What the picture shall show', ['text_to_image']],
  ['image', 'base64', 'The picture', ['ask_question_about_an_image']],
  ['image', 'image', 'The picture', ['conservative_upscale', 'creative_upscale']],
  ['document', 'base64', 'The document', ['analyze_document', 'embedding_document']],
  ['audio', 'base64', 'The sound', ['embedding_audio']],
  ['question', 'text', 'What is asked about it', ['ask_question_about_an_image']],
  ['question', 'text', 'What is asked about it', ['analyze_document', 'embedding_document', 'embedding_audio'], true],
];
const outputs: readonly Field[] = [
  ['generated_text', 'text', 'The answer', ['text_completion', 'ask_question_about_an_image', 'analyze_document']],
  ['embedding', 'embedding', 'The vector', ['embedding']],
  ['generated_image', 'base64_image', 'The picture', ['text_to_image']],
  ['upscaled_image', 'base64_image', 'The larger picture', ['conservative_upscale', 'creative_upscale']],
  ['embeddings', 'json', 'Sentences and their vectors', ['embedding_document', 'embedding_audio']],
  ['search_results', 'json', 'What comes nearest', ['semantic_search', 'advanced_semantic_search']],
];

const fieldsFor = (types: readonly InferenceType[], fields: readonly Field[]): ModelMenuEntry['input_fields'] =>
  fields.flatMap(([name, file_type, description, of, optional = false]) => {
    const applies = of.filter((type) => types.includes(type));
    if (applies.length === 0) return [];
    return [{ name, file_type, optional, description, inference_types_parameter_applies_to: applies }];
  });

type Entry = Pick<ModelMenuEntry, 'model_name' | 'description' | 'supported_inference_type_strings' | 'model_parameters'> &
  Partial<Pick<ModelMenuEntry, 'model_url' | 'credit_costs'>>;

/** Fills in the keys that follow from the types of work, and leaves out what belongs to other types. */
export function menuEntry({ model_url = '', credit_costs = { api_based_pricing: 1 }, ...entry }: Entry): ModelMenuEntry {
  const types = entry.supported_inference_type_strings;
  return {
    model_name: entry.model_name,
    model_url,
    description: entry.description,
    supported_inference_type_strings: types,
    input_fields: fieldsFor(types, inputs),
    output_fields: fieldsFor(types, outputs),
    model_parameters: entry.model_parameters.flatMap((parameter) => {
      const applies = parameter.inference_types_parameter_applies_to.filter((type) => types.includes(type));
      return applies.length > 0 ? [{ ...parameter, inference_types_parameter_applies_to: applies }] : [];
    }),
    credit_costs,
  };
}
