import { loadZstd } from '#protocol';
import { BlockProducer } from './block-producer.js';
import { Controls } from './controls.js';
import { DevnetCore } from './core.js';
import { begin } from './genesis.js';
import { listen, type Listening } from './http-server.js';
import { Journal } from './journal.js';
import type { DevnetOptions, DevnetSupernodeFacts, SupernodeOptions } from './options.js';
import { DevnetState, type DevnetEvent, type MasternodePlace } from './state.js';

const START_HEIGHT = 760_000;

/** A whole Pastel network in one process: one chain, and for each credential a node with a wallet, PastelIDs and an inbox of its own. */
export class Devnet extends DevnetCore {
  readonly controls = new Controls(this);
  private readonly producer = new BlockProducer(this, this.options.blocks);

  /** Opens the data file, or begins a new chain. Blocks come by themselves from now on, unless they are made on demand. */
  static async create(options: DevnetOptions): Promise<Devnet> {
    await loadZstd();
    const places = new Map<string, MasternodePlace>(options.supernodes.map((node) => [node.user, placeOf(node)]));
    const journal = new Journal(options.dataFile);
    const known = journal.read();
    const start = known?.[0] ?? firstEvent(options);
    if (start.kind !== 'start' || start.format !== 1) throw new Error(`${options.dataFile} is not a data file of this devnet`);
    const devnet = new Devnet(options, new DevnetState(start, options.clock, places), journal);
    if (known) {
      for (const event of known.slice(1)) devnet.state.apply(event);
      for (const { user } of [options.user, ...options.supernodes]) devnet.state.account(user);
    } else {
      journal.append(start);
      await begin(devnet, options);
      journal.begin();
    }
    devnet.transactionArrived = () => devnet.producer.transactionArrived();
    devnet.producer.start();
    return devnet;
  }

  /** Serves JSON-RPC over HTTP, as pasteld does; port 0 takes a free one. */
  listen(host: string, port: number): Promise<Listening> {
    return listen(this, host, port);
  }
  /** Makes no more blocks. Servers are closed by whoever opened them. */
  async close(): Promise<void> {
    await this.producer.stop();
  }

  get supernodes(): DevnetSupernodeFacts[] {
    return this.state.masternodes.all().map(({ user, ip, port, pastelId, key, txid, vout }) => {
      return { user, ip, port, pastelId, publicKey: key.publicKey.toString('hex'), outpoint: `${txid}-${vout}` };
    });
  }
}

function firstEvent(options: DevnetOptions): DevnetEvent & { kind: 'start' } {
  const time = Math.floor(options.clock.now().getTime() / 1000) - 3_600;
  return { kind: 'start', format: 1, height: options.startHeight ?? START_HEIGHT, time };
}
const placeOf = (node: SupernodeOptions): MasternodePlace => ({
  ip: node.ip,
  port: node.port,
  extAddress: node.extAddress ?? `${node.ip}:4444`,
  extP2P: node.extP2P ?? `${node.ip}:4445`,
});
