'use strict';
const { mkdtempSync, writeFileSync } = require('node:fs');
const { register } = require('node:module');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { fileURLToPath, pathToFileURL } = require('node:url');

register('./hooks.mjs', pathToFileURL(__filename));
const compiling = import('./compiled.mjs');
let files = 0;
let globals;

/**
 * Loads test files with Node's own loader instead of that of jest-runtime, whose part this takes for jest-runner and jest-circus:
 * a library is loaded once in a worker, and not once for each test file. The project's own modules are new for each one (hooks.mjs).
 * `jest` has what the tests use: `fn`, `spyOn`, `restoreAllMocks`, `setTimeout`. Modules cannot be mocked.
 */
class NodeRuntime {
  #file = ++files;
  #mocker;
  #sourceMaps;
  isTornDown = false;

  constructor(_config, environment) {
    this.#mocker = environment.moduleMocker;
  }

  unstable_shouldLoadAsEsm() {
    return true;
  }
  async unstable_importModule(path) {
    this.#sourceMaps = new SourceMaps((await compiling).compiled);
    return import(`${pathToFileURL(path).href}?${this.#file}`);
  }
  /** jest-circus keeps the tests of a file in its module. */
  requireInternalModule(path) {
    delete require.cache[path];
    return require(path);
  }
  requireModule(path) {
    return require(path);
  }

  setGlobalsForRuntime(circus) {
    const mocker = this.#mocker;
    const jest = {
      fn: mocker.fn.bind(mocker),
      spyOn: mocker.spyOn.bind(mocker),
      restoreAllMocks: () => (mocker.restoreAllMocks(), jest),
      setTimeout: (ms) => ((globalThis[Symbol.for('TEST_TIMEOUT_SYMBOL')] = ms), jest),
    };
    globals = { ...circus, jest };
  }

  getSourceMaps() {
    return this.#sourceMaps;
  }
  getAllCoverageInfoCopy() {}
  enterTestCode() {}
  leaveTestCode() {}
  teardown() {
    this.isTornDown = true;
  }
}

/** From a TypeScript file to the file of its map, which is written when a stack is shown. */
class SourceMaps extends Map {
  #compiled;
  constructor(compiled) {
    super();
    this.#compiled = compiled;
  }
  get(source) {
    const path = source.startsWith('file:') ? fileURLToPath(source) : source;
    if (!path.endsWith('.ts')) return undefined;
    if (!this.has(path)) {
      const file = join(mkdtempSync(join(tmpdir(), 'source-map-')), 'map.json');
      writeFileSync(file, this.#compiled(path).map);
      this.set(path, file);
    }
    return super.get(path);
  }
}

exports.__esModule = true;
exports.default = NodeRuntime;
exports.globals = () => globals;
