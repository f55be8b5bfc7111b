import type { AxiosInstance } from 'axios';
import type { Environment } from '#config';
import type { Clock } from '#protocol';

/** Sorts of work, by the names that travel in requests (inference spec 1.3). */
export const inferenceTypes = [
  'text_completion',
  'embedding',
  'ask_question_about_an_image',
  'analyze_document',
  'text_to_image',
  'conservative_upscale',
  'creative_upscale',
  'embedding_document',
  'embedding_audio',
  'semantic_search',
  'advanced_semantic_search',
] as const;
export type InferenceType = (typeof inferenceTypes)[number];

/** One setting that a user can make; published in the menu as it stands here (inference spec 1.2). */
export interface ModelParameter {
  readonly name: string;
  /** Clients understand these three alone. */
  readonly type: 'int' | 'float' | 'string';
  /** `null` or `""`: left out unless the user sets it. */
  readonly default: number | string | null;
  readonly description: string;
  readonly inference_types_parameter_applies_to: readonly InferenceType[];
  /** Values beyond are clamped. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** For strings: nothing else is taken. */
  readonly options?: readonly string[];
}

export type FileType = 'text' | 'base64' | 'image' | 'embedding' | 'json' | 'base64_image';

interface ModelField {
  readonly name: string;
  readonly file_type: FileType;
  readonly optional: boolean;
  readonly description: string;
  readonly inference_types_parameter_applies_to: readonly InferenceType[];
}

/** Unit-less numbers of a local model, by the names of the original (inference spec 1.5). */
export type RawCosts = Readonly<Record<string, number>>;

/** A model as the menu shows it: all eight keys, always (inference spec 1.1). */
export interface ModelMenuEntry {
  readonly model_name: string;
  readonly model_url: string;
  readonly description: string;
  readonly supported_inference_type_strings: readonly InferenceType[];
  readonly input_fields: readonly ModelField[];
  readonly output_fields: readonly ModelField[];
  readonly model_parameters: readonly ModelParameter[];
  readonly credit_costs: { readonly api_based_pricing: 1 } | Readonly<Partial<Record<InferenceType, RawCosts>>>;
}

/** An amount of USD as decimal text: exact, never a float. */
type Usd = string;

/** What a vendor asks. `cost.rules.ts` turns it into credits. */
export type Pricing =
  /** USD per million tokens. Where there is a `cacheWrite` price, input that is not cached costs it (inference spec 4.3). */
  | {
      readonly per: 'million tokens';
      readonly input: Usd;
      readonly output: Usd;
      readonly cachedInput?: Usd;
      readonly cacheWrite?: Usd;
      /** On top, for each completion. */
      readonly completion?: Usd;
    }
  | { readonly per: 'call'; readonly usd: Usd }
  /** The `credit_costs` of the menu entry, scaled by CREDIT_COST_MULTIPLIER_FACTOR (inference spec 4.5). */
  | { readonly per: 'raw' };

/** A model that this node may run: what clients see of it, and what only the node needs. */
export interface Model {
  readonly entry: ModelMenuEntry;
  /** The vendor's own name for it. */
  readonly upstream: string;
  readonly pricing: Pricing;
  /** What it reads at most at this price; longer requests are refused. */
  readonly inputTokensMax?: number;
}

/** Checked, clamped, defaults filled in. The same set is priced and executed. */
export type ParameterValues = Readonly<Record<string, number | string>>;

type DocumentFormat = 'pdf' | 'text' | 'docx' | 'pptx' | 'xlsx' | 'odt' | 'epub';

/** What a bounded look at the bytes of a file told. Pages are known of a PDF alone; anything else counts as one. */
export type MediaFacts =
  | { readonly kind: 'image'; readonly format: 'png' | 'jpeg' | 'webp' | 'gif'; readonly width: number; readonly height: number }
  | { readonly kind: 'document'; readonly format: DocumentFormat; readonly pages: number }
  | { readonly kind: 'audio'; readonly format: 'mp3' | 'wav' | 'flac' | 'ogg' | 'm4a'; readonly seconds: number };

export interface Media {
  readonly bytes: Buffer;
  readonly facts: MediaFacts;
}

/** The decoded input of a request, the same when it is priced and when it is run (inference spec 1.3). */
export interface Input {
  /** The prompt or the question; `''` where there is none. */
  readonly text: string;
  readonly media?: Media;
}

/** The most that a request can make the model do: what is paid for. Tokens are those of one completion. */
export interface Workload {
  readonly inputTokens: number;
  readonly outputTokensMax: number;
  readonly completions: number;
  /** Weight of the output tokens in percent, for models whose reasoning is paid as output; 100 if not set. */
  readonly outputPercent?: number;
  /** Part of `inputTokens` that this node knows to be cached; never what a client claims. */
  readonly cachedInputTokens?: number;
  /** Of a document. */
  readonly sentences?: number;
  /** Of a sound. */
  readonly seconds?: number;
  /** A question comes with the file. */
  readonly withQuery?: boolean;
}

