import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { Environment, readSettings, SECRET_BYTES_MAX, SettingSources, withoutLineEnd, type SecretStore } from '#config';
import { printResult, UsageError, type Terminal } from './output.js';

/** Where a value comes from: never the command line, which others can read and shells remember. */
export type SecretInput = (name: string) => Promise<string>;

/** What the commands about secrets are given. They need no node. */
export interface SecretsContext {
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly store: SecretStore;
  readonly input: SecretInput;
}

export async function setSecret({ terminal, json, store, input }: SecretsContext, name: string): Promise<void> {
  const known = await knownSecrets();
  if (!known.includes(name)) throw new UsageError(`There is no secret ${shown(name)}. These exist: ${known.join(', ')}`);
  store.set(name, await input(name));
  printResult(terminal, json, { set: name }, `${name} is kept, encrypted. A supernode that runs takes it at its next start.`);
}

export async function listSecrets({ terminal, json, store }: SecretsContext): Promise<void> {
  const names = store.names();
  printResult(terminal, json, names, names.length === 0 ? 'No secrets are kept here.' : names.join('\n'));
}

export async function removeSecret({ terminal, json, store }: SecretsContext, name: string): Promise<void> {
  if (!store.remove(name)) throw new UsageError(`${shown(name)} is not kept here. See: pastel-inference secrets list`);
  printResult(terminal, json, { removed: name }, `${name} is removed.`);
}

/** Every secret that the settings know, those of the providers included. */
async function knownSecrets(): Promise<string[]> {
  // Nothing else of this program needs the providers, and they take a while to load.
  const { providers } = await import('#inference');
  const environment = new Environment({});
  readSettings(environment, providers);
  return environment.described.filter(({ secret }) => secret).map(({ name }) => name);
}

/** Who mistakes the command may type the secret itself in the place of a name. */
const shown = (name: string): string => (/^[A-Z][A-Z0-9_]{0,60}$/.test(name) ? name : 'of this name');

/** Of this folder, as the supernode that is started here finds it. */
export const storeOfMachine = (): SecretStore => SettingSources.ofMachine().secretStore;

/** Asked for without showing what is typed; from a pipe where there is no terminal. */
export const secretFromUser =
  (stdin: NodeJS.ReadStream = process.stdin, screen: NodeJS.WritableStream = process.stderr): SecretInput =>
  async (name) => {
    if (stdin.isTTY) return typed(stdin, screen, name);
    let text = '';
    for await (const piece of stdin.setEncoding('utf8') as AsyncIterable<string>) {
      text += piece;
      if (text.length > 2 * SECRET_BYTES_MAX) break;
    }
    return withoutLineEnd(text);
  };

function typed(input: NodeJS.ReadStream, screen: NodeJS.WritableStream, name: string): Promise<string> {
  const nowhere = new Writable({ write: (_piece, _encoding, done) => done() });
  screen.write(`${name}: `);
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.once('SIGINT', () => lines.close());
    // After a line this changes nothing.
    lines.once('close', () => {
      screen.write('\n');
      reject(new UsageError('Nothing was entered'));
    });
  });
}
