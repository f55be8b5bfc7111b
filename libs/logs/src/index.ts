export { LogsModule } from './logs.module.js';
export { createLogger, secretsOf, WinstonLogger } from './winston-logger.js';