/** Work that is asked for, before anybody pays. */
export interface Ask {
  readonly model: Model;
  readonly input: Input;
  readonly parameters: ParameterValues;
}

/** A file that can be fetched from this node. */
export interface OfferedFile {
  readonly url: string;
  /** Takes it away again; whoever offered it calls this when the work is over, however it went. */
  readonly release: () => Promise<void>;
}

/** Hands files to services of the operator's that want a link instead of the bytes. */
export interface Files {
  /** `ending`: such as `pdf`. Throws a {@link ProviderFailure} where there is no room for it. */
  offer(content: Uint8Array, ending?: string): Promise<OfferedFile>;
}

/** What a provider needs of the outside; nothing else is within its reach. */
export interface Surroundings<Options = unknown> {
  /** Bounded answers, no redirects, time-outs set, no private addresses but those of {@link Provider.ownUrls}. */
  readonly http: AxiosInstance;
  /** What {@link Provider.setUp} returned: the key, the base URL. */
  readonly options: Options;
  readonly clock: Clock;
  readonly files: Files;
  readonly signal: AbortSignal;
}

export interface Run<Options = unknown> extends Surroundings<Options> {
  /** The vendor's own name of the model. */
  readonly model: string;
  readonly type: InferenceType;
  readonly input: Input;
  readonly parameters: ParameterValues;
  /** After this instant nobody waits any more; `signal` aborts then. */
  readonly deadline: Date;
  /** The same for every attempt of one request. */
  readonly idempotencyKey: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
}

/** Tokens as the provider tells them; not to be believed before `soundUsage` has looked at them. */
export interface ReportedUsage {
  readonly inputTokens: unknown;
  readonly outputTokens: unknown;
}

export interface Outcome {
  /** Any JSON value; floats that must print as floats are `PythonNumber`s. */
  readonly output: unknown;
  /** The `output_text` of the file type strings (inference spec 3.7). */
  readonly outputText: string;
  /** The `output_files`; `['NA']` where there are none. */
  readonly files: readonly string[];
  readonly usage: ReportedUsage | undefined;
}

/** One sort of work of a provider. */
export interface Ability<Options = unknown> {
  /** Pure, but for services that must be asked how long a document is. Throws a Refusal for what cannot be done. */
  count(ask: Ask, surroundings: Surroundings<Options>): Workload | Promise<Workload>;
  /** Throws a {@link ProviderFailure}; ends soon after the signal aborts. */
  run(run: Run<Options>): Promise<Outcome>;
}

/** A model service: one plain object. Everything about it is read from here. `Options` is what the operator sets. */
export interface Provider<Options = unknown> {
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** Reads and names its variables; `undefined` where the operator has not set it up. Always reads all of them. */
  setUp(env: Environment): Options | undefined;
  readonly abilities: Readonly<Partial<Record<InferenceType, Ability<Options>>>>;
  /** Base URLs that the operator set: the only ones whose hosts may be private. */
  ownUrls?(options: Options): readonly string[];
  /** The services at {@link ownUrls} fetch what is offered to them as {@link Files}. */
  readonly fetchesFiles?: boolean;
  /** Those of its models of the menu file that it can run now; all of them if this is missing. Throws a {@link ProviderFailure}. */
  available?(models: readonly Model[], surroundings: Surroundings<Options>): Promise<readonly Model[]>;
  /** Models that the menu file does not hold: written here, or asked of the service. Throws a {@link ProviderFailure}. */
  models?(surroundings: Surroundings<Options>): Promise<readonly Model[]>;
  /** Whether the service is there and takes the key. Throws a {@link ProviderFailure} otherwise; must not cost anything. */
  checkKey(surroundings: Surroundings<Options>): Promise<void>;
  /** Requests that it runs at the same time; more wait their turn. */
  readonly concurrencyMax?: number;
}

export type FailureCode =
  /** This request is not served; another one may be. */
  | 'refused'
  /** The node's key, account or set-up is at fault: nothing is served until the operator mends it. */
  | 'misconfigured'
  /** Away, overloaded or broken; may pass. */
  | 'unavailable'
  | 'rate_limited'
  | 'malformed_answer'
  | 'deadline_exceeded'
  | 'answer_too_large';

/** The provider did not deliver. The text is shown to users: no key, no address in it. */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure';
  constructor(
    readonly code: FailureCode,
    message: string,
    /** Another attempt makes sense and harms nobody (docs/providers.md, outcomes). */
    readonly retryable: boolean,
    /** The service wants to be left alone for so long. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}
