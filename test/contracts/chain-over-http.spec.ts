import { SystemClock, SystemEntropy } from '#config';
import { Devnet } from '#devnet';
import { JsonRpcChain, JsonRpcClient, JsonRpcIdentity, JsonRpcSupernodeNetwork, JsonRpcWallet } from '#rpc';
import { describeChainContract, type NodeUnderTest } from '../../libs/chain/src/contract.spec-suite.js';

describeChainContract('JSON-RPC over HTTP', async () => {
  const clock = new SystemClock();
  const password = 'devnet';
  const supernodes = [1, 2, 3].map((n) => ({ user: `sn${n}`, password, ip: `127.0.0.${n}`, port: 7123 }));
  const devnet = await Devnet.create({
    clock,
    entropy: new SystemEntropy(),
    user: { user: 'devnet', password },
    supernodes,
    blocks: 'on demand',
  });
  const server = await devnet.listen('127.0.0.1', 0);
  const clients: JsonRpcClient[] = [];
  const nodeOf = (user: string): NodeUnderTest => {
    const rpc = new JsonRpcClient(
      { host: '127.0.0.1', port: Number(new URL(server.url).port), user, password, timeoutMs: 10_000, concurrentRequestsMax: 16 },
      clock,
    );
    clients.push(rpc);
    return {
      chain: new JsonRpcChain(rpc),
      identity: new JsonRpcIdentity(rpc),
      wallet: new JsonRpcWallet(rpc),
      supernodes: new JsonRpcSupernodeNetwork(rpc, clock, { listMaxAgeMs: 60_000, apiPort: 7123, pastelId: undefined }),
    };
  };
  return {
    node: nodeOf('sn1'),
    peer: nodeOf('sn2'),
    user: nodeOf('devnet'),
    generate: async (count) => void devnet.generate(count),
    loseNextAnswer: async () => devnet.faults.failNext('sendtoaddress', 1, { kind: 'lost-answer' }),
    close: async () => {
      for (const rpc of clients) rpc.close();
      await server.close();
      await devnet.close();
    },
  };
});
