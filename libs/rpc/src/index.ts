export * from './json-rpc.chain.js';
export * from './json-rpc.client.js';
export * from './json-rpc.identity.js';
export * from './json-rpc.supernode-network.js';
export * from './json-rpc.wallet.js';
export * from './node-signing.js';
export * from './rpc.module.js';
