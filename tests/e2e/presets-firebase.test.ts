// toGoogleCloud as a function of Firebase: `onRequest` of firebase-functions in Google's Functions Framework. Nightly: the
// package brings Google's client libraries with it.

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { toGoogleCloud } from 'waygate/google-cloud';
import { shown } from './presets/shown.ts';
import { packages, runsLarge } from './presets/tools.ts';

describe.runIf(runsLarge)('Firebase', () => {
  it('onRequest serves an application, with the body as it was sent', async () => {
    const { onRequest } = packages('large')('firebase-functions/v2/https') as { onRequest(handler: unknown): unknown };
    const require = packages('.');
    const { http } = require('@google-cloud/functions-framework') as { http(name: string, handler: unknown): void };
    const { getTestServer } = require('@google-cloud/functions-framework/testing') as {
      getTestServer(name: string): Server;
    };
    http('site', onRequest(toGoogleCloud(shown)));
    const server = getTestServer('site');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const response = await fetch(`http://127.0.0.1:${port}/a%2Fb?c`, {
        method: 'POST',
        body: '{"a": 1}\n',
        headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'https' },
      });
      expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
      expect(await response.json()).toMatchObject({
        'waygate.gateway': 'google-cloud',
        'wsgi.url_scheme': 'https',
        REQUEST_URI: '/a%2Fb?c',
        REMOTE_ADDR: '192.0.2.1',
        body: '{"a": 1}\n',
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
