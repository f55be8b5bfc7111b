import type { InferenceType, Pricing, RawCosts } from '../providers/index.js';

/** Of a parameter set: as in the published menu, with a shorter name for the types it applies to. */
export interface MenuParameter {
  readonly name: string;
  readonly type: 'int' | 'float' | 'string';
  readonly default: number | string | null;
  readonly description: string;
  readonly types: readonly InferenceType[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly options?: readonly string[];
}

/** What a model does differently from its parameter sets. */
type ParameterChange = Partial<Pick<MenuParameter, 'default' | 'minimum' | 'maximum' | 'options'>>;

export interface MenuRow {
  /** What clients ask for. */
  readonly model_name: string;
  /** A provider of the registry. */
  readonly provider: string;
  /** The vendor's own name. */
  readonly upstream: string;
  readonly model_url?: string;
  readonly description: string;
  readonly types: readonly InferenceType[];
  /** Names of parameter sets. */
  readonly parameters: readonly string[];
  readonly overrides?: Readonly<Record<string, ParameterChange>>;
  readonly pricing: Pricing;
  /** With `"per": "raw"` alone: the numbers of each type (inference spec 1.5). */
  readonly credit_costs?: Readonly<Partial<Record<InferenceType, RawCosts>>>;
  /** Tokens. The price holds up to `input`; `output` bounds what may be asked for. */
  readonly limits?: { readonly input?: number; readonly output?: number };
  /** Where the price was read, and when it was told there: a day or a month. */
  readonly price_source: { readonly url: string; readonly date: string };
  /** A model of the original's menu: the name stays, and so does the price wherever it was not a mistake. */
  readonly original?: true;
  /** From this day on the vendor serves it no more: the successor runs in its place, or it is left out. */
  readonly retires?: { readonly on: string; readonly successor?: string };
  /** For people. */
  readonly note?: string;
}

/** The file `model_menu.json`, checked. */
export interface MenuFile {
  /** Grows with every change; a menu is never followed by one with a lower number. */
  readonly version: number;
  readonly published: string;
  readonly parameter_sets: Readonly<Record<string, readonly MenuParameter[]>>;
  readonly models: readonly MenuRow[];
}
