import { decodeBase64, decodeBase64Text, readJson, Refusal, STRANGERS_VALUES_MAX, type Json } from '#protocol';
import type { InferenceType, Input } from '../providers/provider.js';
import { flatObject, quotedText } from './flat-json.rules.js';
import { EXPECTED, mediaIn, refused, type Wanted } from './media/media.rules.js';

/** Far more than any model reads; larger bodies are stored and carried for nothing. */
const TEXT_B64_LENGTH_MAX = 8 * 2 ** 20;
/** A little less than a body may have. Half of it is the wrapping: files come as base64 in JSON in base64. */
const FILE_B64_LENGTH_MAX = 48 * 2 ** 20;
const QUESTION_LENGTH_MAX = 100_000;
/** Of what a model is shown page by page. */
const PAGES_SHOWN_MAX = 100;
const PAGES_READ_MAX = 5000;

/** The names under which clients wrap a prompt (inference spec 1.3). */
const WRAPPERS = ['prompt', 'imagePrompt', 'input_prompt', 'text'];
const QUERIES = [...WRAPPERS, 'query_text', 'query', 'question'];

/** How a type of work gets its file: under which name, and what must or may come with it. */
interface FileForm {
  readonly member: string;
  readonly wanted: Wanted;
  /** Names of the text that comes with it. */
  readonly texts: readonly string[];
  readonly isTextRequired: boolean;
}
const image = { member: 'image', wanted: { kind: 'image' } } as const;
const document = { member: 'document', texts: ['question'], isTextRequired: false } as const;
const upscale: FileForm = { ...image, texts: ['prompt'], isTextRequired: false };
const files: Readonly<Partial<Record<InferenceType, FileForm>>> = {
  ask_question_about_an_image: { ...image, texts: ['question'], isTextRequired: true },
  conservative_upscale: upscale,
  creative_upscale: upscale,
  analyze_document: { ...document, wanted: { kind: 'document', pagesMax: PAGES_SHOWN_MAX, office: false } },
  embedding_document: { ...document, wanted: { kind: 'document', pagesMax: PAGES_READ_MAX, office: true } },
  embedding_audio: { member: 'audio', wanted: { kind: 'audio' }, texts: ['question'], isTextRequired: false },
};

/** What a request of this type is about (inference spec 1.3). Throws a Refusal that names what is wrong with it, and what was expected. */
export function inputOf(type: InferenceType, inputB64: string): Input {
  const form = files[type];
  if (form) return fileInput(form, inputB64);
  // What is searched for may come as a parameter instead.
  if (type === 'semantic_search' || type === 'advanced_semantic_search') return { text: textIn(inputB64, QUERIES) };
  return { text: promptOf(inputB64) };
}

/**
 * The prompt in `model_input_data_json_b64`, decoded once: a JSON string is that string; an object whose one member is a string under
 * a known name is that string; anything else is the text as it stands. Refuses what is no base64 of UTF-8, and an empty prompt.
 */
export function promptOf(inputB64: string): string {
  const prompt = textIn(inputB64, WRAPPERS);
  if (prompt.trim() === '') throw new Refusal('bad-request', 'model_input_data_json_b64 holds no prompt');
  return prompt;
}

function textIn(inputB64: string, wrappers: readonly string[]): string {
  demandLength(inputB64, TEXT_B64_LENGTH_MAX);
  const text = textOfBase64(inputB64, 'model_input_data_json_b64');
  if (!/^\s*["{]/.test(text)) return text;
  const [member, ...others] = flatObject(text) ?? [];
  const wrapped = member && others.length === 0 && wrappers.includes(member[0]) ? member[1] : undefined;
  return wrapped ?? quotedText(text) ?? text;
}

/** An object with the file and a text; or the file alone, as it is, as base64 of it or as a data URI, the latter two also in quotes. */
function fileInput(form: FileForm, inputB64: string): Input {
  demandLength(inputB64, FILE_B64_LENGTH_MAX);
  const bytes = decodeBase64(inputB64);
  if (!bytes) throw new Refusal('bad-request', 'model_input_data_json_b64 is not base64');
  const members = beginsWith(bytes, '{') ? flatObject(bytes.toString()) : undefined;
  if (members?.has(form.member))
    return { text: textBeside(form, members), media: mediaOf(form, packedBytes(members.get(form.member)), `'${form.member}'`) };
  if (form.isTextRequired) throw refused('it', `is not ${objectOf(form)}`);
  return { text: '', media: mediaOf(form, bareBytes(form, bytes), 'it') };
}

function mediaOf({ wanted, ...form }: FileForm, bytes: Buffer | undefined, field: string) {
  const media = bytes && mediaIn(bytes, wanted, field);
  if (media) return media;
  throw refused(field, `is not base64 of ${EXPECTED[wanted.kind]}${field === 'it' ? `, nor ${objectOf(form)}` : ''}`);
}
const objectOf = ({ member, texts, isTextRequired }: Omit<FileForm, 'wanted'>): string =>
  `a JSON object with the texts '${member}' (base64 or a data URI) and '${texts[0]}'${isTextRequired ? '' : ' (optional)'}`;

function textBeside({ texts, isTextRequired }: FileForm, members: ReadonlyMap<string, string | undefined>): string {
  const name = texts.find((known) => members.has(known)) ?? texts[0]!;
  const text = members.get(name) ?? '';
  if (text.length > QUESTION_LENGTH_MAX) throw refused(`'${name}'`, `is longer than ${QUESTION_LENGTH_MAX} characters`);
  if (isTextRequired && text.trim() === '') throw refused(`'${name}'`, 'is not a text with something in it');
  return text;
}

/** A text that is itself base64 is the file that it stands for if it stands for one; otherwise it may be a document. */
function bareBytes({ wanted }: FileForm, bytes: Buffer): Buffer {
  const isQuoted = beginsWith(bytes, '"');
  const packed =
    isQuoted || isAscii(bytes) ? packedBytes(isQuoted ? quotedText(bytes.toString()) : bytes.toString('latin1')) : undefined;
  if (!packed) return bytes;
  return wanted.kind === 'document' && !packed.subarray(0, 1024).includes('%PDF-') && !beginsWith(packed, 'PK') ? bytes : packed;
}

const DATA_URI = /^data:[^,]{0,200};base64,/;
/** Of base64, or of a data URI with base64. */
function packedBytes(text: string | undefined): Buffer | undefined {
  return text === undefined ? undefined : decodeBase64(text.slice(DATA_URI.exec(text)?.[0].length ?? 0).trim());
}

/** Blanks in front do not count. */
function beginsWith(bytes: Buffer, sign: string): boolean {
  const from = bytes.subarray(0, 64).findIndex((byte) => !' \t\r\n'.includes(String.fromCharCode(byte)));
  return from >= 0 && bytes.toString('latin1', from, from + sign.length) === sign;
}
/** Looks at the beginning alone: what is no base64 shows there. */
const isAscii = (bytes: Buffer): boolean => bytes.subarray(0, 64).every((byte) => byte < 128);

function demandLength(inputB64: string, most: number): void {
  if (inputB64.length > most) throw new Refusal('bad-request', `model_input_data_json_b64 is longer than ${most} characters`);
}

/** The UTF-8 text in a field; the field is named in the refusal. */
export function textOfBase64(base64: string, field: string): string {
  const text = decodeBase64Text(base64);
  if (text === undefined) throw new Refusal('bad-request', `${field} is not base64 of UTF-8 text`);
  return text;
}

export function jsonOrNothing(text: string): Json | undefined {
  try {
    return readJson(text, STRANGERS_VALUES_MAX);
  } catch {
    return undefined;
  }
}
