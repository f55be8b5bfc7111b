import { ProviderFailure } from '../provider.js';
import type { ServerEvent } from './events.js';
import { cutOff, failureInStream, isRecord, malformed, parsed, type Reading } from './failures.js';

export interface MessageReply {
  readonly text: string;
  /** As the vendor tells them: anything. */
  readonly inputTokens: unknown;
  readonly outputTokens: unknown;
}
type Body = Record<string, unknown>;

/** Puts the message of a stream together, or takes it from one body. Thoughts, and blocks of other sorts than text, are passed over. */
export class MessageReader {
  private readonly pieces: string[] = [];
  private inputTokens: unknown;
  private outputTokens: unknown;
  private hasBegun = false;
  private isFinished = false;
  private reason: string | undefined;

  constructor(private readonly reading: Reading) {}

  /** Whether that was the end. Throws a ProviderFailure for an error that travels as an event. */
  take({ event, data }: ServerEvent): boolean {
    const body = parsed(data);
    if (!isRecord(body)) throw malformed('something that is not JSON');
    switch (event ?? body['type']) {
      case 'error':
        throw failureInStream(body['error'] ?? body, this.reading);
      case 'message':
        this.takeWhole(body);
        return true;
      case 'message_start':
        this.hasBegun = true;
        this.inputTokens = inputTokensIn(isRecord(body['message']) ? body['message']['usage'] : undefined);
        break;
      case 'content_block_start':
        this.takeText(body['content_block'], 'text');
        break;
      case 'content_block_delta':
        this.takeText(body['delta'], 'text_delta');
        break;
      case 'message_delta':
        this.outputTokens = isRecord(body['usage']) ? body['usage']['output_tokens'] : undefined;
        this.finish(isRecord(body['delta']) ? body['delta']['stop_reason'] : undefined);
        break;
      case 'message_stop':
        this.isFinished = true;
        return true;
      default:
      // Pings, ends of blocks, and what may be added some day.
    }
    return false;
  }

  /** Throws a ProviderFailure where the message is not whole. */
  reply(): MessageReply {
    if (!this.hasBegun) throw malformed('no message');
    if (!this.isFinished) throw cutOff();
    if (this.pieces.length === 0) throw this.reason === 'max_tokens' ? thoughtTooLong() : malformed('a message without text');
    return { text: this.pieces.join('').toWellFormed(), inputTokens: this.inputTokens, outputTokens: this.outputTokens };
  }

  private takeWhole(body: Body): void {
    const content = body['content'];
    if (!Array.isArray(content)) throw malformed('content that is no list');
    this.hasBegun = true;
    for (const block of content as unknown[]) this.takeText(block, 'text');
    this.inputTokens = inputTokensIn(body['usage']);
    this.outputTokens = isRecord(body['usage']) ? body['usage']['output_tokens'] : undefined;
    this.finish(body['stop_reason']);
    this.isFinished = true;
  }

  private takeText(block: unknown, type: string): void {
    if (!isRecord(block) || block['type'] !== type) return;
    if (typeof block['text'] !== 'string') throw malformed('text that is no text');
    if (block['text'] !== '') this.pieces.push(block['text']);
  }

  private finish(reason: unknown): void {
    if (reason === 'refusal') throw new ProviderFailure('refused', 'The model declined to answer', false);
    if (typeof reason !== 'string') return;
    this.reason = reason;
    this.isFinished = true;
  }
}

/** Another attempt would cost the same and end the same way. */
const thoughtTooLong = (): ProviderFailure =>
  new ProviderFailure(
    'refused',
    'The model thought until its tokens were used up; allow it more tokens or ask for less effort',
    false,
  );

/** What was put in the cache or read from it is input as well; the vendor tells it apart. */
function inputTokensIn(usage: unknown): unknown {
  if (!isRecord(usage)) return undefined;
  const [plain, ...cached] = ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'].map(
    (name) => usage[name],
  );
  if (typeof plain !== 'number') return plain;
  return cached.reduce<number>((sum, tokens) => (typeof tokens === 'number' ? sum + tokens : sum), plain);
}
