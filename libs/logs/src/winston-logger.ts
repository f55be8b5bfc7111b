import { inspect, types } from 'node:util';
import type { LoggerService, OnApplicationShutdown } from '@nestjs/common';
import winston from 'winston';
import type { LogSettings } from '#config';
import { currentRequestId } from '#http';
import type { Clock } from '#protocol';
import { entryText, type Level } from './log-line.rules.js';
import { redactionOf, type Redaction } from './redaction.rules.js';
import { RotatingFile } from './rotating-file.js';

/** The names of LOG_LEVEL, by weight. */
const WEIGHTS = { error: 0, warn: 1, info: 2, debug: 3 } as const;
type Weight = keyof typeof WEIGHTS;
const CAUSES_MAX = 3;
const LOOKS_LIKE_STACK = /^(?:.|\n)+\n\s+at .+/;

/**
 * What the node writes down: to the console and to a file that rotates, one line an entry (messaging spec 7.1, 11.8), under the name
 * of who speaks and the id of the HTTP request that is served, without secrets. Nest gets it as its logger. Several nodes of one
 * process share one.
 */
export class WinstonLogger implements LoggerService, OnApplicationShutdown {
  private readonly winston: winston.Logger;
  private readonly file: RotatingFile | undefined;

  constructor(
    settings: LogSettings,
    private readonly clock: Clock,
    private readonly redact: Redaction,
  ) {
    this.file = settings.file === '' ? undefined : new RotatingFile(settings.file);
    this.winston = winston.createLogger({
      levels: WEIGHTS,
      level: settings.level,
      // The text is finished when it comes here.
      format: winston.format.printf(({ message }) => String(message)),
      transports: [
        new winston.transports.Console({ silent: !settings.toConsole }),
        ...(this.file === undefined ? [] : [new winston.transports.Stream({ stream: this.file, eol: '\n' })]),
      ],
      exitOnError: false,
    });
  }

  verbose(message: unknown, ...details: unknown[]): void {
    this.write('debug', 'DEBUG', message, details);
  }
  debug(message: unknown, ...details: unknown[]): void {
    this.write('debug', 'DEBUG', message, details);
  }
  log(message: unknown, ...details: unknown[]): void {
    this.write('info', 'INFO', message, details);
  }
  warn(message: unknown, ...details: unknown[]): void {
    this.write('warn', 'WARNING', message, details);
  }
  error(message: unknown, ...details: unknown[]): void {
    this.write('error', 'ERROR', message, details);
  }
  fatal(message: unknown, ...details: unknown[]): void {
    this.write('error', 'CRITICAL', message, details);
  }

  /** Everything said so far is on the disk afterwards. What is said later is still written. */
  flush(): void {
    this.file?.settle();
  }
  onApplicationShutdown(): void {
    this.flush();
  }

  /** Nest hands over the context as the last detail, and the stack of an error before it. */
  private write(weight: Weight, level: Level, said: unknown, details: readonly unknown[]): void {
    if (!this.winston.isLevelEnabled(weight)) return;
    const given = details.filter((detail) => detail !== undefined);
    const last = given.at(-1);
    const context = typeof last === 'string' && !LOOKS_LIKE_STACK.test(last) ? last : undefined;
    const rest = context === undefined ? given : given.slice(0, -1);
    const message = this.redact([said, ...rest].map(printed).join('\n'));
    this.winston.log(weight, entryText({ at: this.clock.now(), level, message, context, requestId: currentRequestId() }));
  }
}

function printed(value: unknown): string {
  if (typeof value === 'string') return value;
  if (types.isNativeError(value)) return printedError(value);
  return inspect(value, { depth: 4, breakLength: 120, maxArrayLength: 50, maxStringLength: 2000 });
}

/** The stack and what caused it; not the other members: of a failed HTTP call they hold headers and bodies. */
function printedError(error: Error): string {
  const told: string[] = [];
  for (let current: unknown = error; types.isNativeError(current) && told.length <= CAUSES_MAX; current = current.cause) {
    told.push(current.stack ?? current.message);
  }
  return told.join('\ncaused by ');
}

/**
 * The logger of a process, for `NestFactory.create` and {@link LogsModule.of}.
 * @param secrets texts to take out of every line: the `secrets` of the settings of all nodes in this process
 */
export const createLogger = (
  settings: LogSettings,
  { clock, secrets = [] }: { readonly clock: Clock; readonly secrets?: readonly string[] },
): WinstonLogger => new WinstonLogger(settings, clock, redactionOf(secrets));
