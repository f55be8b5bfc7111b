import type { Category } from './contract.js';

/** One line for each; they run in this order, and are loaded only to run. */
export const categories: Readonly<Record<string, () => Promise<Category>>> = {
  crash: () => import('./crash.js').then(({ crash }) => crash),
  drain: () => import('./drain.js').then(({ drain }) => drain),
  burst: () => import('./burst.js').then(({ burst }) => burst),
  'burn-claims': () => import('./burn-claims.js').then(({ burnClaims }) => burnClaims),
  reorg: () => import('./reorg.js').then(({ reorg }) => reorg),
  network: () => import('./network.js').then(({ network }) => network),
  replay: () => import('./replay.js').then(({ replay }) => replay),
  rpc: () => import('./rpc.js').then(({ rpc }) => rpc),
  fuzz: () => import('./fuzz.js').then(({ fuzz }) => fuzz),
  clocks: () => import('./clocks.js').then(({ clocks }) => clocks),
};
