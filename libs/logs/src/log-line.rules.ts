/** Levels as Python's logging names them: that is how readers of the file know them (messaging spec 7.1). */
export type Level = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';

/** One entry of the log. A line that belongs to an entry which was not read has neither time nor level. */
export interface LogEntry {
  /** `YYYY-MM-DD HH:MM:SS,mmm`, UTC. */
  readonly time: string | null;
  readonly level: Level | null;
  /** Lines after the first keep their indent. */
  readonly message: string;
}
export interface LineParts {
  readonly at: Date;
  readonly level: Level;
  readonly message: string;
  readonly context?: string | undefined;
  readonly requestId?: string | undefined;
}

/** Longer messages are cut, as in the original (messaging spec 7.1). */
export const MESSAGE_CHARACTERS_MAX = 10_000;
const INDENT = '    ';
const LEVEL_OF_NAME: Readonly<Record<string, Level>> = {
  DEBUG: 'DEBUG',
  INFO: 'INFO',
  WARN: 'WARNING',
  WARNING: 'WARNING',
  ERROR: 'ERROR',
  CRITICAL: 'CRITICAL',
  FATAL: 'CRITICAL',
};
/** With and without milliseconds, with and without the logger's name: what each era wrote (messaging spec 7.1). */
const HEAD =
  /^(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})(?:,(\d{3}))? - (?:[\w.]{1,100} - )?(DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL) - (.*)$/s;

const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** `2026-01-05 12:00:00,123`. */
const logTime = (at: Date): string => at.toISOString().slice(0, 23).replace('T', ' ').replace('.', ',');

/** Milliseconds since 1970 of a time as {@link logTime} writes it. */
export const instantOf = (time: string): number => Date.parse(`${time.replace(' ', 'T').replace(',', '.')}Z`);

/**
 * An entry as it stands in the file, without the line break at its end. Lines of the message after the first are indented, so that
 * none of them can pass for an entry of its own; what could steer a terminal or turn the reading direction is written out.
 */
export function entryText({ at, level, message, context, requestId }: LineParts): string {
  const origin = [context, requestId].filter((part) => part !== undefined && part !== '').join(' ');
  const text = shortened(origin === '' ? message : `[${origin}] ${message}`);
  const safe = text
    .replace(/\r\n/g, '\n')
    .replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replace(/\n/g, `\n${INDENT}`);
  return `${logTime(at)} - ${level} - ${safe}`;
}

function shortened(text: string): string {
  if (text.length <= MESSAGE_CHARACTERS_MAX) return text;
  return `${text.slice(0, MESSAGE_CHARACTERS_MAX)}... [${text.length - MESSAGE_CHARACTERS_MAX} characters cut]`;
}

/** Whole lines of the file as entries; blank lines are left out. */
export function entriesOf(text: string): LogEntry[] {
  const entries: { time: string | null; level: Level | null; lines: string[] }[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const [, seconds, millis = '000', name, message] = HEAD.exec(line) ?? [];
    const level = LEVEL_OF_NAME[name ?? ''];
    const last = entries.at(-1);
    if (seconds !== undefined && level !== undefined && !Number.isNaN(instantOf(`${seconds},${millis}`)))
      entries.push({ time: `${seconds},${millis}`, level, lines: [message ?? ''] });
    else if (last !== undefined) last.lines.push(line);
    else entries.push({ time: null, level: null, lines: [line] });
  }
  return entries.map(({ lines, ...head }) => ({ ...head, message: lines.join('\n') }));
}

/** The entry as one text again; the same characters as in the file, but for the form of its time. */
export const textOf = ({ time, level, message }: LogEntry): string =>
  time === null || level === null ? message : `${time} - ${level} - ${message}`;

/** Whether the entry is no older than the instant; a line without a time is kept. */
export const isSince = ({ time }: LogEntry, instant: number): boolean => time === null || instantOf(time) >= instant;
