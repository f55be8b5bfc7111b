export { Controls } from './controls.js';
export { Devnet } from './devnet.js';
export { Faults, type Fault } from './faults.js';
export type { Listening } from './http-server.js';
export type { BlockSchedule, Credentials, DevnetOptions, DevnetSupernodeFacts, SupernodeOptions } from './options.js';
export { DevnetChain, DevnetIdentity, DevnetSupernodeNetwork, DevnetWallet } from './ports.js';
