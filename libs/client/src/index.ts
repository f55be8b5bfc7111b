export * from './errors.js';
export * from './shapes.js';
export * from './supernode-client.js';
export type { CallOptions } from './transport.js';
