// The emulated endpoint of a Lambda Web Function: each rule of AWS's pages, in front of a server that shows what came through.

import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RawResponse } from '../../testing/raw-response.ts';
import { exchange } from '../adapters/node/http-cases-probe.ts';
import { type Running, start } from './runtimes/process.ts';

const run = promisify(execFile);
const COMMAND = fileURLToPath(new URL('../../cli/bin/waygate.js', import.meta.url));
const DOMAIN = 'waygate.lambda-web.localhost';
const folder = mkdtempSync(join(tmpdir(), 'waygate-lambda-web-'));

function isMissing(tool: string): boolean {
  try {
    execFileSync(tool, ['--version'], { stdio: 'pipe' });
    return false;
  } catch {
    // In CI it was installed a moment ago: there, its absence is a failure.
    if (process.env.CI !== undefined) return false;
    console.log(`Skipped: no ${tool}; tools/install-debian-tools.sh installs it.`);
    return true;
  }
}

/** Makes a folder with an index.js. */
function functionOf(code: string, name: string): string {
  const at = join(folder, name);
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, 'index.js'), code);
  return at;
}

const code = readFileSync(new URL('lambda-web/server.js', import.meta.url), 'utf8');
const site = functionOf(code, 'site');

const serve = (path: string, ...args: string[]): Promise<Running> =>
  start(process.execPath, [COMMAND, 'serve', path, '--platform', 'lambda:web', '--port', '0', ...args], {
    PORT: '1',
    AWS_LAMBDA_FUNCTION_NAME: 'mine',
  });

/** Serves what cannot be served, and returns what the command says of it. */
async function ended(name: string, text: string): Promise<string> {
  const args = [COMMAND, 'serve', functionOf(text, name), '--platform', 'lambda:web', '--port', '0'];
  const { code: status, stderr } = await run(process.execPath, args).catch((error) => error);
  expect(status).toBe(1);
  return stderr;
}

