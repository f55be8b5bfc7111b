export type { BlockSchedule } from './block-producer.js';
export { Controls } from './controls.js';
export { Devnet, type Credentials, type DevnetOptions, type DevnetSupernodeFacts, type SupernodeOptions } from './devnet.js';
export { Faults, type Fault } from './faults.js';
export type { Listening } from './http-server.js';
export { RpcError } from './rpc-error.js';
