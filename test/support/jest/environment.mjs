import { AsyncLocalStorage } from 'node:async_hooks';
import { ModuleMocker } from 'jest-mock';

/** Of jest-circus: what listens to the events of a test file, and what `jest.setTimeout` sets. */
const EVENT_HANDLERS = Symbol.for('EVENT_HANDLERS');
const TEST_TIMEOUT = Symbol.for('TEST_TIMEOUT_SYMBOL');
/** Of class-validator and TypeORM: what the decorators of classes said. */
const DECORATED = ['classValidatorMetadataStorage', 'typeormMetadataArgsStorage'];

/** In Node 20 each one that was used slows every promise down from then on; those of a test file's modules end with it. */
const storages = new Set();
const { run } = AsyncLocalStorage.prototype;
AsyncLocalStorage.prototype.run = function (...args) {
  storages.add(this);
  return run.apply(this, args);
};

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
    for (const storage of storages) storage.disable();
    storages.clear();
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
