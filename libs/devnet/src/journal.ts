import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DevnetEvent } from './state.js';

/** The data file: one event a line, only ever appended to. Without a file it keeps nothing. */
export class Journal {
  private held: string[] | undefined = [];

  constructor(private readonly file: string | undefined) {}

  /**
   * What was written before; undefined when there is no file. A last line without its end was cut off by a crash before the answer
   * left, and is removed; any other damage is an error.
   */
  read(): DevnetEvent[] | undefined {
    if (this.file === undefined || !existsSync(this.file)) return undefined;
    const bytes = readFileSync(this.file);
    const whole = bytes.lastIndexOf(0x0a) + 1;
    if (whole < bytes.length) truncateSync(this.file, whole);
    const lines = bytes.toString('utf8', 0, whole).split('\n').slice(0, -1);
    if (lines.length === 0) return undefined;
    this.held = undefined;
    return lines.map((line, at) => {
      try {
        return JSON.parse(line) as DevnetEvent;
      } catch {
        throw new Error(`${this.file}: line ${at + 1} is damaged; start with an empty data file`);
      }
    });
  }

  /** Kept back until {@link begin}: a file never holds half a beginning. */
  append(event: DevnetEvent): void {
    if (this.file === undefined) return;
    const line = `${JSON.stringify(event)}\n`;
    if (this.held) this.held.push(line);
    else appendFileSync(this.file, line);
  }
  begin(): void {
    if (this.file === undefined || !this.held) return;
    mkdirSync(dirname(this.file), { recursive: true });
    const fresh = `${this.file}.new`;
    // It holds private keys.
    writeFileSync(fresh, this.held.join(''), { mode: 0o600 });
    renameSync(fresh, this.file);
    this.held = undefined;
  }
}
