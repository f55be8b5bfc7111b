import { Wallet } from '#chain';
import type { JsonRpcClient } from './json-rpc.client.js';
import { PslAmount } from './rpc-json.js';

/** pasteld's wallet (pasteld spec C.4). */
export class JsonRpcWallet extends Wallet {
  constructor(private readonly rpc: JsonRpcClient) {
    super();
  }

  async newAddress(): Promise<string> {
    return (await this.rpc.call('getnewaddress')).text;
  }
  async balance(): Promise<number> {
    return (await this.rpc.call('getbalance')).patoshis;
  }
  async addressAmounts(): Promise<Map<string, number>> {
    const reply = await this.rpc.call('listaddressamounts', [false, 'spendableOnly']);
    return new Map(reply.entries.map(([address, amount]) => [address, amount.patoshis]));
  }
  async sendToAddress(address: string, patoshis: number, comment = ''): Promise<string> {
    return (await this.rpc.call('sendtoaddress', [address, new PslAmount(patoshis), comment])).text;
  }
  async sendMany(amounts: ReadonlyMap<string, number>, changeAddress: string, comment = ''): Promise<string> {
    const outputs = Object.fromEntries([...amounts].map(([address, patoshis]) => [address, new PslAmount(patoshis)]));
    // 0: change of the last burn may be spent before it is mined. No address pays the fee out of its amount.
    return (await this.rpc.call('sendmany', ['', outputs, 0, comment, [], changeAddress])).text;
  }
}
