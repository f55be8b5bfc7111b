import { readFileSync } from 'node:fs';

/** The menu that comes with the program; the build lays it beside this file. */
export const bundledMenuText = (): string => readFileSync(new URL('./model_menu.json', import.meta.url), 'utf8');
