import type { OpenAPIObject } from '@nestjs/swagger';

type Schema = Readonly<Record<string, unknown>>;
type Document = Pick<OpenAPIObject, 'paths' | 'components'>;
interface Content {
  schema?: Schema;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
/** Descriptions do not go deeper, unless one refers to itself. */
const DEPTH_MAX = 12;
const REFERENCE = '#/components/schemas/';

const recordIn = (value: unknown): Schema | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : undefined;

/**
 * Writes an example beside every body and answer that has none, made of those of its fields: of the kinds of a message, of the fields of
 * a DTO. What says nothing of its fields gets none.
 */
export function withExamples<D extends Document>(document: D): D {
  const schemas = (document.components?.schemas ?? {}) as Record<string, Schema>;
  for (const item of Object.values(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (!operation) continue;
      for (const part of [operation.requestBody, ...Object.values(operation.responses)]) {
        const contents = recordIn(recordIn(part)?.['content']) as Record<string, Content> | undefined;
        for (const content of Object.values(contents ?? {})) addExample(content, schemas);
      }
    }
  }
  return document;
}

function addExample(content: Content, schemas: Record<string, Schema>): void {
  if (!content.schema || 'example' in content || 'examples' in content || 'example' in content.schema) return;
  const alternatives = content.schema['oneOf'];
  if (Array.isArray(alternatives) && alternatives.length > 1) {
    const named = (alternatives as Schema[]).map(
      (schema, n) => [nameOf(schema) ?? `form ${n + 1}`, exampleOf(schema, schemas)] as const,
    );
    const known = named.filter(([, value]) => value !== undefined);
    if (known.length > 0) content.examples = Object.fromEntries(known.map(([name, value]) => [name, { value }]));
    return;
  }
  const example = exampleOf(content.schema, schemas);
  if (example !== undefined) content.example = example;
}

const nameOf = ({ $ref: reference }: Schema): string | undefined =>
  typeof reference === 'string' ? reference.slice(REFERENCE.length) : undefined;

/** A value that fits the schema, of the examples within it; undefined where there are none. */
function exampleOf(schema: Schema, schemas: Readonly<Record<string, Schema>>, depth = 0): unknown {
  if (depth > DEPTH_MAX) return undefined;
  const within = (part: unknown): unknown => exampleOf(recordIn(part) ?? {}, schemas, depth + 1);
  if ('example' in schema) return schema['example'];
  if ('default' in schema) return schema['default'];
  const name = nameOf(schema);
  if (name !== undefined) return within(schemas[name]);
  const { enum: values, oneOf, anyOf, allOf, type, items, properties } = schema;
  if (Array.isArray(values)) return values[0];
  if (Array.isArray(allOf)) return Object.assign({}, ...allOf.map(within)) as unknown;
  if (Array.isArray(oneOf)) return within(oneOf[0]);
  if (Array.isArray(anyOf)) return within(anyOf[0]);
  if (type === 'array') {
    const item = within(items);
    return item === undefined ? undefined : [item];
  }
  if (recordIn(properties)) return exampleOfFields(schema, within);
  return type === 'string' ? 'text' : type === 'boolean' ? true : type === 'integer' || type === 'number' ? 1 : undefined;
}

function exampleOfFields({ properties }: Schema, within: (part: unknown) => unknown): unknown {
  const members = Object.entries(properties as Record<string, unknown>).map(([name, part]) => [name, within(part)] as const);
  const known = members.filter(([, value]) => value !== undefined);
  return known.length === 0 ? undefined : Object.fromEntries(known);
}
