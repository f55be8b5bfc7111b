// What `@jest/globals` is for the test file that is being loaded.
import runtime from './runtime.cjs';

export const { jest, expect, test, it, describe, beforeAll, beforeEach, afterAll, afterEach } = runtime.globals();
