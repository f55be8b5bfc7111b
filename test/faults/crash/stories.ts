import { inferences } from './inferences.js';
import { messages } from './messages.js';
import { purchases } from './purchases.js';
import type { Story } from './story.js';
import { upkeep } from './upkeep.js';

export const stories: Readonly<Record<string, Story>> = { ...purchases, ...inferences, ...messages, ...upkeep };
