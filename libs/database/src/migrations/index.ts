// Written by `npm run migration:generate`; a step that was released is never edited again.
import type { Migration } from '../migration.js';
import step1 from './20261125222133-initial.js';
import step2 from './20261126050758-money-is-safe.js';

export const migrations: readonly Migration[] = [step1, step2];
