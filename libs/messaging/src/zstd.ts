import { Injectable } from '@nestjs/common';
import * as wasm from '@bokuweb/zstd-wasm';

/** Zstandard, one frame at a time. Node 20 has none of its own. */
export abstract class Zstd {
  /** One frame that carries its content size: peers refuse a frame without it. */
  abstract compress(content: Uint8Array): Promise<Uint8Array>;
  /** Never writes more bytes than the frame declares; the caller has looked at that number. Undefined for a damaged frame. */
  abstract decompress(frame: Uint8Array): Promise<Uint8Array | undefined>;
}

/** The receiver does not mind the level. This one costs a tenth of a second for 3 MB, where the reference's 22 costs seconds. */
const LEVEL = 10;

/** The package's wording for an error code of zstd itself, in both directions. */
const ZSTD_SAYS_NO = /^Failed to compress with code/;

/** Loaded once for the process: loading it again would swap its memory under a running call. */
let loading: Promise<void> | undefined;
const loaded = (): Promise<void> => (loading ??= wasm.init());

@Injectable()
export class WasmZstd extends Zstd {
  async compress(content: Uint8Array): Promise<Uint8Array> {
    await loaded();
    return wasm.compress(content, LEVEL);
  }
  async decompress(frame: Uint8Array): Promise<Uint8Array | undefined> {
    await loaded();
    try {
      return wasm.decompress(frame);
    } catch (error) {
      if (ZSTD_SAYS_NO.test((error as Error).message)) return undefined;
      throw error;
    }
  }
}
