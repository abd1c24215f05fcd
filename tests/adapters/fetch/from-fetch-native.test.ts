// A Fetch app on a Fetch platform: no conversion while nothing between has changed anything, and no change is ever missed.

import { AsyncLocalStorage } from 'node:async_hooks';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Application, Environ, GatewayOptions, Middleware } from 'waygate';
import { toWorker } from 'waygate/cloudflare-workers';
import { environOf, fromFetch, toFetch } from 'waygate/fetch';
import { mount } from 'waygate/middleware';
import { copies, wraps } from './hosting.ts';

/** Hosts a handler that notes the request it got, and says whether it and the response came through untouched. */
async function through(
  middleware: Middleware,
  request = new Request('http://localhost/a?b=c', { headers: { 'x-one': '1' } }),
  options: GatewayOptions = {},
): Promise<{ sameRequest: boolean; sameResponse: boolean; seen: Request; response: Response }> {
  let seen = request;
  let made = new Response();
  const app = fromFetch((each) => {
    seen = each;
    made = new Response('made', { status: 201, headers: { 'x-two': '2' } });
    return made;
  });
  const response = await toFetch(middleware(app), options)(request);
  expect(response.status).toBe(201);
  expect(response.headers.get('x-two')).toBe('2');
  return { sameRequest: seen === request, sameResponse: response === made, seen, response };
}

/** A middleware that does something to the environ. */
const changing =
  (change: (environ: Environ) => void): Middleware =>
  (app) =>
  (environ, startResponse) => {
    change(environ);
    return app(environ, startResponse);
  };

const setting = (key: string, value: unknown): Middleware =>
  changing((environ) => {
    environ[key] = value;
  });

const later: Middleware = (app) => async (environ, startResponse) => {
  await null;
  return app(environ, startResponse);
};

test.each([
  ['nothing between', (app) => app],
  ['a middleware that only looks', changing((environ) => void environ['waygate.signal'].aborted)],
  ['a middleware that adds a key of its own', setting('my.user', 'ada')],
  ['a middleware that waits', later],
  ['an application mounted at the root', (app) => mount({ '/': app })],
  ['an application mounted on a host', (app) => mount({ localhost: app })],
] as [string, Middleware][])('%s: request and response are the platform’s own', async (_what, middleware) => {
  const { sameRequest, sameResponse } = await through(middleware);
  expect([sameRequest, sameResponse]).toEqual([true, true]);
});

test('the same on Workers, where the handler gets its env and ctx as they are', async () => {
  const request = new Request('http://localhost/');
  const response = new Response('x');
  const env = { KEY: 'value' };
  const ctx = { waitUntil() {}, passThroughOnException() {}, props: {} };
  const seen: unknown[] = [];
  const worker = toWorker(
    fromFetch((...all) => {
      seen.push(...all);
      return response;
    }),
  );
  expect(await worker.fetch(request, env, ctx)).toBe(response);
  expect(seen[0]).toBe(request);
  expect(seen[1]).toBe(env);
  expect(seen[2]).toBe(ctx);
  expect(environOf(request)?.['cloudflare.env']).toBe(env);
});

test('what stands for a Request in somebody’s test goes through as well', async () => {
  const request = { url: 'http://localhost/x', method: 'GET', headers: new Headers() } as Request;
  const seen: unknown[] = [];
  const app = fromFetch((...all) => {
    seen.push(...all);
    return new Response('x');
  });
  expect(await (await toFetch(app)(request)).text()).toBe('x');
  expect(seen[0]).toBe(request);
  // And what a test of a Worker leaves out is left out.
  await toWorker(app).fetch(request, undefined, undefined as never);
  expect(seen.slice(3)).toEqual([request, undefined, undefined]);
});

test('a response is passed on at once, without a promise, where the handler answers at once', () => {
  const response = new Response('x');
  const ctx = { waitUntil() {} };
  expect(toWorker(fromFetch(() => response)).fetch(new Request('http://localhost/'), {}, ctx)).toBe(response);
});

test.each([
  ['PATH_INFO', 'url', 'http://localhost/changed?b=c', setting('PATH_INFO', '/changed')],
  ['QUERY_STRING', 'url', 'http://localhost/a?d', setting('QUERY_STRING', 'd')],
  ['REQUEST_METHOD', 'method', 'PUT', setting('REQUEST_METHOD', 'PUT')],
  ['HTTP_HOST', 'url', 'http://example.com/a?b=c', setting('HTTP_HOST', 'example.com')],
  ['wsgi.url_scheme', 'url', 'https://localhost/a?b=c', setting('wsgi.url_scheme', 'https')],
  ['a header', 'x-one', 'changed', setting('HTTP_X_ONE', 'changed')],
  ['a header that is gone', 'x-one', null, setting('HTTP_X_ONE', undefined)],
  ['a header that is new', 'x-new', 'new', setting('HTTP_X_NEW', 'new')],
  ['the content type', 'content-type', 'a/b', setting('CONTENT_TYPE', 'a/b')],
  ['the mount', 'url', 'http://localhost/?b=c', (app) => mount({ '/a': app })],
] as [string, string, string | null, Middleware][])(
  'a change of %s is seen by the handler',
  async (_key, what, expected, middleware) => {
    const { sameRequest, seen } = await through(middleware);
    expect(sameRequest).toBe(false);
    expect(what in seen ? seen[what as 'url'] : seen.headers.get(what)).toBe(expected);
  },
);

