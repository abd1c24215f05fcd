// What is particular to Fetch platforms: how toFetch is called, streams that pass untouched, the client's signal.

import { describe, expect, it } from 'vitest';
import { type Application, type Environ, encode } from 'waygate';
import { fromFetch, toFetch } from 'waygate/fetch';

/** Gives away the environ it got. */
function looking(): { app: Application; seen: () => Environ } {
  let environ: Environ | undefined;
  const app: Application = (given, startResponse) => {
    environ = given;
    startResponse('200 OK', []);
    return [encode('fine')];
  };
  return { app, seen: () => environ as Environ };
}

describe('toFetch is called', () => {
  it('with a Request, whose URL says scheme, host and port', async () => {
    const { app, seen } = looking();
    const request = new Request('https://example.com:8443/a%20b?q=1#f', { headers: { 'X-A': '1' } });
    expect(await (await toFetch(app)(request)).text()).toBe('fine');
    expect(seen()).toMatchObject({
      'wsgi.url_scheme': 'https',
      HTTPS: 'on',
      SERVER_NAME: 'example.com',
      SERVER_PORT: '8443',
      HTTP_HOST: 'example.com:8443',
      PATH_INFO: '/a b',
      QUERY_STRING: 'q=1',
      REQUEST_URI: '/a%20b?q=1',
      HTTP_X_A: '1',
      'waygate.gateway': 'fetch',
    });
    expect(seen()['fetch.request']).toBe(request);
    expect('REMOTE_ADDR' in seen()).toBe(false);
  });

  it.each([
    ['http://example.com/x', 'example.com', '80'],
    ['https://example.com/x', 'example.com', '443'],
    ['http://[::1]:8000/x', '[::1]', '8000'],
    ['http://[::1]/x', '[::1]', '80'],
  ])('with the URL %s, as text or object', async (url, name, port) => {
    for (const input of [url, new URL(url)]) {
      const { app, seen } = looking();
      await toFetch(app)(input);
      expect([seen().SERVER_NAME, seen().SERVER_PORT, seen().PATH_INFO]).toEqual([name, port, '/x']);
    }
  });

  it('with a path, which stays as it was written', async () => {
    const { app, seen } = looking();
    await toFetch(app)('/a/../b/%zz?x#f');
    expect(seen()).toMatchObject({ PATH_INFO: '/a/../b/%zz', QUERY_STRING: 'x', HTTP_HOST: 'localhost' });
    await toFetch(app)('/caf\u00e9');
    expect(seen().PATH_INFO).toBe('/caf\xc3\xa9');
    await toFetch(app)('*', { method: 'OPTIONS' });
    expect(seen().PATH_INFO).toBe('*');
  });

  it('with a length of a body that is not there, which is in no environ (ENV-09)', async () => {
    const { app, seen } = looking();
    for (const [method, sent] of [
      ['GET', '5'],
      ['POST', '5'],
    ] as const) {
      await toFetch(app)(new Request('http://h/', { method, headers: { 'content-length': sent } }));
      expect(seen()).not.toHaveProperty('CONTENT_LENGTH');
    }
    await toFetch(app)(new Request('http://h/', { method: 'POST', headers: { 'content-length': '0' } }));
    expect(seen().CONTENT_LENGTH).toBe('0');
    // The handler still gets the platform's own request.
    const request = new Request('http://h/', { headers: { 'content-length': '5' } });
    const handler = fromFetch((given) => new Response(String(given === request)));
    expect(await (await toFetch(handler)(request)).text()).toBe('true');
  });

  it.each<[string, BodyInit, string]>([
    ['text', 'caf\u00e9', '5'],
    ['bytes', Uint8Array.of(1, 2, 3), '3'],
    ['a buffer', new ArrayBuffer(4), '4'],
    ['a Blob', new Blob(['abc']), '3'],
    ['a form', new URLSearchParams({ a: '1' }), '3'],
  ])('with %s as body, whose length is known', async (_what, body, length) => {
    const { app, seen } = looking();
    await toFetch(app)('/', { method: 'POST', body });
    expect(seen().CONTENT_LENGTH).toBe(length);
  });

  it('with a stream as body, whose length is not', async () => {
    const { app, seen } = looking();
    await toFetch(app)('/', { method: 'POST', body: new Blob(['abc']).stream() });
    expect(seen().CONTENT_LENGTH).toBe(undefined);
    expect(await seen()['wsgi.input'].text()).toBe('abc');
  });

  it('with arguments that Request refuses: it rejects, and never throws', async () => {
    const { app } = looking();
    await expect(toFetch(app)('no url')).rejects.toThrow(TypeError);
    await expect(toFetch(app)('/', { method: 'GET', body: 'x' })).rejects.toThrow(TypeError);
  });

  it('by a server, with arguments of its own after the request', async () => {
    const { app, seen } = looking();
    const handler = toFetch(app) as (request: Request, info: object) => Promise<Response>;
    await handler(new Request('http://x/y'), { remoteAddr: { hostname: '1.2.3.4' } });
    expect(seen().PATH_INFO).toBe('/y');
  });
});

