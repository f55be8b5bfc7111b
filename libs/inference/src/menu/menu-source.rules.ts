import { createHash } from 'node:crypto';
import type { Checking } from '#protocol';
import type { MenuFile } from './menu-file.js';
import { MENU_BYTES_MAX, parseMenu, type ProviderAbilities } from './menu-file.rules.js';

/** A menu from elsewhere, with what shall prove it. */
export interface MenuCandidate {
  readonly body: Uint8Array;
  /** Base64. */
  readonly signature: string | undefined;
}
/** Who or what vouches for a menu; all that are there must. */
interface MenuTrust {
  readonly sha256: string | undefined;
  readonly signer: string | undefined;
}

/** The candidate was not taken, and why. */
class MenuRefused extends Error {
  override readonly name = 'MenuRefused';
}

const sha256 = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex');

/**
 * Whether a candidate may take the place of a menu: of the right length, vouched for, in order, and newer. The same menu again is fine.
 * Throws a {@link MenuRefused} or a `MenuError`. Nothing of the candidate is read before it is known to be genuine.
 */
export async function acceptedMenu(
  { body, signature }: MenuCandidate,
  { current, trust, checking, providers }: MenuJudgement,
): Promise<MenuFile> {
  if (body.byteLength > MENU_BYTES_MAX) throw new MenuRefused(`it is longer than ${MENU_BYTES_MAX} bytes`);
  if (trust.sha256 === undefined && trust.signer === undefined) throw new MenuRefused('nobody vouches for it');
  const hash = sha256(body);
  if (trust.sha256 !== undefined && hash !== trust.sha256) throw new MenuRefused(`its SHA-256 is ${hash}`);
  if (trust.signer !== undefined && !(await checking.verify(trust.signer, hash, signature?.trim() ?? '')))
    throw new MenuRefused(`it is not signed by ${trust.signer}`);
  const menu = parseMenu(Buffer.from(body).toString('utf8'), providers);
  if (menu.version < current.version) throw new MenuRefused(`its version ${menu.version} is older than ${current.version}`);
  if (menu.version === current.version && JSON.stringify(menu) !== JSON.stringify(current))
    throw new MenuRefused(`it differs from the menu in use, but has the same version ${menu.version}`);
  return menu;
}
export interface MenuJudgement {
  readonly current: MenuFile;
  readonly trust: MenuTrust;
  readonly checking: Checking;
  readonly providers: readonly ProviderAbilities[];
}
