import type { Environment } from '#config';
import {
  type Ability,
  type Ask,
  type FailureCode,
  type MediaFacts,
  type Model,
  type Outcome,
  type Provider,
  type ReportedUsage,
  type Run,
  type Surroundings,
  type Workload,
} from '../provider.js';
import { type ChatAnswer, ChatReader, type ChatReply } from './chat-answer.js';
import { type Telling, toldParameters } from './chat-parameters.js';
import { embeddingOutcome, idsIn, summed } from './answers.js';
import { asFailure, isRecord, malformed } from './failures.js';
import { type Call, callEvents, callJson } from './http.js';
import { completionsOutput, embeddingWorkload, estimateTokens, textWorkload, type TokenCounter } from './text.js';
import { ownUrls, type VendorOptions } from './vendor.js';

type Body = Record<string, unknown>;

/** What the operator sets of a vendor that speaks this dialect. */
export interface ChatOptions extends VendorOptions {
  /** Asks for a stream, where the dialect has one. */
  readonly stream?: boolean;
}

/** `/chat/completions` and `/embeddings` as most vendors speak them, with the differences as data. */
export interface ChatDialect<Options extends ChatOptions = ChatOptions> {
  readonly name: string;
  readonly title: string;
  setUp(env: Environment): Options | undefined;
  readonly types: readonly ('text_completion' | 'ask_question_about_an_image' | 'embedding')[];
  /** How the parameters of a model are told; one table, or one for each sort of model. */
  readonly parameters: Telling | ((model: string) => Telling);
  readonly embeddingParameters?: Telling;
  /** `usage on request`: the stream tells its usage only if `stream_options` says so. */
  readonly streams: 'usage on request' | 'usage always' | 'never';
  /** Silent for so long is dead. */
  readonly idleMs?: number;
  /** Several completions in one call, where the model can; otherwise one call each. */
  readonly completionsAtOnce?: (model: string) => boolean;
  /** Repetitions with the same Idempotency-Key are answered once. */
  readonly idempotent?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where the vendor means something else by a status. */
  readonly statuses?: Readonly<Record<number, FailureCode>>;
  /** Answers 200 only to a good key, and costs nothing; `/models` if not said. */
  readonly checkPath?: string;
  /** A third of the bytes if not said. */
  readonly counter?: (text: string, model: Model) => number;
  readonly imageTokens?: (image: MediaFacts & { kind: 'image' }, ask: Ask) => number;
  /** Last change to what is to be paid. */
  readonly workload?: (work: Workload, ask: Ask) => Workload;
  /** Last change to the body of a question. */
  readonly body?: (body: Body, run: Run<Options>) => Body;
  /** What is stored of a text completion; the text, or numbered texts, if not said. */
  readonly output?: (answers: readonly ChatAnswer[], run: Run<Options>) => Pick<Outcome, 'output' | 'outputText'>;
  readonly models?: NonNullable<Provider<Options>['models']>;
  /** `/models` names everything that can be asked for, so that what it does not name is not offered. */
  readonly listsAll?: boolean;
  readonly concurrencyMax?: number;
}

export function chatProvider<Options extends ChatOptions>(dialect: ChatDialect<Options>): Provider<Options> {
  const { name, title, types, models, concurrencyMax } = dialect;
  const all: Record<(typeof types)[number], Ability<Options>> = {
    text_completion: { count: (ask) => counted(dialect, ask), run: (run) => completed(dialect, run) },
    ask_question_about_an_image: { count: (ask) => counted(dialect, ask), run: (run) => completed(dialect, run) },
    embedding: {
      count: (ask) => {
        toldParameters(dialect.embeddingParameters ?? {}, ask.parameters, 0);
        return embeddingWorkload(counterOf(dialect, ask))(ask);
      },
      run: (run) => embedded(dialect, run),
    },
  };
  return {
    name,
    title,
    setUp: (env) => dialect.setUp(env),
    abilities: Object.fromEntries(types.map((type) => [type, all[type]])),
    ownUrls,
    ...(models && { models }),
    ...(dialect.listsAll && { available: (offered, around) => availableOf(dialect, offered, around) }),
    ...(concurrencyMax && { concurrencyMax }),
    checkKey: async (around) => {
      await callJson(around, {
        ...callOf(dialect, around, dialect.checkPath ?? '/models'),
        method: 'GET',
        timeoutMs: CHECK_TIMEOUT_MS,
      });
    },
  };
}

const CHECK_TIMEOUT_MS = 15_000;

/** A list without any name says nothing, and then all are offered. */
async function availableOf<O extends ChatOptions>(
  dialect: ChatDialect<O>,
  models: readonly Model[],
  around: Surroundings<O>,
): Promise<readonly Model[]> {
  const call: Call = { ...callOf(dialect, around, '/models'), method: 'GET', timeoutMs: CHECK_TIMEOUT_MS };
  const names = new Set(idsIn(await callJson(around, call)));
  return names.size > 0 ? models.filter(({ upstream }) => names.has(upstream)) : models;
}

const callOf = <O extends ChatOptions>(
  dialect: ChatDialect<O>,
  { options: { url, key } }: Surroundings<O>,
  path: string,
): Call => ({
  url: url + path,
  headers: { ...dialect.headers, ...(key && { Authorization: `Bearer ${key}` }) },
  secret: key,
  ...(dialect.statuses && { statuses: dialect.statuses }),
  ...(dialect.idleMs && { idleMs: dialect.idleMs }),
});

const tableOf = <O extends ChatOptions>({ parameters }: ChatDialect<O>, model: string): Telling =>
  typeof parameters === 'function' ? parameters(model) : parameters;