describe('a native stream as body', () => {
  it('goes to the platform untouched', async () => {
    const stream = new Blob(['untouched']).stream();
    const response = await toFetch((_environ, startResponse) => {
      startResponse('200 OK', []);
      return stream;
    })('/');
    expect(response.body).toBe(stream);
    expect(await response.text()).toBe('untouched');
  });

  it('is read here where something has to be watched: a declared length, HEAD, a close()', async () => {
    for (const [headers, method, close] of [
      [[['Content-Length', '3']], 'GET', undefined],
      [[], 'HEAD', undefined],
      [[], 'GET', () => {}],
    ] as const) {
      const stream = Object.assign(new Blob(['abc']).stream(), close && { close });
      const response = await toFetch((_environ, startResponse) => {
        startResponse('200 OK', headers as never);
        return stream;
      })('/', { method });
      expect(response.body).not.toBe(stream);
      expect(await response.text()).toBe(method === 'HEAD' ? '' : 'abc');
    }
  });

  it('goes out with what is left where somebody has read from it before', async () => {
    let cancelled = false;
    const letters = ['a', 'b', 'c', 'd'];
    const app: Application = async (_environ, startResponse) => {
      startResponse('200 OK', []);
      const stream = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(encode(letters.shift() ?? '.')),
        cancel: () => {
          cancelled = true;
        },
      });
      const reader = stream.getReader();
      await reader.read();
      reader.releaseLock();
      return stream;
    };
    const response = await toFetch(app)('/');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect([(await reader.read()).value, (await reader.read()).value]).toEqual([encode('b'), encode('c')]);
    await reader.cancel();
    expect(cancelled).toBe(true);
  });
});

describe('an array as body', () => {
  it('may be of memory that threads share, which no Response takes', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(5));
    shared.set(encode('fine.'));
    for (const chunks of [[shared.subarray(0, 4)], [encode('fi'), shared.subarray(2, 4)]]) {
      const response = await toFetch((_environ, startResponse) => {
        startResponse('200 OK', []);
        return chunks;
      })('/');
      expect(await response.text()).toBe('fine');
    }
  });
});

describe('a streamed response', () => {
  it('is not read ahead: nothing is made that nobody asks for', async () => {
    let made = 0;
    const response = await toFetch(function* (_environ, startResponse) {
      startResponse('200 OK', []);
      for (;;) {
        made += 1;
        yield encode('x');
      }
    })('/');
    await new Promise((resolve) => setTimeout(resolve, 10));
    // The first chunk was needed to know that there is a response at all.
    expect(made).toBe(1);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await reader.read();
    expect(made).toBe(2);
    await reader.cancel();
  });

  it('has no body object for HEAD and statuses without content, which some platforms insist on', async () => {
    for (const [status, method] of [
      ['204 No Content', 'GET'],
      ['205 Reset Content', 'GET'],
      ['304 Not Modified', 'GET'],
      ['200 OK', 'HEAD'],
    ] as const) {
      const response = await toFetch(
        function* (_environ, startResponse) {
          startResponse(status, []);
          yield encode('dropped');
        },
        { errors: () => {} },
      )('/', { method });
      expect([response.status, response.body]).toEqual([Number(status.slice(0, 3)), null]);
    }
  });
});

