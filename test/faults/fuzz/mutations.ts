import { isJsonObject, PythonNumber, writeJson, type Json, type JsonObject } from '#protocol';
import { pick } from '../contract.js';

type Chance = () => number;
export const upTo = (chance: Chance, most: number): number => Math.floor(chance() * most);

const LEXEMES = [
  '0', '-0', '-1', '1.0', '1e400', '-1e-400', '9007199254740993', `1${'0'.repeat(399)}`, '0.1000', '1E2', '2147483648', '1e16',
].map((lexeme) => PythonNumber.read(lexeme)); // prettier-ignore
const TEXTS = [
  '', ' ', '\0', '\ud800', '\u202e', '__proto__', 'constructor', 'null', 'true', 'NaN', '[]', '{}', '{"a": 1}', '[[[[[[[[', '"', '\\', '%s%n',
  "' OR 1=1 --", '../../etc/passwd', '1.0', '1e5', 'é日本😀', '2026-01-05T12:00:00Z', '0b1f5a3e-2d0c-4d38-9a2e-3f6a2b1c4d5e', 'jX',
  'a'.repeat(2_000), '{"a":'.repeat(40), '='.repeat(8), '\r\nX: y', 'AAAA', '////',
]; // prettier-ignore
const KEYS = ['__proto__', 'constructor', 'toString', '', 'id', 'a', 'hasOwnProperty'];

export function anyText(chance: Chance): string {
  if (chance() < 0.7) return pick(chance, TEXTS);
  return Array.from({ length: upTo(chance, 40) }, () => String.fromCharCode(upTo(chance, chance() < 0.5 ? 128 : 65_536))).join(
    '',
  );
}
function anyJson(chance: Chance, depth = 0): Json {
  switch (upTo(chance, depth > 4 ? 4 : 6)) {
    case 0:
      return pick(chance, LEXEMES);
    case 1:
      return chance() < 0.5;
    case 2:
      return null;
    case 3:
      return anyText(chance);
    case 4:
      return Array.from({ length: upTo(chance, 4) }, () => anyJson(chance, depth + 1));
    default: {
      const members = Object.create(null) as JsonObject;
      for (let i = upTo(chance, 4); i > 0; i--) members[pick(chance, KEYS)] = anyJson(chance, depth + 1);
      return members;
    }
  }
}

/** One character, a piece, or all of it. */
export function changedText(chance: Chance, text: string): string {
  const [at, end] = [upTo(chance, text.length + 1), upTo(chance, text.length + 1)];
  switch (upTo(chance, 8)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1);
    case 2:
      return text.slice(0, at) + anyText(chance) + text.slice(at);
    case 3:
      return text.slice(0, at) + String.fromCharCode(upTo(chance, 256)) + text.slice(at + 1);
    case 4:
      return text.slice(0, end) + text.slice(at);
    case 5:
      return anyText(chance);
    case 6:
      return text.slice(0, at) + text.slice(at).toUpperCase();
    default:
      return text + pick(chance, [' ', '\n', '=', '\0', ',', '}', text.slice(0, 64)]);
  }
}

function changedValue(chance: Chance, value: Json): Json {
  if (chance() < 0.25) return anyJson(chance);
  if (typeof value === 'string') return changedText(chance, value);
  if (value instanceof PythonNumber) {
    const next = [value.value + 1, -value.value, value.value * 1e9].map((n) => PythonNumber.float(n));
    return pick(chance, [...next, ...LEXEMES]);
  }
  if (typeof value === 'boolean') return !value;
  return anyJson(chance);
}
/** The same with one place in it changed; the one that is given stays as it is. */
export function changedJson(chance: Chance, value: Json): Json {
  if (Array.isArray(value) && value.length > 0 && chance() < 0.9) {
    const items = [...value];
    const at = upTo(chance, items.length);
    if (chance() < 0.2) items.splice(at, 1);
    else if (chance() < 0.2) items.push(items[at]!);
    else items[at] = changedJson(chance, items[at]!);
    return items;
  }
  if (isJsonObject(value) && Object.keys(value).length > 0 && chance() < 0.95) {
    const members = Object.assign(Object.create(null) as JsonObject, value);
    const key = pick(chance, Object.keys(value));
    if (chance() < 0.1) delete members[key];
    else if (chance() < 0.1) members[pick(chance, KEYS)] = anyJson(chance);
    else members[key] = changedJson(chance, value[key]!);
    return members;
  }
  return changedValue(chance, value);
}
/** Its text, changed as a value, as a text, or both. */
export function changedJsonText(chance: Chance, value: Json): string {
  let changed = value;
  if (chance() < 0.85) for (let i = 1 + upTo(chance, 3); i > 0; i--) changed = changedJson(chance, changed);
  const text = writeJson(changed);
  return chance() < 0.3 ? changedText(chance, text) : text;
}

const WORDS = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff, 0xfffffffe];
/** A few bytes, words, or pieces. Never much longer than it was. */
export function changedBytes(chance: Chance, bytes: Buffer): Buffer {
  if (chance() < 0.05) return Buffer.from(Array.from({ length: upTo(chance, 200) }, () => upTo(chance, 256)));
  let changed = Buffer.from(bytes);
  for (let i = 1 + upTo(chance, 4); i > 0 && changed.length > 0; i--) {
    // The beginning of a file says most about it.
    const at = upTo(chance, chance() < 0.6 ? Math.min(changed.length, 128) : changed.length);
    switch (upTo(chance, 6)) {
      case 0:
        changed[at] = changed[at]! ^ (1 << upTo(chance, 8));
        break;
      case 1:
        changed[at] = upTo(chance, 256);
        break;
      case 2:
        if (changed.length - at >= 4) {
          if (chance() < 0.5) changed.writeUInt32BE(pick(chance, WORDS), at);
          else changed.writeUInt32LE(pick(chance, WORDS), at);
        }
        break;
      case 3:
        changed = changed.subarray(0, at);
        break;
      case 4:
        changed = Buffer.concat([changed.subarray(0, at), changed.subarray(at + 1 + upTo(chance, 16))]);
        break;
      default:
        changed = Buffer.concat([changed.subarray(0, at), changed.subarray(Math.max(0, at - upTo(chance, 64)))]);
    }
  }
  return changed;
}
