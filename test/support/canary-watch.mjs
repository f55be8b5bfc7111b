// Looks at everything that a test prints; what holds a secret is noted for the end of the run (run.mjs). Runs before every test file.
import { appendFileSync } from 'node:fs';
import { format } from 'node:util';
import { formsOf } from './run.mjs';

const WATCHED = Symbol.for('watched for secrets');
const { TEST_CANARY, TEST_CANARY_HITS } = process.env;
const forms = TEST_CANARY === undefined ? [] : formsOf(TEST_CANARY);

function look(text) {
  const form = forms.find((each) => text.includes(each));
  if (form === undefined) return;
  const at = text.indexOf(form);
  appendFileSync(TEST_CANARY_HITS, `printed: ${text.slice(Math.max(0, at - 200), at + 100)}\n`);
}
function watch(target, name, textOf) {
  const write = target[name];
  if (write[WATCHED]) return;
  const watching = function (...args) {
    look(textOf(args));
    return write.apply(this, args);
  };
  watching[WATCHED] = true;
  target[name] = watching;
}

if (forms.length > 0) {
  const ofStream = ([chunk]) => (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
  watch(process.stdout, 'write', ofStream);
  watch(process.stderr, 'write', ofStream);
  for (const level of ['debug', 'error', 'info', 'log', 'trace', 'warn']) watch(console, level, (args) => format(...args));
}
