import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FailureCode, InferenceType, MediaFacts, Model, ModelParameter, Workload } from '../../src/providers/index.js';
import { menuEntry } from '../../src/providers/kit/text.js';

export const FIXTURES = 'libs/inference/fixtures';
export const KEY = 'canary+0123456789/abcdef';

export interface WantedRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string | FormFile>>;
}
interface FormFile {
  readonly base64?: string;
  readonly file?: string;
  readonly filename?: string;
  readonly type?: string;
}
export interface FixtureEvent {
  readonly event?: string;
  readonly data?: unknown;
  readonly comment?: string;
}
export interface FixtureReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  readonly base64?: string;
  readonly file?: string;
  readonly events?: readonly FixtureEvent[];
}
export interface Exchange {
  readonly request: WantedRequest;
  readonly reply: FixtureReply;
}
export interface Case {
  /** The file's name without its end. */
  readonly name: string;
  readonly type: InferenceType;
  /** A name of the manifest, or a model as it stands. */
  readonly model: string | { readonly model: Model };
  readonly input: {
    readonly text: string;
    readonly media?: { readonly file?: string; readonly base64?: string; readonly facts: MediaFacts };
  };
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly exchanges?: readonly Exchange[];
  readonly advanceMs?: number;
  readonly workload?: Partial<Workload>;
  readonly outcome?: {
    readonly output?: unknown;
    readonly outputJson?: string;
    readonly outputText: string;
    readonly files: readonly string[];
    readonly usage: { readonly inputTokens?: unknown; readonly outputTokens?: unknown } | null;
  };
  readonly failure?: { readonly code: FailureCode; readonly retryable: boolean };
}
interface FixtureModel {
  readonly model_name: string;
  readonly upstream: string;
  readonly types?: readonly InferenceType[];
  readonly parameters?: readonly ModelParameter[];
}
export interface Manifest {
  readonly environment: Readonly<Record<string, string>>;
  readonly models: Readonly<Record<string, FixtureModel>>;
  readonly check?: Exchange;
  readonly usage?: { readonly input: string; readonly output?: string };
  readonly errors?: Readonly<Record<string, FailureCode>>;
  readonly errorBody?: unknown;
  readonly local?: boolean;
  readonly keyInQuery?: string;
  /** Values for parameters of the menu whose form cannot be guessed; `null` where it means nothing by itself. */
  readonly samples?: Readonly<Record<string, string | number | null>>;
}
export interface Fixtures {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly cases: readonly Case[];
}

/** `undefined` where there is no folder with a manifest and at least one case. */
export function fixturesOf(provider: string): Fixtures | undefined {
  const folder = join(FIXTURES, provider);
  if (!existsSync(join(folder, 'manifest.json'))) return undefined;
  const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const names = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'manifest.json');
  const cases = names.sort().map((name) => ({ ...(read(name) as Case), name: name.slice(0, -5) }));
  return cases.length === 0 ? undefined : { folder, manifest: read('manifest.json') as Manifest, cases };
}

export function modelOf({ manifest }: Fixtures, { model: name, type }: Case): Model {
  if (typeof name !== 'string') return name.model;
  const model = manifest.models[name];
  if (!model) throw new Error(`the manifest has no model '${name}'`);
  const entry = menuEntry({
    model_name: model.model_name,
    description: '',
    supported_inference_type_strings: model.types ?? [type],
    model_parameters: model.parameters ?? [],
  });
  return { entry, upstream: model.upstream, pricing: { per: 'million tokens', input: '1', output: '1' } };
}

export const bytesOfFile = (
  folder: string,
  { base64, file }: { base64?: string | undefined; file?: string | undefined },
): Buffer => (base64 !== undefined ? Buffer.from(base64, 'base64') : readFileSync(join(folder, file!)));

/** `{key}` and `{server}` filled in, at any depth. */
export function filledIn<T>(value: T, server: string): T {
  return JSON.parse(JSON.stringify(value).replaceAll('{key}', KEY).replaceAll('{server}', server)) as T;
}

const FORMS = { json: 'application/json', text: 'text/plain; charset=utf-8', base64: 'application/octet-stream' } as const;

/** Head and body of a reply as they travel. */
export function wireOf(folder: string, reply: FixtureReply): { status: number; headers: Record<string, string>; body: Buffer } {
  const own = Object.fromEntries(Object.entries(reply.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const made = (type: string, body: Buffer) => ({ status: reply.status ?? 200, headers: { 'content-type': type, ...own }, body });
  if (reply.events) return made('text/event-stream; charset=utf-8', Buffer.from(reply.events.map(printed).join('')));
  if (reply.text !== undefined) return made(FORMS.text, Buffer.from(reply.text));
  if (reply.base64 !== undefined || reply.file !== undefined) return made(FORMS.base64, bytesOfFile(folder, reply));
  return made(FORMS.json, Buffer.from(reply.json === undefined ? '' : JSON.stringify(reply.json)));
}

export function printed({ event, data, comment }: FixtureEvent): string {
  if (comment !== undefined) return `: ${comment}\n\n`;
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return `${event === undefined ? '' : `event: ${event}\n`}${text
    .split('\n')
    .map((line) => `data: ${line}\n`)
    .join('')}\n`;
}
