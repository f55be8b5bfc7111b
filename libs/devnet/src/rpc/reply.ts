import { PythonNumber, pslText } from '#protocol';

/** An amount that prints as pasteld prints it: PSL with five decimals. */
export class Psl {
  constructor(readonly patoshis: number) {}
}
/** A number with decimals of its own choice, such as a difficulty. */
export class Lexeme {
  constructor(readonly text: string) {}
}
export type Reply = string | number | boolean | null | undefined | Psl | Lexeme | PythonNumber | readonly Reply[] | ReplyObject;
export interface ReplyObject {
  readonly [key: string]: Reply;
}

export const DIFFICULTY = new Lexeme('1.0');
export const psl = (patoshis: number): Psl => new Psl(patoshis);
/** An amount and its integer twin, `<name>` and `<name>Pat`. */
export const amounts = (name: string, patoshis: number): ReplyObject => ({ [name]: psl(patoshis), [`${name}Pat`]: patoshis });

/** JSON text; members that are undefined are left out. */
export function replyText(value: Reply): string {
  if (value === null || value === undefined) return 'null';
  if (value instanceof Psl) return pslText(value.patoshis);
  if (value instanceof Lexeme || value instanceof PythonNumber) return value.text;
  if (typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(replyText).join(',')}]`;
  const members = Object.entries(value as ReplyObject).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${replyText(member)}`).join(',')}}`;
}
