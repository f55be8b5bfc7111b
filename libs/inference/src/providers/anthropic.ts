import { Refusal } from '#protocol';
import { MessageReader, type MessageReply } from './kit/anthropic-answer.js';
import { type Asked, cacheControlOf, isOlder, messageBody, questionOf, systemOf } from './kit/anthropic-request.js';
import { idsIn, summed } from './kit/answers.js';
import { asFailure, isRecord, malformed } from './kit/failures.js';
import { type Call, callEvents, callJson } from './kit/http.js';
import { CLAUDE_SHARP_SIGHT, CLAUDE_SIGHT, claudeImageTokens, type ClaudeSight } from './kit/image-tokens.js';
import { completionsOutput, textWorkload } from './kit/text.js';
import { claudeTokens } from './kit/tokens.js';
import { ownUrls, type VendorOptions, withAddress } from './kit/vendor.js';
import {
  type Ability,
  type Ask,
  type Media,
  type Outcome,
  type Provider,
  ProviderFailure,
  type Run,
  type Surroundings,
  type Workload,
} from './provider.js';

interface Options extends VendorOptions {
  readonly key: string;
}

const VENDOR_URL = 'https://api.anthropic.com';
const API_VERSION = '2023-06-01';
const QUESTION_TIMEOUT_MS = 15_000;
const LISTED_MAX = 1000;
/** Of a picture, as base64. */
const IMAGE_B64_MAX = 5 * 2 ** 20;
const IMAGE_SIDE_MAX = 8000;
/** Of a whole request; some of it is left for the words. */
const DOCUMENT_B64_MAX = 31_000_000;
/** The most that the text of a page takes by the vendor's own figures; its picture is counted besides. */
const PAGE_TEXT_TOKENS = 3000;

const sightOf = (model: string): ClaudeSight => (isOlder(model) ? CLAUDE_SIGHT : CLAUDE_SHARP_SIGHT);

/** Claude. Anthropic has no embeddings, although the original's menu offered them: they always failed (inference spec 6.2). */
export const anthropic: Provider<Options> = {
  name: 'anthropic',
  title: 'Anthropic',
  setUp(env) {
    const own = env.secret('ANTHROPIC_API_KEY', 'Key of Anthropic; its models are offered where it is set');
    const original = env.secret('CLAUDE3_API_KEY', 'The same under the name that the original gave it');
    return withAddress(env, 'ANTHROPIC', 'Anthropic', VENDOR_URL, own ?? original);
  },
  ownUrls,
  abilities: {
    text_completion: ability(),
    ask_question_about_an_image: ability(demandPicture),
    analyze_document: ability(demandDocument, demandPaidTokens),
  },
  async checkKey(around) {
    await modelsListed(around, 1);
  },
  async available(models, around) {
    const names = new Set(await modelsListed(around, LISTED_MAX));
    return names.size === 0 ? models : models.filter(({ upstream }) => [...names].some((name) => isMeant(upstream, name)));
  },
};

/** The list names days: `claude-opus-4-1-20250805`; a model may be asked for without one. */
const isMeant = (asked: string, listed: string): boolean =>
  listed === asked || listed.replace(/-\d{8}$/, '') === asked.replace(/-latest$/, '');

async function modelsListed(around: Surroundings<Options>, limit: number): Promise<string[]> {
  const call: Call = { ...callOf(around, 'models'), method: 'GET', params: { limit }, timeoutMs: QUESTION_TIMEOUT_MS };
  const body = await callJson(around, call);
  const ids = idsIn(body);
  if (!ids) throw malformed('a list of models without data');
  return ids.filter((id) => typeof id === 'string');
}

const callOf = ({ options: { url, key } }: Surroundings<Options>, path: string): Call => ({
  url: `${url}/v1/${path}`,
  headers: { 'x-api-key': key, 'anthropic-version': API_VERSION },
  secret: key,
});

/** `demand` throws a Refusal for a file that would not be taken; `before` has the last word before anything costs. */
function ability(demand?: (media: Media | undefined) => void, before?: (run: Run<Options>) => Promise<void>): Ability<Options> {
  return {
    count(ask) {
      demand?.(ask.input.media);
      messageBody(ask.model.upstream, ask);
      demandCachePrice(ask);
      return workOf(ask);
    },
    async run(run) {
      await before?.(run);
      return answered(run);
    },
  };
}

