import type { Token } from './highlight.rules.js';
import type { LogEntry } from './log-line.rules.js';

/** The log as programs get it. */
export interface LogHistory {
  readonly entries: readonly LogEntry[];
  /** For `/show_logs_incremental`. */
  readonly last_position: number;
  /** Whether older entries of the time asked for were left out. */
  readonly truncated: boolean;
}
/** What readers of the original get: lines as HTML, `<br>` between them. */
export interface LogHtml {
  readonly logs: string;
  readonly last_position: number;
}
/** What the log page reads: pieces of text, never HTML. */
export interface LogLines {
  readonly lines: readonly LogLine[];
  readonly last_position: number;
  readonly more: boolean;
}
interface LogLine {
  readonly level: string | null;
  readonly tokens: readonly Token[];
}
