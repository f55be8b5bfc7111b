import { providers, type Provider } from '../../src/providers/index.js';
import { fixturesOf } from './fixtures.spec-suite.js';
import { Stand } from './stand.spec-suite.js';
import { suites, type Suite } from './suites.spec-suite.js';
import type { VendorServer } from './vendor-server.spec-suite.js';

export interface Verdict {
  readonly suite: string;
  readonly provider: string;
  /** Things looked at; `undefined` where the suite is not for this provider. */
  readonly looks?: number;
  readonly failure?: Error;
}
export const allProviders: readonly Provider[] = providers;
export { suites };

export async function verdictOf(suite: Suite, provider: Provider, server: VendorServer): Promise<Verdict> {
  const found = { suite: suite.name, provider: provider.name };
  try {
    const fixtures = fixturesOf(provider.name);
    if (!fixtures) throw new Error('there are no fixtures');
    if (fixtures.manifest.local && !suite.local) return found;
    return { ...found, looks: await suite.run(new Stand(provider, fixtures, server)) };
  } catch (error) {
    return { ...found, failure: error instanceof Error ? error : new Error(String(error)) };
  }
}
