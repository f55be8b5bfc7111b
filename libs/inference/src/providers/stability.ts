import { isBase64, Refusal } from '#protocol';
import { asFailure, isRecord, malformed, tooLarge } from './kit/failures.js';
import { ANSWER_BYTES_MAX, type Call, callBytes, callJson, jsonIn } from './kit/http.js';
import { keyAndUrl, ownUrls, type VendorOptions } from './kit/vendor.js';
import {
  type Ability,
  type Ask,
  type InferenceType,
  type Media,
  type Outcome,
  type ParameterValues,
  type Provider,
  ProviderFailure,
  type Run,
  type Surroundings,
  type Workload,
} from './provider.js';

interface Options extends VendorOptions {
  readonly key: string;
}

const CHECK_TIMEOUT_MS = 15_000;
const IMAGE_TIMEOUT_MS = 180_000;
/** It says that those who ask more often are turned away. */
const POLL_MS = 10_000;
const PROMPT_LENGTH_MAX = 10_000;
/** Of a picture that is stored. */
const IMAGE_B64_MAX = 24 * 2 ** 20;
const UPLOAD_BYTES_MAX = 10 * 2 ** 20;

/** What may be made larger, in pixels. */
interface Limits {
  readonly sideMin: number;
  readonly pixelsMin: number;
  readonly pixelsMax: number;
  readonly aspectMax?: number;
}
const limits = {
  conservative_upscale: { sideMin: 64, pixelsMin: 4096, pixelsMax: 9_437_184, aspectMax: 2.5 },
  creative_upscale: { sideMin: 64, pixelsMin: 4096, pixelsMax: 1_048_576 },
} satisfies Partial<Record<InferenceType, Limits>>;

/** Pictures made and made larger (inference spec 6.6). */
export const stability: Provider<Options> = {
  name: 'stability',
  title: 'Stability AI',
  setUp: keyAndUrl('STABILITY', 'Stability AI', 'https://api.stability.ai'),
  ownUrls,
  abilities: {
    text_to_image: { count: countPicture, run: made },
    conservative_upscale: upscale('conservative_upscale', madeLarger),
    creative_upscale: upscale('creative_upscale', madeLargerLater),
  },
  async checkKey(around) {
    const call: Call = { ...callOf(around, 'v1/user/balance'), method: 'GET', timeoutMs: CHECK_TIMEOUT_MS };
    const body = await callJson(around, call);
    if (!isRecord(body) || typeof body['credits'] !== 'number') throw malformed('a balance without credits');
  },
};

/** 403: the words or the picture were found improper. */
const callOf = ({ options: { url, key } }: Surroundings<Options>, path: string): Call => ({
  url: `${url}/${path}`,
  headers: { Authorization: `Bearer ${key}` },
  secret: key,
  timeoutMs: IMAGE_TIMEOUT_MS,
  statuses: { 403: 'refused' },
});

/** A picture is one call, whatever it shows. */
const oneCall: Workload = { inputTokens: 0, outputTokensMax: 0, completions: 1 };

/** The form is made for its refusals. */
function countPicture(ask: Ask): Workload {
  formOf(ask, ask.model.upstream);
  return oneCall;
}
function upscale(type: keyof typeof limits, run: Ability<Options>['run']): Ability<Options> {
  return {
    count(ask) {
      demandSize(ask.input.media, limits[type]);
      formOf(ask);
      return oneCall;
    },
    run,
  };
}

function demandSize(media: Media | undefined, { sideMin, pixelsMin, pixelsMax, aspectMax }: Limits): void {
  if (media?.facts.kind !== 'image' || media.facts.format === 'gif')
    throw new Refusal('bad-request', 'There is no PNG, JPEG or WebP picture in the input');
  const { width, height } = media.facts;
  const refuse = (expected: string): never => {
    throw new Refusal('bad-request', `'image' has ${width} x ${height} pixels; ${expected}`);
  };
  if (media.bytes.length > UPLOAD_BYTES_MAX) throw new Refusal('bad-request', `'image' is larger than ${UPLOAD_BYTES_MAX} bytes`);
  if (Math.min(width, height) < sideMin) refuse(`${sideMin} a side at least`);
  if (width * height < pixelsMin || width * height > pixelsMax) refuse(`from ${pixelsMin} to ${pixelsMax} in all`);
  if (aspectMax !== undefined && Math.max(width, height) > aspectMax * Math.min(width, height))
    refuse(`one side may be ${aspectMax} times the other at most`);
}

const ASPECT_RATIOS = ['16:9', '1:1', '21:9', '2:3', '3:2', '4:5', '5:4', '9:16', '9:21'];
const SD3 = /^sd3/;

