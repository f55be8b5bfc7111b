/** One setting as `.env.example` shows it. */
export interface SettingDescription {
  readonly name: string;
  readonly meaning: string;
  readonly fallback: string;
  readonly secret: boolean;
}
export interface SettingProblem {
  readonly name: string;
  readonly expected: string;
}

export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  constructor(readonly problems: readonly SettingProblem[]) {
    super(`Bad settings:\n${problems.map(({ name, expected }) => `  ${name}: expected ${expected}`).join('\n')}`);
  }
}

interface Limits {
  readonly min?: number;
  readonly max?: number;
}

/** Reads named settings from one table of texts; remembers every problem, so that all are reported at once. */
export class Environment {
  readonly described: SettingDescription[] = [];
  readonly problems: SettingProblem[] = [];
  /** The values of all secrets that were asked for and are set. */
  readonly secrets: string[] = [];
  constructor(private readonly values: Readonly<Record<string, string | undefined>>) {}

  text(name: string, fallback: string, meaning: string): string {
    return this.raw(name, fallback, meaning) ?? fallback;
  }
  optional(name: string, meaning: string): string | undefined {
    return this.raw(name, '', meaning);
  }
  secret(name: string, meaning: string): string | undefined {
    const value = this.raw(name, '', meaning, true);
    if (value !== undefined) this.secrets.push(value);
    return value;
  }

  integer(name: string, fallback: number, meaning: string, { min = 0, max = Number.MAX_SAFE_INTEGER }: Limits = {}): number {
    return this.parsed(name, fallback, meaning, `a whole number from ${min} to ${max}`, (text) => {
      const value = Number(text);
      return /^\d+$/.test(text) && value >= min && value <= max ? value : undefined;
    });
  }
  number(name: string, fallback: number, meaning: string, { min = 0, max = Number.MAX_VALUE }: Limits = {}): number {
    return this.parsed(name, fallback, meaning, `a number from ${min} to ${max}`, (text) => {
      const value = Number(text);
      return /^\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) && value >= min && value <= max ? value : undefined;
    });
  }
  flag(name: string, fallback: boolean, meaning: string): boolean {
    return this.parsed(name, fallback, meaning, '1 or 0 (true or false)', (text) =>
      /^(1|true|yes)$/i.test(text) ? true : /^(0|false|no)$/i.test(text) ? false : undefined,
    );
  }
  choice<T extends string>(name: string, options: readonly T[], fallback: T, meaning: string): T {
    return this.parsed(name, fallback, meaning, `one of ${options.join(', ')}`, (text) =>
      options.find((option) => option === text),
    );
  }
  list(name: string, fallback: readonly string[], meaning: string): string[] {
    return this.text(name, fallback.join(','), meaning)
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }
  refuse(name: string, expected: string): void {
    this.problems.push({ name, expected });
  }

  private parsed<T>(name: string, fallback: T, meaning: string, expected: string, parse: (text: string) => T | undefined): T {
    const shown = typeof fallback === 'boolean' ? String(Number(fallback)) : String(fallback);
    const text = this.raw(name, shown, meaning);
    if (text === undefined) return fallback;
    const value = parse(text);
    if (value === undefined) this.refuse(name, `${expected}, got '${text}'`);
    return value ?? fallback;
  }
  private raw(name: string, fallback: string, meaning: string, secret = false): string | undefined {
    this.described.push({ name, meaning, fallback, secret });
    const value = this.values[name]?.trim();
    return value === '' ? undefined : value;
  }
}
