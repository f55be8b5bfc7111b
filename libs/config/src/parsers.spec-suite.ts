/* For those that feed it with anything. */
export { readPastelConf } from './sources.js';
