import { Refusal } from '#protocol';
import { embeddingOutcome, summed } from './kit/answers.js';
import { isRecord, malformed, parsed } from './kit/failures.js';
import { type Call, callBytes, callJson } from './kit/http.js';
import { sha3, withLink } from './kit/linked-file.js';
import { answering, atBest } from './kit/places.js';
import { completionsOutput, embeddingWorkload, textWorkload } from './kit/text.js';
import { llamaTokens } from './kit/tokens.js';
import {
  type Ability,
  type Ask,
  type Input,
  type Media,
  type Model,
  type Outcome,
  type ParameterValues,
  type Provider,
  ProviderFailure,
  type ReportedUsage,
  type Run,
  type Surroundings,
  type Workload,
} from './provider.js';

const SEARCH = 'search_stored_embeddings_with_query_string_for_semantic_similarity';
const ADVANCED_SEARCH = `advanced_${SEARCH}`;
const WORK_MS = 720_000;
const SENTENCES_MS = 60_000;
const PROBE_MS = 5000;
const NAMES_MAX = 1000;
const ZIP_BYTES_MAX = 24 * 2 ** 20;
const COMPLETIONS_MAX = 100;
/** A picture counts as so many tokens, whatever its size (inference spec 4.5). */
const IMAGE_TOKENS = 3000;
const COUNTED_AT_ONCE_MAX = 4;
const COUNTS_KEPT_MAX = 100;

/** Where the service runs, and what this node remembers of it. */
interface Options {
  /** The preferred one first. Without a `/` at their ends. */
  readonly places: readonly string[];
  readonly token: string | undefined;
  readonly addsModels: boolean;
  /** URLs of models that it was asked to download. */
  readonly added: Set<string>;
  readonly counts: { running: number; readonly known: Map<string, Sentences> };
}
type Around = Surroundings<Options>;
interface Sentences {
  readonly sentences: number;
  readonly tokens: number;
}

/** Free models on the operator's own machines: https://github.com/Dicklesworthstone/swiss_army_llama (inference spec 6.8). */
export const swissArmyLlama: Provider<Options> = {
  name: 'swiss-army-llama',
  title: 'Swiss Army Llama',
  setUp(env) {
    const local = env.optional('SWISS_ARMY_LLAMA_URL', 'Where Swiss Army Llama runs on this machine, e.g. http://localhost:8089');
    const remote = env.optional(
      'REMOTE_SWISS_ARMY_LLAMA_URL',
      'Where it runs elsewhere; preferred while it answers, and the local one takes over when it fails',
    );
    const token = env.secret('SWISS_ARMY_LLAMA_SECURITY_TOKEN', 'Its security token');
    const addsModels = env.flag(
      'SWISS_ARMY_LLAMA_ADD_MODELS',
      false,
      'Ask it to download the models of the menu that it does not have; each takes gigabytes',
    );
    const places = [remote, local].filter((url) => url !== undefined).map((url) => url.replace(/\/+$/, ''));
    for (const url of places)
      if (!URL.canParse(url) || !/^https?:/.test(url)) env.refuse('SWISS_ARMY_LLAMA_URL', `an http(s) URL, got '${url}'`);
    if (places.length === 0) return undefined;
    return { places, token, addsModels, added: new Set(), counts: { running: 0, known: new Map() } };
  },
  ownUrls: ({ places }) => places,
  fetchesFiles: true,
  abilities: {
    text_completion: { count: textWorkload(llamaTokens), run: completeText },
    embedding: { count: embeddingWorkload(llamaTokens), run: embedText },
    ask_question_about_an_image: {
      count: (ask) => ({ ...textWorkload(llamaTokens)(ask), inputTokens: IMAGE_TOKENS }),
      run: askAboutImage,
    },
    embedding_document: { count: countDocument, run: embedDocument },
    embedding_audio: { count: countAudio, run: embedAudio },
    semantic_search: search(SEARCH),
    advanced_semantic_search: search(ADVANCED_SEARCH),
  },
  async checkKey(around) {
    await listed(around);
  },
  async available(models, around) {
    const names = new Set((await listed(around)).flatMap((place) => place.names));
    const missing = models.filter(({ upstream }) => !names.has(upstream));
    if (around.options.addsModels) await Promise.all(missing.map((model) => addModel(around, model)));
    return models.filter(({ upstream }) => names.has(upstream));
  },
  concurrencyMax: 4,
};

