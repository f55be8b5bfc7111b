/** The only source of chance; a test or a simulation can make it repeatable. */
export abstract class Entropy {
  /** A version 4 UUID, lower case with dashes. */
  abstract uuid(): string;
  /** An unguessable integer, 0 <= n < limit. */
  abstract below(limit: number): number;
}
