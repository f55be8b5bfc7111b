import { Refusal } from '#protocol';
import type { Ask, Media, ParameterValues } from '../provider.js';
import { telling, toldParameters } from './chat-parameters.js';
import { isRecord, parsed } from './failures.js';

type Body = Record<string, unknown>;
export type Asked = Pick<Ask, 'input' | 'parameters'>;

/** They see more pixels, and take nothing that bends the choice of tokens. */
export const isOlder = (model: string): boolean =>
  /^claude-(?:2|3|instant|(?:opus|sonnet|haiku)-4(?:-[0-6])?(?:-\d{8})?$)/.test(model);

/** Throws a Refusal for parameters that the vendor would not take. */
export function messageBody(model: string, asked: Asked): Body & { model: string; messages: unknown } {
  const { parameters } = asked;
  const system = systemOf(parameters);
  const effort = parameters['reasoning_effort'];
  return {
    model,
    max_tokens: TOKENS_DEFAULT,
    ...toldParameters(isOlder(model) ? older : newer, withoutOneOf(parameters), 0),
    ...(system !== '' && { system: cached(parameters, [{ type: 'text', text: system }]) }),
    ...(effort && { output_config: { effort } }),
    ...metadataOf(parameters),
    messages: [{ role: 'user', content: cached(parameters, contentOf(asked)) }],
  };
}
const TOKENS_DEFAULT = 1000;
const everywhere = [
  ['number_of_tokens_to_generate', 'max_tokens'],
  ['stop', 'stop_sequences'],
] as const;
const older = telling(...everywhere, 'temperature', 'top_p', 'top_k');
const newer = telling(...everywhere);

/** Since Claude 4.1 one of the two is refused; a share is never set unless a user sets it. */
function withoutOneOf({ temperature, ...others }: ParameterValues): ParameterValues {
  const share = others['top_p'];
  return temperature === undefined || (share !== undefined && share !== '' && Number(share) < 1)
    ? others
    : { ...others, temperature: Math.min(1, Number(temperature)), top_p: '' };
}

/** The wanted form is asked for in words (inference spec 6.2). */
export function systemOf(parameters: ParameterValues): string {
  const message = String(parameters['system_message'] ?? '');
  const form = formIn(String(parameters['response_format'] ?? ''));
  return [message, form].filter((text) => text !== '').join('\n\n');
}
const ONLY_JSON = 'Answer with one JSON object and nothing else: no words around it, no code fence.';
function formIn(format: string): string {
  if (format === '' || format === 'text') return '';
  if (format === 'json_object' || format === 'json') return ONLY_JSON;
  const told = parsed(format);
  const type = isRecord(told) ? told['type'] : undefined;
  if (type === 'text') return '';
  if (type === 'json_object') return ONLY_JSON;
  const schema = isRecord(told) && type === 'json_schema' ? (told['json_schema'] ?? told['schema']) : undefined;
  if (!isRecord(schema))
    throw refusedParameter('response_format', 'text, json_object or a JSON object with type json_schema and its schema');
  return `${ONLY_JSON} It follows this JSON schema: ${JSON.stringify(schema)}`;
}

/** Of all that `metadata` may hold, the vendor takes one thing. */
function metadataOf(parameters: ParameterValues): Body {
  const text = String(parameters['metadata'] ?? '');
  if (text === '') return {};
  const told = parsed(text);
  const user: unknown = isRecord(told) ? told['user_id'] : undefined;
  if (typeof user !== 'string' || user.length > USER_ID_LENGTH_MAX)
    throw refusedParameter('metadata', `a JSON object with a user_id of up to ${USER_ID_LENGTH_MAX} characters`);
  return { metadata: { user_id: user } };
}
const USER_ID_LENGTH_MAX = 256;

export function cacheControlOf(parameters: ParameterValues): Body | undefined {
  const text = String(parameters['cache_control'] ?? '');
  const told = parsed(text);
  if (text === '') return undefined;
  if (text !== 'ephemeral' && !(isRecord(told) && told['type'] === 'ephemeral'))
    throw refusedParameter('cache_control', 'ephemeral');
  return { type: 'ephemeral' };
}
function cached(parameters: ParameterValues, blocks: readonly Body[]): readonly Body[] {
  const control = cacheControlOf(parameters);
  return control ? blocks.map((block) => ({ ...block, cache_control: control })) : blocks;
}

/** The file stands before the words about it. */
function contentOf({ input, parameters }: Asked): readonly Body[] {
  const question = questionOf({ input, parameters });
  const file = input.media ? [fileBlock(input.media)] : [];
  return question === '' ? file : [...file, { type: 'text', text: question }];
}
function fileBlock({ bytes, facts }: Media): Body {
  const base64 = (media_type: string): Body => ({ type: 'base64', media_type, data: bytes.toString('base64') });
  if (facts.kind === 'image') return { type: 'image', source: base64(`image/${facts.format}`) };
  const source =
    facts.format === 'pdf' ? base64('application/pdf') : { type: 'text', media_type: 'text/plain', data: bytes.toString() };
  return { type: 'document', source };
}
/** What is asked about a document may also come as the parameter `query`. */
export const questionOf = ({ input, parameters }: Asked): string => input.text || String(parameters['query'] ?? '');

const refusedParameter = (name: string, expected: string): Refusal =>
  new Refusal('bad-request', `Parameter '${name}' is not ${expected}`);
