import * as wasm from '@bokuweb/zstd-wasm';

type Zstd = Pick<typeof wasm, 'compress' | 'decompress'>;
let loading: Promise<Zstd> | undefined;

/**
 * Zstandard, which Node 20 lacks. Everybody in the process shares this one: loading the module again would swap its memory
 * under whoever uses it.
 */
export const loadZstd = (): Promise<Zstd> => (loading ??= wasm.init().then(() => wasm));
