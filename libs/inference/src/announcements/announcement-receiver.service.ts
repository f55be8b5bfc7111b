import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { MessageHandler, MessageHandlers, MessageTypes, type ReceivedMessage } from '#messaging';
import { Checking, Clock, faultsOf, signerOf, toJson, writeJson } from '#protocol';
import { AnnouncedCopiesRepository } from './announced-copies.repository.js';
import { announcedResponse, announcedResult } from './announcement.rules.js';

/**
 * Takes in what other supernodes announce (inference spec 8 W14), as copies for audits and nothing else. The messaging has made sure that
 * a listed supernode sent it; here: it is the one that signed what it announces. A response's hash and signature are checked in full;
 * of a request and a result, which come cut, only the signature over the stated hash can be.
 */
@Injectable()
export class AnnouncementReceiver extends MessageHandler implements OnModuleInit {
  readonly types = [MessageTypes.inferenceResponse, MessageTypes.inferenceResult];
  private readonly logger = new Logger(AnnouncementReceiver.name);

  constructor(
    private readonly handlers: MessageHandlers,
    private readonly copies: AnnouncedCopiesRepository,
    private readonly checking: Checking,
    private readonly clock: Clock,
  ) {
    super();
  }

  onModuleInit(): void {
    this.handlers.register(this);
  }

  async handle({ type, text, senderPastelId }: ReceivedMessage): Promise<void> {
    const fault =
      type === MessageTypes.inferenceResponse
        ? await this.takeResponse(text, senderPastelId)
        : await this.takeResult(text, senderPastelId);
    if (fault !== undefined) this.logger.warn(`${type} of ${senderPastelId} is not stored: ${fault}`);
  }

  private async takeResponse(text: string, sender: string): Promise<string | undefined> {
    const announced = announcedResponse(text);
    if (!announced) return 'it has not the shape of a response';
    const { request, response } = announced;
    if (signerOf(response) !== sender) return 'another PastelID signed it';
    const faults = await faultsOf(response, this.checking);
    if (faults.length > 0) return faults.join('; ');
    const { requesting_pastelid: owner, sha3_256_hash_of_inference_request_fields: hash } = request;
    if (!(await this.checking.verify(owner, hash, request.requesting_pastelid_signature_on_request_hash))) {
      return 'the requester did not sign the stated hash of the request';
    }
    const { inference_response_id, inference_request_id } = response;
    await this.copies.store({
      kind: 'response',
      inference_response_id,
      inference_request_id,
      signer_pastelid: sender,
      owner_pastelid: owner,
      message: writeJson(toJson(response)),
      request: writeJson(toJson(request)),
      received_at_ms: this.clock.now().getTime(),
    });
    return undefined;
  }

  private async takeResult(text: string, sender: string): Promise<string | undefined> {
    const result = announcedResult(text);
    if (!result) return 'it has not the shape of a result';
    if (result.responding_supernode_pastelid !== sender) return 'another PastelID signed it';
    const { sha3_256_hash_of_inference_result_fields: hash, responding_supernode_signature_on_inference_result_id: signature } =
      result;
    if (!(await this.checking.verify(sender, hash, signature))) return 'the stated hash is not signed by its sender';
    const { inference_response_id, inference_request_id } = result;
    await this.copies.store({
      kind: 'result',
      inference_response_id,
      inference_request_id,
      signer_pastelid: sender,
      owner_pastelid: null,
      message: writeJson(toJson(result)),
      request: null,
      received_at_ms: this.clock.now().getTime(),
    });
    return undefined;
  }
}
