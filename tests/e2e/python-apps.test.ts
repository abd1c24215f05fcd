// Each Python program of examples/python twice: in Pyodide through Waygate's adapters, and in CPython under
// wsgiref.simple_server and gunicorn. Status, headers and body are the same byte for byte, but for what a server adds.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { request as httpRequest } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Application } from 'waygate';
import { fromLambda, type SourceName, toLambda } from 'waygate/aws-lambda';
import { toFetch } from 'waygate/fetch';
import { type RunningServer, serve } from 'waygate/node';
import { addFolder, importFrom } from '../../examples/python/python.ts';
import { fromWsgi } from '../../examples/python/wsgi.ts';

/** Debian's Python; another one in the path has no gunicorn and no Flask. */
const PYTHON = '/usr/bin/python3';
const DEBIAN = '/usr/lib/python3/dist-packages';
const PROGRAMS = fileURLToPath(new URL('../../examples/python/programs', import.meta.url));
const RUNNER = fileURLToPath(new URL('python/serve_reference.py', import.meta.url));

interface Sent {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: Uint8Array;
}

interface Seen {
  status: number;
  headers: string[];
  body: string;
}

const text = (body: string): Uint8Array => new TextEncoder().encode(body);
const post = (path: string, type: string, body: Uint8Array): Sent => ({
  method: 'POST',
  path,
  headers: { 'content-type': type, 'content-length': String(body.byteLength) },
  body,
});
const form = (path: string, body: string): Sent => post(path, 'application/x-www-form-urlencoded', text(body));

const bytes = Uint8Array.from({ length: 3000 }, (_, at) => (at * 7) % 256);
const upload = Buffer.concat([
  text('--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'),
  bytes,
  text('\r\n--x--\r\n'),
]);

/** What is asked of which program. */
const PROGRAM_REQUESTS: Record<string, Sent[]> = {
  'simple_app:simple_app': [{ path: '/' }, form('/', 'a=1')],
  'simple_app:application': [
    { path: '/Ada' },
    { path: '/Zo%C3%AB' },
    { path: '/a%2Fb%20c' },
    { path: '/x', method: 'DELETE' },
  ],
  'simple_app:AppClass': [{ path: '/' }],
  'corners:echo': [
    post('/', 'application/octet-stream', bytes),
    ...['pieces', 'lines', 'readline', 'readlines'].map((way) => form(`/?way=${way}`, 'ab\ncd\n\nef')),
    { path: '/', method: 'POST', headers: { 'content-length': '0' } },
  ],
  'corners:write': [{ path: '/' }],
  'corners:replaced': [{ path: '/' }],
  'corners:cookies': [{ path: '/' }],
  'corners:no_content': [{ path: '/' }],
  'corners:counted': [{ path: '/' }],
  'corners:file': [{ path: '/' }],
  'site_app:app': [
    { path: '/' },
    { path: '/nowhere' },
    form('/greet', 'name=Zo%C3%AB'),
    form('/greet', ''),
    { path: '/count/20' },
    { path: '/greet' },
    post('/upload', 'multipart/form-data; boundary=x', upload),
    { path: '/fail' },
  ],
};

/**
 * Headers that are a server's own. Of the length: wsgiref adds it to a body of one chunk, gunicorn to none, Waygate to every
 * list, and AWS to each response, where it renames one of the application's. All others are the application's.
 */
const SERVERS_OWN = [
  'date',
  'server',
  'connection',
  'transfer-encoding',
  'content-length',
  'keep-alive',
  'x-amzn-remapped-content-length',
];

function shown(pairs: Iterable<[string, string]>, status: number, body: Uint8Array): Seen {
  const headers = [...pairs]
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !SERVERS_OWN.includes(name))
    // A signed cookie holds the time; Flask lists methods in the order of a set.
    .map(([name, value]) => `${name}: ${value.replace(/(session=)[^;]+/, '$1…')}`)
    .map((line) => (line.startsWith('allow: ') ? line.slice(7).split(', ').sort().join() : line));
  // A Headers object lists names in the order of the alphabet.
  return { status, headers: headers.sort(), body: Buffer.from(body).toString('latin1') };
}

