// toWorker inside workerd, held to the whole contract: called as workerd calls a Worker, without a connection between.

import { createExecutionContext } from 'cloudflare:test';
import { describe, it } from 'vitest';
import { toWorker } from 'waygate/cloudflare-workers';
import { conformance } from 'waygate/testing';
import { calledInWorkerd } from '../runtimes/capabilities.ts';
import { abortable, nativeResponse, textHeaders } from './native-fetch.ts';

conformance(
  'toWorker called in workerd',
  (app, options) => {
    const worker = toWorker(app, options);
    const call = async (path: string, init?: RequestInit): Promise<Response> => {
      const request = new Request(`http://example.com${path}`, { ...init, headers: textHeaders(init) });
      return nativeResponse(await worker.fetch(request, {}, createExecutionContext()));
    };
    return { fetch: (path, init) => abortable(call(path, init), init?.signal) };
  },
  { describe, it, capabilities: calledInWorkerd },
);