describe('the signal of the caller', () => {
  it('rejects the call at once, aborts waygate.signal, and closes the body', async () => {
    const controller = new AbortController();
    let signal: AbortSignal | undefined;
    let closed = 0;
    const response = toFetch(async (environ, startResponse) => {
      signal = environ['waygate.signal'];
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      startResponse('200 OK', []);
      return Object.assign([encode('nobody')], { close: () => void closed++ });
    })('/', { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(response).rejects.toThrow('enough');
    expect(signal?.reason).toMatchObject({ message: 'enough' });
    await expect.poll(() => closed).toBe(1);
  });

  it('that is aborted already rejects the call', async () => {
    await expect(toFetch(looking().app)('/', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });

  it('of a Request reaches the application as well', async () => {
    const controller = new AbortController();
    const request = new Request('http://x/', { signal: controller.signal });
    let aborted = false;
    const response = await toFetch(async function* (environ, startResponse) {
      startResponse('200 OK', []);
      yield encode('x');
      await new Promise((resolve) => environ['waygate.signal'].addEventListener('abort', resolve));
      aborted = true;
    })(request);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    const rest = reader.read();
    controller.abort();
    await expect.poll(() => aborted).toBe(true);
    // A platform whose client has gone is not told of a failure: Deno would print it.
    expect(await rest).toMatchObject({ done: true });
  });

  it('breaks the body off, so that nobody takes what there is for the whole (ERR-04)', async () => {
    const controller = new AbortController();
    const app: Application = async function* (_environ, startResponse) {
      startResponse('200 OK', []);
      yield encode('x');
      yield encode('y');
      await new Promise(() => {});
    };
    const signal = controller.signal;
    const [unread, halfRead, waiting] = await Promise.all(
      [1, 2, 3].map(async () => (await toFetch(app)('/', { signal })).body as ReadableStream<Uint8Array>),
    );
    const reader = waiting?.getReader();
    for (let chunk = 0; chunk < 2; chunk++) await reader?.read();
    const pending = reader?.read();
    const half = halfRead?.getReader();
    await half?.read();
    controller.abort(new Error('enough'));
    for (const read of [pending, half?.read(), unread?.getReader().read()])
      await expect(read).rejects.toThrow('enough');
  });

  it('in the first step of a body leaves no response that could be taken for whole', async () => {
    const controller = new AbortController();
    const request = new Request('http://x/', { signal: controller.signal });
    const response = toFetch(async function* (_environ, startResponse) {
      startResponse('200 OK', []);
      await new Promise((resolve) => setTimeout(resolve, 5));
      yield encode('x');
      yield encode('y');
    })(request);
    controller.abort();
    expect((await response).status).toBe(499);
  });

  it('changes nothing when it comes after the response', async () => {
    const controller = new AbortController();
    const response = await toFetch(looking().app)('/', { signal: controller.signal });
    expect(await response.text()).toBe('fine');
    controller.abort();
  });
});

describe('waitUntil', () => {
  it('of the platform gets the work of wait_until, and the close() of a body', async () => {
    const kept: Promise<unknown>[] = [];
    let closed = false;
    const app: Application = (environ, startResponse) => {
      environ['waygate.wait_until'](Promise.reject(new Error('failed work')));
      startResponse('200 OK', []);
      const close = async (): Promise<void> => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        closed = true;
      };
      return Object.assign([encode('fine')], { close });
    };
    let log = '';
    const errors = (text: string): void => {
      log += text;
    };
    const response = await toFetch(app, { errors, waitUntil: (work) => void kept.push(work) })('/');
    expect(await response.text()).toBe('fine');
    // Whatever the platform waits for never rejects.
    await Promise.all(kept);
    expect({ closed, log }).toEqual({ closed: true, log: expect.stringContaining('failed work') });
  });

  it('gets the flush of a log that takes its time (LOG-04)', async () => {
    const kept: Promise<unknown>[] = [];
    let flushed = 0;
    const flush = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      flushed++;
    };
    const handler = toFetch(looking().app, {
      errors: { write: () => {}, flush },
      waitUntil: (work) => void kept.push(work),
    });
    await handler('/');
    await Promise.all(kept);
    expect(flushed).toBe(1);
  });
});

describe('the option remoteAddr', () => {
  it('is the address of every request, or that of what the platform passes', async () => {
    const { app, seen } = looking();
    await toFetch(app, { remoteAddr: '127.0.0.1' })('/');
    expect(seen().REMOTE_ADDR).toBe('127.0.0.1');

    const onDeno = toFetch(app, { remoteAddr: (_request, info) => info.remoteAddr.hostname });
    await onDeno(new Request('http://h/'), { remoteAddr: { transport: 'tcp', hostname: '192.0.2.7', port: 5 } });
    expect(seen().REMOTE_ADDR).toBe('192.0.2.7');

    const server = { requestIP: (request: Request) => ({ address: new URL(request.url).hostname, port: 5 }) };
    const onBun = toFetch(app, { remoteAddr: (request, given) => given.requestIP(request) });
    await onBun(new Request('http://192.0.2.8/'), server);
    expect(seen()).toMatchObject({ REMOTE_ADDR: '192.0.2.8', REMOTE_PORT: '5' });
  });

  it('leaves the key out where there is no address, and to the deployer who has set it', async () => {
    const { app, seen } = looking();
    for (const remoteAddr of [() => undefined, () => null, () => '']) {
      await toFetch(app, { remoteAddr })('/');
      expect(seen()).not.toHaveProperty('REMOTE_ADDR');
    }
    await toFetch(app)('/');
    expect(seen()).not.toHaveProperty('REMOTE_ADDR');
    await toFetch(app, { remoteAddr: '127.0.0.1', environ: { REMOTE_ADDR: '192.0.2.1' } })('/');
    expect(seen().REMOTE_ADDR).toBe('192.0.2.1');
  });

  it('answers with a 500 that is logged where it fails', async () => {
    const log: string[] = [];
    const remoteAddr = (_request: Request, info?: { remoteAddr: { hostname: string } }) =>
      (info as { remoteAddr: { hostname: string } }).remoteAddr.hostname;
    const { app } = looking();
    expect((await toFetch(app, { remoteAddr, errors: (text) => void log.push(text) })('/')).status).toBe(500);
    expect(log.join('')).toContain('TypeError');
  });

  it.each([[5], [null], [''], [{}]])('is refused as %j', (remoteAddr) => {
    expect(() => toFetch(() => [], { remoteAddr: remoteAddr as never })).toThrow('The option "remoteAddr" is');
  });
});
