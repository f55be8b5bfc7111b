import { Injectable } from '@nestjs/common';
import axios from 'axios';
import { SupernodeNetwork, type Supernode } from '#chain';
import { statedFigures, type StatedFigures } from './liveness-answer.rules.js';

/** A supernode that was asked, and what it said; `figures` are absent where it gave no liveness answer in time. */
export interface Probed {
  readonly peer: Supernode;
  readonly figures?: StatedFigures;
}

/** A peer that does not answer a liveness ping in this time is left out (credit-packs spec 5.3). */
const PING_TIMEOUT_MS = 800;
const PINGS_AT_ONCE = 32;
const ANSWER_BYTES_MAX = 65_536;

/** Asks every other supernode whether it is alive. Whatever one of them answers, or does not, harms nobody else. */
@Injectable()
export class PeerProbe {
  constructor(private readonly network: SupernodeNetwork) {}

  async askAll(): Promise<Probed[]> {
    const [list, self] = await Promise.all([this.network.list(), this.network.self()]);
    const waiting = list.filter(({ outpoint }) => outpoint !== self?.outpoint);
    const probed: Probed[] = [];
    const worker = async (): Promise<void> => {
      for (let peer = waiting.pop(); peer; peer = waiting.pop()) {
        const figures = await this.ask(peer);
        probed.push({ peer, ...(figures && { figures }) });
      }
    };
    await Promise.all(Array.from({ length: PINGS_AT_ONCE }, worker));
    return probed;
  }

  private async ask(peer: Supernode): Promise<StatedFigures | undefined> {
    try {
      const { status, data } = await axios.get<unknown>(`${this.network.urlOf(peer)}/liveness_ping`, {
        signal: AbortSignal.timeout(PING_TIMEOUT_MS),
        responseType: 'text',
        transformResponse: [(text: unknown) => text],
        maxContentLength: ANSWER_BYTES_MAX,
        maxRedirects: 0,
        validateStatus: () => true,
        proxy: false,
      });
      return status === 200 && typeof data === 'string' ? statedFigures(data) : undefined;
    } catch {
      return undefined;
    }
  }
}
