import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson, type Json } from '#protocol';
import { costs } from '../../../libs/inference/test/cost-vectors.spec-suite.js';
import { apiPrices, menuFacts } from '../../../libs/inference/test/menu-vectors.spec-suite.js';
import { addresses, pastelIds, tickets } from './chain.js';
import type { VectorShape } from './file.js';
import { canonical, inferenceHashes, javaScriptDialect, javaScriptHashes } from './messages.js';
import { numbersAndPricing } from './numbers.js';
import { Report } from './report.js';
import { xor } from './xor.js';

const SHAPES: readonly VectorShape[] = [
  canonical,
  javaScriptDialect,
  javaScriptHashes,
  numbersAndPricing,
  xor,
  tickets,
  inferenceHashes,
  pastelIds,
  addresses,
  costs,
  menuFacts,
  apiPrices,
];

/** Runs every vector file of a known shape in the folder through the code; files of no known shape are named as skipped. */
export async function runVectors(folder: string): Promise<Report> {
  const report = new Report();
  const files = new Map<string, Json | undefined>();
  for (const name of (await readdir(folder)).sort())
    files.set(name, contentOf(await readFile(join(folder, name)).catch(() => undefined)));
  for (const [name, content] of files) {
    const shape = content === undefined ? undefined : SHAPES.find((candidate) => candidate.matches(content));
    if (!shape || content === undefined) report.skip(name);
    else
      await shape
        .run(content, report, name, (other) => files.get(other))
        .catch((error: unknown) => report.fail(name, String(error)));
  }
  return report;
}

function contentOf(bytes: Buffer | undefined): Json | undefined {
  try {
    return bytes && readJson(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
