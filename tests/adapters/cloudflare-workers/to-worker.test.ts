// What toWorker makes of a request and its `cf` object. Pure parts only: what depends on workerd is shown in workerd itself,
// in tests/e2e/.

import { expect, test, vi } from 'vitest';
import { type Application, type Environ, encode } from 'waygate';
import { toWorker, type WorkerContext, type WorkerOptions } from 'waygate/cloudflare-workers';

/** Collects what a Worker was asked to wait for. */
class Context implements WorkerContext {
  readonly work: Promise<unknown>[] = [];
  waitUntil(promise: Promise<unknown>): void {
    this.work.push(promise);
  }
}

function withCf(request: Request, cf: unknown): Request {
  return Object.defineProperty(request, 'cf', { value: cf });
}

/** The environ that an application gets. */
async function environOf(request: Request, options?: WorkerOptions, env: unknown = {}): Promise<Environ> {
  let seen: Environ | undefined;
  const app: Application = (environ, startResponse) => {
    seen = environ;
    startResponse('200 OK', []);
    return [];
  };
  await toWorker(app, options).fetch(request, env, new Context());
  return seen as Environ;
}

const CERTIFICATE = {
  certPresented: '1',
  certVerified: 'SUCCESS',
  certRevoked: '0',
  certSubjectDNRFC2253: 'CN=client,O=Ünit',
  certIssuerDNRFC2253: 'CN=ca',
  certSerial: '0A',
  certNotBefore: 'Dec 22 19:39:00 2025 GMT',
  certNotAfter: 'Dec 22 19:39:00 2026 GMT',
};

test('the environ has the bindings, the context and the cf object under the platform’s own keys', async () => {
  const env = { KV: {} };
  const ctx = new Context();
  const cf = { httpProtocol: 'HTTP/3', tlsVersion: 'TLSv1.3', tlsCipher: 'AEAD-AES128-GCM-SHA256' };
  let seen: Environ | undefined;
  const worker = toWorker((environ, startResponse) => {
    seen = environ;
    startResponse('200 OK', []);
    return [];
  });
  await worker.fetch(withCf(new Request('https://example.com/a?b'), cf), env, ctx);
  expect(seen).toMatchObject({
    'waygate.gateway': 'cloudflare-workers',
    'wsgi.multiprocess': true,
    'wsgi.url_scheme': 'https',
    HTTPS: 'on',
    SERVER_PROTOCOL: 'HTTP/3',
    SSL_PROTOCOL: 'TLSv1.3',
    SSL_CIPHER: 'AEAD-AES128-GCM-SHA256',
  });
  expect(seen?.['cloudflare.env']).toBe(env);
  expect(seen?.['cloudflare.ctx']).toBe(ctx);
  expect(seen?.['cloudflare.cf']).toBe(cf);
});

test('REMOTE_ADDR is the address that the edge saw, and absent without one', async () => {
  const headers = { 'CF-Connecting-IP': '203.0.113.9', 'X-Forwarded-For': '198.51.100.1' };
  expect((await environOf(new Request('https://h/', { headers }))).REMOTE_ADDR).toBe('203.0.113.9');
  const bare = await environOf(new Request('https://h/', { headers: { 'X-Forwarded-For': '198.51.100.1' } }));
  expect(bare).not.toHaveProperty('REMOTE_ADDR');
});

test('without a cf object there is no cf key, no TLS key, and HTTP/1.1', async () => {
  const environ = await environOf(new Request('http://h/'));
  expect(environ.SERVER_PROTOCOL).toBe('HTTP/1.1');
  expect(Object.keys(environ).filter((key) => /^SSL_|^HTTPS$|cloudflare\.cf/.test(key))).toEqual([]);
});

test('a client certificate stands under the names of mod_ssl, as native strings', async () => {
  const environ = await environOf(withCf(new Request('https://h/'), { tlsClientAuth: CERTIFICATE }));
  expect(environ).toMatchObject({
    SSL_CLIENT_VERIFY: 'SUCCESS',
    SSL_CLIENT_S_DN: 'CN=client,O=\xc3\x9cnit',
    SSL_CLIENT_I_DN: 'CN=ca',
    SSL_CLIENT_M_SERIAL: '0A',
    SSL_CLIENT_V_START: 'Dec 22 19:39:00 2025 GMT',
    SSL_CLIENT_V_END: 'Dec 22 19:39:00 2026 GMT',
  });
});

