// serve(): where it listens, TLS and HTTP/2, and how it stops.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net, { type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Application, decodeWsgi, encode } from 'waygate';
import { validator } from 'waygate/middleware';
import { type RunningServer, type ServeOptions, serve } from 'waygate/node';
import { certificate } from './certificate.ts';
import { Conversation } from './http-client.ts';

const scratch = mkdtempSync(join(tmpdir(), 'waygate-'));
let tls: { key: Buffer; cert: Buffer };
const running: RunningServer[] = [];
let log: string[] = [];

async function start(app: Application, options: ServeOptions = {}): Promise<RunningServer> {
  const errors = (text: string): void => void log.push(text);
  const served = await serve(app, {
    port: 0,
    host: '127.0.0.1',
    signals: false,
    shutdownTimeout: 0,
    errors,
    ...options,
  });
  running.push(served);
  return served;
}

beforeAll(() => {
  tls = certificate(scratch);
});
afterEach(async () => {
  for (const served of running.splice(0)) await served.close();
  log = [];
});
afterAll(() => rmSync(scratch, { recursive: true }));

const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

/** Shows the keys of environ that tell of the connection. */
const connection: Application = (environ, startResponse) => {
  startResponse('200 Fine', [
    ['X-Order', '1'],
    ['Set-Cookie', 'a=1'],
    ['Set-Cookie', 'b=2'],
  ]);
  const keys = /^(?:SERVER|REMOTE|HTTPS|SSL|HTTP_HOST|REQUEST_METHOD|wsgi\.url_scheme)/;
  return [encode(JSON.stringify(Object.fromEntries(Object.entries(environ).filter(([key]) => keys.test(key)))))];
};

