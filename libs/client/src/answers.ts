import {
  declarationOf,
  faultsOf,
  PythonNumber,
  readJson,
  received,
  type Checking,
  type Exchange,
  type Json,
  type JsonObject,
  type MessageClass,
} from '#protocol';

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof PythonNumber);

/** Which of the possible answers this is: each is known by the name of the field that holds its own hash. */
export function answerClass<Back extends object>(
  { answers }: Exchange<object, Back>,
  wire: JsonObject,
): MessageClass<Back> | undefined {
  return answers.length === 1 ? answers[0] : answers.find((type) => declarationOf(type).role('hash').name in wire);
}

/** What its kinds say against the fields of a message; nothing of it may be used while there is a fault. */
export function shapeFaultsOf(message: object): string[] {
  const values = message as Record<string, unknown>;
  return declarationOf(message.constructor).fields.flatMap(({ name, kind, optional }) => {
    if (values[name] === undefined) return optional ? [] : [`field ${name} is missing`];
    return kind.accepts(values[name]) ? [] : [`field ${name}: ${kind.complaint[1]}`];
  });
}

/** Who a message says it is from. */
export function signerOf(message: object): string | undefined {
  const declaration = declarationOf(message.constructor);
  const values = message as Record<string, string>;
  if (declaration.shape !== 'identity and signature in one field') return values[declaration.role('signer').name];
  try {
    const entries = Object.entries(readJson(values[declaration.role('signer and signature').name] ?? '') as JsonObject);
    const signer = entries.find(([key]) => key.includes('pastelid'))?.[1];
    return typeof signer === 'string' ? signer : undefined;
  } catch {
    return undefined;
  }
}

export interface Read<M extends object> {
  readonly message: M;
  readonly faults: string[];
}

/** From the wire to a message: shape, hash, signatures and, where it matters, who signed. */
export async function readMessage<M extends object>(
  type: MessageClass<M>,
  wire: Json,
  checking: Checking,
  expectedSigner?: string,
): Promise<Read<M>> {
  if (!isObject(wire)) return { message: new type(), faults: ['not a JSON object'] };
  const message = received(type, wire);
  const faults = shapeFaultsOf(message);
  if (faults.length > 0) return { message, faults };
  faults.push(...(await faultsOf(message, checking)));
  const signer = signerOf(message);
  if (expectedSigner !== undefined && signer !== expectedSigner)
    faults.push(`signed by ${signer ?? 'nobody'}, not by ${expectedSigner}`);
  return { message, faults };
}
