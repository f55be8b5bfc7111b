import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Writable } from 'node:stream';

/** Rotation of the original: 10 MiB, five older files (messaging spec 7.1). */
const FILE_BYTES_MAX = 10 * 2 ** 20;
export const OLD_FILES_MAX = 5;
const OLD_FOLDER = 'old_logs';

/** `old_logs/<name>.1` is the youngest of the older files, `.5` the oldest. */
export const oldFile = (file: string, age: number): string => join(dirname(file), OLD_FOLDER, `${basename(file)}.${age}`);

/**
 * Writes lines to a file and moves it away when it is full. Each line is with the operating system when `write` returns: nothing waits
 * in memory, so nothing is lost when the process ends, however it ends. (winston's own file transport drops what it has queued when
 * it is closed during a burst or a rotation.) A file that somebody else moved or removed is begun anew. Never throws: a disk that is
 * full must not stop the node.
 */
export class RotatingFile extends Writable {
  private descriptor: number | undefined;
  private isFailing = false;

  constructor(
    readonly file: string,
    private readonly bytesMax = FILE_BYTES_MAX,
  ) {
    super();
  }

  override _write(line: Buffer, _encoding: BufferEncoding, next: () => void): void {
    try {
      this.append(line);
      this.isFailing = false;
    } catch (error) {
      this.release();
      // Once for each stretch of failures, not once a line.
      if (!this.isFailing) process.stderr.write(`Cannot write the log to ${this.file}: ${String(error)}\n`);
      this.isFailing = true;
    }
    next();
  }

  /** Forces what was written onto the disk and lets go of the file; the next line opens it again. */
  settle(): void {
    try {
      if (this.descriptor !== undefined) fsyncSync(this.descriptor);
    } finally {
      this.release();
    }
  }

  private append(line: Buffer): void {
    const size = this.currentSize();
    if (size > 0 && size + line.length > this.bytesMax) this.rotate();
    this.descriptor ??= this.open();
    let written = 0;
    while (written < line.length) written += writeSync(this.descriptor, line, written);
  }

  /** Bytes in the file under our name; lets go of a descriptor that is no longer that file. */
  private currentSize(): number {
    const named = statSync(this.file, { throwIfNoEntry: false });
    if (this.descriptor !== undefined) {
      const held = fstatSync(this.descriptor);
      if (held.ino !== named?.ino || held.dev !== named.dev) this.release();
    }
    return named?.size ?? 0;
  }

  private open(): number {
    mkdirSync(dirname(this.file), { recursive: true });
    return openSync(this.file, 'a', 0o640);
  }

  private rotate(): void {
    this.release();
    mkdirSync(dirname(oldFile(this.file, 1)), { recursive: true });
    rmSync(oldFile(this.file, OLD_FILES_MAX), { force: true });
    for (let age = OLD_FILES_MAX - 1; age >= 1; age -= 1) renameIfThere(oldFile(this.file, age), oldFile(this.file, age + 1));
    renameIfThere(this.file, oldFile(this.file, 1));
  }

  private release(): void {
    const { descriptor } = this;
    this.descriptor = undefined;
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
