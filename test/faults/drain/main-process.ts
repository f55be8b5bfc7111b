import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../apps/supernode/src/main.js', import.meta.url));
const OUTPUT_MAX = 20_000;

export interface Exit {
  /** Null where a signal ended the process that it had no answer to. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The program that an operator starts, with these settings and no others. */
export class MainProcess {
  private readonly process: ChildProcess;
  /** The last of what it printed. */
  output = '';
  readonly exit: Promise<Exit>;
  isGone = false;

  constructor(environment: Readonly<Record<string, string>>, folder: string) {
    // Its `.env`, its pastel.conf and its log would be looked for in these.
    this.process = spawn(process.execPath, [PROGRAM], {
      cwd: folder,
      env: { ...environment, HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream!.on('data', (text: Buffer) => (this.output = (this.output + text.toString()).slice(-OUTPUT_MAX)));
    this.exit = new Promise((resolve) => {
      this.process.once('exit', (code, signal) => {
        this.isGone = true;
        resolve({ code, signal });
      });
    });
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exit;
  }
}
