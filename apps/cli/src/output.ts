import { ChainRefusal, ChainUnavailable } from '#chain';
import { ClientError, isSupernodeTrouble, type Progress } from '#client';
import { SecretProblem, SettingsError } from '#config';
import { pslText, writeJson } from '#protocol';

/** Where a command writes: progress for the reader, the result for a pipe. */
export interface Terminal {
  out(text: string): void;
  error(text: string): void;
}

/** What the shell learns: `usage` for a command line that makes no sense, `node` when there is no pasteld to talk to. */
export const EXIT = { done: 0, failed: 1, usage: 2, node: 3 } as const;

/** Wrong use of the command line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command was understood and carried out, and its result is bad news that was printed. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/** One line a step. */
export function progressLine({ step, text, waitsFor, patoshis }: Progress): string {
  const cost = patoshis === undefined || patoshis === 0 ? '' : ` [${pslText(patoshis)} PSL]`;
  return `  ${step}: ${text}${cost}${waitsFor === undefined ? '' : `\n    waiting for ${waitsFor} ...`}`;
}

/** One result, as text or as JSON on one line. */
export function printResult(terminal: Terminal, asJson: boolean, value: unknown, text: string): void {
  terminal.out(asJson ? writeJson(value) : text);
}

/** Says what went wrong and what to do, and gives the exit code. No stack, unless the fault is ours. */
export function explain(error: unknown, terminal: Terminal): number {
  if (error instanceof UsageError) return told(EXIT.usage, error.message);
  if (error instanceof SettingsError || error instanceof SecretProblem) return told(EXIT.usage, error.message);
  if (error instanceof CommandFailed) return told(EXIT.failed, error.message);
  if (error instanceof ClientError) return told(error.code === 'bad-input' ? EXIT.usage : EXIT.failed, error.message, error.hint);
  if (error instanceof ChainUnavailable) {
    return told(
      EXIT.node,
      error.message,
      'Start a network on this machine with `npm start`, or name your node: RPC_HOST, RPC_PORT, RPC_USER, RPC_PASSWORD.',
    );
  }
  if (error instanceof ChainRefusal)
    return told(EXIT.failed, `pasteld refuses ${error.method}: ${error.message} (${error.code})`);
  if (isSupernodeTrouble(error)) return told(EXIT.failed, error.message, 'Try again; another supernode may be asked then.');
  terminal.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return EXIT.failed;

  function told(code: number, message: string, hint?: string): number {
    terminal.error(`Error: ${message}`);
    if (hint !== undefined) terminal.error(`  ${hint}`);
    return code;
  }
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, at) => Math.max(cell.length, all[at] ?? 0)), []);
  return rows
    .map((row) => row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at]!))).join('  '))
    .join('\n');
}
export const credits = (tenths: number): string => (tenths / 10).toFixed(1);
