import { ModuleMocker } from 'jest-mock';

/** Of jest-circus: what listens to the events of a test file, and what `jest.setTimeout` sets. */
const EVENT_HANDLERS = Symbol.for('EVENT_HANDLERS');
const TEST_TIMEOUT = Symbol.for('TEST_TIMEOUT_SYMBOL');
/** Of class-validator and TypeORM: what the decorators of classes said. */
const DECORATED = ['classValidatorMetadataStorage', 'typeormMetadataArgsStorage'];

/** The process itself, without a context of its own; what a test file sets for the whole process is taken back after it. */
export default class ProcessEnvironment {
  global = globalThis;
  moduleMocker = new ModuleMocker(globalThis);
  fakeTimers = null;
  fakeTimersModern = null;
  #before = { console, exit: process.exit, directory: process.cwd(), env: { ...process.env } };

  async setup() {}

  async teardown() {
    const { console: ownConsole, exit, directory, env } = this.#before;
    this.moduleMocker.restoreAllMocks();
    for (const key of [EVENT_HANDLERS, TEST_TIMEOUT, ...DECORATED]) delete globalThis[key];
    for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
    Object.assign(process.env, env);
    if (process.cwd() !== directory) process.chdir(directory);
    process.exit = exit;
    globalThis.console = ownConsole;
    // Where Nest is in use, its logger may have been silenced.
    if ('getMetadata' in Reflect) {
      const { ConsoleLogger, Logger } = await import('@nestjs/common');
      Logger.overrideLogger(new ConsoleLogger());
    }
  }

  getVmContext() {
    return null;
  }
}
