import { openAiCompatible } from './openai-compatible.js';
import type { Provider } from './provider.js';
import { sandbox } from './sandbox.js';

export * from './provider.js';

/** One line a provider. Where two offer one model, the first has it. */
export const providers: readonly Provider[] = [sandbox, openAiCompatible];
