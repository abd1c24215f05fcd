// The Request that a hosted handler sees: a Request in everything that can be observed, whatever it is made of.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Environ, encode, encodeWsgi, run, setupTestingDefaults } from 'waygate';
import { fromFetch, toFetch } from 'waygate/fetch';
import { MemoryInput } from '../../../core/memory-input.ts';
import { listening } from './hosting.ts';

/** What a handler gets for an environ; the answer of the gateway is its status. */
async function hosted(
  keys: Record<string, unknown>,
): Promise<{ request: Request | undefined; status: number; log: string }> {
  let request: Request | undefined;
  const log: string[] = [];
  const app = fromFetch((each) => {
    request = each;
    return new Response();
  });
  const environ = setupTestingDefaults({
    ...keys,
    'wsgi.errors': { write: (text: string) => void log.push(text), writelines() {}, flush() {} },
  });
  const { statusCode } = await run(app, environ);
  return { request, status: statusCode, log: log.join('') };
}

const withBody = (text: string, more: Record<string, unknown> = {}) => ({
  REQUEST_METHOD: 'POST',
  CONTENT_LENGTH: String(encode(text).byteLength),
  'wsgi.input': new MemoryInput(encode(text)),
  ...more,
});

async function made(keys: Record<string, unknown>): Promise<Request> {
  const { request, log } = await hosted(keys);
  expect(log).toBe('');
  return request as Request;
}

test.each([
  [{ PATH_INFO: '/a b' }, 'http://127.0.0.1/a%20b'],
  [{ PATH_INFO: encodeWsgi('/café') }, 'http://127.0.0.1/caf%C3%A9'],
  [{ PATH_INFO: '/\xff' }, 'http://127.0.0.1/%FF'],
  [{ PATH_INFO: '/a/b', REQUEST_URI: '/a%2Fb' }, 'http://127.0.0.1/a%2Fb'],
  [{ PATH_INFO: '/b', SCRIPT_NAME: '/a', REQUEST_URI: '/a/%62' }, 'http://127.0.0.1/%62'],
  [{ PATH_INFO: '', SCRIPT_NAME: '/a', REQUEST_URI: '/a' }, 'http://127.0.0.1/'],
  [{ PATH_INFO: '/changed', REQUEST_URI: '/a' }, 'http://127.0.0.1/changed'],
  [{ PATH_INFO: '*', REQUEST_METHOD: 'OPTIONS', REQUEST_URI: '*' }, 'http://127.0.0.1/'],
  [{ PATH_INFO: '//evil.example/x', REQUEST_URI: '//evil.example/x' }, 'http://127.0.0.1//evil.example/x'],
  [{ PATH_INFO: '/a\\b', REQUEST_URI: '/a\\b' }, 'http://127.0.0.1/a%5Cb'],
  [{ PATH_INFO: '/a?b#c', REQUEST_URI: undefined }, 'http://127.0.0.1/a%3Fb%23c'],
  [{ PATH_INFO: '/%2e%2e/b', REQUEST_URI: '/%2e%2e/b' }, 'http://127.0.0.1/%252e%252e/b'],
  [{ PATH_INFO: '/%2e%2e/b', REQUEST_URI: '/%252e%252e/b' }, 'http://127.0.0.1/%252e%252e/b'],
  [{ PATH_INFO: '/a/.\t./b', REQUEST_URI: '/a/.\t./b' }, 'http://127.0.0.1/a/.%09./b'],
  [{ PATH_INFO: '/a/.\n', REQUEST_URI: undefined }, 'http://127.0.0.1/a/.%0A'],
  [{ PATH_INFO: '/.well-known/x..y', REQUEST_URI: '/.well-known/x..y' }, 'http://127.0.0.1/.well-known/x..y'],
  [{ QUERY_STRING: 'a=%zz&b=+%20' }, 'http://127.0.0.1/?a=%zz&b=+%20'],
  [{ QUERY_STRING: 'a#b\xe9"' }, 'http://127.0.0.1/?a%23b%E9%22'],
  [{ QUERY_STRING: '', REQUEST_URI: '/?' }, 'http://127.0.0.1/?'],
  [{ HTTP_HOST: 'Example.COM:80' }, 'http://example.com/'],
  [{ HTTP_HOST: 'example.com:8080', 'wsgi.url_scheme': 'https' }, 'https://example.com:8080/'],
  [{ HTTP_HOST: '', SERVER_NAME: 'fallback', SERVER_PORT: '8080' }, 'http://fallback:8080/'],
  [{ HTTP_HOST: '[::1]:8000' }, 'http://[::1]:8000/'],
] as [Record<string, unknown>, string][])('%o is shown as %s', async (keys, url) => {
  const request = await made({ PATH_INFO: '/', ...keys });
  expect(request.url).toBe(url);
  expect(new Request(request).url).toBe(url);
});

