import type { ProviderFailure } from '../provider.js';
import type { ServerEvent } from './events.js';
import { cutOff, failureInStream, isRecord, malformed, parsed, type Reading } from './failures.js';

type Body = Record<string, unknown>;

export interface ChatAnswer {
  readonly content: string;
  /** What the model thought before, where the vendor tells it. */
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCall[];
}
interface ToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}
export interface ChatReply {
  readonly answers: readonly ChatAnswer[];
  /** As the vendor tells it: anything. */
  readonly usage: Body | undefined;
}

interface Growing {
  readonly content: string[];
  readonly reasoning: string[];
  readonly refusal: string[];
  readonly calls: { id: string; name: string; arguments: string[] }[];
  isFinished: boolean;
}
const CALLS_MAX = 128;

/** Puts a reply together, from the pieces of a stream or from one body; both have the same shape but for `delta` and `message`. */
export class ChatReader {
  private readonly growing: Growing[] = [];
  private usage: Body | undefined;
  private isDone = false;

  constructor(
    private readonly answersMax: number,
    private readonly reading: Reading,
  ) {}

  /** Whether that was the end. Throws a ProviderFailure for an error that travels as an event. */
  take({ event, data }: ServerEvent): boolean {
    if (data.trim() === '[DONE]') return (this.isDone = true);
    const body = parsed(data);
    if (!isRecord(body)) throw malformed('something that is not JSON');
    if (event === 'error' || (body['error'] !== undefined && body['error'] !== null)) throw this.failureIn(body['error'] ?? body);
    this.takeBody(body);
    return false;
  }

  /** Throws a ProviderFailure where the reply is not whole. */
  reply(): ChatReply {
    if (this.growing.length === 0) throw this.isDone ? malformed('no completion') : cutOff();
    if (!this.isDone && this.growing.some((answer) => !answer.isFinished)) throw cutOff();
    return { answers: this.growing.map(grown), usage: this.usage };
  }

  takeBody(body: Body): void {
    const extra = isRecord(body['x_groq']) ? body['x_groq']['usage'] : undefined;
    const usage = isRecord(body['usage']) ? body['usage'] : extra;
    if (isRecord(usage)) this.usage = usage;
    const choices = body['choices'];
    if (choices === undefined || choices === null) return;
    if (!Array.isArray(choices)) throw malformed('choices that are no list');
    for (const choice of choices as unknown[]) this.takeChoice(choice);
  }

  private takeChoice(choice: unknown): void {
    if (!isRecord(choice)) throw malformed('a choice of another shape');
    const index = choice['index'] ?? 0;
    if (!Number.isInteger(index) || (index as number) < 0 || (index as number) >= this.answersMax)
      throw malformed('more completions than were asked for');
    while (this.growing.length <= (index as number))
      this.growing.push({ content: [], reasoning: [], refusal: [], calls: [], isFinished: false });
    const answer = this.growing[index as number]!;
    const whole = choice['message'];
    if (isRecord(whole)) {
      add(answer, whole);
      answer.isFinished = true;
    } else if (isRecord(choice['delta'])) add(answer, choice['delta']);
    const reason = choice['finish_reason'];
    if (reason === 'error') throw this.failureIn(choice['error'] ?? {});
    if (typeof reason === 'string') answer.isFinished = true;
  }

  private failureIn(error: unknown): ProviderFailure {
    return failureInStream(typeof error === 'string' ? { message: error } : error, this.reading);
  }
}

function add(answer: Growing, message: Body): void {
  addContent(answer, message['content']);
  for (const name of ['reasoning_content', 'reasoning']) {
    const text = message[name];
    if (typeof text !== 'string') continue;
    answer.reasoning.push(text);
    break;
  }
  if (typeof message['refusal'] === 'string') answer.refusal.push(message['refusal']);
  if (Array.isArray(message['tool_calls'])) for (const call of message['tool_calls'] as unknown[]) addCall(answer, call);
}

/** A text; or a list of parts, of type `text`, and `thinking` with parts of its own. */
function addContent(answer: Growing, content: unknown): void {
  if (content === undefined || content === null) return;
  if (typeof content === 'string') return void answer.content.push(content);
  if (!Array.isArray(content)) throw malformed('content that is no text');
  for (const part of content as unknown[]) {
    if (!isRecord(part)) throw malformed('content that is no text');
    if (typeof part['text'] === 'string') answer.content.push(part['text']);
    const thoughts = Array.isArray(part['thinking']) ? (part['thinking'] as unknown[]) : [part['thinking']];
    for (const thought of thoughts) {
      const text = isRecord(thought) ? thought['text'] : thought;
      if (typeof text === 'string') answer.reasoning.push(text);
    }
  }
}

/** In a stream the first piece names the function, and the next ones add to its arguments. */
function addCall(answer: Growing, piece: unknown): void {
  if (!isRecord(piece)) throw malformed('a tool call of another shape');
  const index = typeof piece['index'] === 'number' ? piece['index'] : answer.calls.length;
  if (!Number.isInteger(index) || index < 0 || index > Math.min(answer.calls.length, CALLS_MAX))
    throw malformed('a tool call out of order');
  const call = (answer.calls[index] ??= { id: '', name: '', arguments: [] });
  const made = isRecord(piece['function']) ? piece['function'] : {};
  if (typeof piece['id'] === 'string' && piece['id'] !== '') call.id = piece['id'];
  if (typeof made['name'] === 'string' && made['name'] !== '') call.name = made['name'];
  if (typeof made['arguments'] === 'string') call.arguments.push(made['arguments']);
}

function grown({ content, reasoning, refusal, calls }: Growing): ChatAnswer {
  if (content.length === 0 && refusal.length === 0 && calls.length === 0 && reasoning.length === 0)
    throw malformed('a completion without content');
  const said = content.join('');
  return {
    content: (said === '' ? refusal.join('') : said).toWellFormed(),
    reasoning: reasoning.join('').toWellFormed(),
    toolCalls: calls.map(({ id, name, arguments: pieces }) => ({
      id,
      type: 'function',
      function: { name, arguments: pieces.join('').toWellFormed() },
    })),
  };
}
