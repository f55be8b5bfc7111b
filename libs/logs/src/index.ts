export { LogsModule } from './logs.module.js';
export { createLogger, WinstonLogger } from './winston-logger.js';
