// toFetch, held to the whole contract.

import { runInNewContext } from 'node:vm';
import { describe, it } from 'vitest';
import { toFetch } from 'waygate/fetch';
import { conformance } from 'waygate/testing';

conformance('toFetch', (app, options) => ({ fetch: toFetch(app, options) }), {
  describe,
  it,
  capabilities: { raw: false },
  otherRealm: runInNewContext,
});
