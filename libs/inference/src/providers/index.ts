import type { InferenceSettings } from '#config';
import { openAiCompatible } from './openai-compatible.js';
import type { Provider } from './provider.js';
import { sandbox } from './sandbox.js';

export * from './provider.js';

/** One line a provider. Each decides by the settings whether it is there at all. */
const registered: readonly ((settings: InferenceSettings) => Provider | undefined)[] = [sandbox, openAiCompatible];

export const providersOf = (settings: InferenceSettings): Provider[] =>
  registered.flatMap((provider) => provider(settings) ?? []);