test.each([
  'user@evil.example',
  'a b',
  'evil.example/x',
  'evil.example?',
  'a\\b',
  'x:99999',
  'x:y',
  '1.2.3.4.5',
  '%zz',
  '[',
])('the Host %s is a 400, and the handler is not called', async (host) => {
  const { request, status, log } = await hosted({ HTTP_HOST: host });
  expect([request, status]).toEqual([undefined, 400]);
  expect(log).toMatch(/^BadRequestError: The Host is ".*"; expected a host name/);
});

test.each(['CONNECT', 'TRACE', 'track', 'A B', ''])(
  'the method %s is a 501, and the handler is not called',
  async (method) => {
    const { request, status, log } = await hosted({ REQUEST_METHOD: method });
    expect([request, status]).toEqual([undefined, 501]);
    expect(log).toContain(`The method is ${JSON.stringify(method)}, which a Fetch Request cannot have.`);
  },
);

test.each([
  ['get', 'GET'],
  ['patch', 'patch'],
  ['PROPFIND', 'PROPFIND'],
  ['QUERY', 'QUERY'],
])('the method %s is shown as %s', async (method, shown) => {
  const request = await made({ REQUEST_METHOD: method });
  expect([request.method, new Request(request).method]).toEqual([shown, shown]);
});

test('a GET with a body: the Request has none, wsgi.input keeps it', async () => {
  for (const method of ['GET', 'HEAD']) {
    const keys = withBody('body', { REQUEST_METHOD: method });
    const request = await made(keys);
    expect([request.body, await request.text()]).toEqual([null, '']);
    expect(await (keys['wsgi.input'] as Environ['wsgi.input']).text()).toBe('body');
  }
});

test('a request without a body has none, whatever its method', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'X']) {
    const request = await made({ REQUEST_METHOD: method });
    expect([request.body, request.bodyUsed]).toEqual([null, false]);
    expect([await request.text(), request.bodyUsed]).toEqual(['', false]);
    expect(await request.text()).toBe('');
  }
});

