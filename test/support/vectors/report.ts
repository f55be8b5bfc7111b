/** Counts cases; a case passes when every one of its checks does. */
export class Report {
  passed = 0;
  readonly failures: string[] = [];
  readonly skipped: string[] = [];

  /** Runs one case; what it throws fails it. */
  async run(name: string, check: (fault: (what: string, got: unknown, want: unknown) => void) => unknown): Promise<void> {
    const faults: string[] = [];
    const compare = (what: string, got: unknown, want: unknown): void => {
      if (!same(got, want)) faults.push(`${what}: got ${shown(got)}, want ${shown(want)}`);
    };
    try {
      await check(compare);
    } catch (error) {
      faults.push(String(error));
    }
    if (faults.length === 0) this.passed++;
    else this.fail(name, faults.join('; '));
  }

  fail(name: string, why: string): void {
    this.failures.push(`${name}: ${why.replaceAll('\n', '\\n')}`);
  }

  skip(name: string): void {
    this.skipped.push(name);
  }
}

const LENGTH_SHOWN = 200;
const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.length > LENGTH_SHOWN ? `${text.slice(0, LENGTH_SHOWN)}…` : text;
};
const same = (got: unknown, want: unknown): boolean =>
  got === want || (typeof got === 'object' && typeof want === 'object' && JSON.stringify(got) === JSON.stringify(want));