test('a revoked certificate does not verify, though Cloudflare calls it verified', async () => {
  const cf = { tlsClientAuth: { ...CERTIFICATE, certRevoked: '1' } };
  expect((await environOf(withCf(new Request('https://h/'), cf))).SSL_CLIENT_VERIFY).toBe('FAILED:certificate revoked');
});

test.each([null, undefined, { certPresented: '0', certVerified: 'NONE' }])(
  'no certificate shown (%j) gives no SSL_CLIENT key',
  async (tlsClientAuth) => {
    const environ = await environOf(withCf(new Request('https://h/'), { tlsClientAuth }));
    expect(Object.keys(environ).filter((key) => key.startsWith('SSL_CLIENT'))).toEqual([]);
  },
);

test('the deployer’s keys override no key of the platform', async () => {
  const options = { environ: { 'cloudflare.env': 'no', REMOTE_ADDR: 'no', 'app.name': 'yes' } };
  const request = new Request('https://h/', { headers: { 'CF-Connecting-IP': '203.0.113.9' } });
  const environ = await environOf(request, options, 'bindings');
  expect(environ).toMatchObject({ 'cloudflare.env': 'bindings', REMOTE_ADDR: '203.0.113.9', 'app.name': 'yes' });
});

test('header text is UTF-8 on Workers: it becomes bytes on the way in and text on the way out', async () => {
  // Node's Headers hold bytes, workerd's hold text: Latin-1 characters are what both can carry.
  const worker = toWorker((environ, startResponse) => {
    startResponse('200 caf\xc3\xa9', [
      ['X-Same', environ.HTTP_X_TEXT ?? ''],
      ['X-No-Utf8', 'caf\xe9'],
    ]);
    return [encode(environ.HTTP_X_TEXT === 'caf\xc3\xa9' ? 'bytes' : 'text')];
  });
  const response = await worker.fetch(new Request('https://h/', { headers: { 'X-Text': 'café' } }), {}, new Context());
  expect(await response.text()).toBe('bytes');
  expect(response.headers.get('X-Same')).toBe('café');
  expect(response.headers.get('X-No-Utf8')).toBe('café');
  expect(response.statusText).toBe('café');
});

test('a synchronous application is answered synchronously, with nothing to wait for', () => {
  const ctx = new Context();
  const worker = toWorker((_environ, startResponse) => {
    startResponse('200 OK', []);
    return [encode('hello')];
  });
  expect(worker.fetch(new Request('https://h/'), {}, ctx)).toBeInstanceOf(Response);
  expect(ctx.work).toEqual([]);
});

test('work after the response goes to ctx.waitUntil, and its failure to the log', async () => {
  const ctx = new Context();
  const log: string[] = [];
  const app: Application = (environ, startResponse) => {
    environ['waygate.wait_until'](Promise.reject(new Error('later')));
    startResponse('200 OK', []);
    return [];
  };
  await toWorker(app, { errors: (text) => log.push(text) }).fetch(new Request('https://h/'), {}, ctx);
  expect(ctx.work).toHaveLength(1);
  await Promise.all(ctx.work);
  expect(log.join('\n')).toContain('later');
});

test('wsgi.errors is the Worker’s log', async () => {
  const error = vi.spyOn(console, 'error').mockImplementation(() => {});
  const app: Application = (environ, startResponse) => {
    environ['wsgi.errors'].write('seen\n');
    startResponse('200 OK', []);
    return [];
  };
  await toWorker(app).fetch(new Request('https://h/'), {}, new Context());
  expect(error).toHaveBeenCalledWith('seen');
  error.mockRestore();
});

test('a streamed response keeps the invocation until its body is closed', async () => {
  const ctx = new Context();
  let closed = false;
  const worker = toWorker((_environ, startResponse) => {
    startResponse('200 OK', []);
    return (async function* () {
      try {
        yield encode('a');
        yield encode('b');
      } finally {
        closed = true;
      }
    })();
  });
  const response = await worker.fetch(new Request('https://h/'), {}, ctx);
  expect(ctx.work).toHaveLength(1);
  let released = false;
  ctx.work[0]?.then(() => {
    released = true;
  });
  await new Promise((resolve) => setTimeout(resolve));
  expect(released).toBe(false);
  expect(await response.text()).toBe('ab');
  await Promise.all(ctx.work);
  expect(closed).toBe(true);
});

test('an application that is none is refused when the Worker is made', () => {
  expect(() => toWorker(undefined as unknown as Application)).toThrow(
    'The application is undefined; expected a function',
  );
});
