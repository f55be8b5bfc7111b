import { PythonNumber } from './python-number.js';

/**
 * Compact JSON as it goes over the wire; numbers print as they were written. Members print in their own order and
 * `undefined` ones not at all, so a message prints its fields as declared.
 */
export function writeJson(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (value instanceof PythonNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`;
  if (typeof value !== 'object' || value instanceof Date) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${writeJson(member)}`).join(',')}}`;
}

/** Python's order of keys, by code point; JavaScript's is by UTF-16 unit. They differ above U+FFFF only. */
export function byCodePoint(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const [a, b] = [left.charCodeAt(i), right.charCodeAt(i)];
    if (a !== b) return a >= 0xd800 && b >= 0xd800 ? rank(a) - rank(b) : a - b;
  }
  return left.length - right.length;
}
/** Surrogates stand for the code points behind every other unit. */
const rank = (unit: number): number => (unit <= 0xdfff ? unit + 0x2000 : unit);

/** `json.dumps(value, ensure_ascii=False, sort_keys=True)`: the array rule of the hashed text (credit-packs spec 1.2). */
export const pythonJson = (value: unknown): string =>
  dumped(value, { text: JSON.stringify, keys: (object) => Object.keys(object).sort(byCodePoint) });

/** `json.dumps(value)`: ASCII only, members in their own order. */
export const pythonAsciiJson = (value: unknown): string => dumped(value, { text: asciiText, keys: Object.keys });

interface Style {
  text(value: string): string;
  keys(object: object): string[];
}
function dumped(value: unknown, style: Style): string {
  if (typeof value === 'string') return style.text(value);
  if (value === null || value === undefined) return 'null';
  if (value instanceof PythonNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map((item) => dumped(item, style)).join(', ')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const members = style.keys(value).map((key) => `${style.text(key)}: ${dumped((value as Record<string, unknown>)[key], style)}`);
  return `{${members.join(', ')}}`;
}

const asciiText = (text: string): string =>
  JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

const SORTED_LEVELS = 2;
/** The object rule of 1.2: the two outer levels sorted, indented by four, ASCII only. */
export function pythonIndentedJson(value: unknown, margin = '', level = 0): string {
  const deeper = `${margin}    `;
  const block = (open: string, lines: string[], close: string): string =>
    lines.length === 0 ? open + close : `${open}\n${lines.map((line) => deeper + line).join(',\n')}\n${margin}${close}`;
  if (Array.isArray(value)) {
    return block(
      '[',
      value.map((item) => pythonIndentedJson(item, deeper, level + 1)),
      ']',
    );
  }
  if (typeof value !== 'object' || value === null || value instanceof PythonNumber) return pythonAsciiJson(value);
  const keys = Object.keys(value);
  if (level < SORTED_LEVELS) keys.sort(byCodePoint);
  const member = (key: string): string =>
    `${asciiText(key)}: ${pythonIndentedJson((value as Record<string, unknown>)[key], deeper, level + 1)}`;
  return block('{', keys.map(member), '}');
}
