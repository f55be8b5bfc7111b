import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { benchMessages } from './messages.js';
import { benchVerify } from './verify.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string' },
    postgres: { type: 'boolean', default: false },
  },
});
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
switch (positionals[0]) {
  case 'messages':
    await benchMessages({ rows: Number(values.rows), rounds: rounds ?? 8, database: values.postgres ? 'PostgreSQL' : 'SQLite' });
    break;
  case 'verify':
    await benchVerify(rounds ?? 40);
    break;
  default:
    console.error('Usage: npm run bench -- messages [--rows 1000000] [--postgres] [--rounds 8] | verify [--rounds 40]');
    process.exitCode = 1;
}
