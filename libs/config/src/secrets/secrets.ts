/** What stands where a secret was. */
export const REDACTED = '[redacted]';

/** A shorter secret is not looked for: it would be struck out of words that have nothing to do with it. */
export const SECRET_CHARACTERS_MIN = 8;

/** Every way in which a secret may stand in a text: as it is, in JSON (in JSON), in an address or a form, in base64 between other bytes. */
export function formsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const ascii = json.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const url = encodeURIComponent(secret.toWellFormed());
  const strict = url.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const quoted = [url, strict, new URLSearchParams([['', secret]]).toString().slice(1), encodeURI(secret.toWellFormed())];
  const plain = [secret, json, ascii, JSON.stringify(json).slice(1, -1), JSON.stringify(ascii).slice(1, -1), ...quoted];
  const lower = quoted.map((form) => form.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()));
  return [...new Set([...plain, ...lower, ...base64Of(secret)])].filter(({ length }) => length >= SECRET_CHARACTERS_MIN);
}

/** At each of the three offsets, without the characters that the neighbours have a share in. */
function base64Of(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((offset) => {
    const begin = Math.ceil((offset * 8) / 6);
    const end = Math.floor(((offset + bytes.length) * 8) / 6);
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .slice(begin, end);
    return [text, text.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** The secrets of this node, for whoever shows a text to others. */
export class Secrets {
  private readonly forms: readonly string[];
  constructor(secrets: readonly string[]) {
    const long = secrets.filter(({ length }) => length >= SECRET_CHARACTERS_MIN);
    // Longest first: one secret may begin another.
    this.forms = [...new Set(long.flatMap(formsOf))].sort((left, right) => right.length - left.length);
  }
  /** The text without them. */
  strike(text: string, mark = REDACTED): string {
    return this.forms.reduce((rest, form) => rest.replaceAll(form, () => mark), text);
  }
}
