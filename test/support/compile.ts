import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = process.cwd();

/**
 * Compiles the libraries with their test support, or what is named, to a folder inside the project, for tests that need a process of
 * their own: it runs without jest, and without the build. The folder gets its own word for what `#protocol` and the others mean.
 */
export async function compileTo(folder: string, sources: readonly string[] = ['libs']): Promise<void> {
  const { imports } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    imports: Record<string, { default: string }>;
  };
  const options = ['--out-dir', folder, '--config-file', '.swcrc', '--ignore', '**/*.spec.ts', '--copy-files', '--quiet'];
  await promisify(execFile)('node_modules/.bin/swc', [...sources, ...options], { cwd: ROOT });
  const doors = Object.entries(imports).map(([name, { default: built }]) => [name, built.replace('./dist/', './')]);
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', imports: Object.fromEntries(doors) }));
}
