// fromFetch: a Fetch handler behaves the same wherever it is hosted.

import { describe, expect, test } from 'vitest';
import type { ErrorSink } from 'waygate';
import { fromFetch } from 'waygate/fetch';
import { WAYS } from './hosting.ts';

describe.each(WAYS)('a Fetch handler, %s', (name, way) => {
  const onNode = name === 'on node';

  test('may answer with a thenable of any make', async () => {
    const respond = (resolve: (response: Response) => void): void => {
      resolve(new Response('fine'));
    };
    // biome-ignore lint/suspicious/noThenProperty: what await takes, a handler may return
    const handler = () => ({ then: respond }) as unknown as Promise<Response>;
    await way(handler, {}, async (call) => {
      expect(await (await call('/')).text()).toBe('fine');
    });
  });

  test('sees method, URL, headers and body, and its response arrives', async () => {
    const handler = async (request: Request) =>
      Response.json(
        {
          method: request.method,
          path: new URL(request.url).pathname,
          query: new URL(request.url).search,
          header: request.headers.get('x-one'),
          type: request.headers.get('content-type'),
          body: await request.text(),
        },
        { status: 201, headers: { 'x-two': '2' } },
      );
    await way(handler, {}, async (call) => {
      const response = await call('/a%2Fb/%C3%A9?q=%20+&q=2', {
        method: 'POST',
        headers: { 'x-one': 'a, b', 'content-type': 'text/x-plain' },
        body: 'Grüße',
      });
      expect(response.status).toBe(201);
      expect(response.headers.get('x-two')).toBe('2');
      expect(await response.json()).toEqual({
        method: 'POST',
        path: '/a%2Fb/%C3%A9',
        query: '?q=%20+&q=2',
        header: 'a, b',
        type: 'text/x-plain',
        body: 'Grüße',
      });
    });
  });

  test('keeps each cookie by itself, commas and all', async () => {
    const cookies = ['a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'b=2', 'a=3'];
    const handler = () => {
      const headers = new Headers();
      for (const cookie of cookies) headers.append('set-cookie', cookie);
      return new Response('x', { headers });
    };
    await way(handler, {}, async (call) => {
      expect((await call('/')).headers.getSetCookie()).toEqual(cookies);
    });
  });

  test('sends a body of no bytes with the statuses that have none, and a redirect as it is', async () => {
    const handler = (request: Request) => {
      const status = Number(new URL(request.url).pathname.slice(1));
      if (status === 302) return Response.redirect('http://example.com/elsewhere');
      return new Response(null, { status, headers: { 'x-status': String(status) } });
    };
    await way(handler, {}, async (call) => {
      for (const status of [200, 204, 205, 304, 404]) {
        const response = await call(`/${status}`);
        expect(response.status).toBe(status);
        expect(response.headers.get('x-status')).toBe(String(status));
        expect(await response.text()).toBe('');
      }
      const redirect = await call('/302');
      expect(redirect.status).toBe(302);
      expect(redirect.headers.get('location')).toBe('http://example.com/elsewhere');
    });
  });

  test('streams its response chunk by chunk', async () => {
    let release = () => {};
    const handler = () =>
      new Response(
        new ReadableStream({
          async start(controller) {
            controller.enqueue(new TextEncoder().encode('first'));
            await new Promise<void>((resolve) => {
              release = resolve;
            });
            controller.enqueue(new TextEncoder().encode('second'));
            controller.close();
          },
        }),
      );
    await way(handler, {}, async (call) => {
      const response = await call('/');
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      expect(new TextDecoder().decode((await reader.read()).value)).toBe('first');
      release();
      expect(new TextDecoder().decode((await reader.read()).value)).toBe('second');
      expect((await reader.read()).done).toBe(true);
    });
  });

  test('reads a streamed request while it is being sent', async () => {
    const handler = async (request: Request) => {
      const sizes: number[] = [];
      for await (const chunk of request.body as ReadableStream<Uint8Array>) sizes.push(chunk.byteLength);
      return Response.json(sizes.reduce((sum, size) => sum + size, 0));
    };
    await way(handler, {}, async (call) => {
      let left = 5;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (left-- > 0) controller.enqueue(new Uint8Array(10_000));
          else controller.close();
        },
      });
      const response = await call('/', { method: 'PUT', body, duplex: 'half' } as RequestInit);
      expect(await response.json()).toBe(50_000);
    });
  });

  test('hears when the client cancels the response', async () => {
    let cancelled = () => {};
    const done = new Promise<void>((resolve) => {
      cancelled = resolve;
    });
    const handler = () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new Uint8Array(3)),
          cancel: () => cancelled(),
        }),
      );
    await way(handler, {}, async (call) => {
      const response = await call('/');
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      await reader.read();
      await reader.cancel();
      await done;
    });
  });

  test('has the signal of its request aborted when the client leaves before there is a response', async () => {
    let aborted = (_reason: unknown) => {};
    const gone = new Promise((resolve) => {
      aborted = resolve;
    });
    const client = new AbortController();
    const log: string[] = [];
    const handler = (request: Request) =>
      new Promise<Response>((resolve) => {
        request.signal.addEventListener('abort', () => {
          aborted(request.signal.reason);
          resolve(new Response('too late'));
        });
        client.abort();
      });
    await way(handler, { errors: (text) => void log.push(text) }, async (call) => {
      await expect(call('/', { signal: client.signal })).rejects.toThrow();
      await gone;
      await new Promise((resolve) => setTimeout(resolve, 5));
    });
    expect(log).toEqual([]);
  });

  test('answers HEAD without a body', async () => {
    const handler = (request: Request) =>
      new Response(request.method === 'HEAD' ? null : 'body', { headers: { 'x-method': request.method } });
    await way(handler, {}, async (call) => {
      const response = await call('/', { method: 'HEAD' });
      expect(response.headers.get('x-method')).toBe('HEAD');
      expect(response.headers.get('content-length')).toBe(null);
      expect(await response.text()).toBe('');
    });
  });

  test('keeps the case of a method that Fetch does not normalize', async () => {
    if (onNode) return; // Node's parser knows no such method
    await way(
      (request) => new Response(request.method),
      {},
      async (call) => {
        expect(await (await call('/', { method: 'patch', body: 'x' })).text()).toBe('patch');
      },
    );
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('thrown on purpose');
      },
      'thrown on purpose',
    ],
    ['rejects', () => Promise.reject(new Error('rejected on purpose')), 'rejected on purpose'],
    ['returns nothing', () => undefined as never, 'returned undefined; expected a Response'],
    ['resolves to text', async () => 'text' as never, 'returned the string "text"; expected a Response'],
    ['returns Response.error()', () => Response.error(), 'Response.error()'],
    [
      'returns a used body',
      async () => {
        const response = new Response('x');
        await response.text();
        return response;
      },
      'used or locked',
    ],
    [
      'returns a locked body',
      () => {
        const response = new Response('x');
        response.body?.getReader();
        return response;
      },
      'used or locked',
    ],
  ] as [string, () => Response, string][])('that %s is a 500, told once', async (_what, handler, message) => {
    const log: string[] = [];
    const errors: ErrorSink = (text) => void log.push(text);
    const told: unknown[] = [];
    await way(handler, { errors, onError: (error) => told.push(error) }, async (call) => {
      const response = await call('/');
      expect(response.status).toBe(500);
      expect(await response.text()).toBe('500 Internal Server Error\n');
    });
    expect(log.length).toBe(1);
    expect(log[0]).toContain(message);
    expect(told.length).toBe(1);
    expect(String(told[0])).toContain(message);
  });

  test('refuses a body beyond maxBodyBytes, whatever length was declared', async () => {
    const handler = async (request: Request) => new Response(await request.text());
    const body = () => new Blob(['x'.repeat(50), 'y'.repeat(50)]).stream();
    await way(handler, { maxBodyBytes: 60, errors: () => {} }, async (call) => {
      const declared = await call('/', { method: 'POST', body: 'x'.repeat(100) });
      expect(declared.status).toBe(413);
      const streamed = await call('/', { method: 'POST', body: body(), duplex: 'half' } as RequestInit);
      expect(streamed.status).toBe(413);
      expect(await (await call('/', { method: 'POST', body: 'x'.repeat(60) })).text()).toBe('x'.repeat(60));
    });
  });
});

test('fromFetch names a value that is not a handler', () => {
  expect(() => fromFetch({} as never)).toThrow(/given an Object; expected a function \(request\) => Response/);
  expect(() => fromFetch(null as never)).toThrow(/given null/);
});

test('a fetch method is called on its object, and looked up for each request', async () => {
  class Counter {
    count = 0;
    fetch(): Response {
      this.count++;
      return new Response(String(this.count));
    }
  }
  const counter = new Counter();
  for (const [, way] of WAYS) await way(counter, {}, async (call) => void (await call('/')));
  expect(counter.count).toBe(WAYS.length);
});
