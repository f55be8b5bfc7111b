export * from './environment.js';
export { envExample } from './env-example.js';
export * from './settings.js';
export * from './slices.js';
export * from './settings.module.js';
export * from './sources.js';
export * from './system.js';