/** A request with Node's own client. */
function ask(
  client: typeof http | typeof https,
  options: https.RequestOptions,
  body?: string,
): Promise<[http.IncomingMessage, string]> {
  return new Promise((resolve, reject) => {
    const request = client.request({ agent: false, ...options }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve([response, text]);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** A request over HTTP/2. */
async function ask2(
  url: string,
  headers: http2.OutgoingHttpHeaders,
  body?: string,
): Promise<[http2.IncomingHttpHeaders, string]> {
  const session = http2.connect(url, { rejectUnauthorized: false });
  try {
    const stream = session.request(headers, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    const answer = await new Promise<http2.IncomingHttpHeaders>((resolve, reject) => {
      stream.on('response', resolve);
      stream.on('error', reject);
      session.on('error', reject);
    });
    let text = '';
    for await (const chunk of stream) text += chunk;
    return [answer, text];
  } finally {
    session.close();
  }
}

describe('where it listens', () => {
  it('is a free port for port 0, and the result has it', async () => {
    const [one, two] = [await start(connection), await start(connection)];
    expect(one.port).toBeGreaterThan(0);
    expect(two.port).not.toBe(one.port);
    expect(one.url).toBe(`http://127.0.0.1:${one.port}`);
    expect(await (await fetch(one.url)).json()).toMatchObject({
      SERVER_NAME: '127.0.0.1',
      SERVER_PORT: String(one.port),
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_PORT: expect.stringMatching(/^[0-9]+$/),
      HTTP_HOST: `127.0.0.1:${one.port}`,
    });
  });

  it('is every address without a host, and the URL then says localhost', async () => {
    const served = await start(connection, { host: undefined });
    expect(served.url).toBe(`http://localhost:${served.port}`);
    // An IPv4 client of a dual-stack socket is shown as what it is.
    const [, text] = await ask(http, { host: '127.0.0.1', port: served.port });
    expect(JSON.parse(text)).toMatchObject({ REMOTE_ADDR: '127.0.0.1', SERVER_NAME: '127.0.0.1' });
  });

  it('is a Unix socket for a path; there are no addresses then, and no empty keys either', async () => {
    const path = join(scratch, 'socket');
    const served = await start(connection, { path });
    expect([served.url, served.port]).toEqual([`unix:${path}`, 0]);
    const [, text] = await ask(http, { socketPath: path, headers: { Host: 'any.example' } });
    const environ = JSON.parse(text);
    expect(environ).toMatchObject({ SERVER_NAME: 'localhost', SERVER_PORT: '80', HTTP_HOST: 'any.example' });
    expect([environ.REMOTE_ADDR, environ.REMOTE_PORT]).toEqual([undefined, undefined]);
  });

  it('is told to be taken by a rejection, and nothing is left open', async () => {
    const { port } = await start(connection);
    await expect(start(connection, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('is nowhere for a value that is not an application', async () => {
    await expect(serve(undefined as never, { port: 0 })).rejects.toThrow(TypeError);
  });

  it('is not the default one for a value that is not an object of options, such as a port alone', async () => {
    for (const wrong of [3000, null]) {
      await expect(serve(connection, wrong as never)).rejects.toThrow(/^The options are /);
    }
  });
});

describe('https', () => {
  it('gives the keys of mod_ssl, and https as scheme', async () => {
    const served = await start(connection, { tls });
    expect(served.url).toBe(`https://127.0.0.1:${served.port}`);
    const [response, text] = await ask(https, { host: '127.0.0.1', port: served.port, rejectUnauthorized: false });
    expect(response.statusMessage).toBe('Fine');
    const environ = JSON.parse(text);
    expect(environ).toMatchObject({
      HTTPS: 'on',
      'wsgi.url_scheme': 'https',
      SSL_PROTOCOL: expect.stringMatching(/^TLSv1/),
    });
    expect(environ.SSL_CIPHER).toBeTruthy();
    expect(Object.keys(environ).filter((key) => key.startsWith('SSL_CLIENT'))).toEqual([]);
  });

  it('gives the certificate of a client that shows one', async () => {
    const served = await start(connection, { tls: { ...tls, requestCert: true, rejectUnauthorized: false } });
    const options = { host: '127.0.0.1', port: served.port, rejectUnauthorized: false, ...tls };
    const environ = JSON.parse((await ask(https, options))[1]);
    expect(environ).toMatchObject({ SSL_CLIENT_VERIFY: 'FAILED', SSL_CLIENT_S_DN: 'CN=localhost,O=Waygate\\, tests' });
    expect(environ.SSL_CLIENT_CERT.replace(/\s/g, '')).toBe(String(tls.cert).replace(/\s/g, ''));
    const trusting = await start(connection, { tls: { ...tls, requestCert: true, ca: tls.cert } });
    const trusted = JSON.parse((await ask(https, { ...options, port: trusting.port }))[1]);
    expect(trusted.SSL_CLIENT_VERIFY).toBe('SUCCESS');
  });

  it('gives the names in a certificate as bytes of UTF-8, and escapes what RFC 4514 asks for', async () => {
    const subject = '/O=#1 Caf\u00e9 /OU= /CN= \u82b1\u5b50\\/x';
    const shown = certificate(mkdtempSync(join(scratch, 'client-')), subject);
    const served = await start(validator(connection), {
      tls: { ...tls, requestCert: true, rejectUnauthorized: false },
    });
    const [response, text] = await ask(https, {
      host: '127.0.0.1',
      port: served.port,
      rejectUnauthorized: false,
      ...shown,
    });
    expect(response.statusCode).toBe(200);
    expect(decodeWsgi(JSON.parse(text).SSL_CLIENT_S_DN)).toBe('CN=\\ \u82b1\u5b50/x,OU=\\ ,O=\\#1 Caf\u00e9\\ ');
  });
});

describe('HTTP/2', () => {
  const echo: Application = async (environ, startResponse) => {
    const body = await environ['wsgi.input'].text();
    startResponse('200 OK', [
      ['X-Protocol', environ.SERVER_PROTOCOL],
      ['X-Host', environ.HTTP_HOST ?? 'none'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ]);
    return [encode(`${environ.REQUEST_METHOD} ${environ.PATH_INFO} ${environ.HTTP_COOKIE} <${body}>`)];
  };

  for (const secure of [true, false]) {
    it(`${secure ? 'over TLS' : 'in the clear'}: method, path, authority, cookies and body arrive`, async () => {
      const served = await start(echo, { http2: true, ...(secure ? { tls } : {}) });
      const headers = { ':method': 'POST', ':path': '/caf%C3%A9?q', cookie: ['a=1', 'b=2'] };
      const [answer, text] = await ask2(served.url, headers, 'body');
      expect(text).toBe('POST /caf\u00c3\u00a9 a=1; b=2 <body>');
      expect(answer).toMatchObject({ ':status': 200, 'x-protocol': 'HTTP/2.0', 'x-host': `127.0.0.1:${served.port}` });
      expect(answer['set-cookie']).toEqual(['a=1', 'b=2']);
    });
  }

  it('refuses a Host that says something else than the authority', async () => {
    const served = await start(echo, { http2: true });
    for (const [headers, expected] of [
      [{ ':authority': 'a.example', host: 'a.example' }, [200, 'a.example']],
      [{ host: 'b.example' }, [200, 'b.example']],
      [{ ':authority': 'a.example', host: 'b.example' }, [400, undefined]],
    ] as const) {
      const [answer] = await ask2(served.url, { ':path': '/', ...headers } as http2.OutgoingHttpHeaders);
      expect([answer[':status'], answer['x-host']], JSON.stringify(headers)).toEqual(expected);
    }
  });

  it('takes HTTP/1.1 beside it, over TLS', async () => {
    const served = await start(echo, { http2: true, tls });
    const options = { host: '127.0.0.1', port: served.port, path: '/x', rejectUnauthorized: false };
    const [response, text] = await ask(https, { ...options, method: 'PUT' }, 'body');
    expect([response.headers['x-protocol'], text]).toEqual(['HTTP/1.1', 'PUT /x undefined <body>']);
  });

  it('ends a request without a body, GET and POST alike', async () => {
    const served = await start(echo, { http2: true });
    expect((await ask2(served.url, { ':path': '/get' }))[1]).toBe('GET /get undefined <>');
    expect((await ask2(served.url, { ':path': '/post', ':method': 'POST' }))[1]).toBe('POST /post undefined <>');
  });

  it('resets the stream of a response that breaks off', async () => {
    const served = await start(
      async function* (_environ, startResponse) {
        startResponse('200 OK', []);
        yield encode('begun');
        await moment();
        throw new Error('planned');
      },
      { http2: true },
    );
    await expect(ask2(served.url, { ':path': '/' })).rejects.toMatchObject({ code: 'ERR_HTTP2_STREAM_ERROR' });
  });

  it('lets the application know that the client reset the stream', async () => {
    let closed = 0;
    const served = await start(
      (environ, startResponse) => {
        startResponse('200 OK', []);
        const body = (async function* () {
          while (!environ['waygate.signal'].aborted) {
            yield encode('x');
            await moment();
          }
        })();
        return Object.assign(body, { close: () => void closed++ });
      },
      { http2: true },
    );
    const session = http2.connect(served.url);
    const stream = session.request({ ':path': '/' });
    await new Promise((resolve) => stream.once('data', resolve));
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await expect.poll(() => closed).toBe(1);
    session.close();
    expect(log).toEqual([]);
  });

  it('sends names in lower case, and repeats together', async () => {
    const served = await start(
      (_environ, startResponse) => {
        startResponse('200 Fine', [
          ['X-One', '1'],
          ['Set-Cookie', 'a=1'],
          ['X-Two', '2'],
          ['Set-Cookie', 'b=2'],
          ['x-one', '3'],
        ]);
        return [];
      },
      { http2: true },
    );
    const session = http2.connect(served.url);
    const stream = session.request({ ':path': '/' });
    const raw = await new Promise<string[]>((resolve) => {
      stream.on('response', (_headers, _flags, rawHeaders?: string[]) => resolve(rawHeaders ?? []));
    });
    session.close();
    const sent = raw.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${raw[at + 1]}`] : []));
    expect(sent.filter((line) => /^(?:x-|set-)/i.test(line))).toEqual([
      'x-one: 1',
      'x-one: 3',
      'set-cookie: a=1',
      'set-cookie: b=2',
      'x-two: 2',
    ]);
  });

  it('lets an upload end that nobody reads on, once the response is out', async () => {
    let signal: AbortSignal | undefined;
    const apps: Record<string, Application> = {
      'no content': (_environ, startResponse) => {
        startResponse('204 No Content', []);
        return [];
      },
      'read in part': async (environ, startResponse) => {
        await environ['wsgi.input'].read(10);
        startResponse('200 OK', []);
        return (async function* () {
          yield encode('begun');
          await moment();
          yield encode(' and done');
        })();
      },
    };
    for (const [name, app] of Object.entries(apps)) {
      const served = await start(
        (environ, startResponse) => {
          signal = environ['waygate.signal'];
          return app(environ, startResponse);
        },
        { http2: true },
      );
      const session = http2.connect(served.url);
      const stream = session.request({ ':path': '/', ':method': 'POST' });
      stream.resume().end(new Uint8Array(1_000_000));
      await expect.poll(() => stream.closed, { timeout: 3000 }).toBe(true);
      expect([stream.rstCode, signal?.aborted], name).toEqual([http2.constants.NGHTTP2_NO_ERROR, false]);
      session.close();
    }
  });

  it('takes no upload for whole whose stream was reset, with or without a length', async () => {
    const outcomes: unknown[] = [];
    let calls = 0;
    const served = await start(
      async (environ, startResponse) => {
        calls++;
        const read = environ['wsgi.input'].read();
        outcomes.push(await read.catch((error: Error) => error.name));
        await moment();
        outcomes.push(environ['waygate.signal'].aborted);
        startResponse('200 OK', []);
        return [];
      },
      { http2: true },
    );
    const session = http2.connect(served.url);
    for (const [at, headers] of [{}, { 'content-length': 10 }].entries()) {
      const stream = session.request({ ':path': '/', ':method': 'POST', ...headers });
      stream.on('error', () => {});
      stream.write('abc');
      await expect.poll(() => calls, { timeout: 10_000 }).toBe(at + 1);
      await moment();
      stream.destroy();
    }
    await expect.poll(() => outcomes.length, { timeout: 10_000 }).toBe(4);
    session.close();
    expect(outcomes).toEqual(['ClientDisconnectedError', true, 'ClientDisconnectedError', true]);
    expect(log).toEqual([]);
  });

  it('sends neither body nor framing for HEAD, 204 and 304', async () => {
    const served = await start(
      (environ, startResponse) => {
        startResponse(environ.PATH_INFO === '/' ? '200 OK' : `${environ.PATH_INFO.slice(1)} Empty`, []);
        return [encode('body')];
      },
      { http2: true },
    );
    for (const [path, method] of [
      ['/', 'HEAD'],
      ['/204', 'GET'],
      ['/304', 'GET'],
    ]) {
      expect((await ask2(served.url, { ':path': path, ':method': method }))[1]).toBe('');
    }
  });
});

describe('a shutdown', () => {
  it('lets what runs finish, takes nothing new, and waits for work after the response', async () => {
    const events: string[] = [];
    let go = (): void => {};
    const going = new Promise<void>((resolve) => {
      go = resolve;
    });
    const served = await start(
      async function* (environ, startResponse) {
        startResponse('200 OK', []);
        yield encode('begun,');
        environ['waygate.wait_until'](
          going.then(async () => {
            await moment();
            await moment();
            events.push('work done');
          }),
        );
        await going;
        yield encode('finished');
      },
      { shutdownTimeout: 60_000 },
    );
    const idle = new Conversation(served.port);
    const response = await fetch(served.url);
    const closing = served.close().then(() => events.push('closed'));
    expect(served.close()).toBe(served.close());
    await moment();
    await expect(fetch(served.url)).rejects.toThrow();
    go();
    expect(await response.text()).toBe('begun,finished');
    await closing;
    expect(events).toEqual(['work done', 'closed']);
    await idle.end();
  });

  it('waits for a body that is being closed, and for an application whose client has left (CLOSE-03)', async () => {
    const ended: string[] = [];
    const slowly = async (what: string): Promise<void> => {
      for (let round = 0; round < 5; round++) await moment();
      ended.push(what);
    };
    const gone = (signal: AbortSignal): Promise<unknown> =>
      new Promise((resolve) => signal.addEventListener('abort', resolve));
    const apps: Record<string, Application> = {
      '/close': (_environ, startResponse) => {
        startResponse('200 OK', []);
        return Object.assign([encode('begun')], { close: () => slowly('close') });
      },
      '/finally': async function* (environ, startResponse) {
        startResponse('200 OK', []);
        try {
          yield encode('begun');
          await gone(environ['waygate.signal']);
        } finally {
          await slowly('finally');
        }
      },
      '/application': async (environ, startResponse) => {
        environ['waygate.early_hints']?.([['Link', '</begun>; rel=preload']]);
        await gone(environ['waygate.signal']);
        await slowly('application');
        startResponse('200 OK', []);
        return [];
      },
    };
    const served = await start(
      (environ, startResponse) => (apps[environ.PATH_INFO] as Application)(environ, startResponse),
      {
        shutdownTimeout: 60_000,
      },
    );
    for (const path of Object.keys(apps)) {
      const client = new Conversation(served.port);
      client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await client.until('begun');
      client.socket.destroy();
    }
    await moment();
    await served.close();
    expect(ended.sort()).toEqual(['application', 'close', 'finally']);
  });

  it.each([false, true])(
    'does not wait for connections that only idle, nor for unused ones (TLS: %s)',
    async (secure) => {
      const served = await start(connection, { shutdownTimeout: 60_000, ...(secure ? { tls } : {}) });
      const options = { port: served.port, host: '127.0.0.1', rejectUnauthorized: false };
      const connect = async (): Promise<Socket> => {
        const socket = secure ? connectTls(options) : net.connect(options);
        await new Promise((resolve) => socket.once(secure ? 'secureConnect' : 'connect', resolve));
        return socket;
      };
      const [unused, used] = [await connect(), await connect()];
      const ended = [unused, used].map((each) => new Promise((resolve) => each.once('close', resolve)));
      used.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await new Promise((resolve) => used.once('data', resolve));
      used.resume();
      unused.resume();
      await moment();
      await served.close();
      await Promise.all(ended);
    },
  );

  it('answers a request that was on its way when it began, on a connection that is new', async () => {
    const served = await start(connection, { shutdownTimeout: 60_000 });
    const accepted = new Promise((resolve) => served.server.once('connection', resolve));
    const socket = net.connect(served.port, '127.0.0.1');
    await accepted;
    const closed = served.close();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    await closed;
  });

  it('cuts what is left when its time is over, and the bodies are closed', async () => {
    let closed = 0;
    const served = await start(
      (_environ, startResponse) => {
        startResponse('200 OK', []);
        const body = (async function* () {
          yield encode('begun');
          await new Promise(() => {});
        })();
        return Object.assign(body, { close: () => void closed++ });
      },
      { shutdownTimeout: 50 },
    );
    const client = new Conversation(served.port);
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until('begun');
    await served.close();
    await client.end();
    await expect.poll(() => closed).toBe(1);
  });

  it('lets the streams of HTTP/2 finish', async () => {
    let go = (): void => {};
    const going = new Promise<void>((resolve) => {
      go = resolve;
    });
    const served = await start(
      async function* (_environ, startResponse) {
        startResponse('200 OK', []);
        yield encode('begun,');
        await going;
        yield encode('finished');
      },
      { http2: true, shutdownTimeout: 60_000 },
    );
    const session = http2.connect(served.url);
    const stream = session.request({ ':path': '/' });
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    await expect.poll(() => text).toBe('begun,');
    const ended = new Promise((resolve) => stream.once('end', resolve));
    const closing = served.close();
    await moment();
    go();
    await Promise.all([closing, ended]);
    expect(text).toBe('begun,finished');
  });
});

describe('a signal', () => {
  const script = fileURLToPath(new URL('./serve-child.mjs', import.meta.url));

  async function child(
    mode: string,
  ): Promise<{ port: number; process: ReturnType<typeof spawn>; exit: Promise<unknown[]> }> {
    const started = spawn(process.execPath, [script, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = new Promise<unknown[]>((resolve) => started.once('exit', (...how) => resolve(how)));
    const port = await new Promise<number>((resolve, reject) => {
      started.stdout?.on('data', (text) => resolve(Number(text)));
      started.once('exit', () => reject(new Error('the server did not start')));
    });
    return { port, process: started, exit };
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`${signal} lets the request that runs finish, then ends the process`, { timeout: 15_000 }, async () => {
      const { port, process, exit } = await child('slow');
      const client = new Conversation(port);
      client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await client.until('begun,');
      process.kill(signal);
      await client.until('finished');
      expect(await exit).toEqual([0, null]);
    });
  }

  it('a second one ends the process at once', { timeout: 15_000 }, async () => {
    const { port, process, exit } = await child('endless');
    const client = new Conversation(port);
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until('begun,');
    process.kill('SIGTERM');
    await moment();
    process.kill('SIGTERM');
    expect(await exit).toEqual([1, null]);
  });
});
