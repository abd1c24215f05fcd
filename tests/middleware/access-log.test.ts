// accessLog: one line for each request, whatever its end, and nothing in it that a client could steer a log with.

import http from 'node:http';
import net from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Application, type ApplicationBody, BadRequestError, encode, run, setupTestingDefaults } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { type AccessLogEntry, type AccessLogOptions, accessLog, basicAuth, requestId } from 'waygate/middleware';
import { serve } from 'waygate/node';
import { ask, hello } from './answers.ts';
import { APPS, closeAll, everywhere } from './everywhere.ts';

afterEach(closeAll);

/** An application whose log is kept. */
function logged(
  app: Application,
  options: AccessLogOptions = {},
): { app: Application; entries: AccessLogEntry[]; lines: string[] } {
  const [entries, lines]: [AccessLogEntry[], string[]] = [[], []];
  const write = (line: string, entry: AccessLogEntry) => {
    entries.push(entry);
    lines.push(line);
  };
  return { app: accessLog(app, { ...options, write }), entries, lines };
}

const KEYS = {
  REMOTE_ADDR: '192.0.2.1',
  SERVER_PROTOCOL: 'HTTP/1.1',
  REQUEST_URI: '/a%20b?c=1',
  HTTP_REFERER: 'https://example.com/',
  HTTP_USER_AGENT: 'curl/8 "quoted"',
};

test('the combined format is that of Apache, with the time and the request id behind it', async () => {
  const { app, lines } = logged(hello);
  const before = Date.now();
  const { environ } = await ask(requestId(basicAuth(app, { users: { 'a b': 'x' } })), {
    ...KEYS,
    HTTP_AUTHORIZATION: `Basic ${btoa('a b:x')}`,
  });
  const found =
    /^192\.0\.2\.1 - a\\x20b \[(.{26})\] "GET \/a%20b\?c=1 HTTP\/1\.1" 200 5 "https:\/\/example\.com\/" "curl\/8 \\"quoted\\"" ([\d.]+)ms (\S+)$/.exec(
      lines[0] as string,
    );
  expect(found?.[3]).toBe(environ['waygate.request_id']);
  const time = Date.parse(String(found?.[1]).replace(/^(\d+)\/(\w+)\/(\d+):/, '$1 $2 $3 '));
  expect(Math.abs(time - before)).toBeLessThan(5000);
});

test('the common format ends with status, bytes and time; a response without bytes has a dash', async () => {
  const { app, lines } = logged(hello, { format: 'common' });
  await ask(app, KEYS);
  await ask(app, { ...KEYS, REQUEST_METHOD: 'HEAD' });
  expect(lines[0]).toMatch(/^192\.0\.2\.1 - - \[[^\]]+\] "GET \/a%20b\?c=1 HTTP\/1\.1" 200 5 [\d.]+ms$/);
  expect(lines[1]).toMatch(/"HEAD \S+ HTTP\/1\.1" 200 - [\d.]+ms$/);
});

test('the JSON format is one object per line', async () => {
  const { app, lines } = logged(hello, { format: 'json' });
  await ask(app, { ...KEYS, HTTP_USER_AGENT: 'caf\xc3\xa9 \x9b\x1b[2J' });
  expect(lines[0]).not.toMatch(/[^\x20-\x7e\xa0-\uffff]/);
  expect(JSON.parse(lines[0] as string)).toMatchObject({
    remoteAddr: '192.0.2.1',
    method: 'GET',
    uri: '/a%20b?c=1',
    protocol: 'HTTP/1.1',
    status: 200,
    bytes: 5,
    userAgent: 'café \ufffd\x1b[2J',
    clientLeft: false,
    failed: false,
  });
});

test('without "write" the line is one of wsgi.errors; a format that gives null writes none', async () => {
  expect((await ask(accessLog(hello), KEYS)).log).toMatch(/^192\.0\.2\.1 .* 200 5 .*ms\n$/);
  expect((await ask(accessLog(hello, { format: ({ status }) => (status < 500 ? null : 'bad') }), KEYS)).log).toBe('');
  expect((await ask(accessLog(hello, { format: ({ status, bytes }) => `${status} ${bytes}` }), KEYS)).log).toBe(
    '200 5\n',
  );
});

test('no text of a client adds a line, a field or a control byte', () => {
  const byte = fc.integer({ min: 0, max: 255 }).map((unit) => String.fromCharCode(unit));
  const text = fc.oneof(fc.string({ unit: byte }), fc.constantFrom('"', '\\', '\n', '\x1b[31m', '" 500 1 "'));
  fc.assert(
    fc.property(text, text, text, (uri, agent, user) => {
      const { app, lines } = logged(hello);
      const keys = { REQUEST_URI: uri, HTTP_USER_AGENT: agent, REMOTE_USER: user, HTTP_REFERER: agent };
      const { body } = run(app, setupTestingDefaults(keys)) as { body: { next(): unknown; close(): void } };
      while (body.next() !== null);
      body.close();
      expect(lines).toHaveLength(1);
      const quoted = '"(?:[^"\\\\]|\\\\.)*"';
      expect(lines[0]).toMatch(new RegExp(`^\\S+ - \\S+ \\[[^\\]]+\\] ${quoted} 200 5 ${quoted} ${quoted} [\\d.]+ms$`));
      expect(lines[0]).not.toMatch(/[^\x20-\x7e]/);
    }),
  );
});

