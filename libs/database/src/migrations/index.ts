// Written by `npm run migration:generate`; a step that was released is never edited again.
import type { Migration } from '../migration.js';

export const migrations: readonly Migration[] = [];
