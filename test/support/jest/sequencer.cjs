'use strict';
const { relative, sep } = require('node:path');
const TestSequencer = require('@jest/test-sequencer').default;

/** The folders whose tests take longest, longest first, so that no worker is left alone with one of them at the end. */
const LONGEST = ['test/faults/', 'test/'];
const rank = ({ path, context }) => {
  const name = relative(context.config.rootDir, path).split(sep).join('/');
  const at = LONGEST.findIndex((folder) => name.startsWith(folder));
  return at < 0 ? LONGEST.length : at;
};

/** Jest knows how long files took the last time; in a fresh clone, which nobody has timed, it would begin with the largest ones. */
class LongestFirst extends TestSequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    return sorted.every(({ duration }) => duration !== undefined) ? sorted : sorted.sort((a, b) => rank(a) - rank(b));
  }
}

exports.__esModule = true;
exports.default = LongestFirst;
