// toWorker inside workerd, held to the whole contract: called as workerd calls a Worker, without a connection between.

import { createExecutionContext } from 'cloudflare:test';
import { describe, it } from 'vitest';
import { toWorker } from 'waygate/cloudflare-workers';
import { conformance } from 'waygate/testing';

conformance(
  'toWorker called in workerd',
  (app, options) => {
    const worker = toWorker(app, options);
    return {
      async fetch(path, init) {
        return worker.fetch(new Request(`http://example.com${path}`, init), {}, createExecutionContext());
      },
    };
  },
  { describe, it, capabilities: { raw: false } },
);
