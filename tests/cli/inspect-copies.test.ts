// Copies of requests, held against what they are copies of; and who may ask for them.

import { execFile } from 'node:child_process';
import http from 'node:http';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { encode } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { serve } from 'waygate/node';
import { inspectorApi } from '../../cli/src/inspect/api.ts';
import { copyOf } from '../../cli/src/inspect/copies.ts';
import { Docs } from '../../cli/src/inspect/docs.ts';
import { ownOriginOnly } from '../../cli/src/inspect/guard.ts';
import type { HeaderLines } from '../../cli/src/inspect/messages.ts';
import { type Exchange, Store } from '../../cli/src/inspect/store.ts';
import type { InspectedApp } from '../../cli/src/inspect/target.ts';

const run = promisify(execFile);

interface Sent {
  method: string;
  target: string;
  headers: HeaderLines;
  body: string;
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A server that keeps what it was sent. */
async function receiver(): Promise<{ origin: string; last: () => Sent | undefined }> {
  let last: Sent | undefined;
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const raw = request.rawHeaders;
    const headers = raw.flatMap((name, at): HeaderLines => (at % 2 ? [] : [[name, raw[at + 1] as string]]));
    const { method = '', url: target = '' } = request;
    last = { method, target, headers, body: Buffer.concat(chunks).toString('latin1') };
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  const { port } = server.address() as { port: number };
  return { origin: `http://127.0.0.1:${port}`, last: () => last };
}

function recorded({ method, target, headers, body }: Sent): Exchange {
  const store = new Store();
  store.report({ id: 'r', at: 1, type: 'request', method, target, version: '1.1', headers });
  const data = Buffer.from(body, 'latin1');
  if (body !== '') store.report({ id: 'r', at: 1, type: 'received', data, size: data.byteLength });
  return store.all[0] as Exchange;
}

const app = (origin: string): InspectedApp => ({ name: 'app.ts', run: { platform: 'node' }, origin, http2Only: false });

const hasCurl = await run('curl', ['--version']).then(
  () => true,
  () => false,
);

describe.skipIf(!hasCurl)(`a copy as curl${hasCurl ? '' : ', which is not installed here'}`, () => {
  const CASES: Record<string, Partial<Sent>> = {
    'a plain request': { headers: [['X-A', '1']] },
    'a target with dots, brackets and quotes': { target: "/a/../b[1]{2}?q='$x`&%27" },
    'headers with repeats, quotes, bytes and no value': {
      headers: [
        ['X-A', 'it\'s $HOME `x` \\ "y"'],
        ['X-A', '2'],
        ['X-Empty', ''],
        ['X-Bytes', '\xc3\xa9'],
      ],
    },
    HEAD: { method: 'HEAD' },
    'a method of its own': { method: 'PROPFIND' },
    'a body of text': { method: 'POST', headers: [['Content-Type', 'text/plain']], body: "@a=1&b='x'\nline" },
    'a body without a type': { method: 'PUT', body: 'x' },
    'a body of bytes': { method: 'POST', headers: [['Content-Type', 'a/b']], body: '\0\xff\r\n\x80' },
  };
  it.each(Object.keys(CASES))('sends %s as it came', async (name) => {
    const { origin, last } = await receiver();
    const sent = { method: 'GET', target: '/', headers: [], body: '', ...CASES[name] };
    const command = await copyOf('curl', recorded(sent), app(origin));
    await run('sh', ['-c', `${command.trimEnd()} --silent`]);
    const got = last();
    const own = /^(?:host|content-length)$/i;
    expect({ ...got, headers: got?.headers.filter(([each]) => !own.test(each)) }).toEqual(sent);
  });
});

describe('a copy', () => {
  it('is not made of a request whose body is not whole', async () => {
    const exchange = recorded({ method: 'POST', target: '/', headers: [], body: 'abc' });
    exchange.received.size = 5000;
    for (const form of ['curl', 'event', 'invoke', 'test'] as const) {
      await expect(copyOf(form, exchange, app('http://127.0.0.1:1'))).rejects.toThrow(
        "Of this request's body 3 B of 4.9 KiB are kept: it cannot be repeated.",
      );
    }
  });

  it('as a test says what is missing for one', async () => {
    const exchange = recorded({ method: 'GET', target: '/', headers: [], body: '' });
    await expect(copyOf('test', exchange, app(''))).rejects.toThrow('There is no complete response to test for.');
    exchange.head = { status: 200, headers: [] };
    exchange.end = { at: 2, status: 200, size: 0, complete: true };
    await expect(copyOf('test', exchange, app(''))).rejects.toThrow('app.ts exports no app that a test could import');
  });

  const FACTS: [Partial<InspectedApp>, string][] = [
    [{ facts: { kind: 'app', exportName: 'default', expression: 'app' } }, 'toFetch(app, {'],
    [{ facts: { kind: 'fetch', exportName: 'app', expression: 'app' } }, 'toFetch(fromFetch(app), {'],
    [
      {
        facts: { kind: 'node', exportName: 'default', expression: 'app.callback()' },
        run: { platform: 'lambda:alb', multiValueHeaders: true },
      },
      "toFetch(fromLambda(toLambda(fromNode(app.callback())), { source: 'alb', multiValueHeaders: true }), {",
    ],
    [
      {
        facts: { kind: 'lambda', exportName: 'handler', expression: 'app' },
        run: { platform: 'node', source: 'lambda:http-api', stage: 'live' },
      },
      "toFetch(fromLambda(app, { source: 'http-api', stage: 'live' }), {",
    ],
  ];
  it.each(FACTS)('as a test of %j goes through the same conversion', async (facts, call) => {
    const exchange = recorded({ method: 'GET', target: '/live/x', headers: [], body: '' });
    exchange.head = { status: 200, headers: [['x-a', "it's"]] };
    exchange.end = { at: 2, status: 200, size: 0, complete: true };
    const program = await copyOf('test', exchange, { ...app(''), ...facts });
    expect(program).toContain(call);
    expect(program).toContain(facts.run?.stage === undefined ? "fetch('/live/x')" : "fetch('/x')");
    expect(program).toContain(`expect(response.headers.get('x-a')).toBe("it's");`);
  });
});

describe('the inspector', () => {
  const store = new Store();
  const ending = new AbortController().signal;
  const inspector = inspectorApi({ store, docs: new Docs(), app: app('http://127.0.0.1:1'), ending, token: 'secret' });
  const ask = toFetch(ownOriginOnly(() => 8001)(inspector));
  const own = { Host: '127.0.0.1:8001', 'Content-Type': 'application/json' };

  it.each([
    [{ Host: '127.0.0.1:8001' }, 200],
    [{ Host: 'localhost:8001', Origin: 'http://localhost:8001' }, 200],
    [{ Host: '[::1]:8001', 'Sec-Fetch-Site': 'same-origin' }, 200],
    [{ Host: '127.0.0.1:8001', 'Sec-Fetch-Site': 'none' }, 200],
    [{ Host: 'evil.test:8001' }, 403],
    [{ Host: '127.0.0.1:8002' }, 403],
    [{ Host: '127.0.0.1' }, 403],
    [{ Host: '127.0.0.1:8001', Origin: 'http://evil.test' }, 403],
    [{ Host: '127.0.0.1:8001', Origin: 'null' }, 403],
    [{ Host: '127.0.0.1:8001', Origin: 'http://localhost:8001' }, 403],
    [{ Host: '127.0.0.1:8001', 'Sec-Fetch-Site': 'same-site' }, 403],
    [{ Host: '127.0.0.1:8001', 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' }, 200],
  ])('answers a request with %j with %i', async (headers, status) => {
    const response = await ask('/requests', { headers: headers as Record<string, string> });
    expect(response.status).toBe(status);
  });

  it('changes nothing for what a form could send', async () => {
    const text = await ask('/requests', { method: 'DELETE', headers: { ...own, 'Content-Type': 'text/plain' } });
    expect([text.status, await text.text()]).toEqual([
      403,
      'The type of this request is "text/plain"; expected application/json.\n',
    ]);
    expect((await ask('/requests', { method: 'DELETE', headers: own })).status).toBe(200);
  });

  it('takes reports from the Worker that knows its token only', async () => {
    const report = { id: 'w', at: 1, type: 'request', method: 'GET', target: '/w', version: '1.1', headers: [] };
    const send = (token: string): Promise<Response> =>
      ask('/reports', {
        method: 'POST',
        headers: { ...own, 'X-Waygate-Token': token },
        body: JSON.stringify([report]),
      });
    expect((await send('guess')).status).toBe(403);
    expect(store.get('w')).toBeUndefined();
    expect((await send('secret')).status).toBe(200);
    expect(store.get('w')?.target).toBe('/w');
  });

  it.each([
    [{ method: 'G T', target: '/', headers: [] }, /^The method is "G T"; expected one such as GET/],
    [{ method: 'GET', target: '/a b', headers: [] }, /^The target is "\/a b"; expected a path/],
    [{ method: 'GET', target: '/', headers: [['a b', 'c']] }, /^A header line is wrong; expected "Name: value"/],
    [{ method: 'GET', target: '/', headers: [['a', 'b\r\nc: d']] }, /^A header line is wrong/],
    [{ method: 'GET', target: '/', headers: [], text: 1 }, /^The body is not a text/],
  ])('refuses %j as a request to send', async (edited, message) => {
    store.report({ id: 'e', at: 1, type: 'request', method: 'GET', target: '/', version: '1.1', headers: [] });
    const response = await ask('/requests/e/replay', { method: 'POST', headers: own, body: JSON.stringify(edited) });
    expect(response.status).toBe(422);
    expect((await response.json()).error).toMatch(message);
  });

  it('says what it does not have', async () => {
    const errorOf = async (path: string): Promise<string> => (await (await ask(path, { headers: own })).json()).error;
    expect(await errorOf('/requests/none')).toBe('This request is no longer kept: the inspector has the last 200.');
    expect(await errorOf('/nothing')).toBe('The inspector has no GET /nothing.');
    expect(await errorOf('/requests/e/copy/xml')).toBe(
      'There is no copy as "xml"; expected one of curl, event, test, invoke.',
    );
  });

  it('sends a request again over HTTP/2 too', async () => {
    const { sendRequest } = await import('../../cli/src/everywhere/client.ts');
    const echo = async (environ: { PATH_INFO: string }, startResponse: (status: string, headers: []) => unknown) => {
      startResponse('200 OK', []);
      return [encode(environ.PATH_INFO)];
    };
    const server = await serve(echo as never, {
      host: '127.0.0.1',
      port: 0,
      http2: true,
      signals: false,
      log: () => {},
    });
    closing.push(() => server.close());
    const request = { method: 'POST', target: '/h2', headers: [['Host', 'h']] as HeaderLines, body: encode('x') };
    const response = await sendRequest(request, { origin: server.url, http2: true });
    expect([response.status, Buffer.from(response.body).toString(), response.complete]).toEqual([200, '/h2', true]);
  });
});
