import type { Environment } from '#config';

/** What the operator sets of a vendor with one address. */
export interface VendorOptions {
  /** Without a `/` at its end. */
  readonly url: string;
  /** Where the vendor itself is; another `url` is the operator's own choice. */
  readonly vendorUrl?: string;
  readonly key: string | undefined;
}

/** The usual set-up: a key switches the vendor on, and its address can be changed. */
export const keyAndUrl =
  (prefix: string, title: string, url: string) =>
  (env: Environment): (VendorOptions & { readonly key: string }) | undefined => {
    const key = env.secret(`${prefix}_API_KEY`, `Key of ${title}; its models are offered where it is set`);
    return withAddress(env, prefix, title, url, key);
  };

/** For vendors whose key comes under other names as well. */
export function withAddress(env: Environment, prefix: string, title: string, url: string, key: string | undefined) {
  const base = env.text(`${prefix}_BASE_URL`, url, `Address of ${title}, or of a server that speaks for it`);
  return key === undefined ? undefined : { url: base.replace(/\/+$/, ''), vendorUrl: url, key };
}

/** What may be asked although it is private: the operator's own choice. */
export const ownUrls = ({ url, vendorUrl }: VendorOptions): string[] => (url === vendorUrl ? [] : [url]);