const listed = (around: Around) => answering(around.options.places, (url) => namesAt(around, url));
/** The service only computes, so it may be asked again elsewhere. */
const atBestPlace = <T>(around: Around, model: string, work: (url: string) => Promise<T>): Promise<T> =>
  atBest(around, around.options.places, model, (url) => namesAt(around, url), work);

async function namesAt(around: Around, url: string): Promise<string[]> {
  const body = await callJson(around, {
    ...callOf(around, url, 'get_list_of_available_model_names'),
    method: 'GET',
    timeoutMs: PROBE_MS,
  });
  const names: unknown = isRecord(body) ? body['model_names'] : undefined;
  if (!Array.isArray(names)) throw malformed('no list of model names');
  return (names as unknown[]).filter((name): name is string => typeof name === 'string' && name !== '').slice(0, NAMES_MAX);
}

/** It answers when the download is over, which nobody waits for; while that runs it says so to everybody who asks again. */
async function addModel(around: Around, { entry: { model_url } }: Model): Promise<void> {
  const { added, places } = around.options;
  if (!/^https:\/\/\S+\.gguf$/.test(model_url) || added.has(model_url)) return;
  added.add(model_url);
  const call = callOf(around, places[0]!, 'add_new_model', { model_url });
  await callJson(around, { ...call, timeoutMs: PROBE_MS }).catch(() => undefined);
}

/** The token travels in the query: the service takes it nowhere else. It says 404 to an address that is not its own. */
const callOf = ({ options: { token } }: Around, url: string, path: string, params: Record<string, string> = {}): Call => ({
  url: `${url}/${path}/`,
  params: { ...params, ...(token && { token }) },
  secret: token,
  timeoutMs: WORK_MS,
  statuses: { 404: 'misconfigured' },
});

async function completeText(run: Run<Options>): Promise<Outcome> {
  const { model, input, parameters } = run;
  const json = {
    input_prompt: input.text,
    llm_model_name: model,
    temperature: Number(parameters['temperature'] ?? 0.7),
    number_of_tokens_to_generate: Number(parameters['number_of_tokens_to_generate'] ?? 1000),
    number_of_completions_to_generate: Number(parameters['number_of_completions_to_generate'] ?? 1),
    grammar_file_string: String(parameters['grammar_file_string'] ?? ''),
  };
  return atBestPlace(run, model, async (url) =>
    completionsIn(await callJson(run, { ...callOf(run, url, 'get_text_completions_from_input_prompt'), json }), json),
  );
}

async function askAboutImage(run: Run<Options>): Promise<Outcome> {
  const { model, input, parameters } = run;
  const { bytes, facts } = mediaOf(input);
  const asked = {
    number_of_tokens_to_generate: Number(parameters['number_of_tokens_to_generate'] ?? 256),
    number_of_completions_to_generate: Number(parameters['number_of_completions_to_generate'] ?? 1),
  };
  return atBestPlace(run, model, async (url) => {
    const form = new FormData();
    form.set('image', new Blob([new Uint8Array(bytes)], { type: `image/${facts.format}` }), `image.${facts.format}`);
    form.set('question', input.text);
    form.set('llm_model_name', model);
    form.set('temperature', String(parameters['temperature'] ?? 0.7));
    for (const [name, value] of Object.entries(asked)) form.set(name, String(value));
    return completionsIn(await callJson(run, { ...callOf(run, url, 'ask_question_about_image'), form }), asked);
  });
}

/** One entry a completion, each with its own usage as a text of JSON. */
function completionsIn(body: unknown, asked: { number_of_completions_to_generate: number }): Outcome {
  if (!Array.isArray(body)) throw malformedOrBusy(body, 'no list of completions');
  const entries = (body as unknown[]).slice(0, COMPLETIONS_MAX).filter(isRecord);
  const texts = entries.map((entry) => entry['generated_text']).filter((text) => typeof text === 'string');
  const wanted = asked.number_of_completions_to_generate;
  if (texts.length < wanted) throw malformed('fewer completions than were asked for');
  const answers = texts.slice(0, wanted).map((text) => text.toWellFormed());
  return { ...completionsOutput(answers), files: ['NA'], usage: usageOf(entries.slice(0, wanted)) };
}

