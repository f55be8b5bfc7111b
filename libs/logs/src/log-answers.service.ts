import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Entropy } from '#protocol';
import { highlight, lineHtml } from './highlight.rules.js';
import type { LogHistory, LogHtml, LogLines } from './log-forms.js';
import { textOf } from './log-line.rules.js';
import { logPage, pagePolicy } from './log-page.js';
import { LogReader, type LogExcerpt } from './log-reader.service.js';

const NO_STORE = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };

/** Puts excerpts of the log into the form that the caller can read. */
@Injectable()
export class LogAnswers {
  constructor(
    private readonly reader: LogReader,
    private readonly entropy: Entropy,
  ) {}

  /** The page, or JSON where the caller prefers it. */
  async history(minutes: number, request: Request, response: Response): Promise<string | LogHistory> {
    const excerpt = await this.reader.recent(minutes);
    response.vary('Accept').set(NO_STORE);
    if (request.accepts(['html', 'json']) === 'json')
      return { entries: excerpt.entries, last_position: excerpt.position, truncated: excerpt.truncated };
    const nonce = this.entropy.uuid().replaceAll('-', '');
    response.type('html').set(pagePolicy(nonce));
    return logPage({ minutes, nonce, truncated: excerpt.truncated, ...linesOf(excerpt) });
  }

  /** @param form `lines` for the page's own form */
  async increment(minutes: number, position: number, form: string, response: Response): Promise<LogHtml | LogLines> {
    const excerpt = await this.reader.since(position, minutes);
    response.set(NO_STORE);
    if (form === 'lines') return linesOf(excerpt);
    const lines = excerpt.entries.flatMap((entry) => textOf(entry).split('\n'));
    return { logs: lines.map(lineHtml).join('<br>'), last_position: excerpt.position };
  }
}

const linesOf = ({ entries, position, more }: LogExcerpt): LogLines => ({
  lines: entries.map((entry) => ({ level: entry.level, tokens: highlight(textOf(entry)) })),
  last_position: position,
  more,
});
