import { PythonNumber } from './kernel/python-number.js';
import type { InferenceAPIUsageRequest } from './messages/inference.js';

/** JavaScript clients write their time stamps with a `Z`, Python clients with `+00:00` (credit-packs spec 1.7). */
export const isFromJavaScriptClient = (request: Pick<InferenceAPIUsageRequest, 'inference_request_utc_iso_string'>): boolean =>
  request.inference_request_utc_iso_string.endsWith('Z');

/**
 * A draft whose numbers print as JavaScript clients print and hash them: `1499`, not `1499.0`. They check the hash of an
 * InferenceAPIUsageResponse, and no single text satisfies them and Python clients (1.7); everything else goes out as it is.
 */
export function inJavaScriptDialect<D extends object>(draft: D): D {
  const entries = Object.entries(draft).map(([name, value]: [string, unknown]) => [
    name,
    value instanceof PythonNumber ? PythonNumber.asJavaScriptPrints(value.value) : value,
  ]);
  return Object.fromEntries(entries) as D;
}

/** The draft for whoever sent this request. */
export const inDialectOf = <D extends object>(request: InferenceAPIUsageRequest, draft: D): D =>
  isFromJavaScriptClient(request) ? inJavaScriptDialect(draft) : draft;
