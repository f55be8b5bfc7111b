import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  scrypt,
  sign,
  type KeyObject,
} from 'node:crypto';
import bs58check from 'bs58check';
import type { Entropy } from '#protocol';
import { base58CheckOfLongData, randomBytes } from './bytes.js';
import { RPC, RpcError } from './rpc-error.js';

const PREFIX = Buffer.from('a1de', 'hex');
const LEGROAST_PREFIX = Buffer.from('51de', 'hex');
const LEGROAST_KEY_BYTES = 4096;
const PKCS8 = Buffer.from('3047020100300506032b6571043b0439', 'hex');
/** Cheaper than pasteld's Argon2id: the devnet guards no real coins and signs often. */
const SCRYPT = { N: 1024, r: 8, p: 1 };
const OPEN_KEYS_MAX = 256;

/** A key at rest: AES-256-GCM under a key that scrypt makes of the passphrase. All fields but the names are hex. */
export interface SealedPastelId {
  readonly pastelId: string;
  readonly legRoastKey: string;
  readonly salt: string;
  readonly nonce: string;
  readonly data: string;
}

/** The PastelIDs of one wallet. */
export class PastelIdStore {
  private readonly sealed = new Map<string, SealedPastelId>();
  /** By PastelID and a hash of the passphrase, so that not every signature pays for scrypt. */
  private readonly open = new Map<string, KeyObject>();

  /** `directory`: what pasteld would name in its refusals. */
  constructor(private readonly directory: string) {}

  put(key: SealedPastelId): void {
    this.sealed.set(key.pastelId, key);
  }
  all(): SealedPastelId[] {
    return [...this.sealed.values()];
  }
  has(pastelId: string): boolean {
    return this.sealed.has(pastelId);
  }
  find(pastelId: string): SealedPastelId {
    const key = this.sealed.get(pastelId);
    if (!key) {
      const file = `${this.directory}/${pastelId}`;
      const reason = `Failed to read Pastel secure container file [${file}]. Pastel ID [${pastelId}] is not stored in this local node`;
      throw new RpcError(RPC.misc, reason);
    }
    return key;
  }

  /** Base64, 152 characters. */
  async sign(pastelId: string, passphrase: string, text: Uint8Array): Promise<string> {
    return sign(null, text, await this.unlock(pastelId, passphrase)).toString('base64');
  }

  /** The same key under another passphrase; not yet stored. */
  async resealed(pastelId: string, passphrase: string, renewed: string, entropy: Entropy): Promise<SealedPastelId> {
    const key = await this.unlock(pastelId, passphrase);
    const seed = key.export({ format: 'der', type: 'pkcs8' }).subarray(-57);
    return seal(seed, pastelId, this.find(pastelId).legRoastKey, renewed, entropy);
  }

  async unlock(pastelId: string, passphrase: string): Promise<KeyObject> {
    const key = this.find(pastelId);
    const name = createHash('sha256').update(`${key.salt} ${passphrase}`).digest('hex');
    const known = this.open.get(name);
    if (known) return known;
    const secret = await stretched(passphrase, Buffer.from(key.salt, 'hex'));
    const opened = createPrivateKey({ key: Buffer.concat([PKCS8, decrypted(key, secret)]), format: 'der', type: 'pkcs8' });
    if (this.open.size >= OPEN_KEYS_MAX) this.open.clear();
    this.open.set(name, opened);
    return opened;
  }
}

function decrypted(key: SealedPastelId, secret: Buffer): Buffer {
  const data = Buffer.from(key.data, 'hex');
  const decipher = createDecipheriv('aes-256-gcm', secret, Buffer.from(key.nonce, 'hex')).setAuthTag(data.subarray(-16));
  try {
    return Buffer.concat([decipher.update(data.subarray(0, -16)), decipher.final()]);
  } catch {
    throw new RpcError(RPC.misc, "Passphrase is invalid. Failed to decrypt secure item 'pkey_ed448' data");
  }
}

/** A new Ed448 key with the LegRoast key that pasteld makes beside it: here random bytes of the right form, which nobody can sign with. */
export async function newPastelId(passphrase: string, entropy: Entropy): Promise<SealedPastelId> {
  const seed = randomBytes(entropy, 57);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-57);
  const legRoast = createHash('shake256', { outputLength: LEGROAST_KEY_BYTES }).update(randomBytes(entropy, 32)).digest();
  const pastelId = bs58check.encode(Buffer.concat([PREFIX, raw]));
  return seal(seed, pastelId, base58CheckOfLongData(Buffer.concat([LEGROAST_PREFIX, legRoast])), passphrase, entropy);
}

async function seal(
  seed: Buffer,
  pastelId: string,
  legRoastKey: string,
  passphrase: string,
  entropy: Entropy,
): Promise<SealedPastelId> {
  const [salt, nonce] = [randomBytes(entropy, 16), randomBytes(entropy, 12)];
  const cipher = createCipheriv('aes-256-gcm', await stretched(passphrase, salt), nonce);
  const data = Buffer.concat([cipher.update(seed), cipher.final(), cipher.getAuthTag()]);
  return { pastelId, legRoastKey, salt: salt.toString('hex'), nonce: nonce.toString('hex'), data: data.toString('hex') };
}

function stretched(passphrase: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salt, 32, SCRYPT, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