const counterOf =
  <O extends ChatOptions>({ counter = estimateTokens }: ChatDialect<O>, { model }: Ask): TokenCounter =>
  (text) =>
    counter(text, model);

/** Reads the parameters as well, so that what the vendor would not take is refused before anybody pays. */
function counted<O extends ChatOptions>(dialect: ChatDialect<O>, ask: Ask): Workload {
  const { model, input, parameters } = ask;
  toldParameters(tableOf(dialect, model.upstream), parameters, 0);
  const count = counterOf(dialect, ask);
  const work = textWorkload(count)(ask);
  const described = ['tools', 'response_format']
    .map((name) => String(parameters[name] ?? ''))
    .filter((text) => text.startsWith('{') || text.startsWith('['));
  const facts = input.media?.facts;
  const image = facts?.kind === 'image' ? (dialect.imageTokens?.(facts, ask) ?? 0) : 0;
  const all = { ...work, inputTokens: described.map(count).reduce((sum, tokens) => sum + tokens, work.inputTokens) + image };
  return dialect.workload?.(all, ask) ?? all;
}

async function completed<O extends ChatOptions>(dialect: ChatDialect<O>, run: Run<O>): Promise<Outcome> {
  const completions = Number(run.parameters['number_of_completions_to_generate'] ?? 1);
  const atOnce = dialect.completionsAtOnce?.(run.model) ? completions : 1;
  const replies: ChatReply[] = [];
  for (let i = 0; i < completions; i += atOnce) replies.push(await replyTo(dialect, run, i, atOnce));
  const answers = replies.flatMap((reply) => reply.answers);
  const output = run.type === 'text_completion' ? dialect.output?.(answers, run) : undefined;
  return { ...(output ?? completionsOutput(answers.map(textOf))), files: ['NA'], usage: usageOf(replies) };
}

/** What the model wants to be called stands for a text that it did not write. */
export const textOf = ({ content, toolCalls }: ChatAnswer): string =>
  toolCalls.length > 0 ? JSON.stringify({ content, tool_calls: toolCalls }) : content;

async function replyTo<O extends ChatOptions>(
  dialect: ChatDialect<O>,
  run: Run<O>,
  first: number,
  count: number,
): Promise<ChatReply> {
  const isStreamed = dialect.streams !== 'never' && run.options.stream !== false;
  const json = bodyOf(dialect, run, { first, count, isStreamed });
  const key = dialect.idempotent && { idempotencyKey: `${run.idempotencyKey}-${first + 1}` };
  const call: Call = { ...callOf(dialect, run, '/chat/completions'), json, ...key };
  const reader = new ChatReader(count, { now: run.clock.now(), secret: run.options.key, statuses: dialect.statuses });
  if (isStreamed) for await (const event of callEvents(run, call)) if (reader.take(event)) break;
  if (!isStreamed) reader.take({ event: undefined, data: JSON.stringify(await callJson(run, call)) });
  const reply = reader.reply();
  if (reply.answers.length < count) throw malformed('fewer completions than were asked for');
  return reply;
}

interface Question {
  readonly first: number;
  readonly count: number;
  readonly isStreamed: boolean;
}
function bodyOf<O extends ChatOptions>(dialect: ChatDialect<O>, run: Run<O>, { first, count, isStreamed }: Question): Body {
  const { model, parameters } = run;
  const system = parameters['system_message'];
  const body: Body = {
    model,
    messages: [...(system ? [{ role: 'system', content: system }] : []), { role: 'user', content: contentOf(run) }],
    ...asFailure(() => toldParameters(tableOf(dialect, model), parameters, first)),
    stream: isStreamed,
    ...(isStreamed && dialect.streams === 'usage on request' && { stream_options: { include_usage: true } }),
    ...(count > 1 && { n: count }),
  };
  return dialect.body?.(body, run) ?? body;
}

/** An image travels as a data URI beside the question. */
function contentOf({ input: { text, media } }: Run<ChatOptions>): unknown {
  if (media?.facts.kind !== 'image') return text;
  const url = `data:image/${media.facts.format};base64,${media.bytes.toString('base64')}`;
  return [
    { type: 'text', text },
    { type: 'image_url', image_url: { url } },
  ];
}

async function embedded<O extends ChatOptions>(dialect: ChatDialect<O>, run: Run<O>): Promise<Outcome> {
  const told = asFailure(() => toldParameters(dialect.embeddingParameters ?? {}, run.parameters, 0));
  const key = dialect.idempotent && { idempotencyKey: run.idempotencyKey };
  const json = { model: run.model, input: run.input.text, ...told };
  const body = await callJson(run, { ...callOf(dialect, run, '/embeddings'), json, ...key });
  const list: unknown = isRecord(body) ? body['data'] : undefined;
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  const vector: unknown = isRecord(first) ? first['embedding'] : undefined;
  const usage =
    isRecord(body) && isRecord(body['usage']) ? { inputTokens: body['usage']['prompt_tokens'], outputTokens: 0 } : undefined;
  const outcome = embeddingOutcome(vector, usage);
  if (!outcome) throw malformed('an embedding that is no list of numbers');
  return outcome;
}

/** Nonsense stays nonsense, for the caller to judge; undefined where one call told nothing. */
function usageOf(replies: readonly ChatReply[]): ReportedUsage | undefined {
  const usages = replies.map(({ usage }) => usage);
  if (usages.some((usage) => usage === undefined)) return undefined;
  const sum = (name: string): unknown => summed(usages.map((usage) => usage?.[name]));
  return { inputTokens: sum('prompt_tokens'), outputTokens: sum('completion_tokens') };
}
