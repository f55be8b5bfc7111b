import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Keys and passphrases are short; whatever is larger is another file. */
export const SECRET_BYTES_MAX = 8192;
const OTHERS = 0o077;
const KNOWS_MODES = process.platform !== 'win32';

/** What keeps a secret from being used: which setting is to be mended, and how. Never holds the secret. */
export class SecretProblem extends Error {
  override readonly name = 'SecretProblem';
  constructor(
    readonly setting: string,
    readonly expected: string,
  ) {
    super(`${setting}: expected ${expected}`);
  }
}

export interface SmallFile {
  readonly text: string;
  /** Somebody else than its owner may read or write it. */
  readonly isOpenToOthers: boolean;
}

/** A short, ordinary file; `undefined` where there is none. Throws an Error that says what is wrong, and nothing of what is in it. */
export function readSmallFile(path: string, bytesMax = SECRET_BYTES_MAX): SmallFile | undefined {
  let file: number;
  try {
    // A pipe would keep the program waiting.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new Error(`cannot be opened (${code ?? 'error'})`, { cause: error });
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new Error('is no ordinary file');
    const bytes = Buffer.alloc(bytesMax + 1);
    const length = readAll(file, bytes);
    if (length > bytesMax) throw new Error(`is larger than ${bytesMax} bytes`);
    return { text: bytes.toString('utf8', 0, length), isOpenToOthers: KNOWS_MODES && (stat.mode & OTHERS) !== 0 };
  } finally {
    closeSync(file);
  }
}

function readAll(file: number, bytes: Buffer): number {
  let length = 0;
  for (let read = -1; read !== 0 && length < bytes.length; length += read)
    read = readSync(file, bytes, length, bytes.length - length, null);
  return length;
}

/** What a file or a pipe hands over as one secret: the line end that editors and `echo` add does not belong to it. */
export const withoutLineEnd = (text: string): string => text.replace(/\r?\n$/, '');

/** Why a text cannot serve as a secret. */
export function faultOfSecret(value: string): string | undefined {
  if (value === '') return 'something in it';
  if (Buffer.byteLength(value) > SECRET_BYTES_MAX) return `at most ${SECRET_BYTES_MAX} bytes`;
  return /[\u0000-\u001f\u007f]/.test(value) ? 'one line of text without control characters' : undefined;
}
