import { isPastelId } from '#protocol';
import type { Environment } from './environment.js';
import type { MenuSettings } from './slices.js';

export function menuSettings(env: Environment): MenuSettings {
  const url = env.optional(
    'MODEL_MENU_URL',
    'https address of a newer model_menu.json; the one that came with the program is used until it is fetched and checked',
  );
  const sha256 = env.optional('MODEL_MENU_SHA256', 'SHA-256 that the file must have, in hex');
  const signer = env.optional(
    'MODEL_MENU_SIGNER',
    "PastelID whose signature of the file's SHA-256 (hex text) stands in base64 at the same address with .sig at its end",
  );
  if (url !== undefined && (!URL.canParse(url) || new URL(url).protocol !== 'https:'))
    env.refuse('MODEL_MENU_URL', 'an https URL');
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(sha256)) env.refuse('MODEL_MENU_SHA256', '64 hex digits');
  if (signer !== undefined && !isPastelId(signer)) env.refuse('MODEL_MENU_SIGNER', 'a PastelID');
  if (url !== undefined && sha256 === undefined && signer === undefined)
    env.refuse('MODEL_MENU_URL', 'MODEL_MENU_SHA256 or MODEL_MENU_SIGNER beside it: a menu that nobody vouches for is not used');
  return {
    url,
    sha256: sha256?.toLowerCase(),
    signer,
    refreshMs:
      env.integer('MODEL_MENU_REFRESH_IN_MINUTES', 60, 'How often it is fetched again', { min: 5, max: 10_080 }) * 60_000,
    directory: env.text('MODEL_MENU_DIRECTORY', './data/menu', 'Keeps the last good one over a restart'),
    typesAsText: env.flag(
      'MODEL_MENU_TYPES_AS_TEXT',
      false,
      'List the types of a parameter as text such as "[\'embedding\']", for the oldest web page',
    ),
  };
}
