// The recorder of `waygate serve --inspect`: it sees everything and changes nothing.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import type { Writable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { type Application, encode } from 'waygate';
import { awslambda } from 'waygate/aws-lambda';
import { type RunningServer, serve } from 'waygate/node';
import { runnable } from '../../cli/src/handler.ts';
import { NodeRecorder } from '../../cli/src/inspect/record-node.ts';
import { bytesOf, type Exchange, Store } from '../../cli/src/inspect/store.ts';
import type { PlatformOptions } from '../../cli/src/platform.ts';
import { parseResponse } from '../../testing/raw-response.ts';

const servers: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((each) => each.close()));
});

interface Recorded {
  url: string;
  port: number;
  store: Store;
  /** The only request that was recorded, once it is over. */
  only(): Promise<Exchange>;
}

async function record(
  exported: unknown,
  options: PlatformOptions & { kind?: 'lambda' | 'node'; source?: string } = { platform: 'node' },
  served: { http2?: boolean } = {},
): Promise<Recorded> {
  const store = new Store();
  const recorder = new NodeRecorder(store.report);
  const app = await runnable({ default: exported }, 'app.ts', options, recorder.errors, true, recorder.layers);
  const settings = { host: '127.0.0.1', port: 0, signals: false, shutdownTimeout: 500, log: () => {} };
  const server = await serve(app, { ...settings, ...served, errors: recorder.errors });
  servers.push(server);
  recorder.attach(server.server, options.platform === 'node' && options.kind !== 'lambda');
  const only = async (): Promise<Exchange> => {
    await expect.poll(() => store.all.at(-1)?.end).toBeDefined();
    expect(store.all).toHaveLength(1);
    return store.all[0] as Exchange;
  };
  return { url: server.url, port: server.port, store, only };
}

async function plain(app: Application): Promise<string> {
  const server = await serve(app, { host: '127.0.0.1', port: 0, signals: false, errors: () => {}, log: () => {} });
  servers.push(server);
  return server.url;
}

/** The whole response as it came, without the time. */
async function raw(url: string, request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'): Promise<string> {
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(request);
  let text = '';
  for await (const chunk of socket) text += chunk.toString('latin1');
  return text.replace(/^Date: .*\r\n/gm, '');
}

const steps = (exchange: Exchange): string[] => exchange.occurrences.map(({ type, text }) => `${type} ${text}`.trim());

/** Bodies of every kind, each of the same text. */
const BODIES: Record<string, Application> = {
  'an array': (_environ, startResponse) => {
    startResponse('200 OK', [['Content-Type', 'text/plain']]);
    return [encode('one '), encode('two')];
  },
  'a generator': (_environ, startResponse) => {
    startResponse('200 OK', [['Content-Type', 'text/plain']]);
    return (function* () {
      yield encode('one ');
      yield encode('two');
    })();
  },
  'an async generator': async (_environ, startResponse) => {
    return (async function* () {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      yield encode('one ');
      yield encode('two');
    })();
  },
  'a ReadableStream': (_environ, startResponse) => {
    startResponse('200 OK', [['Content-Type', 'text/plain']]);
    return new Blob(['one two']).stream();
  },
  'a file': (environ, startResponse) => {
    startResponse('200 OK', [['Content-Type', 'text/plain']]);
    const blocks = [encode('one '), encode('two')];
    const file = { read: () => blocks.shift() ?? new Uint8Array(0), remaining: () => 7, close: () => {} };
    return environ['wsgi.file_wrapper']?.(file) ?? [];
  },
  write: async (_environ, startResponse) => {
    const write = startResponse('200 OK', [['Content-Type', 'text/plain']]);
    await write(encode('one '));
    return [encode('two')];
  },
};

