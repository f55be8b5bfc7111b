import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

type Values = Record<string, string | undefined>;

/** Where the keys of pastel.conf go (messaging spec 1.3). */
const PASTEL_CONF_KEYS: Record<string, string> = {
  rpchost: 'RPC_HOST',
  rpcport: 'RPC_PORT',
  rpcuser: 'RPC_USER',
  rpcpassword: 'RPC_PASSWORD',
  genpassphrase: 'LOCAL_PASTEL_ID_PASSPHRASE',
};

/** `key=value` lines, split at the first `=`; `#` begins a comment line; of a repeated key the last counts. */
export function readPastelConf(text: string): Values {
  const values: Values = {};
  for (const line of text.split(/\r?\n/)) {
    const [, key, value] = /^\s*([^#=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    const name = PASTEL_CONF_KEYS[key ?? ''];
    if (name !== undefined) values[name] = value;
  }
  return values;
}

const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** Environment > `.env` of the working directory > `~/.pastel/pastel.conf`; defaults come last, where a setting is read. */
export function settingSources(environment: Values = process.env, directory = process.cwd(), home = homedir()): Values {
  return {
    ...readPastelConf(textOf(join(home, '.pastel', 'pastel.conf'))),
    ...parseEnv(textOf(join(directory, '.env'))),
    ...environment,
  };
}

/** Whether anybody said which pasteld to use; if not, `npm start` brings its own. */
export const namesNode = (sources: Values): boolean =>
  ['RPC_HOST', 'RPC_PORT', 'RPC_USER', 'RPC_PASSWORD'].some((name) => (sources[name] ?? '') !== '');
