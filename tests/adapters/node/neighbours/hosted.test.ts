// Packages inside a hosted listener: they must see of a request and a response what they see on Node.

import type http from 'node:http';
import onFinished from 'on-finished';
import { describe, expect, it, vi } from 'vitest';
import { WAYS } from '../hosting.ts';

const BODY = 'a'.repeat(100_000);

describe.each(WAYS)('on-finished, %s', (_name, way) => {
  it.each([
    ['GET without a body', undefined],
    ['POST that nobody reads', 'short'],
    ['POST of 100 KB that nobody reads', BODY],
    ['POST in chunks that nobody reads', 'stream'],
  ])('hears of the end of request and response: %s', async (_what, sent) => {
    const ends: string[] = [];
    const listener: http.RequestListener = (request, response) => {
      onFinished(request, (error) => ends.push(`request ${error?.message ?? 'fine'}`));
      onFinished(response, (error) => ends.push(`response ${error?.message ?? 'fine'}`));
      response.end('done');
    };
    await way(listener, async (call) => {
      const body = sent === 'stream' ? new Response(BODY).body : sent;
      const init = sent === undefined ? {} : ({ method: 'POST', body, duplex: 'half' } as RequestInit);
      expect(await (await call('/', init)).text()).toBe('done');
      await vi.waitFor(() => expect(ends.sort()).toEqual(['request fine', 'response fine']), 3000);
    });
  });

  it('says that a request which nobody read is finished, once its response is', async () => {
    let request: http.IncomingMessage | undefined;
    const listener: http.RequestListener = (each, response) => {
      request = each;
      response.end('done');
    };
    await way(listener, async (call) => {
      await (await call('/', { method: 'POST', body: 'short' })).text();
      await vi.waitFor(() => expect(onFinished.isFinished(request as http.IncomingMessage)).toBe(true), 3000);
      expect([request?.complete, request?.readableEnded]).toEqual([true, true]);
    });
  });
});