function usageOf(entries: readonly Record<string, unknown>[]): ReportedUsage | undefined {
  const usages = entries.map((entry) => parsed(String(entry['llm_model_usage_json'])));
  if (!usages.every(isRecord)) return undefined;
  const sum = (name: string): unknown => summed(usages.map((usage) => usage[name]));
  return { inputTokens: sum('prompt_tokens'), outputTokens: sum('completion_tokens') };
}

/** The vector stands in the answer itself, or in a dictionary in it, as a list or as a text of one. */
async function embedText(run: Run<Options>): Promise<Outcome> {
  const { model, input, parameters } = run;
  const json = { text: input.text, llm_model_name: model, ...corpusAndPooling(parameters, 'mean') };
  return atBestPlace(run, model, async (url) => {
    const body = await callJson(run, { ...callOf(run, url, 'get_embedding_vector_for_string'), json });
    const inner = isRecord(body) && isRecord(body['text_embedding_dict']) ? body['text_embedding_dict'] : body;
    const told: unknown = isRecord(inner) ? (inner['embedding'] ?? parsed(String(inner['embedding_json']))) : undefined;
    const outcome = embeddingOutcome(told, undefined);
    if (!outcome) throw malformedOrBusy(body, 'an embedding that is no list of numbers');
    return outcome;
  });
}

const corpusAndPooling = (parameters: ParameterValues, pooling: string) => ({
  embedding_pooling_method: String(parameters['embedding_pooling_method'] ?? pooling),
  corpus_identifier_string: String(parameters['corpus_identifier_string'] ?? ''),
});

async function embedDocument(run: Run<Options>): Promise<Outcome> {
  const { model, input, parameters } = run;
  const query = queryOf(run);
  const isZip = parameters['send_back_json_or_zip_file'] !== 'json';
  const params = {
    llm_model_name: model,
    ...corpusAndPooling(parameters, 'svd'),
    json_format: String(parameters['json_format'] ?? 'records'),
    send_back_json_or_zip_file: isZip ? 'zip' : 'json',
    ...(query !== '' && { query_text: query }),
  };
  return withLink(run, mediaOf(input), (form) =>
    atBestPlace(run, model, async (url) => {
      const call = { ...callOf(run, url, 'get_all_embedding_vectors_for_document', params), form };
      const files = isZip ? ['zip'] : ['NA'];
      if (!isZip) return { output: await callJson(run, call), outputText: 'embedding_document', files, usage: undefined };
      const { bytes } = await callBytes(run, { ...call, accept: ZIP_TYPES, bytesMax: ZIP_BYTES_MAX });
      if (!bytes.subarray(0, 4).equals(ZIP_MAGIC)) throw malformed('something that is no zip file');
      return { output: bytes.toString('base64'), outputText: 'NA', files, usage: undefined };
    }),
  );
}
const ZIP_TYPES = 'application/zip, application/x-zip-compressed, application/octet-stream';
const ZIP_MAGIC = Buffer.from('PK\x03\x04', 'latin1');

async function embedAudio(run: Run<Options>): Promise<Outcome> {
  const { model, input, parameters } = run;
  const media = mediaOf(input);
  const query = queryOf(run);
  const given = corpusAndPooling(parameters, 'svd');
  // What is not put in a corpus stands in one of its own, named by its hash, so that it alone is searched.
  const corpus = { ...given, corpus_identifier_string: given.corpus_identifier_string || sha3(media.bytes) };
  const params = { compute_embeddings_for_resulting_transcript_document: 'true', llm_model_name: model, ...corpus };
  return withLink(run, media, (form) =>
    atBestPlace(run, model, async (url) => {
      const path = 'compute_transcript_with_whisper_from_audio';
      const transcript = await callJson(run, { ...callOf(run, url, path, params), form });
      if (!isRecord(transcript)) throw malformed('a transcript of another shape');
      const found = query === '' ? {} : { search_results: await searchAt(run, url, SEARCH, { query_text: query, ...corpus }) };
      return { output: { ...transcript, ...found }, outputText: 'embedding_audio', files: ['NA'], usage: undefined };
    }),
  );
}

const RESULTS_DEFAULT = 10;

