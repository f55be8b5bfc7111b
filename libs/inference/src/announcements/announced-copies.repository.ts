import { Injectable } from '@nestjs/common';
import { LessThan, type EntityManager } from 'typeorm';
import {
  InferenceAPIOutputResult,
  InferenceAPIUsageResponse,
  isJsonObject,
  readJson,
  received,
  type JsonObject,
} from '#protocol';
import { Transactions } from '#database';
import { AnnouncedCopy } from '../inference.entities.js';

/** An announced response, and whose request it answers. */
export interface ResponseCopy {
  readonly ownerPastelId: string;
  readonly signerPastelId: string;
  readonly response: InferenceAPIUsageResponse;
  /** The pack that the request beside it names. */
  readonly packTxid?: string;
}

/** Copies of what other supernodes announced, for audits. */
@Injectable()
export class AnnouncedCopiesRepository {
  constructor(private readonly transactions: Transactions) {}

  /** The first one stays. */
  store(copy: AnnouncedCopy): Promise<void> {
    return this.transactions.run('announcement: copy stored', async (m) => {
      await m.createQueryBuilder().insert().into(AnnouncedCopy).values(copy).orIgnore().execute();
    });
  }

  /** The oldest copy with this id of the response or of the request. */
  response(id: string): Promise<ResponseCopy | undefined> {
    return this.transactions.read(async (m) => {
      const copy = (await this.oldest(m, { inference_request_id: id })) ?? (await this.oldest(m, { inference_response_id: id }));
      return copy ? opened(copy) : undefined;
    });
  }

  /** The same, of one supernode: another's copy under its ids does not stand in the way. */
  responseSignedBy(signer_pastelid: string, id: string): Promise<ResponseCopy | undefined> {
    return this.transactions.read(async (m) => {
      const own = { kind: 'response' as const, signer_pastelid };
      const copy = await m.findOneBy(AnnouncedCopy, [
        { ...own, inference_response_id: id },
        { ...own, inference_request_id: id },
      ]);
      return copy ? opened(copy) : undefined;
    });
  }

  /** The result that the signer of the response announced for it, cut to 32 characters. */
  resultOf({ response, signerPastelId }: ResponseCopy): Promise<InferenceAPIOutputResult | undefined> {
    return this.transactions.read(async (m) => {
      const { inference_response_id } = response;
      const copy = await m.findOneBy(AnnouncedCopy, { kind: 'result', inference_response_id, signer_pastelid: signerPastelId });
      return copy ? received(InferenceAPIOutputResult, readJson(copy.message) as JsonObject) : undefined;
    });
  }

  clearBefore(ms: number, limit: number): Promise<number> {
    return this.transactions.run('announcement: old copies deleted', async (m) => {
      const old = await m.find(AnnouncedCopy, { where: { received_at_ms: LessThan(ms) }, take: limit });
      for (const { kind, inference_response_id, signer_pastelid } of old)
        await m.delete(AnnouncedCopy, { kind, inference_response_id, signer_pastelid });
      return old.length;
    });
  }

  private oldest(
    m: EntityManager,
    id: { inference_request_id: string } | { inference_response_id: string },
  ): Promise<AnnouncedCopy | null> {
    return m.findOne(AnnouncedCopy, {
      where: { kind: 'response', ...id },
      order: { received_at_ms: 'ASC', signer_pastelid: 'ASC' },
    });
  }
}

function opened({ owner_pastelid, signer_pastelid, message, request }: AnnouncedCopy): ResponseCopy {
  const asked = request === null ? undefined : readJson(request);
  const pack = isJsonObject(asked) ? asked['credit_pack_ticket_pastel_txid'] : undefined;
  return {
    ownerPastelId: owner_pastelid!,
    signerPastelId: signer_pastelid,
    response: received(InferenceAPIUsageResponse, readJson(message) as JsonObject),
    ...(typeof pack === 'string' && { packTxid: pack }),
  };
}
