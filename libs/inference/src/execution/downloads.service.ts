import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { InferenceSettings } from '#config';
import { Clock, Entropy, Refusal } from '#protocol';
import { ProviderFailure, type Files, type OfferedFile } from '../providers/provider.js';
import { DownloadReaders } from './download-readers.js';

const ID_BYTES = 16;
/** 128 random bits and perhaps an ending: nothing that could lead out of the directory. */
const NAME = /^[0-9a-f]{32}(?:\.[a-z0-9]{1,8})?$/;
const UNFINISHED = /^[0-9a-f]{32}(?:\.[a-z0-9]{1,8})?\.part$/;
const SWEPT_MAX = 1000;
const FILE_BYTES_MAX = 32 * 2 ** 20;
/** Of one process at a time. */
const OPEN_MAX = 64;
/** Released long before, unless the process died. */
const GRACE_MS = 60_000;

export interface Download {
  readonly content: Readable;
  readonly bytes: number;
}

/**
 * Files on their way to a model service of the operator's, which fetches them by a link: under names that nobody can guess, in a directory that
 * is theirs alone, for as long as the call that needs them, and for the addresses of such services only. Asking never deletes
 * anything: an unknown name, an expired file and a stranger get the same answer (inference spec 8 W8).
 */
@Injectable()
export class Downloads implements Files {
  private openCount = 0;

  constructor(
    private readonly settings: InferenceSettings,
    private readonly readers: DownloadReaders,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
  ) {}

  async offer(content: Uint8Array, ending?: string): Promise<OfferedFile> {
    const id = Array.from({ length: ID_BYTES }, () => this.entropy.below(256).toString(16).padStart(2, '0')).join('');
    const name = ending === undefined ? id : `${id}.${ending}`;
    if (!NAME.test(name)) throw new TypeError(`'${ending}' is no file ending`);
    if (content.length > FILE_BYTES_MAX) throw new ProviderFailure('refused', 'The file is too large to be handed on', false);
    if (this.openCount >= OPEN_MAX) throw new ProviderFailure('unavailable', 'Too many files are being handed on', true);
    this.openCount++;
    try {
      await this.write(name, content);
    } catch (error) {
      this.openCount--;
      throw error;
    }
    let isReleased = false;
    const release = async (): Promise<void> => {
      if (isReleased) return;
      isReleased = true;
      this.openCount--;
      await rm(this.pathOf(name), { force: true });
    };
    return { url: `${this.readers.baseUrl}/download/${name}`, release };
  }

  /** Throws a `not-found` Refusal for what was never offered, or too long ago, or not to this address. */
  async open(name: string, address: string): Promise<Download> {
    const found = NAME.test(name) ? await lstat(this.pathOf(name)).catch(nothing) : undefined;
    const isThere = found?.isFile() === true && !this.isOver(found.mtimeMs);
    if (!isThere || !(await this.readers.admit(address))) throw new Refusal('not-found', 'File not found or expired');
    return { content: createReadStream(this.pathOf(name)), bytes: found.size };
  }

  /** Deletes what a process left behind, a bounded number at a time. */
  async sweep(): Promise<void> {
    const names = await readdir(this.directory).catch(() => []);
    let deleted = 0;
    for (const name of names.filter((candidate) => NAME.test(candidate) || UNFINISHED.test(candidate))) {
      const found = await lstat(this.pathOf(name)).catch(nothing);
      if (!found?.isFile() || !this.isOver(found.mtimeMs)) continue;
      await rm(this.pathOf(name), { force: true });
      if (++deleted >= SWEPT_MAX) return;
    }
  }

  private async write(name: string, content: Uint8Array): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const unfinished = this.pathOf(`${name}.part`);
    const file = await open(unfinished, 'wx', 0o600);
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    const now = this.clock.now();
    await utimes(unfinished, now, now);
    await rename(unfinished, this.pathOf(name));
  }

  private get directory(): string {
    return this.settings.downloadDirectory;
  }
  private pathOf(name: string): string {
    return join(this.directory, name);
  }
  private isOver(offeredAtMs: number): boolean {
    return this.clock.now().getTime() - offeredAtMs >= this.settings.executionSecondsMax * 1000 + GRACE_MS;
  }
}

const nothing = (): undefined => undefined;
