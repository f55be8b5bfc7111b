// Brings the schema of a node's database up to date; the service itself never changes a database that holds something.
//   npm run migrate                        the database of the settings
//   npm run migrate -- sqlite:FILE …       these
// Any number of processes may run it at once: one works, the others wait and see that it is done. Exit 0: up to date; 1: not.
import { Environment, readSettings, SettingSources } from '#config';
import { migrate, openOwned } from '#database';

/** For the service to end that is told to, and for another migration of the same SQLite file. */
const WAIT_MS_MAX = 60_000;

function databases(): string[] {
  const named = process.argv.slice(2);
  return named.length > 0 ? named : [readSettings(new Environment(SettingSources.ofMachine())).database.url];
}

/** Without what may stand between `//` and `@`. */
const shown = (url: string): string => url.replace(/\/\/[^@/]*@/, '//');

try {
  for (const url of databases()) {
    const source = await openOwned(url, [], WAIT_MS_MAX);
    try {
      const steps = await migrate(source);
      console.log(`${shown(url)}: ${steps.length === 0 ? 'up to date already' : `brought up to date by ${steps.join(', ')}`}`);
    } finally {
      await source.destroy();
    }
  }
} catch (error) {
  console.error(`The database was not changed. ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