function search(path: string): Ability<Options> {
  const isAdvanced = path === ADVANCED_SEARCH;
  return {
    count: (ask) => embeddingWorkload(llamaTokens)({ ...ask, input: { text: demandedQuery(ask) } }),
    run: (run) =>
      atBestPlace(run, run.model, async (url) => {
        const { parameters: values } = run;
        const output = await searchAt(run, url, path, {
          query_text: demandedQuery(run),
          number_of_most_similar_strings_to_return: values['number_of_most_similar_strings_to_return'] ?? RESULTS_DEFAULT,
          ...corpusAndPooling(values, 'svd_first_four'),
          ...(isAdvanced && {
            similarity_filter_percentage: values['similarity_filter_percentage'] ?? 0.01,
            result_sorting_metric: values['result_sorting_metric'] ?? 'hoeffding_d',
          }),
        });
        return { output, outputText: run.type, files: ['NA'], usage: undefined };
      }),
  };
}

async function searchAt(run: Run<Options>, url: string, path: string, question: object): Promise<unknown> {
  const json = { number_of_most_similar_strings_to_return: RESULTS_DEFAULT, ...question, llm_model_name: run.model };
  const body = await callJson(run, { ...callOf(run, url, path), json });
  if (!isRecord(body) || !Array.isArray(body['results'])) throw malformedOrBusy(body, 'no search results');
  return body;
}

/**
 * Three names are in use for the question that comes with a file, and they mean one thing (inference spec 4.5): `question` in the input, and the
 * parameters `query_text` and `query_string`. Two that differ are refused, since one of them would not be answered.
 */
function queryOf({ input, parameters }: Pick<Ask, 'input' | 'parameters'>): string {
  const given = [input.text, String(parameters['query_text'] ?? ''), String(parameters['query_string'] ?? '')];
  const different = new Set(given.map((text) => text.trim()).filter((text) => text !== ''));
  if (different.size > 1) throw new Refusal('bad-request', 'question, query_text and query_string say different things');
  return [...different][0] ?? '';
}
function demandedQuery(ask: Pick<Ask, 'input' | 'parameters'>): string {
  const query = queryOf(ask);
  if (query === '') throw new Refusal('bad-request', 'There is nothing to search for');
  return query;
}

function mediaOf({ media }: Input): Media {
  if (!media) throw new Refusal('bad-request', 'There is no file in the input');
  return media;
}

function countAudio(ask: Ask): Workload {
  const { facts } = mediaOf(ask.input);
  if (facts.kind !== 'audio') throw new Refusal('bad-request', 'The input is not a sound');
  return { inputTokens: 0, outputTokensMax: 0, completions: 1, seconds: facts.seconds, withQuery: queryOf(ask) !== '' };
}

/** The price goes by the sentences that the service finds. It is asked once for a file, and for a few files at a time. */
async function countDocument(ask: Ask, around: Around): Promise<Workload> {
  const media = mediaOf(ask.input);
  const withQuery = queryOf(ask) !== '';
  const { counts } = around.options;
  const hash = sha3(media.bytes);
  const counted = counts.known.get(hash) ?? (await countSentences(ask, media, around));
  counts.known.delete(hash);
  counts.known.set(hash, counted);
  if (counts.known.size > COUNTS_KEPT_MAX) counts.known.delete([...counts.known.keys()][0]!);
  return { inputTokens: counted.tokens, outputTokensMax: 0, completions: 1, sentences: counted.sentences, withQuery };
}

async function countSentences({ model }: Ask, media: Media, around: Around): Promise<Sentences> {
  const { counts, token } = around.options;
  if (counts.running >= COUNTED_AT_ONCE_MAX)
    throw new Refusal('too-many', 'Too many documents are being counted; try again soon');
  counts.running++;
  try {
    return await withLink(around, media, (form) => {
      // Here, and only here, the token is a field of the form.
      if (token) form.set('token', token);
      return atBestPlace(around, model.upstream, async (url) => {
        const call = { ...callOf(around, url, 'convert_document_to_sentences'), params: {}, form, timeoutMs: SENTENCES_MS };
        const body = await callJson(around, call);
        const sentences: unknown = isRecord(body) ? body['individual_sentences'] : undefined;
        if (!Array.isArray(sentences) || !sentences.every((sentence) => typeof sentence === 'string'))
          throw malformed('no list of sentences');
        return { sentences: sentences.length, tokens: llamaTokens(sentences.join(' ')) };
      });
    });
  } finally {
    counts.running--;
  }
}

/** It does not do the same thing twice at a time, and says so with a 200. */
const malformedOrBusy = (body: unknown, otherwise: string): ProviderFailure =>
  isRecord(body) && body['status'] === 'already processing'
    ? new ProviderFailure('unavailable', 'The model service is busy with the same request', true)
    : malformed(otherwise);