test('a change that is undone after the call has been seen by the handler', async () => {
  const { seen } = await through((app) => (environ, startResponse) => {
    environ.PATH_INFO = '/during';
    const body = app(environ, startResponse);
    environ.PATH_INFO = '/a';
    return body;
  });
  expect(seen.url).toBe('http://localhost/during?b=c');
});

test('a change after the call is not', async () => {
  const { seen } = await through((app) => async (environ, startResponse) => {
    const body = await app(environ, startResponse);
    environ.PATH_INFO = '/after';
    environ.HTTP_X_ONE = 'after';
    return body;
  });
  expect([seen.url, seen.headers.get('x-one')]).toEqual(['http://localhost/a?b=c', '1']);
});

test('a signal, an input and a wait_until put there by a middleware are the handler’s', async () => {
  const controller = new AbortController();
  const signal = await through(setting('waygate.signal', controller.signal));
  controller.abort('stopped');
  expect(signal.seen.signal.aborted).toBe(true);

  const work: unknown[] = [];
  const app = fromFetch((_request, _env, ctx) => {
    ctx.waitUntil('work');
    return new Response();
  });
  await toFetch(setting('waygate.wait_until', (each: unknown) => void work.push(each))(app))('/');
  expect(work).toEqual(['work']);

  const upper: Middleware = (inner) => async (environ, startResponse) => {
    const text = await environ['wsgi.input'].text();
    const bytes = new TextEncoder().encode(text.toUpperCase());
    environ['wsgi.input'] = {
      ...environ['wsgi.input'],
      text: async () => 'UPPER',
      stream: () => new Blob([bytes]).stream(),
    };
    return inner(environ, startResponse);
  };
  const echo = fromFetch(async (request) => new Response(await new Response(request.body).text()));
  expect(await (await toFetch(upper(echo))('/', { method: 'POST', body: 'text' })).text()).toBe('TEXT');
});

test('a body that was begun is gone on with', async () => {
  const reads: Middleware = (app) => async (environ, startResponse) => {
    await environ['wsgi.input'].read(3);
    return app(environ, startResponse);
  };
  const handler = toFetch(reads(fromFetch(async (request) => new Response(await request.text()))));
  const request = new Request('http://localhost/', { method: 'POST', body: 'one two' });
  expect(await (await handler(request)).text()).toBe(' two');
});

test('a deployer’s header and basePath are seen', async () => {
  const { seen } = await through((app) => app, undefined, { environ: { HTTP_X_ONE: 'deployer' }, basePath: '/a' });
  expect([seen.url, seen.headers.get('x-one')]).toEqual(['http://localhost/?b=c', 'deployer']);
});

test('a response that a middleware wraps is seen by it, and the request still comes through untouched', async () => {
  const statuses: string[] = [];
  const { sameRequest, sameResponse, response } = await through((app) => async (environ, startResponse) => {
    const body = await app(environ, (status, headers, error) => {
      statuses.push(status);
      return startResponse(status, [...headers, ['x-added', 'yes']], error);
    });
    return (async function* () {
      for await (const chunk of body) yield new TextEncoder().encode(new TextDecoder().decode(chunk).toUpperCase());
    })();
  });
  expect([sameRequest, sameResponse]).toEqual([true, false]);
  expect(statuses).toEqual(['201 Created']);
  expect([response.headers.get('x-added'), await response.text()]).toEqual(['yes', 'MADE']);
});

test('a close() that a middleware puts on the body is called', async () => {
  let closed = 0;
  const { sameResponse } = await through((app) => async (environ, startResponse) => {
    const body = await app(environ, startResponse);
    body.close = () => void closed++;
    return body;
  }).then(async (result) => {
    await result.response.text();
    return result;
  });
  expect([sameResponse, closed]).toEqual([false, 1]);
});

test('a body that a middleware throws away is cancelled', async () => {
  const cancelled: string[] = [];
  const discards: Middleware = (app) => async (environ, startResponse) => {
    const body = await app(environ, () => async () => {});
    await body.close?.();
    startResponse('200 OK', []);
    return [];
  };
  const app = discards(
    fromFetch(({ url }) => {
      const response = new Response(new ReadableStream({ cancel: () => void cancelled.push(new URL(url).pathname) }));
      return url.endsWith('late') ? new Promise((resolve) => setTimeout(resolve, 2, response)) : response;
    }),
  );
  for (const path of ['/now', '/late']) expect((await toFetch(app)(path)).status).toBe(200);
  await expect.poll(() => cancelled).toEqual(['/now', '/late']);
});

