import { describeChainContract, type NodeUnderTest } from '../../chain/src/contract.spec-suite.js';
import { DevnetChain, DevnetIdentity, DevnetSupernodeNetwork, DevnetWallet } from './ports.js';
import { testDevnet } from './support.spec-suite.js';

describeChainContract('The devnet in the same process', async () => {
  const devnet = await testDevnet();
  const nodeOf = (user: string): NodeUnderTest => ({
    chain: new DevnetChain(devnet, user),
    identity: new DevnetIdentity(devnet, user),
    wallet: new DevnetWallet(devnet, user),
    supernodes: new DevnetSupernodeNetwork(devnet, user),
  });
  return {
    node: nodeOf('sn1'),
    peer: nodeOf('sn2'),
    user: nodeOf('devnet'),
    generate: async (count) => void devnet.generate(count),
    loseNextAnswer: async () => devnet.faults.failNext('sendtoaddress', 1, { kind: 'lost-answer' }),
    close: () => devnet.close(),
  };
});
