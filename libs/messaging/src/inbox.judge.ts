import { Injectable, Logger } from '@nestjs/common';
import type { MasternodeMessage } from '#chain';
import { Checking } from '#protocol';
import { EnvelopeCodec } from './envelope-codec.js';
import { Unacceptable } from './envelope.rules.js';
import type { Ends } from './inbox.rules.js';
import type { Message } from './message.entity.js';

/** What the checks made of one inbox item. */
export type Judged =
  | {
      readonly item: MasternodeMessage;
      readonly message: Omit<Message, 'id'>;
      readonly bytes: number;
      readonly senderPubkey: string;
    }
  | { readonly item: MasternodeMessage; readonly rejected: string };

/** Size, base64, zstd, UTF-8, JSON, signature: in this order, so that the cheap checks spare the dear ones (messaging spec 4.10). */
@Injectable()
export class InboxJudge {
  private readonly logger = new Logger(InboxJudge.name);
  constructor(
    private readonly codec: EnvelopeCodec,
    private readonly checking: Checking,
  ) {}

  /** Rejects only for what the sender did; whatever fails on our side is thrown, and the item comes again. */
  async judge(item: MasternodeMessage, ends: Ends): Promise<Judged> {
    try {
      const { text, bytes, envelope } = await this.codec.open(item.text);
      if (!(await this.checking.verify(ends.senderPastelId, envelope.message, envelope.signature))) {
        throw new Unacceptable(`the signature is not that of the sender's PastelID ${ends.senderPastelId}`);
      }
      if (envelope.sending_sn_pubkey !== ends.senderPubkey)
        this.logger.warn(`Message ${item.id} names another key of its sender than the supernode list`);
      return {
        item,
        message: rowOf(item, ends, text, envelope.message_type, envelope.signature),
        bytes,
        senderPubkey: ends.senderPubkey,
      };
    } catch (error) {
      if (error instanceof Unacceptable) return { item, rejected: error.message };
      throw error;
    }
  }
}

const rowOf = (item: MasternodeMessage, ends: Ends, text: string, type: string, signature: string): Omit<Message, 'id'> => ({
  pasteld_message_hash: item.id,
  sending_sn_pastelid: ends.senderPastelId,
  receiving_sn_pastelid: ends.receiverPastelId,
  sending_sn_txid_vout: item.from,
  receiving_sn_txid_vout: item.to,
  message_type: type,
  message_body: text,
  signature,
  timestamp: new Date(item.timestamp * 1000),
});