describe('the recorder', () => {
  it.each(Object.keys(BODIES))('lets %s through as it is, and reports its chunks', async (name) => {
    const app = BODIES[name] as Application;
    const { url, only } = await record(app);
    const response = await raw(url);
    // Node 26 frames chunks of one moment together, where it writes them itself.
    const request = 'GET / HTTP/1.1\r\n';
    expect(parseResponse(response, request)).toEqual(parseResponse(await raw(await plain(app)), request));
    const exchange = await only();
    expect(bytesOf(exchange.body).toString()).toBe('one two');
    expect(exchange.chunks.map((chunk) => chunk.by)[0]).toBe(name === 'write' ? 'write' : 'body');
    expect(steps(exchange)).toContain('start 200 OK');
    expect(
      bytesOf(exchange.sent)
        .toString('latin1')
        .replace(/^Date: .*\r\n/gm, ''),
    ).toBe(response);
    expect(exchange.end).toMatchObject({ status: 200, size: 7, complete: true });
  });

  it('gives the app every way to read its input, and counts what it reads', async () => {
    const app: Application = async (environ, startResponse) => {
      const input = environ['wsgi.input'];
      const parts: unknown[] = [];
      const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
      if (environ.PATH_INFO === '/lines') {
        parts.push(text(await input.readline()), text(await input.read(2)), (await input.readlines()).map(text));
      }
      if (environ.PATH_INFO === '/iterate') for await (const line of input) parts.push(text(line));
      if (environ.PATH_INFO === '/bytes') parts.push(text(await input.bytes()));
      if (environ.PATH_INFO === '/text') parts.push(await input.text());
      if (environ.PATH_INFO === '/json') parts.push(await input.json());
      if (environ.PATH_INFO === '/stream') parts.push(await new Response(input.stream()).text());
      startResponse('200 OK', [['Content-Type', 'application/json']]);
      return [encode(JSON.stringify(parts))];
    };
    const expected: Record<string, [string, unknown[]]> = {
      '/lines': ['a\nbcd\ne', ['a\n', 'bc', ['d\n', 'e']]],
      '/iterate': ['a\nb', ['a\n', 'b']],
      '/bytes': ['é', ['é']],
      '/text': ['é', ['é']],
      '/json': ['{"a":1}', [{ a: 1 }]],
      '/stream': ['long', ['long']],
    };
    const { url, store } = await record(app);
    for (const [path, [body, parts]] of Object.entries(expected)) {
      expect(await (await fetch(url + path, { method: 'POST', body })).json(), path).toEqual(parts);
      expect(store.all.at(-1)).toMatchObject({ target: path, read: Buffer.byteLength(body) });
      expect(bytesOf(store.all.at(-1)?.received ?? { data: [], size: 0, kept: 0 }).toString()).toBe(body);
    }
  });

  it('keeps requests apart that come at once, their logs and their bytes too', async () => {
    const app: Application = async (environ, startResponse) => {
      const name = environ.PATH_INFO.slice(1);
      await new Promise((resolve) => setTimeout(resolve, 30 - Number(name) * 5));
      environ['wsgi.errors'].write(`log ${name}\n`);
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      if (name === '3') throw new Error('planted 3');
      return [encode(`body ${name}`)];
    };
    const { url, store } = await record(app);
    const requests = [1, 2, 3, 4].map(
      (n) => `GET /${n} HTTP/1.1\r\nHost: a\r\n${n === 4 ? 'Connection: close\r\n' : ''}\r\n`,
    );
    const whole = await raw(url, requests.join(''));
    await expect.poll(() => store.all.filter((each) => each.end).length).toBe(4);
    const sent = store.all.map((each) => bytesOf(each.sent).toString('latin1'));
    expect(sent.join('').replace(/^Date: .*\r\n/gm, '')).toBe(whole);
    for (const [at, exchange] of store.all.entries()) {
      const name = String(at + 1);
      expect(exchange.target).toBe(`/${name}`);
      const texts = exchange.occurrences.filter((each) => each.type === 'errors').map((each) => each.text);
      expect(texts[0]).toBe(`log ${name}`);
      expect(texts.slice(1).join()).toMatch(name === '3' ? /^Error: planted 3/ : /^$/);
      expect(sent[at]).toMatch(name === '3' ? /^HTTP\/1\.1 500 / : new RegExp(`body ${name}$`));
    }
    expect(steps(store.all[2] as Exchange)).toContain('failed Error: planted 3');
  });

  it('sees that a client has left', async () => {
    const app: Application = (_environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return (async function* () {
        for (;;) {
          yield encode('x');
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      })();
    };
    const { url, only } = await record(app);
    const request = http.get(url, (response) => response.once('data', () => request.destroy()));
    request.on('error', () => {});
    const exchange = await only();
    expect(exchange.end).toMatchObject({ complete: false });
    await expect.poll(() => steps(exchange)).toContain('closed');
  });

  it('reports work after the response, and how it went', async () => {
    const app: Application = (environ, startResponse) => {
      environ['waygate.wait_until'](new Promise((resolve) => setTimeout(resolve, 20)));
      environ['waygate.wait_until'](Promise.reject(new Error('planted')));
      startResponse('200 OK', []);
      return [];
    };
    const { url, only } = await record(app);
    await fetch(url);
    const exchange = await only();
    await expect
      .poll(() => steps(exchange))
      .toEqual(
        expect.arrayContaining([
          'wait work 1',
          'wait work 2',
          'waited work 2 failed: Error: planted',
          'waited work 1 done',
        ]),
      );
  });

  it('has the findings of the validator at their request', async () => {
    const app: Application = (environ, startResponse) => {
      startResponse(environ.PATH_INFO === '/bad' ? '200' : '200 OK', [['Content-Type', 'text/plain']]);
      return [encode('x')];
    };
    const { url, store } = await record(app, { platform: 'node', validate: true });
    await fetch(`${url}/bad`);
    await fetch(`${url}/good`);
    await expect.poll(() => store.all.filter((each) => each.end).length).toBe(2);
    expect(store.all.map((each) => each.findings.map(({ rule }) => rule))).toEqual([['SR-02'], []]);
  });

  it('shows an environ without making what nobody has asked for', async () => {
    const { url, only } = await record(BODIES['an array']);
    await fetch(`${url}/a?b`, { headers: { 'X-A': '1' } });
    const environ = new Map((await only()).environ);
    expect(environ.get('PATH_INFO')).toBe('/a');
    expect(environ.get('HTTP_X_A')).toBe('1');
    expect(environ.get('wsgi.version')).toBe('((1), (0))');
    expect(environ.get('waygate.signal')).toBe('(made when it is first used)');
  });
});

const ECHO: Application = async (environ, startResponse) => {
  const body = await environ['wsgi.input'].bytes();
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [body];
};

describe('on a platform', () => {
  const LAMBDA: [PlatformOptions, string, string][] = [
    [{ platform: 'lambda:http-api' }, 'rawPath', 'result'],
    [{ platform: 'lambda:rest-api' }, 'resource', 'result'],
    [{ platform: 'lambda:function-url', stream: true }, 'rawPath', 'stream'],
    [{ platform: 'lambda:edge' }, 'Records', 'result'],
  ];
  it.each(LAMBDA)('%j, event and result are recorded', async (options, key, what) => {
    const { url, only } = await record(ECHO, options);
    expect(await (await fetch(`${url}/a`, { method: 'POST', body: 'text' })).text()).toBe('text');
    const { event, result, environ, streamed } = await only();
    expect(event?.value).toHaveProperty(key);
    expect(result?.what).toBe(what);
    expect(new Map(environ).get('waygate.gateway')).toBe('aws-lambda');
    if (what === 'stream') expect(bytesOf(streamed).toString()).toMatch(/^\{"statusCode":200[\s\S]*\0{8}text$/);
    else expect(JSON.stringify(result?.value)).toMatch(/text/);
  });

  it('fetch, Request and Response are recorded', async () => {
    const { url, only } = await record(ECHO, { platform: 'fetch' });
    await (await fetch(`${url}/a`, { method: 'POST', body: 'text' })).text();
    const { event, result } = await only();
    expect(event).toMatchObject({ what: 'Request', value: { method: 'POST', url: `${url}/a` } });
    expect(result).toMatchObject({ what: 'Response', value: { status: 200 } });
  });

  const HANDLERS: Record<string, unknown> = {
    'returns a promise': async () => ({ statusCode: 201, body: 'made' }),
    'calls back': (_event: unknown, _context: unknown, callback: (error: null, result: unknown) => void) =>
      void setTimeout(() => callback(null, { statusCode: 201, body: 'made' }), 5),
    streams: awslambda.streamifyResponse(async (_event: unknown, stream: Writable) => {
      const out = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
      out.write('made');
      out.end();
    }),
  };
  it.each(Object.keys(HANDLERS))('a Lambda handler that %s is recorded', async (name) => {
    const { url, only } = await record(HANDLERS[name], {
      platform: 'node',
      kind: 'lambda',
      source: 'lambda:function-url',
    });
    const response = await fetch(`${url}/a`);
    expect([response.status, await response.text()]).toEqual([201, 'made']);
    const { event, result, streamed, environ } = await only();
    expect(event?.value).toHaveProperty('rawPath', '/a');
    if (name === 'streams') expect(bytesOf(streamed).toString()).toMatch(/"statusCode":201[\s\S]*made$/);
    else expect(result?.value).toEqual({ statusCode: 201, body: 'made' });
    expect(environ).toBeUndefined();
  });

  it('HTTP/2 is shown as fields and content', async () => {
    const { url, only } = await record(ECHO, { platform: 'node' }, { http2: true });
    const session = http2.connect(url);
    const stream = session.request({ ':method': 'POST', ':path': '/a' });
    stream.end('text');
    let text = '';
    for await (const chunk of stream) text += chunk;
    session.close();
    expect(text).toBe('text');
    const { head, sent, received, version } = await only();
    expect(version).toBe('2.0');
    expect(head).toMatchObject({ status: 200, headers: expect.arrayContaining([['content-type', 'text/plain']]) });
    expect([bytesOf(sent).toString(), bytesOf(received).toString()]).toEqual(['text', 'text']);
  });
});

describe('without --inspect', () => {
  const source = (path: string): string => readFileSync(new URL(`../../cli/src/${path}`, import.meta.url), 'utf8');

  it('nothing of the recorder is loaded: what serves names it in types and in import() only', () => {
    for (const path of ['serve.ts', 'server.ts', 'supervisor.ts', 'worker.ts', 'handler.ts', 'platform.ts']) {
      const imports = [...source(path).matchAll(/^import (?!type )[^;]*from '(\.\/(?:inspect|everywhere)\/[^']*)'/gm)];
      expect(
        imports.map(([, module]) => module),
        path,
      ).toEqual([]);
    }
  });
});
