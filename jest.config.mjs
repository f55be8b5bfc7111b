/** Node's own loader reads the tests: test/support/jest/runtime.cjs, docs/decisions/0009-tests-by-nodes-loader.md. */
export default {
  runtime: '<rootDir>/test/support/jest/runtime.cjs',
  testEnvironment: '<rootDir>/test/support/jest/environment.mjs',
  transform: {},
  testSequencer: '<rootDir>/test/support/jest/sequencer.cjs',
  injectGlobals: false,
  extensionsToTreatAsEsm: ['.ts'],
  testRegex: '.*\\.spec\\.ts$',
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/data/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/data/'],
  // For --findRelatedTests and --onlyChanged.
  moduleNameMapper: { '^#(.*)$': '<rootDir>/libs/$1/src/index.ts', '^(\\.{1,2}/.*)\\.js$': '$1' },
  globalSetup: '<rootDir>/test/support/start-postgres.mjs',
  globalTeardown: '<rootDir>/test/support/stop-postgres.mjs',
  setupFiles: ['<rootDir>/test/support/canary-watch.mjs'],
  testTimeout: 20_000,
  // Two cores are common; jest would leave one of them idle.
  maxWorkers: '100%',
  // Modules are not given back while a worker lives.
  workerIdleMemoryLimit: '1GB',
};