/** Over a socket, so that nothing but the bytes counts. */
function overHttp(port: number, { method = 'GET', path, headers, body }: Sent): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const client = httpRequest({ port, host: '127.0.0.1', method, path, headers: { host: 'h.test', ...headers } });
    client.once('error', reject);
    client.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const { rawHeaders } = response;
        const pairs = rawHeaders.flatMap((name, at): [string, string][] =>
          at % 2 === 0 ? [[name, rawHeaders[at + 1] as string]] : [],
        );
        resolve(shown(pairs, response.statusCode as number, Buffer.concat(chunks)));
      });
    });
    client.end(body);
  });
}

async function throughFetch(handler: ReturnType<typeof toFetch>, sent: Sent): Promise<Seen> {
  const { method, headers, body } = sent;
  const response = await handler(`http://h.test${sent.path}`, {
    method,
    headers,
    body: body as BodyInit,
    redirect: 'manual',
  });
  return shown(response.headers, response.status, new Uint8Array(await response.arrayBuffer()));
}

const LAMBDA: SourceName[] = ['http-api', 'rest-api', 'alb'];
/**
 * What AWS itself changes, see docs/platforms.md: a header of bytes that are not UTF-8, and a Content-Type that an HTTP API
 * or a REST API adds where the application has none.
 */
const LOST_ON_LAMBDA = ['corners:cookies', 'corners:no_content'];

/** gunicorn 20.1 keeps the headers of the head that an error handler has replaced. */
const FAULTS_OF: Record<string, string[]> = { gunicorn: ['corners:replaced'] };

const has = (module: string): boolean => spawnSync(PYTHON, ['-c', `import ${module}`]).status === 0;
const hasFlask = has('flask');
const hasGunicorn = has('gunicorn');
if (!hasFlask || !hasGunicorn)
  console.warn(`skipped in part: ${PYTHON} lacks flask or gunicorn; apt-get install python3-flask gunicorn`);

addFolder(PROGRAMS);
if (hasFlask) addFolder(DEBIAN);

/** Starts a server that prints where it listens. */
function listening(args: string[]): { child: ChildProcess; port: Promise<number> } {
  const child = spawn(PYTHON, ['-B', ...args], { env: {}, stdio: ['ignore', 'ignore', 'pipe'] });
  const port = new Promise<number>((resolve, reject) => {
    let log = '';
    child.stderr?.on('data', (chunk) => {
      log += chunk;
      const found = /Listening at: http:\/\/127\.0\.0\.1:([0-9]+)/.exec(log)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
    child.once('exit', () => reject(new Error(log)));
  });
  return { child, port };
}

const there = Object.entries(PROGRAM_REQUESTS).filter(([name]) => hasFlask || !name.startsWith('site_app'));

describe.skipIf(!has('wsgiref')).each(there)('%s', (name, requests) => {
  const ours: Application = fromWsgi(importFrom(name));
  const children: ChildProcess[] = [];
  const references: [server: string, port: number][] = [];
  let server: RunningServer;

  beforeAll(async () => {
    server = await serve(ours, { port: 0, host: '127.0.0.1', signals: false, errors: () => {} });
    const started: [server: string, args: string[]][] = [['wsgiref', [RUNNER, name, PROGRAMS]]];
    const gunicorn = ['-m', 'gunicorn', '--bind', '127.0.0.1:0', '--chdir', PROGRAMS, name];
    if (hasGunicorn) started.push(['gunicorn', gunicorn]);
    for (const [which, args] of started) {
      const { child, port } = listening(args);
      children.push(child);
      references.push([which, await port]);
    }
  });
  afterAll(async () => {
    for (const child of children) child.kill();
    await server.close();
  });

  test.each(requests.map((sent) => [`${sent.method ?? 'GET'} ${sent.path}`, sent] as const))(
    '%s',
    async (_name, sent) => {
      const answers: [way: string, seen: Seen][] = [['node', await overHttp(server.port, sent)]];
      const quiet = { errors: () => {} };
      answers.push(['fetch', await throughFetch(toFetch(ours, quiet), sent)]);
      for (const source of LOST_ON_LAMBDA.includes(name) ? [] : LAMBDA) {
        answers.push([source, await throughFetch(toFetch(fromLambda(toLambda(ours, quiet), { source }), quiet), sent)]);
      }
      for (const [which, port] of references) {
        if (FAULTS_OF[which]?.includes(name)) continue;
        const expected = await overHttp(port, sent);
        for (const [way, seen] of answers) expect({ which, way, ...seen }).toEqual({ which, way, ...expected });
      }
    },
  );
});
