import { ChainUnavailable } from '#chain';
import { patoshisFromPsl, PythonNumber, type Json, type JsonObject } from '#protocol';

/** pasteld answered, but with a text that our parser refuses; asking again would bring the same. */
export class UnreadableReply extends ChainUnavailable {}

/** Reads pasteld's replies; what does not look as promised is no answer at all, hence {@link ChainUnavailable}. */
export class Reply {
  constructor(
    readonly method: string,
    readonly value: Json,
  ) {}

  get text(): string {
    return typeof this.value === 'string' ? this.value : this.odd('a text');
  }
  get integer(): number {
    return this.value instanceof PythonNumber && Number.isSafeInteger(this.value.value)
      ? this.value.value
      : this.odd('a whole number');
  }
  /** Exact patoshis of an amount in PSL. */
  get patoshis(): number {
    return (this.value instanceof PythonNumber ? patoshisFromPsl(this.value) : undefined) ?? this.odd('an amount');
  }
  get list(): Reply[] {
    return Array.isArray(this.value) ? this.value.map((item) => new Reply(this.method, item)) : this.odd('a list');
  }
  get object(): JsonObject {
    return isObject(this.value) ? this.value : this.odd('an object');
  }
  get entries(): [name: string, value: Reply][] {
    return Object.entries(this.object).map(([name, value]) => [name, new Reply(this.method, value)]);
  }
  get isObject(): boolean {
    return isObject(this.value);
  }

  /** A member that must be there. */
  at(name: string): Reply {
    const value = this.object[name];
    return value === undefined ? this.odd(`an object with '${name}'`) : new Reply(this.method, value);
  }
  /** A member that may be missing or null. */
  optional(name: string): Reply | undefined {
    const value = isObject(this.value) ? this.value[name] : undefined;
    return value === undefined || value === null ? undefined : new Reply(this.method, value);
  }

  private odd(expected: string): never {
    throw new ChainUnavailable(this.method, `its reply was not ${expected}`);
  }
}

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof PythonNumber);

/** Leaves out what cannot be read: one odd entry must not hide the others. */
export function readable<T>(items: readonly Reply[], read: (item: Reply) => T | undefined): T[] {
  return items.flatMap((item) => {
    try {
      return read(item) ?? [];
    } catch (error) {
      if (error instanceof ChainUnavailable) return [];
      throw error;
    }
  });
}
