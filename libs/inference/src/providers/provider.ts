import type { AxiosInstance } from 'axios';
import type { Clock } from '#protocol';

/** Sorts of work, by the names that travel in requests (inference spec 1.3). */
export type InferenceType = 'text_completion' | 'embedding';

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

interface ModelField {
  readonly name: string;
  readonly file_type: 'text' | 'embedding';
  readonly optional: boolean;
  readonly description: string;
  readonly inference_types_parameter_applies_to: readonly InferenceType[];
}

/** A model as the menu shows it: all eight keys, always (inference spec 1.1). */
export interface ModelMenuEntry {
  readonly model_name: string;
  readonly model_url: string;
  readonly description: string;
  readonly supported_inference_type_strings: readonly InferenceType[];
  readonly input_fields: readonly ModelField[];
  readonly output_fields: readonly ModelField[];
  readonly model_parameters: readonly ModelParameter[];
  readonly credit_costs: { readonly api_based_pricing: 1 };
}

/** Checked, clamped, defaults filled in. The same set is priced and executed. */
export type ParameterValues = Readonly<Record<string, number | string>>;

/** The most that a request can make the model do. Tokens are those of one completion. */
export interface Workload {
  readonly inputTokens: number;
  readonly outputTokensMax: number;
  readonly completions: number;
}

/** What a provider needs of the outside; nothing else is within its reach. */
export interface Surroundings {
  /** Bounded answers, no redirects, time-outs set. */
  readonly http: AxiosInstance;
  readonly key: string | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Run extends Surroundings {
  readonly model: string;
  readonly input: string;
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

/** One sort of work of a provider. `count` and `price` are pure. */
export interface Ability {
  count(input: string, parameters: ParameterValues): Workload;
  /** USD for the whole request. */
  price(work: Workload, model: string): number;
  /** Throws a {@link ProviderFailure}; ends soon after the signal aborts. */
  run(run: Run): Promise<Outcome>;
}

/** A model service: one plain object. Everything about it is read from here. */
export interface Provider {
  readonly name: string;
  readonly key: string | undefined;
  readonly abilities: Readonly<Partial<Record<InferenceType, Ability>>>;
  /** What is on offer now; may ask the service. Throws a {@link ProviderFailure}. */
  models(surroundings: Surroundings): Promise<readonly ModelMenuEntry[]>;
  /** Whether the service is there and takes the key. Throws a {@link ProviderFailure} otherwise; must not cost anything. */
  checkKey(surroundings: Surroundings): Promise<void>;
}

export type FailureCode = 'refused' | 'unavailable' | 'malformed_answer' | 'deadline_exceeded' | 'answer_too_large';

/** The provider did not deliver. The text is shown to users: no key, no address in it. */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure';
  constructor(
    readonly code: FailureCode,
    message: string,
    readonly retryable: boolean,
  ) {
    super(message);
  }
}
