export * from './bigint.js';
export * from './data-source.js';
export * from './database.module.js';
export * from './errors.js';
export * from './message-table.js';
export * from './migrate.js';
export * from './migration.js';
export * from './transactions.js';
