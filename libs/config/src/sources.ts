import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { looksLikeFernet, openFernet } from './secrets/fernet.js';
import { faultOfSecret, readSmallFile, SecretProblem, withoutLineEnd, type SmallFile } from './secrets/secret-file.js';
import { SecretStore } from './secrets/secret-store.js';

export type Values = Readonly<Record<string, string | undefined>>;

/** Beside `.env`, and the key elsewhere: whoever takes the folder takes no secrets. */
export const SECRETS_FILE = 'secrets.json';
export const SECRETS_KEY_FILE = '~/.pastel/inference-secrets.key';
/** Where the original keeps its key. */
export const FERNET_KEY_FILE = '~/env_encryption_key_for_supernode_inference_app';

/** Where the keys of pastel.conf go (messaging spec 1.3). */
const PASTEL_CONF_KEYS: Readonly<Record<string, string>> = {
  rpchost: 'RPC_HOST',
  rpcport: 'RPC_PORT',
  rpcuser: 'RPC_USER',
  rpcpassword: 'RPC_PASSWORD',
  genpassphrase: 'LOCAL_PASTEL_ID_PASSPHRASE',
};

/** `key=value` lines, split at the first `=`; `#` begins a comment line; of a repeated key the last counts. */
export function readPastelConf(text: string): Values {
  const values: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf('=');
    const name = at < 0 ? undefined : PASTEL_CONF_KEYS[line.slice(0, at).trim()];
    if (name !== undefined) values[name] = line.slice(at + 1).trim();
  }
  return values;
}

const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** What was found for a secret; `warning` where its file is open to others. */
export interface FoundSecret {
  readonly value: string | undefined;
  readonly warning?: string;
}

/**
 * Where settings come from. Ordinary ones: environment > `.env` > pastel.conf; defaults come last, where a setting is read. Secrets: environment >
 * the file that `<NAME>_FILE` names > `.env` > the store of secrets > pastel.conf. Tokens that the original wrote (Fernet, messaging spec 1.4)
 * are opened wherever they stand.
 */
export class SettingSources {
  private constructor(
    private readonly layers: Layers,
    private readonly home: string,
    private readonly store: SecretStore | undefined,
  ) {}

  /** Of a program that an operator or a user starts. */
  static ofMachine(environment: Values = process.env, directory = process.cwd(), home = homedir()): SettingSources {
    const conf = readPastelConf(textOf(join(home, '.pastel', 'pastel.conf')));
    const layers = { environment, dotEnv: parseEnv(textOf(join(directory, '.env'))), conf };
    const path = (name: string, fallback: string): string => resolve(directory, inHome(textIn(layers, name) ?? fallback, home));
    const store = new SecretStore(path('SECRETS_FILE', SECRETS_FILE), path('SECRETS_KEY_FILE', SECRETS_KEY_FILE));
    return new SettingSources(layers, home, store);
  }
  /** These alone, as if the environment held them. */
  static of(environment: Values): SettingSources {
    return new SettingSources({ environment, dotEnv: {}, conf: {} }, homedir(), undefined);
  }
  /** @param defaults count where nothing else is set */
  withDefaults(defaults: Values): SettingSources {
    const missing = Object.entries(defaults).filter(([name]) => !this.has(name));
    const environment = { ...this.layers.environment, ...Object.fromEntries(missing) };
    return new SettingSources({ ...this.layers, environment }, this.home, this.store);
  }

  /** Surrounding blanks cut; `undefined` for nothing. */
  text(name: string): string | undefined {
    return textIn(this.layers, name);
  }

  /** Throws {@link SecretProblem}. An empty variable of the environment says that there is none; an empty line of `.env` says nothing. */
  secret(name: string): FoundSecret {
    const { environment, dotEnv, conf } = this.layers;
    if (environment[name] !== undefined) return { value: this.plain(name, cut(environment[name])) };
    const file = this.text(`${name}_FILE`);
    if (file !== undefined) return this.inFile(name, inHome(file, this.home));
    return { value: this.plain(name, cut(dotEnv[name]) ?? this.store?.get(name) ?? cut(conf[name])) };
  }

  /** Whether it stands anywhere; nothing is opened. */
  has(name: string): boolean {
    return (
      this.text(name) !== undefined || this.text(`${name}_FILE`) !== undefined || (this.store?.names().includes(name) ?? false)
    );
  }

  /** For the program that changes it. */
  get secretStore(): SecretStore {
    if (!this.store) throw new Error('These settings come from no machine');
    return this.store;
  }

  private inFile(name: string, path: string): FoundSecret {
    let file: SmallFile;
    try {
      file = readSmallFile(path) ?? missing();
    } catch (error) {
      throw new SecretProblem(`${name}_FILE`, `a file that can be read: ${path} ${(error as Error).message}`);
    }
    const warning = `${path} (${name}_FILE) is open to others than its owner: chmod 600 ${path}`;
    return { value: this.plain(name, withoutLineEnd(file.text)), ...(file.isOpenToOthers && { warning }) };
  }

  private plain(name: string, value: string | undefined): string | undefined {
    if (value === undefined) return undefined;
    const plain = looksLikeFernet(value) ? this.opened(name, value) : value;
    const fault = faultOfSecret(plain);
    if (fault !== undefined) throw new SecretProblem(name, fault);
    return plain;
  }
  private opened(name: string, token: string): string {
    const path = inHome(this.text('FERNET_KEY_FILE') ?? FERNET_KEY_FILE, this.home);
    const expected = `a plain value, or an encrypted one that the Fernet key in ${path} (FERNET_KEY_FILE) opens`;
    try {
      const plain = openFernet(token, (readSmallFile(path) ?? missing()).text);
      if (plain !== undefined) return plain;
    } catch (error) {
      throw new SecretProblem(name, `${expected}; that file ${(error as Error).message}`);
    }
    throw new SecretProblem(name, expected);
  }
}

interface Layers {
  readonly environment: Values;
  readonly dotEnv: Values;
  readonly conf: Values;
}
const textIn = ({ environment, dotEnv, conf }: Layers, name: string): string | undefined =>
  cut(environment[name] ?? dotEnv[name] ?? conf[name]);
const cut = (text: string | undefined): string | undefined => text?.trim() || undefined;
const inHome = (path: string, home: string): string => (path.startsWith('~/') ? join(home, path.slice(2)) : path);
const missing = (): never => {
  throw new Error('does not exist');
};

/** Whether anybody said which pasteld to use; if not, `npm start` brings its own. */
export const namesNode = (sources: SettingSources): boolean =>
  ['RPC_HOST', 'RPC_PORT', 'RPC_USER', 'RPC_PASSWORD'].some((name) => sources.has(name));
