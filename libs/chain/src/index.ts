export * from './chain.js';
export * from './identity.js';
export * from './supernodes.js';
export * from './wallet.js';
