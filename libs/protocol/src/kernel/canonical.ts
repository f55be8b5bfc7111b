import { declarationOf, type Declaration } from './declaration.js';
import { sha3 } from './hash.js';
import { isPresent, type Values } from './wire.js';

/** The hashed text of a message (credit-packs spec 1.1, 1.2). */
export const canonicalText = (message: object): string => canonicalTextOf(declarationOf(message.constructor), message as Values);

export function canonicalTextOf({ hashed }: Declaration, values: Values): string {
  const members: string[] = [];
  for (const { name, kind } of hashed) {
    const value = values[name];
    if (isPresent(value)) members.push(`"${name}": ${kind.print(value)}`);
  }
  return `{${members.join(', ')}}`;
}

/** The hash that the message must carry itself; what it does carry is not looked at. */
export const hashOf = (message: object): string => sha3(canonicalText(message));
