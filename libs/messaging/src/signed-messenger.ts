import { Injectable, Logger } from '@nestjs/common';
import { SupernodeNetwork, type Supernode } from '#chain';
import { PeerSettings } from '#config';
import { inParallel, Refusal, Signing } from '#protocol';
import { EnvelopeCodec } from './envelope-codec.js';
import { isMessageType } from './envelope.rules.js';
import { NodeMessenger, type Delivery, type Dispatched } from './node-messenger.js';

/** Signs once, wraps once, then hands the same text to pasteld for each receiver (messaging spec 4.6). */
@Injectable()
export class SignedMessenger extends NodeMessenger {
  private readonly logger = new Logger(NodeMessenger.name);
  constructor(
    private readonly network: SupernodeNetwork,
    private readonly signing: Signing,
    private readonly codec: EnvelopeCodec,
    private readonly settings: PeerSettings,
  ) {
    super();
  }

  sendTo(pastelId: string, type: string, text: string): Promise<Dispatched> {
    return this.sendToMany(type, text, [pastelId]);
  }

  async broadcast(type: string, text: string): Promise<Dispatched> {
    const listed = (await this.network.list()).map(({ pastelId }) => pastelId);
    return this.sendToMany(type, text, listed.filter((id) => id !== undefined && id !== this.signing.pastelId) as string[]);
  }

  async sendToMany(type: string, text: string, pastelIds: readonly string[]): Promise<Dispatched> {
    if (!isMessageType(type)) throw new Refusal('bad-request', 'A message type is 1 to 200 printable characters');
    if (!text.isWellFormed()) throw new Refusal('bad-request', 'A message must be well-formed text');
    const pubkey = (await this.network.self())?.pubkey;
    if (pubkey === undefined) throw new Refusal('unavailable', 'This node is not a listed supernode, so it cannot send messages');
    const signature = await this.signing.sign(text);
    const envelope = await this.codec.wrap({ message: text, message_type: type, signature, sending_sn_pubkey: pubkey });
    const listed = new Map((await this.network.list()).map((supernode) => [supernode.pastelId, supernode]));
    const deliveries = await inParallel([...new Set(pastelIds)], this.settings.concurrentRequestsMax, (pastelId) =>
      this.deliver(pastelId, listed.get(pastelId), envelope.base64),
    );
    return { text: envelope.text, signature, deliveries };
  }

  private async deliver(pastelId: string, receiver: Supernode | undefined, base64: string): Promise<Delivery> {
    const failed = (reason: string): Delivery => ({ pastelId, sent: false, reason });
    if (pastelId === this.signing.pastelId) return failed('this node itself');
    if (receiver?.pubkey === undefined) return failed('not a listed supernode');
    try {
      await this.network.send(receiver.pubkey, base64);
      return { pastelId, sent: true };
    } catch (error) {
      const reason = (error as Error).message;
      this.logger.warn(`Message to supernode ${pastelId} was not sent: ${reason}`);
      return failed(reason);
    }
  }
}