test('the very body of another request, or one for another startResponse, is not taken for native', async () => {
  let kept: Awaited<ReturnType<Application>> | null = null;
  const app = fromFetch((request) => new Response(new URL(request.url).pathname));
  const handler = toFetch(
    (environ, startResponse) => {
      if (environ.PATH_INFO !== '/second') {
        kept = app(environ, startResponse) as never;
        startResponse('202 Accepted', []);
        return [];
      }
      startResponse('203 Non-Authoritative Information', []);
      return kept as never;
    },
    { errors: () => {} },
  );
  await handler('/first');
  const second = await handler('/second');
  // The body belongs to the first request's startResponse, which is over.
  expect(await second.text().catch(() => 'broken')).not.toBe('/second');
});

test('environOf finds the environ of the request in hand, native or not, and of no other', async () => {
  for (const middleware of [(app) => app, copies] as Middleware[]) {
    let user: unknown;
    const app = fromFetch((request) => {
      user = environOf(request)?.['my.user'];
      expect(environOf(request.clone())).toBe(undefined);
      return new Response();
    });
    await toFetch(setting('my.user', 'ada')(middleware(app)))('/');
    expect(user).toBe('ada');
  }
  expect(environOf(new Request('http://localhost/'))).toBe(undefined);
});

test('one Request may be handled twice: environOf gives the later environ', async () => {
  const request = new Request('http://localhost/');
  const seen: unknown[] = [];
  const handler = toFetch(
    fromFetch((each) => {
      seen.push(environOf(each));
      return new Response();
    }),
  );
  await handler(request);
  await handler(request);
  expect(seen[0]).not.toBe(seen[1]);
});

/** A handler whose answer is made of what it sees of the request. */
const mirror = async (request: Request): Promise<Response> => {
  // Of a Request without a Host, environ has the host of its URL.
  const received = [...request.headers].filter(([name]) => name !== 'host');
  const shown = [request.method, request.url, JSON.stringify(received), await request.text()];
  const status = 200 + (request.url.length % 5) * 50;
  const headers = new Headers([['x-length', String(request.url.length)]]);
  for (const [name, value] of request.headers)
    if (name.startsWith('x-')) headers.append('set-cookie', `${name}=${value}`);
  if (status === 250) return new Response(null, { status: 204, headers });
  return new Response(shown.join('\n'), { status, statusText: request.url.length % 2 ? 'Odd' : '', headers });
};

test('native or not, wrapped or copied: request and response are the same', async () => {
  const segment = fc.constantFrom(
    'a',
    '%2F',
    '%20',
    '.',
    '..',
    '%2e',
    '%zz',
    'é',
    '%C3%A9',
    '',
    '~',
    "'",
    'a|b',
    '"',
    '\\',
  );
  const path = fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
  const query = fc.constantFrom('', '?', '?a=b', '?a=%20+&a', '?é="<>', "?'", '?a?b');
  const headers = fc.dictionary(fc.constantFrom('x-a', 'x-b', 'accept'), fc.constantFrom('1', 'a, b', 'caf\xe9', ''));
  const body = fc.constantFrom(undefined, '', 'text', 'Grüße');
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY');
  await fc.assert(
    fc.asyncProperty(path, query, headers, body, method, async (p, q, h, b, m) => {
      const init = { method: m, headers: h, ...(m === 'GET' ? null : { body: b }) };
      const answers: unknown[] = [];
      for (const middleware of [(app: Application) => app, wraps, copies]) {
        const response = await toFetch(middleware(fromFetch(mirror)))(new Request(`http://localhost:81${p}${q}`, init));
        const list = [...response.headers].filter(([name]) => name !== 'content-length');
        const text = (await response.text()).replace(/\["content-length","[0-9]+"\],?/, '');
        answers.push([response.status, response.statusText === '' ? 'empty' : 'some', list, text]);
      }
      const [native, wrapped, copied] = answers as [unknown[], unknown[], unknown[]];
      // The gateway fills in an empty reason phrase; nothing else may differ.
      if (native[1] === 'empty') native[1] = wrapped[1];
      expect(wrapped).toEqual(native);
      expect(copied).toEqual(native);
    }),
    { numRuns: 200 },
  );
});

test('the handler runs in the context of what is around its application', async () => {
  const storage = new AsyncLocalStorage<string>();
  const within: Middleware = (app) => (environ, startResponse) =>
    storage.run('within', () => app(environ, startResponse));
  const caught: unknown[] = [];
  const catches: Middleware = (app) => (environ, startResponse) => {
    try {
      return app(environ, startResponse);
    } catch (error) {
      caught.push(error);
      startResponse('503 Caught', []);
      return [];
    }
  };
  const app = fromFetch(async ({ url }) => {
    if (url.endsWith('late')) await new Promise((resolve) => setTimeout(resolve, 2));
    return new Response(storage.getStore());
  });
  for (const serve of [toFetch(within(app)), toFetch(within((environ, start) => app({ ...environ }, start)))]) {
    for (const path of ['/', '/late']) expect(await (await serve(path)).text()).toBe('within');
  }
  const secret = new Error('secret');
  const fails = fromFetch(() => {
    throw secret;
  });
  expect((await toFetch(catches(fails))('/')).status).toBe(503);
  expect(caught).toEqual([secret]);
});
