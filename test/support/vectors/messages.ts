import {
  allMessages,
  canonicalText,
  hashOf,
  inJavaScriptDialect,
  InferenceAPIUsageResponse,
  kinds,
  pythonJson,
  PythonNumber,
  readJson,
  received,
  sha3,
  distance,
  type Declaration,
  type JsonObject,
} from '#protocol';
import { firstOf, hasMembers, objectOf, objectsIn, textOf, textsIn, type VectorShape } from './file.js';

const declarations = new Map(allMessages().map((declaration) => [declaration.name, declaration]));
function declarationNamed(name: string): Declaration {
  const declaration = declarations.get(name);
  if (!declaration) throw new TypeError(`no message is called ${name}`);
  return declaration;
}
const SIGNATURES: ReadonlySet<string | undefined> = new Set(['signature', 'extra signature', 'signer and signature']);
const nameOf = (vector: JsonObject): string => `${textOf(vector['message_type'])} ${textOf(vector['variant'])}`;

/** Vectors of values that never stand on the wire (dates), or of a hash that nobody makes. */
const OUT_OF_SCOPE: ReadonlySet<unknown> = new Set(['internal-only', 'not-used-on-wire']);
const isOutOfScope = ({ tags }: JsonObject): boolean => Array.isArray(tags) && tags.some((tag) => OUT_OF_SCOPE.has(tag));

export const canonical: VectorShape = {
  name: 'canonical texts',
  matches: (content) => hasMembers(firstOf(content), 'message_type', 'canonical_json', 'sha3_256'),
  async run(content, report, file) {
    for (const vector of objectsIn(content)) {
      const name = `${file} ${nameOf(vector)}`;
      if (isOutOfScope(vector)) {
        report.skip(`${name} (no text of the wire)`);
        continue;
      }
      await report.run(name, (compare) => {
        const declaration = declarationNamed(textOf(vector['message_type']));
        const message = received(declaration.type, objectOf(readJson(textOf(vector['wire_json']))));
        compare('own hash field', declaration.role('hash').name, vector['hash_field']);
        const signatures = declaration.fields.filter(({ role }) => SIGNATURES.has(role)).map((field) => field.name);
        compare('signature fields', signatures.sort(), textsIn(vector['excluded_signature_fields']).sort());
        compare('canonical text', canonicalText(message), vector['canonical_json']);
        compare('hash', hashOf(message), vector['sha3_256']);
      });
    }
  },
};

export const inferenceHashes: VectorShape = {
  name: 'inference message hashes',
  matches: (content) => hasMembers(firstOf(content), 'message_type', 'fields', 'preimage'),
  async run(content, report, file) {
    for (const [index, vector] of objectsIn(content).entries()) {
      await report.run(`${file} ${textOf(vector['message_type'])} #${index + 1}`, (compare) => {
        const message = received(declarationNamed(textOf(vector['message_type'])).type, objectOf(vector['fields']));
        compare('canonical text', canonicalText(message), vector['preimage']);
        compare('hash', hashOf(message), vector['sha3_256']);
      });
    }
  },
};

/** The text that a JavaScript client hashes, read back as the message it sends. */
const asSent = (type: Declaration['type'], text: string): object => received(type, objectOf(readJson(text)));
const hashesTheSameFields = ({ hashed }: Declaration, text: string): boolean =>
  Object.keys(objectOf(readJson(text))).every((key) => hashed.some(({ name }) => name === key));

export const javaScriptDialect: VectorShape = {
  name: "the JavaScript client's texts",
  matches: (content) => hasMembers(firstOf(content), 'message_type', 'js_client_canonical_json'),
  async run(content, report, file, companions) {
    const servers = new Map(objectsIn(companions('canonical.json') ?? []).map((vector) => [nameOf(vector), vector]));
    for (const vector of objectsIn(content)) {
      const name = `${file} ${nameOf(vector)}`;
      const text = vector['js_client_canonical_json'];
      if (typeof text !== 'string') {
        report.skip(`${name} (the client fails: ${JSON.stringify(vector['error'])})`);
        continue;
      }
      await report.run(name, (compare) => {
        const declaration = declarationNamed(textOf(vector['message_type']));
        compare('hash', sha3(text), vector['js_client_sha3_256']);
        if (hashesTheSameFields(declaration, text)) {
          compare('what the client sends is hashed as it does', canonicalText(asSent(declaration.type, text)), text);
        }
        const server = servers.get(nameOf(vector));
        if (!server || isOutOfScope(server)) return;
        const message = received(declaration.type, objectOf(readJson(textOf(server['wire_json']))));
        compare('equals our text', canonicalText(message) === text, vector['equals_server_canonical']);
        if (declaration.type === InferenceAPIUsageResponse) {
          compare('our text for this client', canonicalText(received(declaration.type, dialectOf(message))), text);
        }
      });
    }
  },
};
const dialectOf = (message: object): JsonObject => inJavaScriptDialect({ ...message });

/** Declared floats printed as floats, the way a typed server prints them. */
function withFloats(declaration: Declaration, message: object): JsonObject {
  const floats = declaration.fields.flatMap(({ name, kind }) => {
    const value = (message as JsonObject)[name];
    return kind.name === kinds.pythonFloat.name && value instanceof PythonNumber ? [[name, value.asFloat()] as const] : [];
  });
  return { ...message, ...Object.fromEntries(floats) };
}

export const javaScriptHashes: VectorShape = {
  name: "the JavaScript client's hashes",
  matches: (content) => hasMembers(content, 'cases', 'raw_stringify'),
  async run(content, report, file) {
    const all = objectOf(content);
    for (const vector of objectsIn(all['cases'])) {
      await report.run(`${file} ${textOf(vector['name'])}`, (compare) => {
        const declaration = declarationNamed(textOf(vector['model']));
        const message = received(declaration.type, objectOf(vector['message']));
        const sameAsReceived = canonicalText(message) === vector['js_canonical'];
        compare('hashed as the client does', sameAsReceived, vector['js_equals_python_if_numbers_kept_as_received']);
        compare('hash of the client', sha3(textOf(vector['js_canonical'])), vector['js_sha3_256']);
        const typed = received(declaration.type, withFloats(declaration, message));
        compare('our text', canonicalText(typed), vector['python_canonical_typed_floats']);
        compare('our hash', hashOf(typed), vector['python_sha3_256_typed_floats']);
        if (declaration.type === InferenceAPIUsageResponse) {
          compare(
            'our text for this client',
            canonicalText(received(declaration.type, dialectOf(typed))),
            vector['js_canonical'],
          );
        }
      });
    }
    for (const [index, vector] of objectsIn(all['raw_stringify']).entries()) {
      await report.run(`${file} raw #${index + 1}`, (compare) => {
        const text = pythonJson(readJson(textOf(vector['input_json'])));
        compare('Python text', text, vector['python_json_dumps_sorted']);
        compare('Python hash', sha3(text), vector['python_sha3_256']);
        compare('hash of the client', sha3(textOf(vector['js_pythonCompatibleStringify'])), vector['js_sha3_256']);
      });
    }
    for (const [index, vector] of objectsIn(all['xor_distance']).entries()) {
      await report.run(`${file} distance #${index + 1}`, (compare) => {
        compare('distance', distance(textOf(vector['a']), textOf(vector['b'])).toString(), vector['distance_decimal']);
      });
    }
  },
};
