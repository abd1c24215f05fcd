// What happens on one connection: 100-continue, early hints, disconnects at every moment, reuse, HTTP/1.0, backpressure.

import { mkdtempSync, rmSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type Application, ClientDisconnectedError, type Environ, encode } from 'waygate';
import { fromConnect, type RunningServer, type ServeOptions, serve, toNode } from 'waygate/node';
import { certificate } from './certificate.ts';
import { Conversation } from './http-client.ts';

const scratch = mkdtempSync(join(tmpdir(), 'waygate-'));
afterAll(() => rmSync(scratch, { recursive: true }));

let log: string[] = [];
const running: (() => unknown)[] = [];

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
  running.push(() => served.close());
  return served;
}

afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
  log = [];
});

/** A promise and what settles it. */
function gate<T = void>(): { opened: Promise<T>; open: (value: T) => void } {
  let open!: (value: T) => void;
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('Expect: 100-continue (HTTP-01)', () => {
  const asking = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n';

  it.each(['read', 'bytes'] as const)(
    'is answered when the application first reads, not before: %s()',
    async (read) => {
      const go = gate();
      const started = gate();
      const { port } = await start(async (environ, startResponse) => {
        started.open();
        await go.opened;
        const body = await environ['wsgi.input'][read]();
        startResponse('200 OK', []);
        return [body];
      });
      const client = new Conversation(port);
      client.send(asking);
      await started.opened;
      await moment();
      expect(client.received).toBe('');
      go.open();
      await client.until('HTTP/1.1 100 Continue\r\n\r\n');
      client.send('data');
      await client.until('\r\n\r\ndata');
      client.socket.destroy();
    },
  );

  it('is not answered when nobody reads; the response then closes the connection, where nobody knows what follows', async () => {
    const { port } = await start((_environ, startResponse) => {
      startResponse('403 No', []);
      return [encode('no')];
    });
    const client = new Conversation(port);
    client.send(asking);
    await client.end();
    expect(client.received).toMatch(/^HTTP\/1\.1 403 No\r\n/);
    expect(client.received).toMatch(/\r\nConnection: close\r\n/i);
  });

  it('is not answered after the response has begun', async () => {
    const { port } = await start(async function* (environ, startResponse) {
      startResponse('200 OK', []);
      yield encode('begun;');
      yield await environ['wsgi.input'].read();
    });
    const client = new Conversation(port);
    client.send(asking);
    await client.until('begun;');
    client.send('data');
    await client.until('data');
    expect(client.received).not.toContain('100 Continue');
    client.socket.destroy();
  });

  it('is answered by Node itself where the listener stands alone', async () => {
    const server = http.createServer(
      toNode(async (environ, startResponse) => {
        const body = await environ['wsgi.input'].read();
        startResponse('200 OK', []);
        return [body];
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    running.push(() => server.close().closeAllConnections());
    const client = new Conversation((server.address() as AddressInfo).port);
    client.send(asking);
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('data');
    await client.until('\r\n\r\ndata');
    expect(client.received.split('100 Continue').length).toBe(2);
    client.socket.destroy();
  });

  it('does not trouble an HTTP/1.0 client', async () => {
    const { port } = await start(async (environ, startResponse) => {
      const body = await environ['wsgi.input'].read();
      startResponse('200 OK', []);
      return [body];
    });
    const client = new Conversation(port);
    client.send(`${asking.replace('1.1', '1.0')}data`);
    await client.end();
    expect(client.received).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(client.received).toMatch(/data$/);
  });
});

describe('early hints (RFC 8297)', () => {
  it('go out ahead of the response, headers checked', async () => {
    let refused: unknown;
    const { port } = await start((environ, startResponse) => {
      const hint = environ['waygate.early_hints'] as NonNullable<Environ['waygate.early_hints']>;
      hint([
        ['Link', '</a.css>; rel=preload'],
        ['Link', '</b.js>; rel=preload'],
      ]);
      try {
        hint([['Link', 'a\r\nEvil: 1']]);
      } catch (error) {
        refused = error;
      }
      startResponse('200 OK', []);
      return [encode('done')];
    });
    const client = new Conversation(port);
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until('done');
    expect(client.received).toMatch(/^HTTP\/1\.1 103 Early Hints\r\n(?:link: .*\r\n)+\r\nHTTP\/1\.1 200 OK\r\n/i);
    expect(client.received).toContain('</a.css>; rel=preload');
    expect(client.received).toContain('</b.js>; rel=preload');
    expect(refused).toMatchObject({ rule: 'SR-06' });
    expect(client.received).not.toContain('Evil');
    client.socket.destroy();
  });

  it('hold what names of objects are legal headers, and no length, which a 103 must not have (RFC 9110 §8.6)', async () => {
    const { port } = await start((environ, startResponse) => {
      environ['waygate.early_hints']?.([
        ['Link', '</a.css>; rel=preload'],
        ['Content-Length', '5'],
        ['constructor', 'c'],
        ['__proto__', 'p'],
        ['toString', 't'],
        ['X-Twice', '1'],
        ['x-twice', '2'],
      ]);
      startResponse('200 OK', []);
      return [encode('done')];
    });
    const client = new Conversation(port);
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until('done');
    const hints = client.received.slice(0, client.received.indexOf('\r\n\r\n'));
    expect(hints.split('\r\n').map((line) => line.toLowerCase())).toEqual([
      'http/1.1 103 early hints',
      'link: </a.css>; rel=preload',
      'constructor: c',
      '__proto__: p',
      'tostring: t',
      'x-twice: 1,2',
    ]);
    client.socket.destroy();
  });

  it('are not offered to an HTTP/1.0 client', async () => {
    const { port } = await start((environ, startResponse) => {
      startResponse('200 OK', []);
      return [encode(`offered: ${'waygate.early_hints' in environ}`)];
    });
    const client = new Conversation(port);
    client.send('GET / HTTP/1.0\r\n\r\n');
    await client.end();
    expect(client.received).toMatch(/offered: false$/);
  });
});

describe('a client that leaves (ERR-05)', () => {
  it('before the application has answered: the signal aborts, the body is closed, nothing is logged', async () => {
    const started = gate();
    const closed = gate();
    const { port } = await start(async (environ, startResponse) => {
      started.open();
      const signal = environ['waygate.signal'];
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      startResponse('200 OK', []);
      return Object.assign([encode('nobody')], { close: closed.open });
    });
    const client = new Conversation(port);
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await started.opened;
    client.socket.resetAndDestroy();
    await closed.opened;
    expect(log).toEqual([]);
  });

  it('while the body waits for room: the body is closed', async () => {
    const closed = gate();
    let pulls = 0;
    const part = new Uint8Array(256 * 1024);
    const { port } = await start((_environ, startResponse) => {
      startResponse('200 OK', []);
      const body = (function* () {
        for (;;) {
          pulls += 1;
          yield part;
        }
      })();
      return Object.assign(body, { close: closed.open });
    });
    const client = new Conversation(port);
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await expect.poll(() => pulls).toBeGreaterThan(0);
    await moment();
    const before = pulls;
    await moment();
    // A client that does not read is not fed: a few chunks fill the buffers of both kernels.
    expect(pulls).toBe(before);
    client.socket.destroy();
    await closed.opened;
    expect(log).toEqual([]);
  });

  it('behind other responses on its connection: the signals abort, the bodies are closed', async () => {
    const ended: string[] = [];
    const aborted = (signal: AbortSignal): Promise<unknown> =>
      new Promise((resolve) => signal.addEventListener('abort', resolve));
    const arrived = gate();
    const later = gate();
    const apps: Record<string, Application> = {
      '/first': async (environ) => {
        await aborted(environ['waygate.signal']);
        ended.push('first');
        return [];
      },
      '/waits': async (environ) => {
        await aborted(environ['waygate.signal']);
        ended.push('waits');
        return [];
      },
      '/hangs': async function* (_environ, startResponse) {
        startResponse('200 OK', []);
        try {
          for (;;) yield new Uint8Array(10_000);
        } finally {
          ended.push('hangs');
        }
      },
      '/writes': async (_environ, startResponse) => {
        const write = startResponse('200 OK', []);
        const lost = await write(new Uint8Array(1_000_000)).then(() => write(encode('more')).catch((error) => error));
        ended.push(`writes: ${(lost as Error).name}`);
        return [];
      },
      '/answers': (environ, startResponse) => {
        const work = later.opened.then(() => ended.push(`answers: ${environ['waygate.signal'].aborted}`));
        environ['waygate.wait_until'](work);
        arrived.open();
        startResponse('200 OK', []);
        return [encode('nobody reads this')];
      },
    };
    const served = await start((environ, startResponse) =>
      (apps[environ.PATH_INFO] as Application)(environ, startResponse),
    );
    const client = new Conversation(served.port);
    client.send(
      Object.keys(apps)
        .map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
        .join(''),
    );
    await arrived.opened;
    await moment();
    client.socket.destroy();
    await expect.poll(() => ended.length).toBe(4);
    later.open();
    await expect.poll(() => ended.length).toBe(5);
    expect(ended.sort()).toEqual(['answers: true', 'first', 'hangs', 'waits', 'writes: ClientDisconnectedError']);
    expect(log).toEqual([]);
  });

  it('after the response: nothing happens any more', async () => {
    let aborted = false;
    let closes = 0;
    const { port } = await start((environ, startResponse) => {
      environ['waygate.signal'].addEventListener('abort', () => {
        aborted = true;
      });
      startResponse('200 OK', []);
      const close = (): void => {
        closes += 1;
      };
      return Object.assign([encode('done')], { close });
    });
    const client = new Conversation(port);
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until('done');
    await expect.poll(() => closes).toBe(1);
    client.socket.destroy();
    await moment();
    expect({ aborted, closes, log }).toEqual({ aborted: false, closes: 1, log: [] });
  });

  it('in the middle of its upload: the read rejects, and nothing is logged', async () => {
    const outcome = gate<unknown>();
    const started = gate();
    const { port } = await start(async (environ) => {
      started.open();
      return environ['wsgi.input'].read().catch((error) => {
        outcome.open(error);
        throw error;
      }) as never;
    });
    const client = new Conversation(port);
    client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
    await started.opened;
    client.socket.resetAndDestroy();
    expect(await outcome.opened).toMatchObject({ name: 'ClientDisconnectedError' });
    await moment();
    expect(log).toEqual([]);
  });

  it('is told from one that only finished its upload: the signal of a healthy POST stays quiet', async () => {
    const { port } = await start(async (environ, startResponse) => {
      const signal = environ['waygate.signal'];
      const body = await environ['wsgi.input'].read();
      await moment();
      startResponse('200 OK', []);
      return [body, encode(` aborted: ${signal.aborted}`)];
    });
    const client = new Conversation(port);
    client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc');
    await client.until('abc aborted: false');
    client.socket.destroy();
  });
});

describe('a short body, read as a whole', () => {
  const head = (length: number): string => `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;
  const echo: Application = async (environ, startResponse) => {
    const body = await environ['wsgi.input'].bytes();
    const rest = await environ['wsgi.input'].read();
    startResponse('200 OK', []);
    return [encode('<'), body, rest, encode('>')];
  };

  it('may come in pieces, with the next request behind it', async () => {
    const { port } = await start(echo);
    const client = new Conversation(port);
    for (const piece of [`${head(6)}ab`, 'cd', `ef${head(2)}g`, `h${head(1)}i`]) {
      client.send(piece);
      await moment();
    }
    await client.until('<i>');
    expect(client.received.match(/<\w+>/g)).toEqual(['<abcdef>', '<gh>', '<i>']);
    client.socket.destroy();
  });

  it('and a longer one are the same', async () => {
    const { url } = await start(echo);
    for (const length of [64 * 1024, 64 * 1024 + 1, 1_000_000]) {
      const response = await fetch(url, { method: 'POST', body: 'x'.repeat(length) });
      expect((await response.text()).length).toBe(length + 2);
    }
  });

  it('that breaks off rejects, now and later, and nothing is logged', async () => {
    const failed = gate<unknown[]>();
    const { port } = await start(async (environ, startResponse) => {
      const input = environ['wsgi.input'];
      const reads = await Promise.allSettled([input.text(), input.json(), input.read()]);
      failed.open(reads.map((each) => (each as PromiseRejectedResult).reason));
      startResponse('200 OK', []);
      return [];
    });
    const client = new Conversation(port);
    client.send(`${head(4)}ab`);
    await moment();
    client.socket.destroy();
    const [reason, ...others] = await failed.opened;
    expect(reason).toBeInstanceOf(ClientDisconnectedError);
    expect(others).toEqual([reason, reason]);
    expect(log).toEqual([]);
  });

  it('that somebody else brings to an early end rejects', async () => {
    const failed = gate<unknown>();
    const { port } = await start(async (environ, startResponse) => {
      const read = environ['wsgi.input'].bytes();
      setTimeout(() => (environ['node.request'] as IncomingMessage).push(null), 20);
      failed.open(await read.catch((error) => error));
      startResponse('200 OK', []);
      return [];
    });
    const client = new Conversation(port);
    client.send(`${head(4)}ab`);
    expect(String(await failed.opened)).toMatch(/ended after 2 of the 4 bytes/);
    client.socket.destroy();
  });

  it('is read from a request that others have paused', async () => {
    const listener = toNode(echo);
    const server = http.createServer((request, response) => {
      request.pause();
      setImmediate(() => listener(request, response));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    running.push(() => server.close().closeAllConnections());
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'abc' });
    expect(await response.text()).toBe('<abc>');
  });
});

describe('a request body after the response (INPUT-12)', () => {
  const chunked = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst \r\n';
  const declared = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nfirst ';
  const FRAMINGS = [
    ['chunked', chunked, '4\r\nlast\r\n0\r\n\r\n'],
    ['with a length', declared, 'last'],
  ] as const;

  it.each(FRAMINGS)(
    'is whole for who reads when the response ends, or begins to while it is being sent, %s',
    async (_n, begin, end) => {
      const READS: Record<string, (environ: Environ) => Promise<string>> = {
        '/now': (environ) => environ['wsgi.input'].text(),
        '/soon': async (environ) => {
          await null;
          return environ['wsgi.input'].text();
        },
        '/stream': async (environ) => {
          let text = '';
          for await (const chunk of environ['wsgi.input'].stream()) text += Buffer.from(chunk).toString();
          return text;
        },
      };
      for (const path of Object.keys(READS)) {
        const read = gate<string>();
        const { port } = await start((environ, startResponse) => {
          const work = READS[environ.PATH_INFO]?.(environ).then(read.open, (error) => read.open(String(error)));
          environ['waygate.wait_until'](work as Promise<void>);
          startResponse('200 OK', []);
          return [encode('answer')];
        });
        const client = new Conversation(port);
        client.send(begin.replace('POST /', `POST ${path}`));
        await client.until('answer');
        await moment();
        client.send(end);
        expect(await read.opened).toBe('first last');
        client.socket.destroy();
      }
    },
  );

  it.each(FRAMINGS)('is never cut short in silence for who reads on later, %s', async (_name, begin, end) => {
    for (const size of [0, 3]) {
      const go = gate();
      const read = gate<string>();
      const { port } = await start(async (environ, startResponse) => {
        const input = environ['wsgi.input'];
        await input.read(size);
        const work = go.opened.then(() => input.text());
        work.then(read.open, (error) => read.open(String(error)));
        startResponse('200 OK', []);
        return [encode('answer')];
      });
      const client = new Conversation(port);
      client.send(begin);
      await client.until('answer');
      client.send(end);
      await moment();
      go.open();
      expect(await read.opened).toMatch(/^Error: .* dropped when the response was over/);
      client.received = '';
      client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await client.until('answer');
      client.socket.destroy();
    }
  });

  it('gives way to the next request when its reader asks for no more', { timeout: 10_000 }, async () => {
    const results: string[] = [];
    const { port } = await start((environ, startResponse) => {
      const input = environ['wsgi.input'];
      const read = input.read(4).then(() => {});
      environ['waygate.wait_until'](read);
      startResponse('200 OK', []);
      results.push(environ.PATH_INFO);
      return [encode(`<${environ.PATH_INFO}>`)];
    });
    const client = new Conversation(port);
    client.send('POST /first HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n');
    await client.until('</first>');
    client.send('x'.repeat(600_000));
    client.send('GET /second HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until('</second>');
    expect(results).toEqual(['/first', '/second']);
    client.socket.destroy();
  });
});

describe('a connection that is used again', () => {
  it('carries on after bodies that were not read, or not to their end, and keeps requests apart', async () => {
    const seen: string[] = [];
    const { port } = await start(async (environ, startResponse) => {
      const { PATH_INFO, 'wsgi.input': input } = environ;
      seen.push(PATH_INFO);
      if (PATH_INFO === '/part') seen.push(String((await input.read(100_000)).byteLength));
      if (PATH_INFO === '/read') seen.push(await input.text());
      startResponse('200 OK', []);
      return [encode(`<${PATH_INFO}>`)];
    });
    const client = new Conversation(port);
    for (const path of ['/unread', '/part', '/unread', '/part']) {
      client.received = '';
      // A body that would be ten thousand requests if anything of it were taken for one.
      client.send(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n`);
      client.send('GET /evil HTTP/1.1\r\n'.repeat(10_000));
      await client.until(`<${path}>`);
      client.send('POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc');
      await client.until('</read>');
    }
    const part = ['/part', '100000', '/read', 'abc'];
    expect(seen).toEqual(['/unread', '/read', 'abc', ...part, '/unread', '/read', 'abc', ...part]);
    client.socket.destroy();
  });

  it('answers pipelined requests in their order, the slow one first', async () => {
    const { port } = await start(async function* (environ, startResponse) {
      if (environ.PATH_INFO === '/slow') await moment();
      startResponse('200 OK', []);
      yield encode(`<${environ.PATH_INFO}>`);
    });
    const client = new Conversation(port);
    client.send(['/slow', '/fast', '/slow', '/fast'].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''));
    await expect.poll(() => client.received.match(/<[^>]*>/g)).toEqual(['</slow>', '</fast>', '</slow>', '</fast>']);
    client.socket.destroy();
  });

  it.each<[string, Application]>([
    [
      'an array',
      (_environ, startResponse) => {
        startResponse('403 Forbidden', []);
        return [new Uint8Array(1_000_000)];
      },
    ],
    [
      'a generator that begins later',
      async function* (_environ, startResponse) {
        await moment();
        startResponse('403 Forbidden', [['Content-Length', '1000000']]);
        for (let count = 0; count < 10; count++) yield new Uint8Array(100_000);
      },
    ],
    [
      'behind a connect function',
      fromConnect((_request: unknown, _response: unknown, next: () => void) => next())((_environ, startResponse) => {
        startResponse('403 Forbidden', []);
        return [new Uint8Array(1_000_000)];
      }),
    ],
  ])(
    'closes in stages: a client that still sends gets all of its last response, %s (RFC 9112 §9.6)',
    async (_what, app) => {
      for (const secure of [undefined, certificate(scratch)]) {
        const { port } = await start(app, secure && { tls: secure });
        const { request } = secure === undefined ? http : https;
        for (const length of [{ 'content-length': 4_000_000 }, {}]) {
          const size = await new Promise<number>((resolve, reject) => {
            const headers = { connection: 'close', ...length };
            const target = {
              port,
              host: '127.0.0.1',
              method: 'POST',
              agent: false,
              headers,
              rejectUnauthorized: false,
            };
            const sent = request(target as https.RequestOptions, (response) => {
              let received = 0;
              response.on('data', (chunk: Buffer) => {
                received += chunk.byteLength;
              });
              response.on('error', reject);
              response.on('end', () => resolve(received));
            });
            sent.on('error', reject);
            sent.end(Buffer.alloc(4_000_000));
          });
          expect(size).toBe(1_000_000);
        }
      }
    },
  );

  it('ends at once where its last response fails while the client still sends', { timeout: 3000 }, async () => {
    const over = gate();
    const { port } = await start((_environ, startResponse) => {
      startResponse('200 OK', []);
      const body = (async function* () {
        yield encode('begun');
        throw new Error('no');
      })();
      return Object.assign(body, { close: over.open });
    });
    const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
    client.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9000000\r\n\r\n');
    client.write('x'.repeat(1_000_000));
    await over.opened;
    client.destroy();
  });

  it('is cut in the end where a client asked for its end and never stops to send', { timeout: 10_000 }, async () => {
    const { port } = await start((_environ, startResponse) => {
      startResponse('200 OK', []);
      return [encode('done')];
    });
    const client = new Conversation(port);
    client.send('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9000000000\r\n\r\n');
    await client.until('done');
    const sending = setInterval(() => client.socket.writable && client.send('x'.repeat(1000)), 100);
    await expect.poll(() => client.closed, { timeout: 9000 }).toBe(true);
    clearInterval(sending);
  });

  it('is closed where the client asks for that, and stays open where an HTTP/1.0 client asks for that', async () => {
    const { port } = await start((_environ, startResponse) => {
      startResponse('200 OK', []);
      return [encode('done')];
    });
    const once = new Conversation(port);
    once.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await once.end();
    expect(once.received).toMatch(/done$/);
    const old = new Conversation(port);
    old.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    await old.until('done');
    old.send('GET / HTTP/1.0\r\n\r\n');
    await old.end();
    expect(old.received.match(/done/g)).toHaveLength(2);
  });
});

