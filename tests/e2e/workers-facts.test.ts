// What workerd does differently from the Fetch standard, byte by byte over a socket to `wrangler dev`. docs/platforms.md
// lists it; adapters/cloudflare-workers/environ.ts acts on it.

import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseResponse } from '../../testing/raw-response.ts';
import { type Running, wranglerDev } from './runtimes/process.ts';

let dev: Running;

beforeAll(async () => {
  dev = await wranglerDev('tests/e2e/workers/scenarios.toml');
});
afterAll(() => dev?.stop());

/**
 * Sends a request, one byte per character, and returns all that comes back in the same form: up to the end of the
 * response, since workerd keeps a connection open for seconds whatever the request says.
 */
function send(line: string, headers = '', body = ''): Promise<string> {
  const request = `${line} HTTP/1.1\r\nHost: h\r\n${headers}\r\n${body}`;
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(Number(new URL(dev.url).port), '127.0.0.1', () => socket.write(request, 'latin1'));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (received.startsWith('HTTP/1.1 101 ')) socket.destroy();
      else if (received.includes('\r\n\r\n') && parseResponse(received, request)[0]?.complete) socket.destroy();
    });
    socket.on('close', () => resolve(received));
  });
}

async function environ(target: string, headers = ''): Promise<Record<string, string>> {
  const response = await send(`GET ${target}`, headers);
  return JSON.parse(response.slice(response.indexOf('\r\n\r\n') + 4));
}

describe('header bytes', () => {
  test('UTF-8 reaches the application as the bytes that were sent, and goes back as the same', async () => {
    const response = await send('GET /bytes', 'X-Sent: caf\xc3\xa9 \xe2\x82\xac\r\n');
    expect(response).toContain('X-Back: caf\xc3\xa9 \xe2\x82\xac\r\n');
    expect(response).toContain('X-Utf8: caf\xc3\xa9 \xe2\x82\xac\r\n');
  });

  test('bytes that are not UTF-8 are lost on the way in: workerd makes U+FFFD of each', async () => {
    expect(await send('GET /bytes', 'X-Sent: a\xe9b\r\n')).toContain('X-Back: a\xef\xbf\xbdb\r\n');
  });

  test('bytes that are not UTF-8 go out as the UTF-8 of the Latin-1 characters', async () => {
    expect(await send('GET /bytes')).toContain('X-Latin1: caf\xc3\xa9\r\n');
  });

  test('every value of one byte that a header may hold goes there and back', async () => {
    const ascii = Array.from({ length: 0x7f - 0x21 }, (_, index) => String.fromCharCode(0x21 + index)).join('');
    expect(await send('GET /bytes', `X-Sent: ${ascii}\tx\r\n`)).toContain(`X-Back: ${ascii}\tx\r\n`);
    const latin1 = Array.from({ length: 0x80 }, (_, index) => String.fromCharCode(0x80 + index)).join('');
    const utf8 = Buffer.from(latin1, 'utf8').toString('latin1');
    expect(await send('GET /bytes', `X-Sent: ${utf8}\r\n`)).toContain(`X-Back: ${utf8}\r\n`);
  });

  test('a reason goes out as UTF-8', async () => {
    expect(await send('GET /bytes')).toMatch(/^HTTP\/1\.1 200 caf\xc3\xa9\r\n/);
  });

  test('repeats and cookies stay apart on the way out', async () => {
    const response = await send('GET /bytes');
    expect(response.match(/X-Twice: [12]/g)).toEqual(['X-Twice: 1', 'X-Twice: 2']);
    expect(response.match(/Set-Cookie: [^\r]+/g)).toEqual(['Set-Cookie: a=1', 'Set-Cookie: b=2']);
  });
});

describe('header names', () => {
  test.each([
    ['plain', ['7: 7', 'X-B: 2', 'X-C: 3', 'x-a: 1']],
    ['cases', ['X-B: 2', 'x-a: 1', 'x-a: 3']],
    ['inherited', ['X-B: 2', '__proto__: p', 'constructor: c', 'toString: t']],
    [
      'cookies',
      ['Set-Cookie: a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT', 'Set-Cookie: b=2', 'Set-Cookie: a=3', 'X-B: 2'],
    ],
  ])('are all there, repeats in order beside the first of them: %s', async (list, expected) => {
    const head = (await send(`GET /names?${list}`)).split('\r\n\r\n')[0] as string;
    const lines = head.split('\r\n').slice(1);
    const name = (line: string): string => line.split(':')[0] as string;
    // Between names the order is workerd's own.
    lines.sort((one, other) => (name(one) < name(other) ? -1 : Number(name(one) > name(other))));
    expect(lines.filter((line) => line !== 'Content-Length: 0')).toEqual(expected);
  });
});

