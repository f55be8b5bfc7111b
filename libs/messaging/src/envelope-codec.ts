import { Injectable } from '@nestjs/common';
import { Refusal } from '#protocol';
import {
  BASE64_LENGTH_MAX,
  CONTENT_BYTES_MAX,
  envelopeText,
  frameIn,
  readEnvelope,
  refuseLarge,
  Unacceptable,
  utf8Text,
  type Envelope,
} from './envelope.rules.js';
import { Zstd } from './zstd.js';

/** Between an envelope and the text that pasteld carries: JSON, zstd, base64 (messaging spec 4.1). */
@Injectable()
export class EnvelopeCodec {
  constructor(private readonly zstd: Zstd) {}

  /** Throws Refusal('bad-request') for what no receiver would take. */
  async wrap(envelope: Envelope): Promise<{ text: string; base64: string }> {
    const text = envelopeText(envelope);
    const content = Buffer.from(text);
    if (content.length > CONTENT_BYTES_MAX)
      throw new Refusal('bad-request', `A message may have at most ${CONTENT_BYTES_MAX} bytes`);
    const base64 = Buffer.from(await this.zstd.compress(content)).toString('base64');
    if (base64.length > BASE64_LENGTH_MAX)
      throw new Refusal('bad-request', `A message may have at most ${BASE64_LENGTH_MAX} characters after compression`);
    return { text, base64 };
  }

  /** Cheapest checks first; inflates once, and never beyond the cap. Throws {@link Unacceptable}. */
  async open(base64: string): Promise<{ text: string; bytes: number; envelope: Envelope }> {
    const frame = frameIn(base64);
    refuseLarge(frame);
    const content = await this.zstd.decompress(frame);
    if (content === undefined) throw new Unacceptable('the zstd frame is damaged');
    const text = utf8Text(content);
    return { text, bytes: content.length, envelope: readEnvelope(text) };
  }
}