describe('HTTP/1.0', () => {
  it('gets a body without framing that ends with the connection', async () => {
    const { port } = await start(function* (_environ, startResponse) {
      startResponse('200 OK', []);
      yield encode('one,');
      yield encode('two');
    });
    const client = new Conversation(port);
    client.send('GET / HTTP/1.0\r\n\r\n');
    await client.end();
    expect(client.received).not.toMatch(/transfer-encoding|content-length/i);
    expect(client.received).toMatch(/\r\n\r\none,two$/);
    expect(client.error).toBe(null);
  });

  it('sees a body without framing that fails as a reset, since a plain close would be its end (ERR-04)', async () => {
    const { port } = await start(async function* (_environ, startResponse) {
      startResponse('200 OK', []);
      yield encode('one,');
      await moment();
      throw new Error('planned');
    });
    const client = new Conversation(port);
    client.send('GET / HTTP/1.0\r\n\r\n');
    await client.end();
    expect(client.error?.code).toBe('ECONNRESET');
  });
});

describe('backpressure', () => {
  it('of a slow reader reaches write()', async () => {
    let written = 0;
    const part = new Uint8Array(256 * 1024);
    const { port } = await start(async (environ, startResponse) => {
      const write = startResponse('200 OK', []);
      const signal = environ['waygate.signal'];
      while (!signal.aborted && written < 1000) {
        await write(part).catch(() => {});
        written += 1;
      }
      return [];
    });
    const client = new Conversation(port);
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await expect.poll(() => written).toBeGreaterThan(0);
    await moment();
    const before = written;
    await moment();
    expect(written).toBe(before);
    expect(written).toBeLessThan(100);
    client.socket.destroy();
  });

  it('of a slow application reaches the client that uploads', async () => {
    const go = gate();
    const { port } = await start(async (environ, startResponse) => {
      await environ['wsgi.input'].read(1);
      await go.opened;
      let total = 1;
      for (;;) {
        const chunk = await environ['wsgi.input'].read(64 * 1024);
        if (chunk.byteLength === 0) break;
        total += chunk.byteLength;
      }
      startResponse('200 OK', []);
      return [encode(`<${total}>`)];
    });
    const size = 32 * 1024 * 1024;
    const client = new Conversation(port);
    client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`);
    client.socket.write(new Uint8Array(size));
    await moment();
    // Far from all of it has left this process: the server's kernel and Node hold no more than their buffers.
    expect(client.socket.writableLength).toBeGreaterThan(size / 2);
    go.open();
    await client.until(`<${size}>`);
    client.socket.destroy();
  });
});
