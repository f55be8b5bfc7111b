/** Far more than any client sends along with a file. */
const MEMBERS_MAX = 16;
const PLAIN = /(?:null|true|false|-?\d[\d.eE+-]{0,30})(?=[\s,}])/y;

/** A text as JSON quotes it, and nothing else; `undefined` where it is not one. */
export function quotedText(json: string): string | undefined {
  const cursor = new Cursor(json);
  const text = cursor.text();
  return cursor.isAtEnd() ? text : undefined;
}

/**
 * The members of a JSON object that holds texts, of any length, and plain values, which are given as `undefined`. `undefined`: another value, an
 * object within the object, a name twice, or too many names. A file in a request is tens of megabytes: unlike a JSON parser this makes
 * nothing of them but the texts.
 */
export function flatObject(json: string): ReadonlyMap<string, string | undefined> | undefined {
  const cursor = new Cursor(json);
  const members = new Map<string, string | undefined>();
  if (!cursor.takes('{')) return undefined;
  if (cursor.takes('}')) return cursor.isAtEnd() ? members : undefined;
  for (let count = 0; count < MEMBERS_MAX; count++) {
    const name = cursor.text();
    if (name === undefined || members.has(name) || !cursor.takes(':')) return undefined;
    const text = cursor.text();
    if (text === undefined && !cursor.takesPlainValue()) return undefined;
    members.set(name, text);
    if (cursor.takes('}')) return cursor.isAtEnd() ? members : undefined;
    if (!cursor.takes(',')) return undefined;
  }
  return undefined;
}

class Cursor {
  private at = 0;
  constructor(private readonly json: string) {}

  takes(sign: string): boolean {
    this.skipBlank();
    if (this.json[this.at] !== sign) return false;
    this.at++;
    return true;
  }
  /** Moves on only over a text that is whole and well-formed. */
  text(): string | undefined {
    this.skipBlank();
    if (this.json[this.at] !== '"') return undefined;
    const end = this.endOfText();
    if (end < 0) return undefined;
    const text = parsedText(this.json.slice(this.at, end));
    if (text !== undefined) this.at = end;
    return text;
  }
  takesPlainValue(): boolean {
    this.skipBlank();
    PLAIN.lastIndex = this.at;
    const found = PLAIN.exec(this.json);
    if (found) this.at += found[0].length;
    return found !== null;
  }
  isAtEnd(): boolean {
    this.skipBlank();
    return this.at === this.json.length;
  }

  private skipBlank(): void {
    while (' \t\n\r'.includes(this.json[this.at] ?? 'x')) this.at++;
  }
  /** Behind the next quote that no backslash takes its meaning from. */
  private endOfText(): number {
    for (let quote = this.json.indexOf('"', this.at + 1); quote >= 0; quote = this.json.indexOf('"', quote + 1)) {
      let backslashes = 0;
      while (this.json[quote - 1 - backslashes] === '\\') backslashes++;
      if (backslashes % 2 === 0) return quote + 1;
    }
    return -1;
  }
}

function parsedText(quoted: string): string | undefined {
  try {
    const text: unknown = JSON.parse(quoted);
    return typeof text === 'string' && text.isWellFormed() ? text : undefined;
  } catch {
    return undefined;
  }
}
