import { Global, Module, type OnApplicationShutdown, type Provider } from '@nestjs/common';
import { Chain, Identity, SupernodeNetwork, Wallet } from '#chain';
import { IdentitySettings, PeerSettings, RpcSettings } from '#config';
import { Clock, Signing } from '#protocol';
import { JsonRpcChain } from './json-rpc.chain.js';
import { JsonRpcClient } from './json-rpc.client.js';
import { JsonRpcIdentity } from './json-rpc.identity.js';
import { JsonRpcSupernodeNetwork } from './json-rpc.supernode-network.js';
import { JsonRpcWallet } from './json-rpc.wallet.js';
import { nodeSigning } from './node-signing.js';

const providers: Provider[] = [
  {
    provide: JsonRpcClient,
    useFactory: (settings: RpcSettings, clock: Clock) => new JsonRpcClient(settings, clock),
    inject: [RpcSettings, Clock],
  },
  { provide: Chain, useFactory: (rpc: JsonRpcClient) => new JsonRpcChain(rpc), inject: [JsonRpcClient] },
  { provide: Identity, useFactory: (rpc: JsonRpcClient) => new JsonRpcIdentity(rpc), inject: [JsonRpcClient] },
  { provide: Wallet, useFactory: (rpc: JsonRpcClient) => new JsonRpcWallet(rpc), inject: [JsonRpcClient] },
  {
    provide: SupernodeNetwork,
    useFactory: (rpc: JsonRpcClient, clock: Clock, settings: RpcSettings, peers: PeerSettings, identity: IdentitySettings) =>
      new JsonRpcSupernodeNetwork(rpc, clock, {
        listMaxAgeMs: settings.supernodeListMaxAgeMs,
        apiPort: peers.apiPort,
        pastelId: identity.pastelId,
      }),
    inject: [JsonRpcClient, Clock, RpcSettings, PeerSettings, IdentitySettings],
  },
  { provide: Signing, useFactory: nodeSigning, inject: [IdentitySettings, Identity, SupernodeNetwork] },
];

/** pasteld for everybody: the ports of #chain, and the node's own signature. Needs the settings and a Clock. */
@Global()
@Module({ providers, exports: [JsonRpcClient, Chain, Identity, Wallet, SupernodeNetwork, Signing] })
export class RpcModule implements OnApplicationShutdown {
  constructor(private readonly rpc: JsonRpcClient) {}

  onApplicationShutdown(): void {
    this.rpc.close();
  }
}
