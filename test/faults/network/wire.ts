import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { RunningSupernode } from '../../support/network.js';

/** A request, before the node has seen it. */
export interface Asked {
  readonly node: RunningSupernode;
  /** The first part of the path, without a slash. */
  readonly path: string;
  /** PastelID of whoever asks, where that is said: in the path of a challenge. */
  readonly caller: string | undefined;
}
export interface Answered extends Asked {
  readonly body: string;
  readonly status: number;
  readonly text: string;
}
/** `cut`: the connection is lost. `hang`: nobody ever answers. */
export type Way = 'pass' | 'cut' | 'hang';

/** Stands between a node and whoever asks it. What it does is set for each schedule. */
export class Wire {
  way: (asked: Asked) => Way = () => 'pass';
  /** Gives what is answered in the place of what the node says; undefined leaves it. */
  answer: (answered: Answered) => Promise<string | undefined> = async () => undefined;

  constructor(readonly nodes: readonly RunningSupernode[]) {
    for (const node of nodes) this.into(node);
  }
  clear(): void {
    this.way = () => 'pass';
    this.answer = async () => undefined;
  }

  private into(node: RunningSupernode): void {
    const server: Server = node.app.getHttpServer();
    const listeners = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
    server.removeAllListeners('request');
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const asked = askedOf(node, request);
      const way = this.way(asked);
      if (way === 'cut') return void request.socket.destroy();
      if (way === 'hang') return;
      if (request.method === 'POST') this.rewrite(asked, request, response);
      for (const listener of listeners) listener.call(server, request, response);
    });
  }
  private rewrite(asked: Asked, request: IncomingMessage, response: ServerResponse): void {
    const [heard, said]: [Buffer[], Buffer[]] = [[], []];
    const emit = request.emit.bind(request) as (event: string | symbol, ...given: unknown[]) => boolean;
    request.emit = (event: string | symbol, ...given: unknown[]): boolean => {
      if (event === 'data') heard.push(given[0] as Buffer);
      return emit(event, ...given);
    };
    const end = response.end.bind(response) as (text: string) => ServerResponse;
    response.write = ((chunk: string | Uint8Array) => said.push(Buffer.from(chunk as Uint8Array)) > 0) as typeof response.write;
    response.end = ((chunk?: unknown) => {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) said.push(Buffer.from(chunk as Uint8Array));
      const [body, text] = [Buffer.concat(heard).toString(), Buffer.concat(said).toString()];
      void this.answer({ ...asked, body, status: response.statusCode, text }).then(
        (other = text) => {
          response.setHeader('Content-Length', Buffer.byteLength(other));
          end(other);
        },
        (error: unknown) => response.destroy(error as Error),
      );
      return response;
    }) as typeof response.end;
  }
}

function askedOf(node: RunningSupernode, { url = '' }: IncomingMessage): Asked {
  const [, path = '', next] = url.split(/[/?]/);
  return { node, path, caller: path === 'request_challenge' && next !== undefined ? decodeURIComponent(next) : undefined };
}
