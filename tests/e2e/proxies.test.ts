// Waygate behind real proxies: what they make of responses that break off, of streams, and of requests that two servers may
// read differently.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { type Application, type Environ, encode } from 'waygate';
import { proxyFix } from 'waygate/middleware';
import { fromNode, type RunningServer, type ServeOptions, serve } from 'waygate/node';
import { program, type RunningProxy, startHaproxy, startNginx } from './proxies/proxy.ts';
import { ambiguous } from './proxies/smuggling.ts';

const folder = mkdtempSync(join(tmpdir(), 'waygate-proxies-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const running: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each.stop();
});

/** Starts a backend: a Unix socket where a path is given, else a port. */
async function backend(app: Application, options: ServeOptions = {}): Promise<RunningServer> {
  const where = options.path === undefined ? { port: 0, host: '127.0.0.1' } : {};
  const served = await serve(app, { ...where, signals: false, shutdownTimeout: 100, errors: () => {}, ...options });
  running.push({ stop: () => served.close() });
  return served;
}

async function through(proxy: Promise<RunningProxy>): Promise<number> {
  const started = await proxy;
  running.push(started);
  return started.port;
}

/** Asks for a page; `body` is null where the response broke off. */
async function get(
  port: number,
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; body: string | null }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  return { status: response.status, body: await response.text().catch(() => null) };
}

/** Fails in the ways of a response that has begun, by its path; all else is fine. */
const breaking: Application = (environ, startResponse) => {
  const path = environ.PATH_INFO;
  const headers: [string, string][] = path === '/short' || path === '/with-length' ? [['Content-Length', '100']] : [];
  startResponse('200 OK', headers);
  if (path === '/short') return [encode('some')];
  if (!path.startsWith('/with')) return [encode(`fine ${environ.QUERY_STRING}`)];
  return (async function* () {
    yield encode('some');
    await new Promise((resolve) => setTimeout(resolve, 20));
    throw new Error('planned');
  })();
};
const BREAKING = ['/short', '/with-length', '/without-length'];

const NGINX = program('nginx');
const HAPROXY = program('haproxy');
const KEEP_ALIVE = 'proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection "";';

describe.skipIf(NGINX === null)('nginx with its defaults (HTTP/1.0) in front of a Unix socket', () => {
  test('a response that breaks off ends for its client, and the next one is served', async () => {
    const path = join(folder, 'default.sock');
    await backend(breaking, { path });
    const port = await through(startNginx(`server unix:${path};`, 'proxy_pass http://backend;'));
    for (const each of [...BREAKING, ...BREAKING]) {
      const { body } = await get(port, each);
      // Without a length the end of the connection is the end of the body: on a Unix socket nobody can tell them apart.
      if (each !== '/without-length') expect(body, each).toBeNull();
      expect(await get(port, `/fine?${each}`)).toEqual({ status: 200, body: `fine ${each}` });
    }
    for (const method of ['HEAD', 'POST']) await get(port, '/without-length', { method });
    expect((await get(port, '/')).status).toBe(200);
  });
});