/** It takes ten seconds, in which the other tests run. */
let silent: Promise<string>;
let web: Running;
let port: number;
beforeAll(async () => {
  silent = ended('silent', "require('node:http').createServer().listen(0)");
  web = await serve(site, '--timeout', '3', '--max-concurrency', '2', '--processes', '2');
  port = Number(new URL(web.url).port);
});
afterAll(async () => {
  await web?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Sends a request and returns its response. */
async function send(head: string, body = ''): Promise<RawResponse> {
  const [response] = await exchange(port, Buffer.from(`${head}\r\n\r\n${body}`, 'latin1'));
  if (response === undefined) throw new Error('the connection closed without a response');
  return response;
}

const get = (line: string, ...headers: string[]): string =>
  [`${line} HTTP/1.1`, `Host: ${DOMAIN}`, 'Connection: close', ...headers].join('\r\n');

/** What the function saw of a request. */
interface Seen {
  method: string;
  url: string;
  rawHeaders: string[];
  trailers: Record<string, string>;
  length: number;
  env: Record<string, string | undefined>;
}

function seen(response: RawResponse): Seen & { header(name: string): string[] } {
  expect(response.status).toBeLessThan(300);
  const shown: Seen = JSON.parse(Buffer.from(response.body, 'latin1').toString());
  const header = (name: string): string[] =>
    shown.rawHeaders.filter((_value, at) => at % 2 === 1 && shown.rawHeaders[at - 1]?.toLowerCase() === name);
  return { ...shown, header };
}

const headerOf = (response: RawResponse, name: string): string | undefined =>
  response.headers.find(([own]) => own.toLowerCase() === name)?.[1];

describe('a request', () => {
  test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'OPTIONS', 'DELETE'])(
    'with %s reaches the function',
    async (method) => {
      const response = await send(get(`${method} /a%2Fb?c=d&c`, 'Content-Length: 0'));
      expect(response.status).toBe(200);
      if (method !== 'HEAD') expect(seen(response)).toMatchObject({ method, url: '/a%2Fb?c=d&c' });
    },
  );

  test.each(['TRACE /', 'PROPFIND /', 'CONNECT example.com:80', 'M-SEARCH /'])('with %s gets 400', async (line) => {
    const response = await send(get(line));
    expect(response.status).toBe(400);
    expect(response.body).toContain(`The method is ${line.split(' ')[0]}; a Web Function takes GET, HEAD, POST`);
  });

  test('over HTTP/1.0 gets 505', async () => {
    const response = await send(`GET / HTTP/1.0\r\nHost: ${DOMAIN}`);
    expect([response.status, response.body]).toEqual([505, expect.stringContaining('HTTP/1.1 alone')]);
  });

  test.each([
    [DOMAIN, 200],
    ['127.0.0.1:PORT', 200],
    ['localhost:PORT', 200],
    [DOMAIN.toUpperCase(), 404],
    [`${DOMAIN}:443`, 404],
    [`${DOMAIN}.`, 404],
    ['LOCALHOST:PORT', 404],
    ['localhost', 404],
    ['example.com', 404],
    ['', 404],
  ])('for the Host "%s" gets %i', async (host, status) => {
    const named = host.replace('PORT', String(port));
    const response = await send(`GET / HTTP/1.1\r\nHost: ${named}\r\nConnection: close`);
    expect(response.status).toBe(status);
    if (status === 200) expect(seen(response).header('host')).toEqual([DOMAIN]);
    else expect(response.body).toContain(`The Host is "${named}"; expected the domain of the endpoint`);
  });

  test('without a Host, or with two, gets 400', async () => {
    expect((await send('GET / HTTP/1.1\r\nConnection: close')).status).toBe(400);
    expect((await send(get('GET /', `Host: ${DOMAIN}`))).status).toBe(400);
  });

  test('loses what is about its connection, what could pose as something else, and its trailers', async () => {
    const removed = [
      ...['Keep-Alive: timeout=5', 'Upgrade: websocket', 'TE: trailers', 'Trailer: X-Sum', 'X-Named: 1'],
      ...['Proxy-Authenticate: a', 'Proxy-Authorization: b', 'Proxy-Connection: c', 'X-Real-IP: 1.2.3.4'],
      ...['X-HTTP-Method-Override: PUT', 'X-HTTP-Method: PUT', 'X-Method-Override: PUT', 'Lambda-Web-Endpoint-Name: x'],
      ...['lambda-web-request-id: mine', 'lambda-web-anything: 1'],
    ];
    const kept = ['X-Kept: 1', 'x-kept: 2', 'X-Forwarded-Host: evil.test', 'Authorization: Bearer x', 'Accept: */*'];
    const head = [`POST / HTTP/1.1`, `Host: ${DOMAIN}`, 'Connection: close, X-Named', ...removed, ...kept];
    const response = await send(
      [...head, 'Transfer-Encoding: chunked'].join('\r\n'),
      '2;a=b\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n',
    );
    const { header, trailers, length } = seen(response);
    const names = removed.map((line) => line.split(':')[0]?.toLowerCase() as string);
    for (const name of names.filter((each) => !/^lambda-web-(?:request-id|endpoint-name)$/.test(each))) {
      expect(header(name), name).toEqual([]);
    }
    expect(header('lambda-web-request-id')).toEqual([headerOf(response, 'lambda-web-request-id')]);
    expect(header('lambda-web-endpoint-name')).toEqual(['dev']);
    expect(header('x-kept')).toEqual(['1', '2']);
    for (const name of ['x-forwarded-host', 'authorization', 'accept']) expect(header(name), name).toHaveLength(1);
    expect({ length, trailers }).toEqual({ length: 2, trailers: {} });
  });

  test('has the address of its client appended, last', async () => {
    expect(seen(await send(get('GET /'))).header('x-forwarded-for')).toEqual(['127.0.0.1']);
    const claimed = await send(get('GET /', 'X-Forwarded-For: 203.0.113.7', 'X-Forwarded-For: 10.0.0.1, 10.0.0.2'));
    expect(seen(claimed).header('x-forwarded-for')).toEqual(['203.0.113.7, 10.0.0.1, 10.0.0.2, 127.0.0.1']);
  });

  test('keeps the bytes of its header values, and has no more framing than it came with', async () => {
    const response = await send(get('POST /', 'X-Name: caf\xc3\xa9 \xff'));
    const { header } = seen(response);
    expect(header('x-name')).toEqual(['caf\xc3\xa9 \xff']);
    expect([header('content-length'), header('transfer-encoding')]).toEqual([[], []]);
  });

  test('may have 6,300 header lines with those that Lambda adds; with more it gets 431', async () => {
    const lines = (count: number): string[] => Array.from({ length: count }, (_each, at) => `X-${at}: ${at}`);
    // Host and Connection are two, and three are added.
    expect(seen(await send(get('GET /', ...lines(6295)))).rawHeaders.length).toBeGreaterThan(12_000);
    const response = await send(get('GET /', ...lines(6296)));
    expect([response.status, response.body]).toEqual([431, expect.stringContaining('it may have 6300')]);
  });

  test('that is not valid HTTP/1.1 gets 400, and an unknown transfer coding 501', async () => {
    expect((await send('GET / HTTP/1.1\r\nHost : x')).status).toBe(400);
    expect((await send(get('POST /', 'Transfer-Encoding: gzip, chunked'), '0\r\n\r\n')).status).toBe(501);
  });

  test('is sent whole before a byte of the response is read', async () => {
    const socket = net.connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.write(`POST /early HTTP/1.1\r\nHost: ${DOMAIN}\r\nConnection: close\r\nContent-Length: 10\r\n\r\nfive `);
    await new Promise((resolve) => setTimeout(resolve, 400));
    // The function has answered with its head, which waits.
    expect(received).toBe('');
    socket.write('five.');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(received).toMatch(/^HTTP\/1\.1 201 [\s\S]*X-Early: 1[\s\S]*"length":10/);
  });
});

