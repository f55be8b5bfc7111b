import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { faultOfSecret, readSmallFile, SecretProblem, type SmallFile } from './secret-file.js';

const VERSION = 1;
const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FILE_BYTES_MAX = 2 ** 20;
const SECRETS_MAX = 200;
const OWNER_ALONE = 0o600;

/** One value; base64. */
interface Sealed {
  readonly nonce: string;
  readonly text: string;
  readonly tag: string;
}
type Entries = Readonly<Record<string, Sealed>>;

/** Names the setting that a value belongs to: one cannot be put in the place of another. */
const boundTo = (name: string): Buffer => Buffer.from(`pastel-inference secrets ${VERSION}: ${name}`);

/**
 * Secrets encrypted at rest: a JSON file `{"version": 1, "secrets": {name: {nonce, text, tag}}}`, AES-256-GCM, a new nonce for each value, the
 * name authenticated with it. The key is a file of its own (32 bytes, base64) that nobody but its owner may read. Throws {@link SecretProblem}.
 */
export class SecretStore {
  constructor(
    private readonly file: string,
    private readonly keyFile: string,
  ) {}

  names(): string[] {
    return Object.keys(this.entries()).sort();
  }

  /** `undefined` where it is not kept here; the key is read only where it is. */
  get(name: string): string | undefined {
    const entry = own(this.entries(), name);
    return entry && this.opened(name, entry, this.key());
  }

  /** Makes the key at the first use. */
  set(name: string, value: string): void {
    const fault = faultOfSecret(value);
    if (fault !== undefined) throw new SecretProblem(name, fault);
    this.change((entries) => {
      const key = this.keyFor(entries);
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(boundTo(name));
      const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
      const shown = (bytes: Buffer): string => bytes.toString('base64');
      return { ...entries, [name]: { nonce: shown(nonce), text: shown(text), tag: shown(cipher.getAuthTag()) } };
    });
  }

  /** Whether it was there. */
  remove(name: string): boolean {
    if (own(this.entries(), name) === undefined) return false;
    this.change((entries) => Object.fromEntries(Object.entries(entries).filter(([other]) => other !== name)));
    return true;
  }

  /** A key that does not open what is there would leave two halves that no key opens together. */
  private keyFor(entries: Entries): Buffer {
    const [first] = Object.entries(entries);
    if (first === undefined && !existsSync(this.keyFile)) return this.newKey();
    const key = this.key();
    if (first) this.opened(...first, key);
    return key;
  }
  private newKey(): Buffer {
    const key = randomBytes(KEY_BYTES);
    mkdirSync(dirname(this.keyFile), { recursive: true, mode: 0o700 });
    writeNew(this.keyFile, `${key.toString('base64')}\n`);
    return key;
  }
  private key(): Buffer {
    const file = this.read('SECRETS_KEY_FILE', this.keyFile);
    if (!file) throw new SecretProblem('SECRETS_KEY_FILE', `the key of ${this.file} at ${this.keyFile}`);
    if (file.isOpenToOthers)
      throw new SecretProblem('SECRETS_KEY_FILE', `${this.keyFile} to be its owner's alone: chmod 600 ${this.keyFile}`);
    const text = file.text.trim();
    const key = Buffer.from(text, 'base64');
    if (key.length !== KEY_BYTES || key.toString('base64') !== text)
      throw new SecretProblem('SECRETS_KEY_FILE', `${KEY_BYTES} bytes as base64 in ${this.keyFile}`);
    return key;
  }

  private opened(name: string, { nonce, text, tag }: Sealed, key: Buffer): string {
    const [nonceBytes, tagBytes] = [Buffer.from(nonce, 'base64'), Buffer.from(tag, 'base64')];
    try {
      if (nonceBytes.length !== NONCE_BYTES || tagBytes.length !== TAG_BYTES) throw new Error('not of our making');
      const decipher = createDecipheriv(CIPHER, key, nonceBytes, { authTagLength: TAG_BYTES });
      decipher.setAAD(boundTo(name)).setAuthTag(tagBytes);
      return Buffer.concat([decipher.update(text, 'base64'), decipher.final()]).toString('utf8');
    } catch {
      throw new SecretProblem(name, `a value in ${this.file} that the key in ${this.keyFile} opens; set it again`);
    }
  }

  private entries(): Entries {
    const file = this.read('SECRETS_FILE', this.file, FILE_BYTES_MAX);
    if (!file) return {};
    const entries = entriesIn(file.text);
    if (!entries) throw new SecretProblem('SECRETS_FILE', `a store of secrets of version ${VERSION} in ${this.file}`);
    return entries;
  }
  private read(setting: string, path: string, bytesMax?: number): SmallFile | undefined {
    try {
      return readSmallFile(path, bytesMax);
    } catch (error) {
      throw new SecretProblem(setting, `a file that can be read: ${path} ${(error as Error).message}`);
    }
  }

  /** Whole or not at all, and one at a time: the new file itself is the lock. */
  private change(edit: (entries: Entries) => Entries): void {
    const draft = `${this.file}.new`;
    mkdirSync(dirname(this.file), { recursive: true });
    try {
      writeNew(draft, '');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new SecretProblem('SECRETS_FILE', `no other change underway; if there is none, remove ${draft}`);
    }
    try {
      const secrets = edit(this.entries());
      if (Object.keys(secrets).length > SECRETS_MAX) throw new SecretProblem('SECRETS_FILE', `at most ${SECRETS_MAX} secrets`);
      write(draft, 'w', `${JSON.stringify({ version: VERSION, secrets }, undefined, 2)}\n`);
      renameSync(draft, this.file);
    } catch (error) {
      rmSync(draft, { force: true });
      throw error;
    }
  }
}

const own = (entries: Entries, name: string): Sealed | undefined => (Object.hasOwn(entries, name) ? entries[name] : undefined);

function entriesIn(text: string): Entries | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value['version'] !== VERSION || !isRecord(value['secrets'])) return undefined;
  const isSealed = (entry: unknown): boolean =>
    isRecord(entry) && ['nonce', 'text', 'tag'].every((part) => typeof entry[part] === 'string');
  return Object.values(value['secrets']).every(isSealed) ? (value['secrets'] as Entries) : undefined;
}
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Fails where the file exists already: a link laid by somebody else is not followed. */
const writeNew = (path: string, text: string): void => write(path, 'wx', text);
function write(path: string, flags: 'w' | 'wx', text: string): void {
  const file = openSync(path, flags, OWNER_ALONE);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