describe.skipIf(NGINX === null)('nginx with connections that it keeps', () => {
  test('over TCP and a Unix socket responses that break off are broken for the client, and few connections are made', async () => {
    for (const path of [undefined, join(folder, 'kept.sock')]) {
      const served = await backend(breaking, { path });
      let connections = 0;
      served.server.on('connection', () => {
        connections += 1;
      });
      const server = path === undefined ? `127.0.0.1:${served.port}` : `unix:${path}`;
      const port = await through(startNginx(`server ${server}; keepalive 4;`, KEEP_ALIVE));
      for (let at = 0; at < 60; at++) expect((await get(port, `/fine?${at}`)).body).toBe(`fine ${at}`);
      expect(connections).toBeLessThan(10);
      for (const each of BREAKING) expect((await get(port, each)).body, each).toBeNull();
      // What nobody reads of an upload must not be taken for the next request on the connection.
      for (let at = 0; at < 20; at++) {
        const sent = await get(port, `/fine?${at}`, {
          method: 'POST',
          body: 'GET /smuggled HTTP/1.1\r\n\r\n'.repeat(at * 40),
        });
        expect(sent).toEqual({ status: 200, body: `fine ${at}` });
      }
    }
  });

  test('events go out as they come, and the application hears of a client that leaves', async () => {
    let next = (): void => {};
    let aborted = false;
    const events: Application = (environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/event-stream']]);
      environ['waygate.signal'].addEventListener('abort', () => {
        aborted = true;
      });
      return (async function* () {
        for (let at = 0; ; at++) {
          yield encode(`data: ${at}\n\n`);
          await new Promise<void>((resolve) => {
            next = resolve;
          });
        }
      })();
    };
    const served = await backend(events);
    const port = await through(
      startNginx(`server 127.0.0.1:${served.port}; keepalive 4;`, `${KEEP_ALIVE} proxy_buffering off;`),
    );
    const response = await fetch(`http://127.0.0.1:${port}/`);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    for (let at = 0; at < 5; at++) {
      const { value } = await reader.read();
      expect(Buffer.from(value as Uint8Array).toString()).toBe(`data: ${at}\n\n`);
      next();
    }
    await reader.cancel();
    await expect.poll(() => aborted, { timeout: 5000 }).toBe(true);
  });
});

describe.skipIf(HAPROXY === null)('haproxy with http-reuse always', () => {
  test('clients share the connections, and every one gets its own response', async () => {
    const served = await backend(breaking);
    let connections = 0;
    served.server.on('connection', () => {
      connections += 1;
    });
    const port = await through(startHaproxy(`http-reuse always\n  server one 127.0.0.1:${served.port}`));
    for (let at = 0; at < 60; at++) {
      const agent = new http.Agent();
      const body = await new Promise<string>((resolve, reject) => {
        http
          .get({ port, host: '127.0.0.1', path: `/fine?${at}`, agent }, async (response) => {
            let text = '';
            for await (const chunk of response) text += chunk;
            resolve(text);
          })
          .on('error', reject);
      });
      expect(body).toBe(`fine ${at}`);
      agent.destroy();
    }
    expect(connections).toBeLessThan(10);
    for (const each of BREAKING) {
      expect((await get(port, each)).body, each).toBeNull();
      const bodies = await Promise.all([1, 2, 3, 4].map(async (at) => (await get(port, `/fine?${at}`)).body));
      expect(bodies).toEqual(['fine 1', 'fine 2', 'fine 3', 'fine 4']);
    }
  });
});

/** What a proxy has added to a request, which no client can know ahead, and what it asks for. */
interface Counted {
  id: string;
  what: string;
}

/** Backends that remember every request; the two that leave the body unread leave it to the gateway. */
const COUNTING: Record<string, (seen: Counted[]) => Application> = {
  'an application that reads': (seen) => async (environ, startResponse) => {
    seen.push({ id: environ.HTTP_X_PROXY_ID ?? '', what: `${environ.REQUEST_METHOD} ${environ.REQUEST_URI}` });
    await environ['wsgi.input'].bytes();
    startResponse('200 OK', []);
    return [encode('fine')];
  },
  'an application that does not read': (seen) => (environ, startResponse) => {
    seen.push({ id: environ.HTTP_X_PROXY_ID ?? '', what: `${environ.REQUEST_METHOD} ${environ.REQUEST_URI}` });
    startResponse('200 OK', []);
    return [encode('fine')];
  },
  'a hosted listener': (seen) =>
    fromNode((request, response) => {
      seen.push({ id: String(request.headers['x-proxy-id'] ?? ''), what: `${request.method} ${request.url}` });
      response.end('fine');
    }),
};

