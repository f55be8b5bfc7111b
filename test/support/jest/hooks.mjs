// How Node finds and reads the project's modules while tests run (node:module, register): TypeScript is compiled as it is for the program.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compiled } from './compiled.mjs';

const ROOT = new URL('../../../', import.meta.url);
/** What holds the state of a library for the whole process. */
const SHARED = new Set([new URL('libs/protocol/src/kernel/zstd.ts', ROOT).href]);

/** Where the libraries are: the same for all modules of the project, which ask for each of them hundreds of times. */
const libraries = new Map();

const isTypeScript = (url) => /\.ts(\?|$)/.test(url);
function ownModule(specifier, parent) {
  if (specifier === '@jest/globals') return new URL('./globals.mjs', import.meta.url);
  if (specifier.startsWith('#')) return new URL(`libs/${specifier.slice(1)}/src/index.ts`, ROOT);
  if (!isTypeScript(parent) || !/^\.{1,2}\/.*\.js$/.test(specifier)) return undefined;
  const url = new URL(specifier.replace(/\.js$/, '.ts'), parent);
  // Node's own words, where there is none.
  return existsSync(url) ? url : undefined;
}

/** Each test file has the project's modules to itself: the number of the test file goes from each module to what that one imports. */
export async function resolve(specifier, context, next) {
  const parent = context.parentURL ?? '';
  const url = ownModule(specifier, parent);
  if (url === undefined) {
    if (!isTypeScript(parent) || specifier.startsWith('.')) return next(specifier, context);
    const library = libraries.get(specifier) ?? (await next(specifier, context));
    libraries.set(specifier, library);
    return { ...library, shortCircuit: true };
  }
  if (!SHARED.has(url.href)) url.search = URL.canParse(parent) ? new URL(parent).search : '';
  return { url: url.href, format: 'module', shortCircuit: true };
}

export async function load(url, context, next) {
  if (!isTypeScript(url)) return next(url, context);
  return { source: compiled(fileURLToPath(url)).code, format: 'module', shortCircuit: true };
}
