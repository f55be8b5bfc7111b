import { pslText } from '#protocol';

const isTerminal = process.stdout.isTTY === true;
const dim = (text: string): string => (isTerminal ? `\u001b[2m${text}\u001b[22m` : text);
const bold = (text: string): string => (isTerminal ? `\u001b[1m${text}\u001b[22m` : text);
const green = (text: string): string => (isTerminal ? `\u001b[32m${text}\u001b[39m` : text);

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const SPIN_MS = 100;
const COLUMNS = 80;
/** The mark and the spaces of the line, so that it never wraps. */
const SPIN_MARGIN = 6;

/** What the person at the terminal sees: one line a step, with a turning mark and the seconds while it waits. */
export class Screen {
  private step = 0;
  private note = '';
  private redraw: (() => void) | undefined;

  heading(text: string): void {
    console.log(`\n${bold(text)}`);
  }

  line(text = ''): void {
    console.log(text);
  }

  /** Says what the running step waits for; on a terminal in place, elsewhere as a line of its own. */
  progress(note: string): void {
    if (note === this.note) return;
    this.note = note;
    if (this.redraw) this.redraw();
    else console.log(`     ${note}`);
  }

  /** Runs one step. `describe` makes the closing words from what the step gave. */
  async run<T>(title: string, work: () => Promise<T>, describe: (result: T) => string = () => ''): Promise<T> {
    const number = String(++this.step).padStart(2);
    const begun = process.hrtime.bigint();
    const seconds = (): string => `${(Number(process.hrtime.bigint() - begun) / 1e9).toFixed(1)} s`;
    const stop = isTerminal ? this.spin(`${number} ${title}`, seconds) : this.announce(`${number} ${title} …`);
    try {
      const result = await work();
      stop();
      const words = describe(result);
      console.log(`${green('✓')} ${number} ${title}${words && `: ${words}`} ${dim(`(${seconds()})`)}`);
      return result;
    } catch (error) {
      stop();
      console.log(`✗ ${number} ${title}: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    } finally {
      this.note = '';
    }
  }

  private spin(title: string, seconds: () => string): () => void {
    let turn = 0;
    const draw = (): void => {
      const room = Math.max((process.stdout.columns || COLUMNS) - title.length - SPIN_MARGIN, 0);
      const note = `${seconds()}  ${this.note}`.slice(0, room);
      process.stdout.write(`\r\u001b[K${SPINNER[turn++ % SPINNER.length]} ${title}  ${dim(note)}`);
    };
    const timer = setInterval(draw, SPIN_MS);
    this.redraw = draw;
    draw();
    return () => {
      clearInterval(timer);
      this.redraw = undefined;
      process.stdout.write('\r\u001b[K');
    };
  }

  private announce(text: string): () => void {
    console.log(`  ${text}`);
    return () => undefined;
  }
}

export const psl = (patoshis: number): string => `${pslText(patoshis)} PSL`;
export const short = (id: string): string => `${id.slice(0, 10)}…`;
