import { inflateSync } from 'node:zlib';

export interface PdfFacts {
  /** `undefined` where the pages cannot be counted within the limits here. */
  readonly pages: number | undefined;
  readonly isEncrypted: boolean;
}

/** Readers look for the header in the first kilobyte. */
const HEADER_WITHIN = 1024;
/** Dictionaries and object headers are looked for within this distance of a name. */
const WINDOW = 4096;
const NAMES_MAX = 50_000;
const PAGES_MAX = 10_000;
const STREAMS_MAX = 5000;
const STREAM_BYTES_MAX = 4 * 2 ** 20;
const INFLATED_BYTES_MAX = 32 * 2 ** 20;
/** How many times the file's size may be read to inflate it: streams do not overlap, so once is enough. */
const READINGS_MAX = 2;

/**
 * Pages of a PDF: objects of `/Type /Page`, each number once, so that a page that was edited and saved anew is one page. They stand in the file
 * as they are or in compressed object streams, which are inflated up to a limit. `undefined`: no PDF. Throws nothing, and takes time that grows
 * with the size alone.
 */
export function pdfFacts(bytes: Buffer): PdfFacts | undefined {
  if (!bytes.subarray(0, HEADER_WITHIN).includes('%PDF-')) return undefined;
  const counter = new PageCounter(bytes);
  try {
    return counter.isEncrypted() ? { pages: undefined, isEncrypted: true } : { pages: counter.count(), isEncrypted: false };
  } catch (error) {
    if (error instanceof Uncountable) return { pages: undefined, isEncrypted: false };
    throw error;
  }
}

class Uncountable extends Error {}

interface ObjectStream {
  /** Where its data begins. */
  readonly from: number;
  /** Objects in it. */
  readonly count: number;
  /** Where the first of them begins, in its data. */
  readonly first: number;
}

/** Every look at the file is counted; what goes on beyond all measure is given up. */
class PageCounter {
  private readonly pages = new Set<number | string>();
  private readonly left = { names: NAMES_MAX, pages: PAGES_MAX, streams: STREAMS_MAX, inflated: INFLATED_BYTES_MAX, read: 0 };

  constructor(private readonly bytes: Buffer) {
    this.left.read = bytes.length * READINGS_MAX;
  }

  isEncrypted(): boolean {
    for (const at of this.placesOf('/Encrypt')) {
      if (/^\/Encrypt\s*(?:\d{1,10}\s+\d{1,5}\s+R|<<)/.test(textOf(this.bytes, at, 40))) return true;
    }
    return false;
  }

  count(): number | undefined {
    for (const at of this.pagesIn(this.bytes)) this.pages.add(objectBefore(this.bytes, at) ?? `at ${at}`);
    for (const at of this.placesOf('/ObjStm')) {
      const stream = objectStreamAt(this.bytes, at);
      if (stream) this.takeStream(stream);
    }
    return this.pages.size > 0 ? this.pages.size : undefined;
  }

  /** An object stream begins with pairs of an object's number and its place behind `first`. */
  private takeStream({ from, count, first }: ObjectStream): void {
    this.spend('streams', 1);
    const content = this.inflated(from);
    const numbers = textOf(content, 0, Math.min(first, count * 24))
      .trim()
      .split(/\s+/)
      .map(Number);
    if (first > content.length || numbers.length < count * 2) throw new Uncountable();
    let index = 0;
    for (const at of this.pagesIn(content)) {
      while (index + 1 < count && first + numbers[(index + 1) * 2 + 1]! <= at) index++;
      this.pages.add(numbers[index * 2]!);
    }
  }

  /** The data of a stream ends where its own format says; what follows it in the file is of no interest. */
  private inflated(from: number): Buffer {
    const options = { info: true, maxOutputLength: Math.max(1, Math.min(this.left.inflated, STREAM_BYTES_MAX)) };
    try {
      const found = inflateSync(this.bytes.subarray(from, from + STREAM_BYTES_MAX), options) as unknown as Inflated;
      this.spend('inflated', found.buffer.length);
      this.spend('read', found.engine.bytesWritten);
      return found.buffer;
    } catch {
      throw new Uncountable();
    }
  }

  /** Where `/Page` stands as the value of `/Type`. */
  private *pagesIn(bytes: Buffer): Generator<number> {
    for (const at of this.placesOf('/Page', bytes)) {
      const next = bytes[at + 5];
      if (next !== undefined && !/[\s/<>[\]()%]/.test(String.fromCharCode(next))) continue;
      if (!isType(bytes, at)) continue;
      this.spend('pages', 1);
      yield at;
    }
  }

  private *placesOf(name: string, bytes = this.bytes): Generator<number> {
    for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + name.length)) {
      this.spend('names', 1);
      yield at;
    }
  }

  private spend(what: keyof typeof this.left, amount: number): void {
    this.left[what] -= amount;
    if (this.left[what] < 0) throw new Uncountable();
  }
}
/** What zlib gives with `info`. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

const textOf = (bytes: Buffer, from: number, length: number): string =>
  bytes.toString('latin1', from, Math.min(from + length, bytes.length));
const textBefore = (bytes: Buffer, at: number, length: number): string => bytes.toString('latin1', Math.max(0, at - length), at);
const isType = (bytes: Buffer, at: number): boolean => /\/Type\s*$/.test(textBefore(bytes, at, 16));

const HEADERS_TRIED_MAX = 8;
/** The number of the object that a place in the file belongs to: of the nearest `12 0 obj` before it. */
function objectBefore(bytes: Buffer, at: number): number | undefined {
  const text = textBefore(bytes, at, WINDOW);
  let end = text.lastIndexOf('obj');
  for (let tried = 0; end > 0 && tried < HEADERS_TRIED_MAX; tried++, end = text.lastIndexOf('obj', end - 1)) {
    const header = /(\d{1,10})\s{1,3}\d{1,5}\s{1,3}$/.exec(text.slice(Math.max(0, end - 24), end));
    if (header) return Number(header[1]);
  }
  return undefined;
}

/** `undefined`: the name does not belong to a stream. Throws Uncountable for one that is packed in another way than usual. */
function objectStreamAt(bytes: Buffer, at: number): ObjectStream | undefined {
  if (!isType(bytes, at)) return undefined;
  const before = textBefore(bytes, at, WINDOW);
  const after = textOf(bytes, at, WINDOW);
  const data = /\bstream(\r\n|\n|\r)/.exec(after);
  if (!data) throw new Uncountable();
  const dictionary = before.slice(Math.max(0, before.lastIndexOf('obj'))) + after.slice(0, data.index);
  const isUsual = /\/Filter\s*(?:\/FlateDecode|\[\s*\/FlateDecode\s*\])/.test(dictionary) && !dictionary.includes('/DecodeParms');
  const [count, first] = [/\/N\s+(\d{1,7})\b/, /\/First\s+(\d{1,8})\b/].map((number) =>
    Number(number.exec(dictionary)?.[1] ?? NaN),
  );
  if (!isUsual || Number.isNaN(count) || Number.isNaN(first)) throw new Uncountable();
  return { from: at + data.index + data[0].length, count: count!, first: first! };
}
