import { pslText } from '#protocol';

/** An amount on its way to pasteld: a JSON number with exactly five decimals (pasteld spec B.2). */
export class PslAmount {
  constructor(readonly patoshis: number) {
    if (!Number.isSafeInteger(patoshis) || patoshis <= 0)
      throw new RangeError(`${patoshis} is no positive whole number of patoshis`);
  }
}
export type RpcParameter =
  string | number | boolean | PslAmount | readonly RpcParameter[] | { readonly [name: string]: RpcParameter };

/** JSON as pasteld reads it. */
export function writeRpcJson(value: RpcParameter): string {
  if (value instanceof PslAmount) return pslText(value.patoshis);
  if (isList(value)) return `[${value.map(writeRpcJson).join(',')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}:${writeRpcJson(member)}`)
    .join(',')}}`;
}
const isList = (value: RpcParameter): value is readonly RpcParameter[] => Array.isArray(value);