describe('a response', () => {
  test('loses its trailers and what is about its connection, and has the headers of Lambda', async () => {
    const response = await send(get('GET /connection'));
    const names = response.headers.map(([name]) => name.toLowerCase());
    for (const name of ['x-private', 'trailer', 'proxy-connection', 'x-sum']) expect(names).not.toContain(name);
    expect(headerOf(response, 'keep-alive')).not.toBe('timeout=1');
    expect(headerOf(response, 'x-kept')).toBe('1');
    expect(headerOf(response, 'lambda-web-request-id')).toMatch(/^[A-Z2-7]{26}$/);
    expect(headerOf(response, 'lambda-web-logstream')).toMatch(/^\d{4}\/\d\d\/\d\d\//);
    expect(headerOf(response, 'lambda-web-error-type')).toBeUndefined();
    expect(response.body).toBe('body');
  });

  test('that takes too long is a 504 of its own kind; one that has begun is cut', async () => {
    const began = performance.now();
    const [late, cut] = await Promise.all([send(get('GET /hang')), send(get('GET /begin')).catch((error) => error)]);
    expect(performance.now() - began).toBeGreaterThan(2900);
    expect(late.status).toBe(504);
    expect(headerOf(late, 'lambda-web-error-type')).toBe('Runtime.RequestTimeout');
    expect(cut).toMatchObject({ status: 200, complete: false });
  });
});

describe('an environment', () => {
  test('has what Lambda sets, and not what it does not set', async () => {
    const { env } = seen(await send(get('GET /')));
    expect(env).toMatchObject({ cwd: site, endpoint: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
    expect(Object.keys(env)).toEqual(['endpoint', 'cwd']);
  });

  test('has no more requests than it may; another is started, and beyond that a request gets 429', async () => {
    const held = Array.from({ length: 4 }, () => exchange(port, Buffer.from(`${get('GET /hold')}\r\n\r\n`)));
    await expect.poll(async () => (await send(get('GET /'))).status, { timeout: 2500, interval: 50 }).toBe(429);
    const throttled = await send(get('GET /'));
    expect(throttled.body).toContain('Each of the 2 environments has 2 requests, and no other may be started.');
    // The four end by the timeout: nothing else can come through.
    const statuses = (await Promise.all(held)).map(([response]) => response?.status);
    expect(statuses).toEqual([504, 504, 504, 504]);
    expect((await send(get('GET /release'))).status).toBe(200);
  });

  test('that ends is replaced; its request gets 502', async () => {
    const response = await send(get('GET /crash'));
    expect(response.status).toBe(502);
    await expect.poll(() => web.output()).toContain('The environment ended with exit code 3');
    expect((await send(get('GET /'))).status).toBe(200);
  });

  test('gets SIGTERM and a second more, with the command', async () => {
    const other = await serve(site);
    const began = performance.now();
    await other.stop();
    expect(other.output()).toContain('SIGTERM of');
    expect(performance.now() - began).toBeLessThan(4000);
  });
});

describe.skipIf(isMissing('curl'))('curl', () => {
  const curl = async (...args: string[]): Promise<string> => (await run('curl', ['-sS', ...args])).stdout;
  const status = (...args: string[]): Promise<string> => curl('-o', '/dev/null', '-w', '%{http_code}', ...args);
  const url = (path = '/'): string => `http://127.0.0.1:${port}${path}`;

  test('gets what the rules say', async () => {
    expect(await status(url())).toBe('200');
    expect(await status('--http1.0', url())).toBe('505');
    expect(await status('-X', 'TRACE', url())).toBe('400');
    expect(await status('-H', 'Host: example.com', url())).toBe('404');
    expect(await status('-H', 'Host:', url())).toBe('400');
    expect(await status('--resolve', `${DOMAIN}:${port}:127.0.0.1`, `http://${DOMAIN}:${port}/`)).toBe('404');
  });

  test('uploads 2 MB, and the command warns of its Expect', async () => {
    const file = join(folder, 'large');
    writeFileSync(file, Buffer.alloc(2 * 1024 * 1024, 'x'));
    const { length, rawHeaders } = JSON.parse(await curl('-T', file, url('/up')));
    expect(length).toBe(2 * 1024 * 1024);
    expect(rawHeaders).not.toContain('Expect');
    await curl('-H', 'Expect: 100-continue', '-d', 'x', url());
    expect(web.output()).toContain('A client sent "Expect: 100-continue"');
  });

  test('that speaks HTTP/2 at once is refused, and over TLS it falls back to HTTP/1.1', async () => {
    await expect(curl('--http2-prior-knowledge', url())).rejects.toThrow();
    expect(await status(url())).toBe('200');
    const secure = await serve(site, '--tls');
    try {
      const version = ['-o', '/dev/null', '-w', '%{http_code} %{http_version}', '--http2'];
      expect(await curl('--insecure', ...version, secure.url)).toBe('200 1.1');
    } finally {
      await secure.stop();
    }
  });
});

describe.skipIf(isMissing('nghttp'))('nghttp', () => {
  test('is refused, plainly and with Upgrade, and the endpoint goes on', async () => {
    for (const args of [[], ['--upgrade']]) {
      const { stdout, stderr } = await run('nghttp', ['-v', ...args, web.url]).catch((error) => error);
      expect(`${stdout}${stderr}`).not.toMatch(/:status: 200/);
      expect((await send(get('GET /'))).status).toBe(200);
    }
  });
});

describe('an app that is built for it', () => {
  let app: Running | undefined;
  afterEach(() => app?.stop());

  test('is served with the validator, replaced when it changes, and shows the client that Lambda names', async () => {
    const path = join(folder, 'app.ts');
    const version = (text: string): string => `export default (environ: any, startResponse: any) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return [new TextEncoder().encode(\`${text} \${environ.REMOTE_ADDR} \${environ['wsgi.url_scheme']} \${environ.SERVER_NAME}\`)];
    };`;
    writeFileSync(path, version('one'));
    app = await serve(path, '--watch', '--validate');
    const ask = async (): Promise<string> => (await fetch(app?.url as string)).text();
    expect(await ask()).toBe(`one 127.0.0.1 https ${DOMAIN}`);
    writeFileSync(path, version('two'));
    await expect.poll(ask, { timeout: 20_000 }).toBe(`two 127.0.0.1 https ${DOMAIN}`);
    writeFileSync(path, "export default (_e: any, s: any) => { s('200', []); return ['text']; };");
    await expect.poll(async () => (await fetch(app?.url as string)).status, { timeout: 20_000 }).toBe(500);
    expect(app.output()).toContain('[SR-02]');
  });
});

test('an environment that never listens, or ends before, ends the command with an error', async () => {
  const broken = await ended('broken', "require('./nothing.js')");
  expect(await silent).toMatch(
    /The app does not listen on AWS_LAMBDA_HTTP_ENDPOINT \(127\.0\.0\.1:\d+\) after 10 seconds/,
  );
  expect(broken).toContain("Cannot find module './nothing.js'");
  expect(broken).toContain('ended with exit code 1 before it listened on AWS_LAMBDA_HTTP_ENDPOINT');
});
