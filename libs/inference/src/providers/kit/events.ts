import { malformed } from './failures.js';

export interface ServerEvent {
  readonly event: string | undefined;
  readonly data: string;
}

/** Largest event: a whole answer in one piece. */
const EVENT_LENGTH_MAX = 48 * 2 ** 20;

/**
 * Reads a stream of server-sent events (WHATWG HTML 9.2) from pieces that may end anywhere, also within a character. Lines end with CR, LF or
 * both; comment lines, with which services keep a connection alive, and the fields `id` and `retry` are passed over. An event that is not closed
 * by an empty line never happened.
 */
export class EventReader {
  private readonly decoder = new TextDecoder();
  /** Of the line that has begun; in pieces, so that a long one is not copied again and again. */
  private line: string[] = [];
  private endedWithCr = false;
  private event: string | undefined;
  private data: string[] = [];
  private size = 0;

  /** The events that the piece completes. Throws a ProviderFailure when one grows beyond all measure. */
  push(piece: Uint8Array): ServerEvent[] {
    const text = this.decoder.decode(piece, { stream: true });
    const events: ServerEvent[] = [];
    let from = 0;
    if (text !== '' && this.endedWithCr && text[0] === '\n') from = 1;
    if (text !== '') this.endedWithCr = text.endsWith('\r');
    for (const { index, 0: end } of text.matchAll(/\r\n|\r|\n/g)) {
      if (index < from) continue;
      const event = this.endLine(text.slice(from, index));
      if (event) events.push(event);
      from = index + end.length;
    }
    this.grow(text.length - from);
    this.line.push(text.slice(from));
    return events;
  }

  private endLine(rest: string): ServerEvent | undefined {
    const line = this.line.length === 0 ? rest : this.line.join('') + rest;
    this.line = [];
    if (line === '') return this.dispatch();
    this.grow(rest.length);
    const [, field, value] = /^([^:]*)(?:: ?([\s\S]*))?$/.exec(line) ?? [];
    if (field === 'data') this.data.push(value ?? '');
    else if (field === 'event') this.event = value || undefined;
    return undefined;
  }

  private dispatch(): ServerEvent | undefined {
    const { event, data } = this;
    this.event = undefined;
    this.data = [];
    this.size = 0;
    return data.length === 0 ? undefined : { event, data: data.join('\n') };
  }

  private grow(by: number): void {
    this.size += by;
    if (this.size > EVENT_LENGTH_MAX) throw malformed('an event without end');
  }
}
