/* What reads the texts and files of strangers, for those that feed it with anything. */
export { bundledMenuText } from '../src/menu/bundled-menu.js';
export { MenuError, parseMenu } from '../src/menu/menu-file.rules.js';
export { inferenceTypes } from '../src/providers/provider.js';
export { inputOf } from '../src/quote/input.rules.js';
export * as files from '../src/quote/media/media-files.spec-suite.js';
export { mediaIn, type Wanted } from '../src/quote/media/media.rules.js';
