import type { NestExpressApplication } from '@nestjs/platform-express';
import { kinds, PythonNumber } from '#protocol';
import { openApiOf } from '#http';

/** What is read of a JSON Schema. */
export interface Schema {
  readonly type?: string;
  readonly $ref?: string;
  readonly oneOf?: readonly Schema[];
  readonly pattern?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly example?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema?: Schema;
}
export interface Route {
  readonly method: 'GET' | 'POST';
  /** With `{name}` for parameters. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: Schema | undefined;
}
type Operations = Record<
  string,
  { parameters?: Parameter[]; requestBody?: { content: Record<string, { schema?: Schema }> } } | undefined
>;

/** Every route that the running application describes, with references resolved. */
export function routesOf(app: NestExpressApplication): Route[] {
  const document = openApiOf(app);
  const schemas = (document.components?.schemas ?? {}) as Record<string, Schema>;
  return Object.entries(document.paths as Record<string, Operations>).flatMap(([path, operations]) =>
    (['GET', 'POST'] as const).flatMap((method): Route[] => {
      const operation = operations[method.toLowerCase()];
      if (!operation) return [];
      const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
      return [{ method, path, parameters: operation.parameters ?? [], body: body && resolved(body, schemas) }];
    }),
  );
}

/** Of several forms the one that is an object. */
function resolved(schema: Schema, schemas: Record<string, Schema>): Schema {
  const { $ref: reference, oneOf } = schema;
  if (reference !== undefined) return resolved(schemas[reference.split('/').at(-1)!]!, schemas);
  if (oneOf) return resolved(oneOf.find(({ type }) => type === 'object') ?? oneOf[0]!, schemas);
  if (!schema.properties) return schema;
  const properties = Object.entries(schema.properties).map(([name, inner]) => [name, resolved(inner, schemas)] as const);
  return { ...schema, properties: Object.fromEntries(properties) };
}

const ofPattern = new Map<string | undefined, (pastelId: string) => string>([
  [kinds.pastelId.shown.pattern, (pastelId) => pastelId],
  [kinds.txid.shown.pattern, () => '5e'.repeat(32)],
  [kinds.signature.shown.pattern, () => 'A'.repeat(152)],
  [kinds.version.shown.pattern, () => '1.0'],
  [kinds.address.shown.pattern, () => '44oUgmZSL997veFEQDq569wv5tsT6KXf9QY7'],
  [kinds.utcTimestamp.shown.pattern, () => '2026-01-05T12:00:00.123456+00:00'],
  [kinds.uuid.shown.pattern, () => '3f1c1a54-0f5e-4b8e-9c53-6d1f4b1f0a11'],
  [kinds.uuidV4.shown.pattern, () => '3f1c1a54-0f5e-4b8e-9c53-6d1f4b1f0a11'],
]);

/** A value that fits the schema, without what is optional; wherever a PastelID goes, this one. */
export function sampleOf(schema: Schema, pastelId: string): unknown {
  if (schema.enum) return schema.enum[0];
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        (schema.required ?? []).map((name) => [name, sampleOf(schema.properties?.[name] ?? {}, pastelId)] as const),
      );
    case 'array':
      return [];
    case 'integer':
      return PythonNumber.read('3');
    case 'number':
      return PythonNumber.read('2.5');
    case 'boolean':
      return true;
    default:
      return textOf(schema, pastelId);
  }
}
function textOf({ pattern, format, example }: Schema, pastelId: string): string {
  const known = ofPattern.get(pattern);
  if (known) return known(pastelId);
  if (format === 'uuid') return '3f1c1a54-0f5e-4b8e-9c53-6d1f4b1f0a11';
  if (format === 'byte') return 'e30=';
  return typeof example === 'string' ? example : 'text';
}
