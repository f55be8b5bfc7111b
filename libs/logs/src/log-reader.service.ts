import { open, type FileHandle } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { LogSettings } from '#config';
import { Clock } from '#protocol';
import { BEGINNING_BYTES, generationOf, placeOf, positionOf } from './cursor.rules.js';
import { entriesOf, instantOf, isSince, type LogEntry } from './log-line.rules.js';
import { OLD_FILES_MAX, oldFile } from './rotating-file.js';

/** Of the log's text, per answer. */
export const ANSWER_BYTES_MAX = 512 * 1024;
const NEWLINE = 0x0a;
const MINUTE_MS = 60_000;

/** A piece of the log, oldest entry first. */
export interface LogExcerpt {
  readonly entries: readonly LogEntry[];
  /** Where the next piece begins. */
  readonly position: number;
  /** Older entries of the time asked for were left out. */
  readonly truncated: boolean;
  /** There is more to read from `position` on, now. */
  readonly more: boolean;
}
/** One file of the log, open. */
interface Segment {
  readonly handle: FileHandle;
  readonly inode: number;
  readonly generation: number;
  readonly size: number;
}
/** Whole lines, and the offset of the line after them. */
interface Chunk {
  readonly text: string;
  readonly to: number;
}

/**
 * Reads the node's own log from its files, in whole lines and bounded pieces.
 *
 * 1. `recent`: from the end backwards, over rotated files if need be, until the time asked for or the limit.
 * 2. `since`: forwards from a position. The position names its file, so a rotation loses nothing: the rest of the older file comes
 *    first. A position that no file knows (made up, rotated away, cut off) is that of a new reader: it gets the recent entries.
 */
@Injectable()
export class LogReader {
  constructor(
    private readonly settings: LogSettings,
    private readonly clock: Clock,
  ) {}

  /** @param minutes how old an entry may be */
  recent(minutes: number): Promise<LogExcerpt> {
    return this.withSegments((segments) => this.tail(segments, minutes));
  }

  /** @param position what an earlier answer gave; 0 for a new reader */
  since(position: number, minutes: number): Promise<LogExcerpt> {
    return this.withSegments(async (segments) => {
      const { generation, offset } = placeOf(position);
      const first = segments.findIndex((segment) => segment.generation === generation && offset <= segment.size);
      return first < 0 ? this.tail(segments, minutes) : this.forward(segments.slice(first), offset, minutes);
    });
  }

  private async forward(segments: readonly Segment[], start: number, minutes: number): Promise<LogExcerpt> {
    const texts: string[] = [];
    let [budget, offset] = [ANSWER_BYTES_MAX, start];
    for (const [index, segment] of segments.entries()) {
      const isCurrent = index === segments.length - 1;
      const isCut = offset + budget < segment.size;
      const chunk = await linesFrom(segment, offset, budget, !isCurrent);
      texts.push(chunk.text);
      budget -= chunk.to - offset;
      if (!isCurrent && !isCut && budget > 0) {
        offset = 0;
        continue;
      }
      const position = positionOf({ generation: segment.generation, offset: chunk.to });
      return { entries: this.within(texts, minutes), position, truncated: false, more: !isCurrent || isCut };
    }
    return NOTHING;
  }

  private async tail(segments: readonly Segment[], minutes: number): Promise<LogExcerpt> {
    const current = segments.at(-1);
    if (current === undefined) return NOTHING;
    const texts: string[] = [];
    const oldest = this.clock.now().getTime() - minutes * MINUTE_MS;
    let [budget, position, truncated] = [ANSWER_BYTES_MAX, 0, false];
    for (const segment of segments.toReversed()) {
      const start = Math.max(0, segment.size - budget);
      const chunk = await linesFrom(segment, start, budget, segment !== current);
      texts.unshift(chunk.text);
      if (segment === current) position = positionOf({ generation: segment.generation, offset: chunk.to });
      budget -= segment.size - start;
      const first = entriesOf(chunk.text).find(({ time }) => time !== null)?.time;
      if (typeof first === 'string' && instantOf(first) < oldest) break;
      truncated = budget <= 0 && (start > 0 || segment !== segments[0]);
      if (budget <= 0) break;
    }
    return { entries: this.within(texts, minutes), position, truncated, more: false };
  }

  /** Entries of the last minutes; lines of an entry that is too old go with it. */
  private within(texts: readonly string[], minutes: number): LogEntry[] {
    const oldest = this.clock.now().getTime() - minutes * MINUTE_MS;
    return entriesOf(texts.join('')).filter((entry) => isSince(entry, oldest));
  }

  private async withSegments<T>(read: (oldestFirst: Segment[]) => Promise<T>): Promise<T> {
    const segments = await this.openSegments();
    try {
      return await read(segments);
    } finally {
      await Promise.all(segments.map(({ handle }) => handle.close()));
    }
  }

  private async openSegments(): Promise<Segment[]> {
    const { file } = this.settings;
    const segments: Segment[] = [];
    // The youngest first: a file that is moved meanwhile is met twice, never missed.
    for (const path of [file, ...Array.from({ length: OLD_FILES_MAX }, (_, index) => oldFile(file, index + 1))]) {
      const segment = await openIfThere(path);
      if (segment === undefined) continue;
      if (segments.some(({ inode }) => inode === segment.inode)) await segment.handle.close();
      else segments.unshift(segment);
    }
    return segments;
  }
}

const NOTHING: LogExcerpt = { entries: [], position: 0, truncated: false, more: false };

async function openIfThere(path: string): Promise<Segment | undefined> {
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  const { ino: inode, size } = await handle.stat();
  const beginning = Buffer.alloc(BEGINNING_BYTES);
  const { bytesRead } = await handle.read(beginning, 0, BEGINNING_BYTES, 0);
  const generation = generationOf(beginning.subarray(0, bytesRead));
  if (generation !== undefined) return { handle, inode, generation, size };
  await handle.close();
  return undefined;
}

/**
 * The whole lines from an offset on, at most `bytesMax`. An offset within a line counts as the start of the next; a last line without
 * its end waits for it, unless the file is `finished`. Of a line longer than the limit
 * only the beginning comes.
 */
async function linesFrom({ handle, size }: Segment, offset: number, bytesMax: number, finished: boolean): Promise<Chunk> {
  // One byte earlier, to see whether a line starts here.
  const first = Math.max(0, offset - 1);
  const end = Math.min(size, offset + bytesMax);
  const buffer = Buffer.alloc(Math.max(0, end - first));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, first);
  const bytes = buffer.subarray(0, bytesRead);
  const from = offset === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
  if (offset > 0 && from === 0) return { text: '', to: first + bytesRead };
  const lastBreak = bytes.lastIndexOf(NEWLINE) + 1;
  const isAtEnd = first + bytesRead >= size;
  const to = (isAtEnd && finished) || (lastBreak <= from && !isAtEnd) ? bytesRead : Math.max(from, lastBreak);
  const text = bytes.toString('utf8', from, to);
  return { text: text === '' || text.endsWith('\n') ? text : `${text}\n`, to: first + to };
}