describe('a request is a Request', () => {
  test('to instanceof, fetch-style constructors, and by its defaults', async () => {
    const request = await made(withBody('x', { HTTP_X_ONE: '1' }));
    expect(request).toBeInstanceOf(Request);
    expect(request.headers).toBeInstanceOf(Headers);
    expect(Object.prototype.toString.call(request)).toBe('[object Request]');
    const real = new Request('http://localhost/', { method: 'POST', body: 'x' });
    for (const key of [
      'mode',
      'credentials',
      'cache',
      'redirect',
      'referrer',
      'integrity',
      'keepalive',
      'destination',
    ] as const)
      expect(request[key], key).toBe(real[key]);
    expect((request as { duplex?: string }).duplex).toBe('half');
  });

  test('that can be copied, with changes', async () => {
    const request = await made(withBody('body', { HTTP_X_ONE: '1', CONTENT_TYPE: 'text/x' }));
    request.headers.set('x-two', '2');
    const copy = new Request(request, { headers: { 'x-three': '3' } });
    expect([copy.method, [...copy.headers], await copy.text()]).toEqual(['POST', [['x-three', '3']], 'body']);
    expect(request.bodyUsed).toBe(true);
    const moved = new Request('http://example.com/', await made(withBody('moved', { HTTP_X_ONE: '1' })));
    expect([moved.method, moved.headers.get('x-one'), await moved.text()]).toEqual(['POST', '1', 'moved']);
  });

  test('whose changed headers are those of its copies and clones', async () => {
    const request = await made(withBody('body', { HTTP_X_ONE: '1' }));
    request.headers.append('x-one', '2');
    const before = request.headers;
    const clone = request.clone();
    expect(clone.headers.get('x-one')).toBe('1, 2');
    request.headers.set('x-one', '3');
    expect(request.headers).toBe(before);
    expect(new Request(request).headers.get('x-one')).toBe('3');
    expect(clone.headers.get('x-one')).toBe('1, 2');
  });

  test('whose clone is read independently', async () => {
    const request = await made(withBody('{"a":1}'));
    const clone = request.clone();
    expect([await clone.json(), await request.text()]).toEqual([{ a: 1 }, '{"a":1}']);
  });

  test('whose body is used once, however it is read', async () => {
    const ways = {
      text: (request: Request) => request.text(),
      json: (request: Request) => request.json(),
      arrayBuffer: (request: Request) => request.arrayBuffer(),
      blob: (request: Request) => request.blob(),
      stream: (request: Request) => new Response(request.body).text(),
    };
    for (const [name, read] of Object.entries(ways)) {
      const request = await made(withBody('"x"'));
      expect(request.bodyUsed, name).toBe(false);
      await read(request);
      expect(request.bodyUsed, name).toBe(true);
      for (const again of [ways.text, ways.json, ways.arrayBuffer, ways.blob])
        await expect(again(request), name).rejects.toThrow(TypeError);
      expect(request.body?.locked ?? 'no body', name).not.toBe('no body');
      expect(() => request.clone(), name).toThrow(TypeError);
      expect(() => new Request(request), name).toThrow(TypeError);
    }
  });

  test('that gives the bytes as they came: text, JSON, array buffer, blob, form data, stream', async () => {
    expect(await (await made(withBody('\ufeffGrüße'))).text()).toBe('Grüße');
    expect(await (await made(withBody('[1]'))).json()).toEqual([1]);
    await expect((await made(withBody('{'))).json()).rejects.toThrow(SyntaxError);
    const buffer = await (await made(withBody('abc'))).arrayBuffer();
    expect([buffer.byteLength, new Uint8Array(buffer)]).toEqual([3, encode('abc')]);
    const blob = await (await made(withBody('abc', { CONTENT_TYPE: 'text/x-a' }))).blob();
    expect([blob.type, await blob.text()]).toEqual(['text/x-a', 'abc']);
    const form = await (
      await made(withBody('a=1&b=%20', { CONTENT_TYPE: 'application/x-www-form-urlencoded' }))
    ).formData();
    expect([...form]).toEqual([
      ['a', '1'],
      ['b', ' '],
    ]);
    const parts = '--x\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nhello\r\n--x--\r\n';
    const multi = await (await made(withBody(parts, { CONTENT_TYPE: 'multipart/form-data; boundary=x' }))).formData();
    expect(await (multi.get('f') as File).text()).toBe('hello');
    expect(await new Response((await made(withBody('abc'))).body).text()).toBe('abc');
  });

  test('whose array buffer is its own, and no part of a larger one', async () => {
    const shared = encode('before|body|after');
    const input = new MemoryInput(shared.subarray(7, 11));
    const request = await made({ REQUEST_METHOD: 'POST', CONTENT_LENGTH: '4', 'wsgi.input': input });
    const buffer = await request.arrayBuffer();
    expect([buffer.byteLength, new TextDecoder().decode(buffer)]).toEqual([4, 'body']);
  });

  test('whose headers behave as Headers', async () => {
    const keys = {
      HTTP_X_ONE: 'a, b',
      HTTP_COOKIE: 'c=1',
      CONTENT_TYPE: 'text/x',
      HTTP_X_EMPTY: '',
      HTTP_X_WIDE: ' wide ',
    };
    const { headers } = await made({ ...keys, HTTP_HOST: 'h' });
    const list = [
      ['content-type', 'text/x'],
      ['cookie', 'c=1'],
      ['host', 'h'],
      ['x-empty', ''],
      ['x-one', 'a, b'],
      ['x-wide', 'wide'],
    ];
    expect([headers.get('X-One'), headers.get('x-empty'), headers.get('x-wide')]).toEqual(['a, b', '', 'wide']);
    expect([headers.get('content-type'), headers.get('x-none'), headers.has('cookie')]).toEqual(['text/x', null, true]);
    expect(() => headers.get('a b')).toThrow(TypeError);
    expect(() => headers.set('a', 'b\nc')).toThrow(TypeError);
    expect([...headers]).toEqual(list);
    expect([...new Headers(headers)]).toEqual(list);
    expect([...headers.keys()]).toEqual(list.map(([name]) => name));
    expect([...headers.values()]).toEqual(list.map(([, value]) => value));
    const seen: unknown[] = [];
    headers.forEach(function (this: unknown, value, name, parent) {
      seen.push([this, name, value, parent === headers]);
    }, 'self');
    expect(seen[0]).toEqual(['self', 'content-type', 'text/x', true]);
    headers.append('x-one', 'c');
    headers.delete('cookie');
    expect([headers.get('x-one'), headers.get('cookie'), headers.getSetCookie()]).toEqual(['a, b, c', null, []]);
    expect(Object.fromEntries(headers)['x-one']).toBe('a, b, c');
  });

  test('whose signal is waygate.signal, and reaches what is made of it', async () => {
    const controller = new AbortController();
    const request = await made({ 'waygate.signal': controller.signal });
    const copy = new Request(request);
    controller.abort('gone');
    expect([request.signal.aborted, request.signal.reason]).toEqual([true, 'gone']);
    expect([copy.signal.aborted, copy.signal.reason]).toEqual([true, 'gone']);
  });
});

