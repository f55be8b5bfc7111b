import { deepSeek } from './deepseek.js';
import { groq } from './groq.js';
import { mistral } from './mistral.js';
import { openAiCompatible } from './openai-compatible.js';
import { openAi } from './openai.js';
import { openRouter } from './openrouter.js';
import type { Provider } from './provider.js';
import { sandbox } from './sandbox.js';
import { swissArmyLlama } from './swiss-army-llama.js';

export * from './provider.js';

/** One line a provider. Where two offer one model, the first has it. */
export const providers: readonly Provider[] = [
  openAi,
  groq,
  mistral,
  openRouter,
  deepSeek,
  swissArmyLlama,
  openAiCompatible,
  sandbox,
];
