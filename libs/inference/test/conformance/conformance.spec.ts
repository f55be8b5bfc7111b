import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { allProviders, suites, verdictOf } from './conformance.spec-suite.js';
import { VendorServer } from './vendor-server.spec-suite.js';

const server = new VendorServer();
beforeAll(() => server.listen());
afterAll(() => server.close());

describe.each(allProviders.map((provider) => [provider.name, provider] as const))('%s', (_, provider) => {
  test.each(suites.map((suite) => [suite.name, suite] as const))('%s', async (__, suite) => {
    const { failure } = await verdictOf(suite, provider, server);
    if (failure) throw failure;
    expect(failure).toBeUndefined();
  });
});
