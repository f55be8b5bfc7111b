import { join } from 'node:path';
import type { Chain } from '#chain';
import type { UserSide, WalletSide } from '#client';
import { Environment, namesNode, readSettings, SettingSources, SystemClock, SystemEntropy, type Settings } from '#config';
import { isPastelId, pooledChecking, type Clock } from '#protocol';
import { JsonRpcChain, JsonRpcClient, JsonRpcIdentity, JsonRpcSupernodeNetwork, JsonRpcWallet, signingBy } from '#rpc';
import { jsonFile } from './json-file.js';
import { progressLine, UsageError, type Terminal } from './output.js';

/** What `npm start` leaves behind of its demo user. */
export interface DemoUser {
  readonly pastelId: string;
  readonly passphrase: string;
  readonly trackingAddress?: string;
  readonly packTxid?: string;
}
export interface GlobalOptions {
  readonly pastelid?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** The network that `npm start` runs on this machine. */
const LOCAL_DEVNET = {
  RPC_HOST: '127.0.0.1',
  RPC_PORT: '29932',
  RPC_USER: 'devnet',
  RPC_PASSWORD: 'devnet',
  SUPERNODE_API_PORT: 'listed',
};

/** The user's own pasteld and identity: from the environment, `.env` or pastel.conf; the local devnet where none is named. */
export class UserNode {
  readonly rpc: JsonRpcClient;
  readonly isLocalDevnet: boolean;
  private readonly settings: Settings;
  private readonly network: JsonRpcSupernodeNetwork;
  private readonly wallet: WalletSide;

  constructor(
    private readonly options: GlobalOptions,
    terminal: Terminal,
    private readonly directory = process.cwd(),
    sources = SettingSources.ofMachine(),
    clock: Clock = new SystemClock(),
  ) {
    this.isLocalDevnet = !namesNode(sources);
    this.settings = readSettings(new Environment(this.isLocalDevnet ? sources.withDefaults(LOCAL_DEVNET) : sources));
    const { rpc, peers } = this.settings;
    this.rpc = new JsonRpcClient(rpc, clock);
    this.network = new JsonRpcSupernodeNetwork(this.rpc, clock, {
      listMaxAgeMs: rpc.supernodeListMaxAgeMs,
      apiPort: peers.apiPort,
      pastelId: undefined,
    });
    this.wallet = {
      chain: new JsonRpcChain(this.rpc),
      wallet: new JsonRpcWallet(this.rpc),
      identity: new JsonRpcIdentity(this.rpc),
      clock,
      ...(options.quiet !== true && { report: (progress) => terminal.error(progressLine(progress)) }),
    };
  }

  get walletSide(): WalletSide {
    return this.wallet;
  }
  get chain(): Chain {
    return this.wallet.chain;
  }
  get chainSettings(): Settings['network'] {
    return this.settings.network;
  }
  get networkName(): string {
    return this.settings.network.network.name;
  }
  /** The environment, `.env` or pastel.conf; never the command line, which others can read. */
  get passphrase(): string | undefined {
    return this.settings.identity.passphrase;
  }

  /** The user with the PastelID of the option, of the settings, or of the devnet's demo. */
  async userSide(): Promise<UserSide> {
    const demo = await this.demoUser();
    const pastelId = this.options.pastelid ?? this.settings.identity.pastelId ?? demo?.pastelId;
    if (pastelId === undefined) {
      throw new UsageError(
        'No PastelID to act as. Name one with --pastelid or LOCAL_PASTEL_ID, or make one: pastel-inference pastelid',
      );
    }
    if (!isPastelId(pastelId)) throw new UsageError(`${pastelId} is no PastelID`);
    const passphrase = this.passphrase ?? (pastelId === demo?.pastelId ? demo.passphrase : undefined);
    if (passphrase === undefined)
      throw new UsageError(`The passphrase of ${pastelId} is not set; put it into LOCAL_PASTEL_ID_PASSPHRASE`);
    return {
      ...this.wallet,
      network: this.network,
      signing: signingBy(this.wallet.identity, pastelId, passphrase),
      checking: pooledChecking,
      entropy: new SystemEntropy(),
      burnAddress: this.settings.network.network.burnAddress,
    };
  }
  /** For questions that need no identity; what is asked of supernodes without one needs no signature. */
  get observer(): Omit<UserSide, 'signing'> {
    return {
      ...this.wallet,
      network: this.network,
      checking: pooledChecking,
      entropy: new SystemEntropy(),
      burnAddress: this.settings.network.network.burnAddress,
    };
  }

  async demoUser(): Promise<DemoUser | undefined> {
    return this.isLocalDevnet ? jsonFile<DemoUser>(join(this.directory, 'data', 'devnet', 'user.json')).load() : undefined;
  }
  /** A file of this client, apart for each network. */
  file<T>(...path: string[]) {
    return jsonFile<T>(join(this.directory, 'data', 'client', this.networkName, ...path));
  }
  close(): void {
    this.rpc.close();
  }
}
