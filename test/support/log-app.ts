import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Type } from '@nestjs/common';
import { type HttpSettings, LogSettings } from '#config';
import { createLogger, LogsModule, type WinstonLogger } from '#logs';
import { startHttpApp, type TestHttpApp } from './http-app.js';

export interface TestLogApp extends TestHttpApp {
  readonly logger: WinstonLogger;
  readonly file: string;
}

/** The log's routes behind the whole HTTP ground, over a log file of its own; entries carry the time of the test's clock. */
export async function startLogApp(settings: Partial<HttpSettings> = {}, controllers: Type[] = []): Promise<TestLogApp> {
  const folder = mkdtempSync(join(tmpdir(), 'pastel-logs-'));
  const log: LogSettings = { level: 'debug', file: join(folder, 'log.txt'), toConsole: false };
  const http = await startHttpApp({
    imports: [LogsModule.of()],
    provided: [{ provide: LogSettings, useValue: log }],
    controllers,
    settings,
  });
  const logger = createLogger(log, { clock: http.clock });
  const close = async (): Promise<void> => {
    await http.close();
    logger.flush();
    rmSync(folder, { recursive: true });
  };
  return { ...http, logger, file: log.file, close };
}
