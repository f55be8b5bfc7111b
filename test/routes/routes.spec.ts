import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { allMessages, kinds, readJson, received, shapeFaultsOf, writeJson, type JsonObject, type MessageClass } from '#protocol';
import { send } from '../support/http-app.js';
import { TestNetwork, type RunningSupernode } from '../support/network.js';
import { filled, isDocumentation, originalRoutes } from './every-route.js';

interface Content {
  readonly schema?: { readonly example?: unknown };
  readonly example?: unknown;
  readonly examples?: Record<string, { readonly value: unknown }>;
}
interface Operation {
  readonly summary?: string;
  readonly requestBody?: { readonly content: Record<string, Content> };
  readonly responses: Record<string, { readonly content?: Record<string, Content> }>;
}
interface Layer {
  readonly route?: { readonly path: string; readonly methods: Record<string, boolean> };
}
interface Described {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly schemas: Record<string, { readonly properties?: Record<string, { readonly example?: unknown }> }>;
  };
}

describe('the routes of a supernode', () => {
  let network: TestNetwork;
  let node: RunningSupernode;
  let described: Described;
  beforeAll(async () => {
    network = await TestNetwork.start({ supernodes: 1 });
    node = network.supernodes[0]!;
    described = (await send('GET', `${node.url}/openapi.json`)).json() as Described;
  }, 60_000);
  afterAll(() => network.close());

  const call = (method: string, path: string) =>
    send(method, `${node.url}${filled(path, node.pastelId)}`, ...(method === 'POST' ? [{}] : []));

  /** Method and path of everything that Express answers, but for the documentation. */
  const served = (): [string, string][] => {
    const { router } = node.app.getHttpAdapter().getInstance() as unknown as { router: { stack: Layer[] } };
    return router.stack.flatMap(({ route }) =>
      route === undefined || isDocumentation(route.path)
        ? []
        : Object.keys(route.methods).map((method): [string, string] => [method.toUpperCase(), route.path]),
    );
  };
  const operationOf = (method: string, path: string): Operation | undefined =>
    described.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];

  test.each(originalRoutes)('%s %s is served', async (method, path) => {
    const { status, text } = await call(method, path);
    expect([status, text]).not.toEqual([404, '{"detail":"Not Found"}']);
    expect(status).not.toBe(405);
    expect(status).toBeLessThan(500);
  });

  test('a path that nobody serves is told apart from these', async () => {
    expect((await call('GET', '/no_such_thing')).text).toBe('{"detail":"Not Found"}');
    expect((await call('POST', '/supernode_list_json')).status).toBe(405);
  });

  test('every route that is served stands in the document, with a summary, examples and the answers to errors', () => {
    const lacking = served().flatMap(([method, path]) =>
      faultsOf(operationOf(method, path)).map((fault) => `${method} ${path}: ${fault}`),
    );
    expect(served().length).toBeGreaterThan(originalRoutes.length - 5);
    expect(lacking).toEqual([]);
  });

  test('what a senseless call is answered with stands among the answers', async () => {
    const surprises: string[] = [];
    for (const [method, path] of served()) {
      const { status } = await call(method, path);
      if (!(String(status) in (operationOf(method, path)?.responses ?? {}))) surprises.push(`${method} ${path}: ${status}`);
    }
    expect(surprises).toEqual([]);
  });

  test('the example of every message has the shape of the message', () => {
    const messages = allMessages().filter(({ name }) => described.components.schemas[name] !== undefined);
    expect(messages.length).toBeGreaterThan(15);
    for (const { name, type } of messages) {
      const properties = Object.entries(described.components.schemas[name]!.properties ?? {});
      const example = readJson(
        JSON.stringify(Object.fromEntries(properties.map(([field, { example: value }]) => [field, value]))),
      );
      expect({ name, faults: shapeFaultsOf(received(type as MessageClass, example as JsonObject)) }).toEqual({
        name,
        faults: [],
      });
    }
  });
});

test('the example of every kind is of that kind', () => {
  for (const kind of Object.values(kinds)) {
    const value = kind.read(readJson(writeJson(kind.shown.example)));
    expect({ kind: kind.name, isAccepted: kind.accepts(value) }).toEqual({ kind: kind.name, isAccepted: true });
  }
});

function faultsOf(operation: Operation | undefined): string[] {
  if (!operation) return ['not described'];
  const good = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'));
  const errors = Object.keys(operation.responses).filter((status) => /^[45]/.test(status));
  const takesBody = operation.requestBody !== undefined;
  return [
    ...((operation.summary ?? '').length > 10 ? [] : ['no summary']),
    ...(good.length > 0 ? [] : ['no good answer']),
    ...good.flatMap(([status, { content }]) => (isShown(content) ? [] : [`no example of ${status}`])),
    ...(takesBody && !isShown(operation.requestBody.content) ? ['no example of a body'] : []),
    ...['429', '500', ...(takesBody ? ['413', '422'] : [])]
      .filter((status) => !errors.includes(status))
      .map((status) => `no ${status}`),
  ];
}

const isShown = (content: Record<string, Content> | undefined): boolean =>
  content !== undefined &&
  Object.values(content).length > 0 &&
  Object.values(content).every(
    ({ example, examples, schema }) =>
      example !== undefined || schema?.example !== undefined || Object.keys(examples ?? {}).length > 0,
  );
