export * from './pack-ledger.js';