function workOf({ model, ...ask }: Ask): Workload {
  return { ...textWorkload(claudeTokens)({ model, ...ask }), inputTokens: inputTokensOf(model.upstream, ask) };
}
function inputTokensOf(model: string, { input, parameters }: Asked): number {
  const words = claudeTokens(questionOf({ input, parameters })) + claudeTokens(systemOf(parameters));
  return words + (input.media ? fileTokens(input.media, sightOf(model)) : 0);
}
/** A page of a document is read and looked at. */
function fileTokens({ bytes, facts }: Media, sight: ClaudeSight): number {
  if (facts.kind === 'image') return claudeImageTokens(facts, sight);
  if (facts.kind === 'document' && facts.format === 'pdf') return facts.pages * (PAGE_TEXT_TOKENS + sight.tokens);
  return claudeTokens(bytes.toString());
}

function demandPicture(media: Media | undefined): void {
  if (media?.facts.kind !== 'image') throw new Refusal('bad-request', 'There is no picture in the input');
  const { width, height } = media.facts;
  if (base64Length(media.bytes) > IMAGE_B64_MAX)
    throw new Refusal('bad-request', `'image' is longer than ${IMAGE_B64_MAX} characters as base64; it is not made smaller here`);
  if (Math.max(width, height) > IMAGE_SIDE_MAX)
    throw new Refusal('bad-request', `'image' has ${width} x ${height} pixels; ${IMAGE_SIDE_MAX} a side at most`);
}
function demandDocument(media: Media | undefined): void {
  if (media?.facts.kind !== 'document' || !['pdf', 'text'].includes(media.facts.format))
    throw new Refusal('bad-request', 'There is no PDF or text in the input');
  if (base64Length(media.bytes) > DOCUMENT_B64_MAX)
    throw new Refusal('bad-request', `'document' is longer than ${DOCUMENT_B64_MAX} characters as base64`);
}
const base64Length = (bytes: Buffer): number => Math.ceil(bytes.length / 3) * 4;

/** What is put in the cache costs more than what is read: it is taken only where that is the price of all input. */
function demandCachePrice({ model: { pricing }, parameters }: Ask): void {
  const isPaid = pricing.per === 'million tokens' && pricing.cacheWrite !== undefined;
  if (cacheControlOf(parameters) && !isPaid) throw new Refusal('bad-request', "Parameter 'cache_control' is not for this model");
}

/**
 * A document is paid by its pages, which this node counted from the outside. The vendor counts the tokens for nothing: one that holds more than
 * it paid for is not run.
 */
async function demandPaidTokens(run: Run<Options>): Promise<void> {
  const { model, messages, system } = asFailure(() => messageBody(run.model, run));
  const json = { model, messages, ...(system !== undefined && { system }) };
  const body = await callJson(run, { ...callOf(run, 'messages/count_tokens'), json });
  const counted: unknown = isRecord(body) ? body['input_tokens'] : undefined;
  if (typeof counted !== 'number') throw malformed('a count of tokens without a number');
  const paid = inputTokensOf(run.model, run) + TOKENS_AROUND;
  if (counted > paid)
    throw new ProviderFailure('refused', `The document holds ${counted} tokens, more than its pages stand for (${paid})`, false);
}
/** What the vendor puts around any request. */
const TOKENS_AROUND = 500;

async function answered(run: Run<Options>): Promise<Outcome> {
  const completions = run.type === 'text_completion' ? Number(run.parameters['number_of_completions_to_generate'] ?? 1) : 1;
  const replies: MessageReply[] = [];
  for (let i = 0; i < completions; i++) replies.push(await replyTo(run));
  return { ...completionsOutput(replies.map(({ text }) => text)), files: ['NA'], usage: usageOf(replies) };
}

async function replyTo(run: Run<Options>): Promise<MessageReply> {
  const json = { ...asFailure(() => messageBody(run.model, run)), stream: true };
  const reader = new MessageReader({ now: run.clock.now(), secret: run.options.key });
  for await (const event of callEvents(run, { ...callOf(run, 'messages'), json })) if (reader.take(event)) break;
  return reader.reply();
}

function usageOf(replies: readonly MessageReply[]): Outcome['usage'] {
  return {
    inputTokens: summed(replies.map((reply) => reply.inputTokens)),
    outputTokens: summed(replies.map((reply) => reply.outputTokens)),
  };
}