const PROXIES: [name: string, missing: boolean, front: (port: number) => Promise<RunningProxy>][] = [
  [
    'nginx that keeps its connections',
    NGINX === null,
    (port) =>
      startNginx(`server 127.0.0.1:${port}; keepalive 4;`, `${KEEP_ALIVE} proxy_set_header X-Proxy-Id $request_id;`),
  ],
  [
    'nginx that does not buffer requests',
    NGINX === null,
    (port) =>
      startNginx(
        `server 127.0.0.1:${port}; keepalive 4;`,
        `${KEEP_ALIVE} proxy_request_buffering off; proxy_set_header X-Proxy-Id $request_id;`,
      ),
  ],
  [
    'haproxy',
    HAPROXY === null,
    (port) =>
      startHaproxy(`http-reuse always\n  server one 127.0.0.1:${port}`, 'http-request set-header X-Proxy-Id %[uuid()]'),
  ],
];

/** Sends bytes and takes whatever comes until the connection ends, or nothing more comes. */
async function sendRaw(port: number, bytes: string): Promise<void> {
  const socket = net.connect(port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')));
  socket.on('error', () => {}).resume();
  socket.setTimeout(150, () => socket.destroy());
  await once(socket, 'close');
}

describe.each(PROXIES)('requests that can be read in two ways, through %s', (_name, missing, front) => {
  test.skipIf(missing).each(Object.keys(COUNTING))(
    'reach %s as the proxy has counted them',
    { timeout: 120_000 },
    async (name) => {
      const seen: Counted[] = [];
      const served = await backend((COUNTING[name] as (typeof COUNTING)[string])(seen));
      const port = await through(front(served.port));
      const requests = ambiguous();
      const work = requests.values();
      const send = async (): Promise<void> => {
        for (const request of work) await sendRaw(port, request);
      };
      await Promise.all(Array.from({ length: 16 }, send));
      const ids = seen.map(({ id }) => id);
      expect(seen.filter(({ id }) => id === '' || id.includes('forged'))).toEqual([]);
      expect(new Set(ids).size).toBe(ids.length);
      // Some of them are good requests, or nothing would be shown by this.
      expect(seen.length).toBeGreaterThan(20);
      expect(await get(port, '/')).toEqual({ status: 200, body: 'fine' });
    },
  );
});

describe('proxyFix', () => {
  const show: Application = proxyFix(
    (environ: Environ, startResponse) => {
      startResponse('200 OK', []);
      const keys = [
        'REMOTE_ADDR',
        'wsgi.url_scheme',
        'HTTP_HOST',
        'SERVER_NAME',
        'SERVER_PORT',
        'SCRIPT_NAME',
      ] as const;
      return [encode(JSON.stringify(keys.map((key) => environ[key])))];
    },
    { for: true, proto: true, host: true, prefix: true },
  );
  const FORGED = {
    'X-Forwarded-For': '6.6.6.6',
    'X-Forwarded-Proto': 'gopher',
    'X-Forwarded-Host': 'evil.test',
    'X-Forwarded-Prefix': '/evil',
  };

  test.skipIf(NGINX === null)('behind nginx shows what nginx says, and nothing of what its client says', async () => {
    const served = await backend(show);
    const says = `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto https;
      proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Forwarded-Prefix /app;`;
    const port = await through(startNginx(`server 127.0.0.1:${served.port}; keepalive 4;`, `${KEEP_ALIVE} ${says}`));
    const { body } = await get(port, '/', { headers: FORGED });
    expect(JSON.parse(body as string)).toEqual([
      '127.0.0.1',
      'https',
      `127.0.0.1:${port}`,
      '127.0.0.1',
      String(port),
      '/app',
    ]);
  });

  test.skipIf(HAPROXY === null)(
    'behind haproxy shows what haproxy says, and nothing of what its client says',
    async () => {
      const served = await backend(show);
      const says = ['X-Forwarded-Proto https', 'X-Forwarded-Host %[req.hdr(host)]', 'X-Forwarded-Prefix /app'];
      const lines = ['option forwardfor', ...says.map((header) => `http-request set-header ${header}`)].join('\n  ');
      const port = await through(startHaproxy(`http-reuse always\n  server one 127.0.0.1:${served.port}`, lines));
      const { body } = await get(port, '/', { headers: FORGED });
      expect(JSON.parse(body as string)).toEqual([
        '127.0.0.1',
        'https',
        `127.0.0.1:${port}`,
        '127.0.0.1',
        String(port),
        '/app',
      ]);
    },
  );
});