describe('request targets', () => {
  test('escapes stay as they were sent, malformed ones too', async () => {
    const target = '/%65nviron?a=%zz&b=%2F&c=%C3%A9&d=+';
    expect(await environ(target)).toMatchObject({
      REQUEST_URI: target,
      PATH_INFO: '/environ',
      QUERY_STRING: 'a=%zz&b=%2F&c=%C3%A9&d=+',
    });
  });

  test('raw UTF-8 in a target becomes escapes, and bytes that are none become U+FFFD', async () => {
    expect((await environ('/environ?caf\xc3\xa9')).QUERY_STRING).toBe('caf%C3%A9');
    expect((await environ('/environ?caf\xe9')).QUERY_STRING).toBe('caf%EF%BF%BD');
    expect((await environ('/environ?caf%E9')).QUERY_STRING).toBe('caf%E9');
  });

  test('dot segments are resolved, escaped ones too; a backslash is a slash, a fragment is gone', async () => {
    for (const target of ['/x/../environ', '/%2e%2e/environ', '/..\\environ', '/environ#x?y']) {
      expect(await environ(target), target).toMatchObject({ PATH_INFO: '/environ', QUERY_STRING: '' });
    }
    expect(await send('GET /x%2f..%2fenviron')).toMatch(/^HTTP\/1\.1 404 /);
  });

  test.each(['/environ?%', '/environ?%f', '/environ?a=%FF%', '/environ?'])('%s is not an error', async (target) => {
    expect((await environ(target)).QUERY_STRING).toBe(target.slice('/environ?'.length));
  });

  test('a NUL in the path is a 400, a path that begins with two slashes is a path', async () => {
    expect(await send('GET /environ%00')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await send('GET //evil/environ')).toMatch(/^HTTP\/1\.1 404 /);
  });

  test('the absolute form and the asterisk form never get past workerd', async () => {
    expect(await send('GET http://evil.example/environ')).toMatch(/^HTTP\/1\.1 500 /);
    expect(await send('OPTIONS *')).toMatch(/^HTTP\/1\.1 500 /);
  });
});

describe('requests', () => {
  test('the client’s address comes with the header that the edge writes', async () => {
    expect((await environ('/environ')).REMOTE_ADDR).toBe('127.0.0.1');
  });

  test('wrangler dev, where there is no edge, lets a client write that header', async () => {
    expect((await environ('/environ', 'CF-Connecting-IP: 203.0.113.9\r\n')).REMOTE_ADDR).toBe('203.0.113.9');
  });

  test('there is no TLS key for a request that came without TLS', async () => {
    expect(Object.keys(await environ('/environ')).filter((key) => /^(SSL_|HTTPS$)/.test(key))).toEqual([]);
  });

  test('two Cookie lines arrive joined with a comma: workerd has done it', async () => {
    expect((await environ('/environ', 'Cookie: a=1\r\nCookie: b=2\r\n')).HTTP_COOKIE).toBe('a=1, b=2');
  });

  test('a header with an underscore in its name is dropped', async () => {
    const keys = Object.keys(await environ('/environ', 'X_Real: spoofed\r\nX-Real: 1\r\n'));
    expect(keys).toContain('HTTP_X_REAL');
    expect((await environ('/environ', 'X_Real: spoofed\r\nX-Real: 1\r\n')).HTTP_X_REAL).toBe('1');
  });

  test('Host is the server’s name and port', async () => {
    const { SERVER_NAME, SERVER_PORT, HTTP_HOST } = await environ('/environ');
    expect([SERVER_NAME, SERVER_PORT, HTTP_HOST]).toEqual(['h', '80', 'h']);
  });

  test.each(['Host: other', 'Content-Length: 1x', 'Content-Length: 1\r\nContent-Length: 2', 'Transfer-Encoding: gzip'])(
    'workerd itself refuses %j',
    async (line) => {
      expect(await send('POST /upload', `${line}\r\n`)).toMatch(/^HTTP\/1\.1 500 /);
    },
  );

  test('two types that differ are a 400', async () => {
    const response = await send('POST /upload', 'Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 0\r\n');
    expect(response).toMatch(/^HTTP\/1\.1 400 [\s\S]*two different CONTENT-TYPE headers/);
  });

  test('a method that workerd does not know is its own 501', async () => {
    expect(await send('BREW /environ')).toMatch(/^HTTP\/1\.1 501 /);
  });

  test('a body has its length, and a chunked one none', async () => {
    expect(await send('POST /upload', 'Content-Length: 3\r\n', 'abc')).toMatch(/\r\n\r\n3$/);
    expect(await send('POST /upload', 'Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n')).toMatch(/\r\n\r\n3$/);
  });

  test('an upload that ends short of its declared length is an error of wsgi.input', async () => {
    const socket = connect(Number(new URL(dev.url).port), '127.0.0.1');
    socket.write('POST /broken-upload?short HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc');
    const log = async () => (await (await fetch(`${dev.url}/log?short`)).json()) as string[];
    await expect.poll(log, { timeout: 5000 }).toEqual(['started']);
    socket.destroy();
    await expect.poll(log, { timeout: 5000 }).toEqual(['started', 'failed: ClientDisconnectedError']);
  });
});