test('a request is let go when it is over, also one that its own signal leads to', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let made = 0;
  const left = new Set<number>();
  const collected = new FinalizationRegistry((held: number) => left.delete(held));
  const handlers = [
    // What a real request is made for,
    async (request: Request) => {
      request.signal.addEventListener('abort', () => request);
      return new Response(await request.blob());
    },
    // and a gateway inside another one.
    toFetch(async (environ, startResponse) => {
      const body = await environ['wsgi.input'].bytes();
      startResponse('200 OK', []);
      return [body];
    }),
  ];
  for (const handler of handlers) {
    const serve = toFetch((environ, startResponse) => {
      const app = fromFetch((request) => {
        made += 1;
        left.add(made);
        collected.register(request, made);
        return handler(request);
      });
      return app({ ...environ }, startResponse);
    });
    for (let each = 0; each < 10; each++) {
      expect(await (await serve('/', { method: 'POST', body: 'body' })).text()).toBe('body');
    }
  }
  expect(made).toBe(20);
  for (let tries = 0; tries < 50 && left.size > 0; tries++) {
    collect();
    await new Promise((turn) => setTimeout(turn, 5));
  }
  expect(left.size).toBe(0);
});

describe('a request made anew on a Fetch platform', () => {
  const send = async (request: Request): Promise<Request> => {
    let seen: Request | undefined;
    const app = fromFetch((each) => {
      seen = each;
      return new Response();
    });
    await toFetch((environ, startResponse) => app({ ...environ, PATH_INFO: '/moved' }, startResponse))(request);
    expect(seen?.url).toBe('http://localhost/moved');
    return seen as Request;
  };

  test('is to be fetched as the platform’s own is', async () => {
    const init = {
      redirect: 'manual',
      credentials: 'include',
      integrity: 'sha256-x',
      keepalive: true,
      referrer: 'http://localhost/from',
      referrerPolicy: 'origin',
    } as const;
    const request = await send(new Request('http://localhost/', init));
    for (const [key, value] of Object.entries(init)) expect(request[key as keyof Request], key).toBe(value);
    expect((await send(new Request('http://localhost/'))).redirect).toBe('follow');
    await expect(send(new Request('http://localhost/', { cache: 'no-store' }))).resolves.toBeInstanceOf(Request);
  });

  test('has what somebody put on the platform’s own', async () => {
    const cf = { country: 'NZ' };
    const request = await send(Object.assign(new Request('http://localhost/'), { cf, params: { id: '1' } }));
    expect(request).toMatchObject({ cf, params: { id: '1' } });
    expect(Object.keys(request)).toEqual(['cf', 'params']);
  });
});

describe('over a connection', () => {
  const app = fromFetch(async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/form') return Response.json([...(await request.formData())]);
    if (pathname === '/proxy') return fetch(new Request(`http://127.0.0.1:${server.port}/echo`, request));
    return new Response(request.body, { headers: { 'x-type': request.headers.get('content-type') ?? '' } });
  });
  let server: Awaited<ReturnType<typeof listening>>;
  beforeAll(async () => {
    server = await listening(app);
  });
  afterAll(() => server.close());

  test('multipart form data arrives', async () => {
    const body = new FormData();
    body.set('a', 'é');
    expect(await (await server.call('/form', { method: 'POST', body })).json()).toEqual([['a', 'é']]);
  });

  test('a request is passed on to fetch, its body streamed', async () => {
    const body = new Blob(['x'.repeat(100_000), 'y'.repeat(100_000)], { type: 'text/x-a' });
    const response = await server.call('/proxy', { method: 'PUT', body });
    expect(response.headers.get('x-type')).toBe('text/x-a');
    expect((await response.text()).length).toBe(200_000);
  });

  test('a body may be answered with as it is read', async () => {
    let turn = (): void => {};
    const echoed = new Promise<void>((resolve) => {
      turn = resolve;
    });
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(encode('ping'));
        await echoed;
        controller.enqueue(encode('pong'));
        controller.close();
      },
    });
    // Node's fetch shows a response only when the request is out: http does not wait for that.
    const { request } = await import('node:http');
    const client = request({ port: server.port, host: '127.0.0.1', method: 'POST', path: '/echo' });
    const answer = new Promise<string>((resolve) => {
      client.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
          turn();
        });
        response.on('end', () => resolve(text));
      });
    });
    for await (const chunk of body) client.write(chunk);
    client.end();
    expect(await answer).toBe('pingpong');
  });
});
