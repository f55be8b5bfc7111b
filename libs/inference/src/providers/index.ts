import { anthropic } from './anthropic.js';
import { deepSeek } from './deepseek.js';
import { groq } from './groq.js';
import { mistral } from './mistral.js';
import { openAiCompatible } from './openai-compatible.js';
import { openAi } from './openai.js';
import { openRouter } from './openrouter.js';
import type { Provider } from './provider.js';
import { sandbox } from './sandbox.js';
import { stability } from './stability.js';
import { swissArmyLlama } from './swiss-army-llama.js';

export * from './provider.js';

/** One line a provider. Where two offer one model, the first has it. */
export const providers: readonly Provider[] = [
  openAi,
  anthropic,
  groq,
  mistral,
  openRouter,
  deepSeek,
  stability,
  swissArmyLlama,
  openAiCompatible,
  sandbox,
];
