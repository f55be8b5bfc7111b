import { creditsFloat, PythonNumber, TENTHS_PER_CREDIT } from '#protocol';

/** JavaScript clients end their time stamps in `Z`, Python clients in `+00:00` (credit-packs spec 1.7). */
export const speaksJavaScript = (timestamp: string): boolean => timestamp.endsWith('Z');

/**
 * Credits as the requester's library prints them: browser clients recompute the hash of a usage response and know `1499`,
 * Python clients know `1499.0`.
 */
export const creditsFor = (requestTimestamp: string, tenths: number): PythonNumber =>
  speaksJavaScript(requestTimestamp) && tenths % TENTHS_PER_CREDIT === 0
    ? PythonNumber.asJavaScriptPrints(tenths / TENTHS_PER_CREDIT)
    : creditsFloat(tenths);
