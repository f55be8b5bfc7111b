import { REDACTED, Secrets } from '#config';

/** Nothing past this is looked at. */
const CHARACTERS_READ_MAX = 65_536;
/** At the cut, half a secret might stand; it goes with the rest of the tail. */
const TAIL_DROPPED = 1024;
const BASE64_SHOWN = 24;

const SECRET_NAMES = [
  'passw(?:or)?d',
  'passwd',
  'passphrase',
  'secret',
  'api[_-]?key',
  'private[_-]?key',
  'privkey',
  '(?:access|auth|bearer|operator|refresh|session|api)[_-]?token',
  'challenge[ _-]?signature',
  '(?:proxy-)?authorization',
  'cookie',
].join('|');
const PROMPT_NAMES = 'prompt|input_prompt|model_input_data|model_input_data_json|system_prompt|content|message_body';
/** In quotes of every depth of JSON inside JSON; a quote that is not closed runs to the end. */
const QUOTED = [
  String.raw`"(?:[^"\\]|\\[\s\S])*(?:"|\\?$)`,
  String.raw`'[^'\n]*(?:'|$|\n)`,
  String.raw`\\"[\s\S]*?(?:(?<!\\)\\"|$)`,
  String.raw`\\{2,7}"[\s\S]*?(?:\\{2,7}"|$)`,
].join('|');

interface Rule {
  readonly pattern: RegExp;
  readonly replacement: string | ((match: string, ...groups: string[]) => string);
}

/** In the order in which they are applied. */
const RULES: readonly Rule[] = [
  // https://user:password@host
  { pattern: /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/"'<>]{1,1024}@/gi, replacement: `$1${REDACTED}@` },
  {
    pattern:
      /\b((?:proxy-)?authorization["'\\]{0,8}\s{0,4}[:=]\s{0,4}["'\\]{0,8})(?!\[redacted)(?:(?:basic|bearer|digest|token)\s+)?[^\s"'\\,;}]+/gi,
    replacement: `$1${REDACTED}`,
  },
  // The scheme and the secret alone; `Basic authentication` is none.
  {
    pattern: /\b([Bb]asic|[Bb]earer)\s+(?=[\w.~+/-]*[A-Z0-9=])[\w.~+/-]{8,}={0,2}/g,
    replacement: `$1 ${REDACTED}`,
  },
  // A value under a telling name: passphrase=..., "api_key": "...", rpcpassword => ...
  {
    pattern: new RegExp(
      String.raw`((?:${SECRET_NAMES})\w{0,32}["'\\]{0,8}\s{0,4}(?:[:=]|=>)\s{0,4})(?!\[redacted)(?:${QUOTED}|[^\s,;&}\])"']+)`,
      'gi',
    ),
    replacement: `$1${REDACTED}`,
  },
  // Keys of well-known services and JSON web tokens, by their shape.
  {
    pattern: /\bsk-[\w-]{16,}|\bgh[pousr]_\w{20,}|\bxox[a-z]-[\w-]{10,}|\bAKIA[A-Z0-9]{16}\b|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
    replacement: REDACTED,
  },
  {
    pattern: new RegExp(String.raw`("(?:${PROMPT_NAMES})\\{0,7}"\s{0,4}:\s{0,4})(${QUOTED})`, 'gi'),
    replacement: (_match, name, value) => `${name}"[${value.length} characters cut]"`,
  },
  {
    pattern: /[A-Za-z0-9+/_-]{200,}={0,2}/g,
    replacement: (match) =>
      /^(.)\1*$/.test(match) ? match : `${match.slice(0, BASE64_SHOWN)}[${match.length - BASE64_SHOWN} characters cut]`,
  },
];

/** Takes secrets out of a text. */
export type Redaction = (text: string) => string;

/**
 * Takes out the given secrets, wherever and however printed, and what looks like one: values under telling names, credentials in
 * URLs, Authorization headers, keys of well-known services. Prompts and long base64 are cut. Time is linear in the text.
 */
export function redactionOf(secrets: readonly string[]): Redaction {
  const known = new Secrets(secrets);
  return (text) => {
    const isCut = text.length > CHARACTERS_READ_MAX;
    let result = known.strike(isCut ? text.slice(0, CHARACTERS_READ_MAX) : text);
    for (const { pattern, replacement } of RULES) {
      result = result.replace(pattern, replacement as string);
    }
    return isCut ? `${result.slice(0, -TAIL_DROPPED)}... [cut from ${text.length} characters]` : result;
  };
}
