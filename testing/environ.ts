// An environ for tests that call an application directly.

import { MemoryInput } from '../core/memory-input.ts';
import { encode } from '../core/strings.ts';
import { setupTestingDefaults } from '../core/testing-defaults.ts';
import type { Environ } from '../core/types.ts';

/**
 * A complete environ for a test: `environ({ PATH_INFO: '/users', HTTP_COOKIE: 'a=1' })` is that of a `GET` at 127.0.0.1.
 * A request body comes with its length.
 *
 * @param overrides keys in place of the defaults, see `setupTestingDefaults`; a key that is undefined is left out
 * @param body the request body; text is sent as UTF-8
 * @example
 * const response = await run(app, environ({ REQUEST_METHOD: 'POST' }, 'the body'));
 */
export function testEnviron(overrides: Record<string, unknown> = {}, body?: string | Uint8Array): Environ {
  const keys = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  if (body === undefined) return setupTestingDefaults(keys);
  const bytes = typeof body === 'string' ? encode(body) : body;
  return setupTestingDefaults({
    REQUEST_METHOD: 'POST',
    CONTENT_LENGTH: String(bytes.byteLength),
    'wsgi.input': new MemoryInput(bytes),
    ...keys,
  });
}
