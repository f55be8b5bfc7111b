/* What reads the messages of strangers, for those that feed it with anything. */
export { EnvelopeCodec } from '../src/envelope-codec.js';
export { Unacceptable } from '../src/envelope.rules.js';
export { WasmZstd } from '../src/zstd.js';
