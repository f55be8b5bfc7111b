import { Module, type DynamicModule } from '@nestjs/common';
import { LogAnswers } from './log-answers.service.js';
import { LogReader } from './log-reader.service.js';
import { LogsController } from './logs.controller.js';
import { WinstonLogger } from './winston-logger.js';

@Module({})
export class LogsModule {
  /** Serves the log; with its logger, also sees to it that the log is on the disk when the node ends. */
  static of(logger?: WinstonLogger): DynamicModule {
    return {
      module: LogsModule,
      controllers: [LogsController],
      providers: [LogReader, LogAnswers, ...(logger === undefined ? [] : [{ provide: WinstonLogger, useValue: logger }])],
    };
  }
}