describe('an upload that nobody reads to its end leaves the connection to the next request', () => {
  test.each([
    ['unread', '/refused/0'],
    ['unread, answered in one piece', '/refused/0/array'],
    ['unread behind a middleware', '/behind/0'],
    ['partly read', '/refused/10'],
    ['partly read, answered in one piece', '/refused/10/array'],
    ['partly read behind a middleware', '/behind/10'],
    ['over maxBodyBytes', '/limited/5000'],
    ['over maxBodyBytes, answered in one piece', '/limited/5000/array'],
    ['unread by a hosted Fetch app', '/hosted'],
    ['unread by a hosted Fetch app behind a middleware', '/hostedBehind'],
  ])('%s', async (_what, path) => {
    for (const size of [100_000, 3_000_000]) {
      for (const framing of ['length', 'chunks']) {
        const body = 'x'.repeat(size);
        const head = `POST ${path} HTTP/1.1\r\nHost: h\r\n`;
        const upload =
          framing === 'length'
            ? `${head}Content-Length: ${size}\r\n\r\n${body}`
            : `${head}Transfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
        const received = await new Promise<string>((resolve) => {
          let text = '';
          let asked = false;
          const socket = connect(Number(new URL(dev.url).port), '127.0.0.1', () => socket.write(upload, 'latin1'));
          const timer = setTimeout(() => socket.destroy(), 10_000);
          socket.on('data', (chunk) => {
            text += chunk.toString('latin1');
            if (!asked && /0\r\n\r\n$|refused [A-Za-z]*$|^HTTP\/1.1 413/.test(text)) {
              asked = true;
              socket.write('GET /log?nothing HTTP/1.1\r\nHost: h\r\n\r\n');
            }
            if (text.endsWith('[]')) socket.destroy();
          });
          socket.on('error', () => {});
          socket.on('close', () => {
            clearTimeout(timer);
            resolve(text);
          });
        });
        expect([path, size, framing, received]).toEqual([
          path,
          size,
          framing,
          expect.stringMatching(/^HTTP\/1\.1 4(?:03|13) [\s\S]*HTTP\/1\.1 200 OK[\s\S]*\[\]$/),
        ]);
      }
    }
  });
});

describe('WebSockets', () => {
  const upgrade =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

  test('a hosted Fetch app opens one, while nothing lies between', async () => {
    expect(await send('GET /socket', upgrade)).toMatch(
      /^HTTP\/1\.1 101 Switching Protocols\r\n[\s\S]*Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/,
    );
  });

  test('behind a middleware that changes the request it is refused', async () => {
    expect(await send('GET /socket?changed', upgrade)).toMatch(/^HTTP\/1\.1 501 /);
  });

  test('an application sees the upgrade, and answers with something else', async () => {
    expect(JSON.parse((await send('GET /environ', upgrade)).split('\r\n\r\n')[1] as string).HTTP_UPGRADE).toBe(
      'websocket',
    );
    expect(await send('GET /null?101', upgrade)).toMatch(/^HTTP\/1\.1 500 /);
  });
});

describe('responses', () => {
  test('a declared length goes out as such, also with a streamed body', async () => {
    const response = await send('GET /declared');
    expect(response).toContain('Content-Length: 196608\r\n');
    expect(response).not.toContain('Transfer-Encoding');
    expect(response.length - response.indexOf('\r\n\r\n') - 4).toBe(196_608);
  });

  test('HEAD has the declared length and no body', async () => {
    expect(await send('HEAD /declared')).toMatch(
      /^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)*Content-Length: 196608\r\n(?:.+\r\n)*\r\n$/,
    );
  });

  test.each([204, 205, 304])('%i goes out without a body', async (status) => {
    const response = await send(`GET /null?${status}`);
    expect(response).toMatch(new RegExp(`^HTTP/1\\.1 ${status} Any\r\n`));
    expect(response).toContain('X-Null: body\r\n');
    expect(response.endsWith('\r\n\r\n')).toBe(true);
  });

  test('a body that fails short of its declared length is cut off visibly', async () => {
    const response = await send('GET /fail-declared');
    expect(response).toContain('Content-Length: 100\r\n');
    expect(response).toMatch(/\r\n\r\nbegun$/);
  });

  test('a body that fails is logged once by the gateway; workerd logs it in words of its own', async () => {
    await send('GET /fail-declared?and-told');
    const isWorkerd = (line: string): boolean => line.includes('Uncaught');
    const lines = (): string[] =>
      dev
        .output()
        .split('\n')
        .filter((line) => line.includes('planned and-told'));
    await expect.poll(() => lines().some(isWorkerd), { timeout: 5000 }).toBe(true);
    await expect.poll(() => lines().filter((line) => !isWorkerd(line))).toHaveLength(1);
  });

  test('a body that fails without a declared length ends as if it were whole: workerd closes the chunks', async () => {
    expect(await send('GET /fail')).toMatch(/5\r\nbegun\r\n0\r\n\r\n$/);
  });
});
