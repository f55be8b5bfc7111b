import { SecretProblem } from './secrets/secret-file.js';
import { SECRET_CHARACTERS_MIN } from './secrets/secrets.js';
import { SettingSources, type Values } from './sources.js';

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

/** Reads named settings; remembers every problem, so that all are reported at once. */
export class Environment {
  readonly described: SettingDescription[] = [];
  readonly problems: SettingProblem[] = [];
  /** The values of all secrets that were asked for and are set. */
  readonly secrets: string[] = [];
  /** What the operator should mend, though the program runs. */
  readonly warnings: string[] = [];
  private readonly sources: SettingSources;
  constructor(sources: SettingSources | Values) {
    this.sources = sources instanceof SettingSources ? sources : SettingSources.of(sources);
  }

  text(name: string, fallback: string, meaning: string): string {
    return this.raw(name, fallback, meaning) ?? fallback;
  }
  optional(name: string, meaning: string): string | undefined {
    return this.raw(name, '', meaning);
  }
  secret(name: string, meaning: string): string | undefined {
    const value = this.secretText(name, '', meaning);
    if (value === undefined) return undefined;
    this.secrets.push(value);
    if (value.length < SECRET_CHARACTERS_MIN)
      this.warnings.push(
        `${name} has less than ${SECRET_CHARACTERS_MIN} characters: too short to be struck from the log wherever it stands`,
      );
    return value;
  }
  /** A URL in which a password may stand. */
  address(name: string, fallback: string, meaning: string): string {
    const url = this.secretText(name, fallback, meaning) ?? fallback;
    const password = passwordIn(url);
    if (password !== '') this.secrets.push(password);
    return url;
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
    const isKnown = this.problems.some((problem) => problem.name === name && problem.expected === expected);
    if (!isKnown) this.problems.push({ name, expected });
  }

  private parsed<T>(name: string, fallback: T, meaning: string, expected: string, parse: (text: string) => T | undefined): T {
    const shown = typeof fallback === 'boolean' ? String(Number(fallback)) : String(fallback);
    const text = this.raw(name, shown, meaning);
    if (text === undefined) return fallback;
    const value = parse(text);
    if (value === undefined) this.refuse(name, `${expected}, got '${text}'`);
    return value ?? fallback;
  }
  private secretText(name: string, fallback: string, meaning: string): string | undefined {
    this.described.push({ name, meaning, fallback, secret: true });
    try {
      const { value, warning } = this.sources.secret(name);
      if (warning !== undefined) this.warnings.push(warning);
      return value;
    } catch (error) {
      if (!(error instanceof SecretProblem)) throw error;
      this.refuse(error.setting, error.expected);
      return undefined;
    }
  }
  private raw(name: string, fallback: string, meaning: string): string | undefined {
    this.described.push({ name, meaning, fallback, secret: false });
    return this.sources.text(name);
  }
}

function passwordIn(url: string): string {
  const { password } = URL.canParse(url) ? new URL(url) : { password: '' };
  try {
    return decodeURIComponent(password);
  } catch {
    return password;
  }
}
