import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The demo's user, for the command line and the next start. The passphrase opens a key of the devnet alone. */
export interface DemoUser {
  readonly pastelId: string;
  readonly passphrase: string;
  readonly trackingAddress?: string;
  readonly packTxid?: string;
}

export class UserFile {
  constructor(private readonly path: string) {}

  load(): DemoUser | undefined {
    return existsSync(this.path) ? (JSON.parse(readFileSync(this.path, 'utf8')) as DemoUser) : undefined;
  }

  save(user: DemoUser): DemoUser {
    mkdirSync(dirname(this.path), { recursive: true });
    writeFileSync(`${this.path}.new`, `${JSON.stringify(user, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(`${this.path}.new`, this.path);
    return user;
  }
}