describe('every request is one line, with the bytes that were sent', () => {
  test.each(Object.entries(APPS))('for an application of the kind: %s', async (_kind, make) => {
    const { app, entries } = logged(make({ made: 0, closed: 0 }));
    const calls = await everywhere(app);
    for (const [platform, call] of calls) {
      for (const method of ['GET', 'HEAD']) {
        const { status } = await call('/', { method }).then(async (response) => {
          await response.arrayBuffer();
          return response;
        });
        await vi.waitFor(() => expect(entries, `${platform} ${method}`).toHaveLength(1));
        const bytes = method === 'HEAD' || status === 204 ? 0 : 13;
        expect(entries.pop(), `${platform} ${method}`).toMatchObject({
          method,
          status,
          bytes,
          clientLeft: false,
          failed: false,
        });
      }
    }
  });
});

describe('failures', () => {
  const fails: [string, Application, object][] = [
    [
      'the application throws',
      () => {
        throw new Error('no');
      },
      { status: 500, bytes: 0, failed: true },
    ],
    [
      'an asynchronous application rejects with a request error',
      async () => {
        throw new BadRequestError('no');
      },
      { status: 400, bytes: 0, failed: true },
    ],
    [
      'the body fails before its first chunk',
      function* (_environ, startResponse) {
        startResponse('200 OK', []);
        throw new Error('no');
        // biome-ignore lint/correctness/noUnreachable: it makes a generator of it.
        yield encode('');
      },
      { status: 500, bytes: 0, failed: true },
    ],
    [
      'the body fails after its first chunk',
      function* (_environ, startResponse) {
        startResponse('200 OK', []);
        yield encode('abc');
        throw new Error('no');
      },
      { status: 200, bytes: 3, failed: true },
    ],
    [
      'the application returns no body',
      (() => null) as unknown as Application,
      { status: 500, bytes: 0, failed: true },
    ],
  ];
  test.each(fails)('%s: one line', async (_title, app, expected) => {
    const { app: wrapped, entries } = logged(app);
    await ask(wrapped).catch(() => {});
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({ ...expected, clientLeft: false });
  });

  test('a log that throws, or rejects, changes nothing', async () => {
    for (const write of [
      () => Promise.reject(new Error('full')),
      () => {
        throw new Error('full');
      },
    ])
      expect((await ask(accessLog(hello, { write }))).status).toBe('200 OK');
  });
});

describe('a client that leaves', () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      yield encode('x'.repeat(1000));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  test('in the middle of a response on node', async () => {
    const { app, entries } = logged((_environ, startResponse) => {
      startResponse('200 OK', []);
      return endless();
    });
    const { url, close } = await serve(app, { port: 0, signals: false });
    await new Promise<void>((resolve) => {
      http.get(url, (response) => response.once('data', () => resolve(void response.destroy())));
    });
    await vi.waitFor(() => expect(entries).toHaveLength(1), 5000);
    expect(entries[0]).toMatchObject({ status: 200, clientLeft: true, failed: false });
    expect(entries[0]?.bytes).toBeGreaterThan(0);
    await close();
  });

  test('in the middle of a response on Fetch platforms', async () => {
    const { app, entries } = logged((_environ, startResponse) => {
      startResponse('200 OK', []);
      return endless();
    });
    const response = await toFetch(app)('http://localhost/');
    const reader = (response.body as ReadableStream).getReader();
    await reader.read();
    await reader.cancel();
    await vi.waitFor(() => expect(entries).toHaveLength(1), 5000);
    expect(entries[0]).toMatchObject({ status: 200, clientLeft: true, failed: false });
  });

  test('while an application that never answers is at work', async () => {
    let answer: ((body: ApplicationBody) => void) | undefined;
    const { app, entries } = logged(() => {
      return new Promise<ApplicationBody>((resolve) => {
        answer = resolve;
      });
    });
    const { url, close } = await serve(app, { port: 0, signals: false });
    const socket = net.connect(Number(new URL(url).port), '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
    );
    await vi.waitFor(() => expect(answer).toBeDefined());
    socket.destroy();
    await vi.waitFor(() => expect(entries).toHaveLength(1), 5000);
    expect(entries[0]).toMatchObject({ status: 499, bytes: 0, clientLeft: true });
    answer?.([]);
    await close();
    expect(entries).toHaveLength(1);
  });
});

test('options of the wrong type are refused when the application is wrapped', () => {
  for (const options of [{ format: 'apache' }, { write: 'stdout' }, null] as never[])
    expect(() => accessLog(hello, options)).toThrow(TypeError);
  expect(() => accessLog(undefined as never)).toThrow(/\[L-21\]/);
});
