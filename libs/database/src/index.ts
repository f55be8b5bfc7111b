export * from './database.module.js';
export * from './message-table.js';
export * from './transactions.js';
