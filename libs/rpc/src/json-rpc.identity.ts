import { Identity } from '#chain';
import type { JsonRpcClient } from './json-rpc.client.js';
import { readable } from './reply.js';

/** PastelIDs in pasteld's key store (pasteld spec C.7, C.8). */
export class JsonRpcIdentity extends Identity {
  constructor(private readonly rpc: JsonRpcClient) {
    super();
  }

  async create(passphrase: string): Promise<string> {
    return (await this.rpc.call('pastelid newkey', [passphrase], { secrets: [passphrase] })).at('pastelid').text;
  }
  async list(): Promise<string[]> {
    return readable((await this.rpc.call('pastelid list')).list, (entry) => entry.at('PastelID').text);
  }
  async sign(pastelId: string, passphrase: string, text: string): Promise<string> {
    return (await this.rpc.call('pastelid sign', [text, pastelId, passphrase, 'ed448'], { secrets: [passphrase] })).at(
      'signature',
    ).text;
  }
  async verify(pastelId: string, text: string, signature: string): Promise<boolean> {
    return (await this.rpc.call('pastelid verify', [text, signature, pastelId, 'ed448'])).at('verification').text === 'OK';
  }
  async register(pastelId: string, passphrase: string, address: string): Promise<{ txid: string }> {
    return {
      txid: (await this.rpc.call('tickets register id', [pastelId, passphrase, address], { secrets: [passphrase] })).at('txid')
        .text,
    };
  }
  async isRegistered(pastelId: string): Promise<boolean> {
    const reply = await this.rpc.call('tickets find id', [pastelId]);
    // The call also finds by outpoint and address; "Key is not found" is a text.
    return reply.optional('ticket')?.optional('pastelID')?.value === pastelId && (reply.optional('height')?.integer ?? 0) > 0;
  }
}