/** The fields of a question, `model` where it is told in the form. Throws a Refusal. */
function formOf({ input, parameters }: Pick<Ask, 'input' | 'parameters'>, model?: string): FormData {
  const form = new FormData();
  const put = (name: string, text = textOf(parameters, name)): void => void (text === '' || form.set(name, text));
  const prompt = textOf(parameters, 'prompt') || input.text;
  if (prompt.trim() === '') throw new Refusal('bad-request', "Parameter 'prompt' is missing: what the picture shows");
  for (const [name, text] of [
    ['prompt', prompt],
    ['negative_prompt', textOf(parameters, 'negative_prompt')],
  ] as const)
    if (text.length > PROMPT_LENGTH_MAX)
      throw new Refusal('bad-request', `'${name}' is longer than ${PROMPT_LENGTH_MAX} characters`);
  put('prompt', prompt);
  put('output_format');
  put('seed');
  if (!model?.includes('turbo')) put('negative_prompt');
  if (model === undefined) {
    put('creativity');
    return form;
  }
  const aspect = textOf(parameters, 'aspect_ratio');
  if (aspect !== '' && !ASPECT_RATIOS.includes(aspect))
    throw new Refusal('bad-request', `Parameter 'aspect_ratio' is not one of ${ASPECT_RATIOS.join(', ')}`);
  put('aspect_ratio', aspect);
  put('style_preset');
  if (SD3.test(model)) put('model', model);
  return form;
}
const textOf = (parameters: ParameterValues, name: string): string => String(parameters[name] ?? '');

/** The same, when it was paid already. */
function paidForm(run: Run<Options>, model?: string): FormData {
  const form = asFailure(() => formOf(run, model));
  const { media } = run.input;
  if (media)
    form.set(
      'image',
      new Blob([new Uint8Array(media.bytes)], { type: `image/${media.facts.format}` }),
      `image.${media.facts.format}`,
    );
  return form;
}

/** `core`, `ultra`, or one of the models behind `sd3`. Clients take the `image` of what is stored (inference spec 3.7). */
async function made(run: Run<Options>): Promise<Outcome> {
  const { model } = run;
  const path = `v2beta/stable-image/generate/${SD3.test(model) ? 'sd3' : model}`;
  return imageOutcome(pictureIn(await callJson(run, { ...callOf(run, path), form: paidForm(run, model) })));
}

/** Here the picture alone is stored. */
async function madeLarger(run: Run<Options>): Promise<Outcome> {
  const call = { ...callOf(run, 'v2beta/stable-image/upscale/conservative'), form: paidForm(run) };
  return imageOutcome(pictureIn(await callJson(run, call)).image);
}

/** It is asked for the picture until that is there; the deadline of the run ends that, and so does whoever gives up waiting. */
async function madeLargerLater(run: Run<Options>): Promise<Outcome> {
  const begun = await callJson(run, { ...callOf(run, 'v2beta/stable-image/upscale/creative'), form: paidForm(run) });
  const id: unknown = isRecord(begun) ? begun['id'] : undefined;
  if (typeof id !== 'string' || !/^[\w-]{1,128}$/.test(id)) throw malformed('no name for the picture that is being made');
  const call = { ...callOf(run, `v2beta/stable-image/upscale/creative/result/${id}`), method: 'GET', ...JSON_ANSWER } as const;
  for (;;) {
    await run.clock.wait(POLL_MS, run.signal);
    if (run.signal.aborted || run.clock.now() >= run.deadline)
      throw new ProviderFailure('deadline_exceeded', 'The picture was not made in time', true);
    const { bytes, status } = await callBytes(run, call);
    if (status !== 202) return imageOutcome(pictureIn(jsonIn(bytes.toString())).image);
  }
}
const JSON_ANSWER = { accept: 'application/json', bytesMax: ANSWER_BYTES_MAX } as const;

interface Picture {
  /** Base64. */
  readonly image: string;
  readonly finish_reason: string;
  readonly seed: number;
}
/** What is made larger later comes under another name. */
function pictureIn(body: unknown): Picture {
  const { image, result, finish_reason, seed }: Record<string, unknown> = isRecord(body) ? body : {};
  if (finish_reason === 'CONTENT_FILTERED')
    throw new ProviderFailure('refused', 'The model service found the picture improper and does not give it out', false);
  const found = image ?? result;
  if (typeof found !== 'string' || found === '' || !isBase64(found)) throw malformed('no picture');
  if (found.length > IMAGE_B64_MAX) throw tooLarge();
  return {
    image: found,
    finish_reason: typeof finish_reason === 'string' ? finish_reason : 'SUCCESS',
    seed: Number.isSafeInteger(seed) ? (seed as number) : 0,
  };
}
const imageOutcome = (output: unknown): Outcome => ({ output, outputText: 'base64_image', files: ['NA'], usage: undefined });
