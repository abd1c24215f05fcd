// What the presets make of what their platforms say. tests/e2e/presets-*.test.ts has them in the platforms' own tools.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type Application, type Environ, encode, type Geo } from 'waygate';
import { addGeo } from 'waygate/adapter';
import { toAzureFunctions } from 'waygate/azure-functions';
import { toBunny } from 'waygate/bunny';
import { toPagesFunction } from 'waygate/cloudflare-workers';
import { toDeno } from 'waygate/deno-deploy';
import { type FastlyEvent, toFastly } from 'waygate/fastly';
import { fromFetch } from 'waygate/fetch';
import { toGoogleCloud } from 'waygate/google-cloud';
import { assets, requestId, staticFiles } from 'waygate/middleware';
import { type NetlifyContext, toNetlify } from 'waygate/netlify';
import { testEnviron } from 'waygate/testing';
import { toVercel } from 'waygate/vercel';
import { lastPeer } from '../../../core/forwarded-for.ts';

/** Keeps the environ of each request. */
function keeping(seen: Environ[]): Application {
  return (environ, startResponse) => {
    seen.push(environ);
    startResponse('200 OK', []);
    return [];
  };
}

const request = (headers?: HeadersInit) => new Request('https://site.example/a?b', { headers });
const nothing: Application = keeping([]);

describe('a handler that is called with what another platform sends names both', () => {
  const node = { httpVersion: '1.1', socket: {}, method: 'GET', url: '/', headers: {} };
  const EVENTS: [name: RegExp, event: unknown][] = [
    [/a request of node:http/, node],
    [/an HTTP event of AWS Lambda/, { version: '2.0', rawPath: '/', requestContext: { http: {} } }],
    [/an event of AWS Lambda with records/, { Records: [{ eventSource: 'aws:sqs' }] }],
    [/a CloudEvent \(Google Cloud\)/, { specversion: '1.0', type: 'a.b', id: '1' }],
    [/a timer of Azure Functions/, { schedule: { adjustForDST: true }, isPastDue: false }],
    [/a cron event of Cloudflare Workers/, { cron: '* * * * *', scheduledTime: 0 }],
    [/the context of a Cloudflare Pages Function/, { functionPath: '/', request: {} }],
    [/an Object with the keys "order", "total"/, { order: 1, total: 2 }],
    [/undefined/, undefined],
    [/the string "a queue item"/, 'a queue item'],
  ];
  const HANDLERS: [name: string, expected: RegExp, call: (event: unknown) => unknown][] = [
    ['toVercel', /a Request, as Vercel calls it/, (event) => toVercel(nothing).fetch(event as Request)],
    ['toNetlify', /a Request, as Netlify calls/, (event) => toNetlify(nothing)(event as Request, {})],
    ['toDeno', /`Deno\.serve\(toDeno\(app\)\)`/, (event) => toDeno(nothing)(event as Request)],
    ['toBunny', /`BunnySDK\.net\.http\.serve/, (event) => toBunny(nothing)(event as Request)],
    ['toFastly', /a FetchEvent, as Fastly Compute/, (event) => toFastly(nothing)(event as FastlyEvent)],
    ['toAzureFunctions', /an HttpRequest, as Azure/, (event) => toAzureFunctions(nothing)(event as never, {})],
    ['toPagesFunction', /the context of a Pages Function/, (event) => toPagesFunction(nothing)(event as never)],
    [
      'toGoogleCloud',
      /a request and a response, as an HTTP function/,
      (event) => toGoogleCloud(nothing)(event as IncomingMessage, undefined as unknown as ServerResponse),
    ],
  ];

  for (const [name, expected, call] of HANDLERS) {
    it(name, async () => {
      for (const [came, event] of EVENTS) {
        if (name === 'toPagesFunction' && (event as { functionPath?: string } | undefined)?.functionPath) continue;
        const message = await Promise.resolve()
          .then(() => call(event))
          .then(String, (error: Error) => error.message);
        expect(message).toMatch(new RegExp(`^The handler that ${name} made was called with `));
        expect(message).toMatch(came);
        expect(message).toMatch(expected);
      }
    });
  }
});

describe('toNetlify', () => {
  it('has the address, id, place and context of Netlify, and waits with its waitUntil', async () => {
    const seen: Environ[] = [];
    const work: Promise<unknown>[] = [];
    const context: NetlifyContext = {
      ip: '192.0.2.1',
      requestId: '01ARZ3',
      geo: {
        city: 'München',
        country: { code: 'DE', name: 'Germany' },
        subdivision: { code: 'BY', name: 'Bavaria' },
        latitude: 0,
        longitude: 11.5,
        timezone: 'Europe/Berlin',
      },
      waitUntil: (promise) => void work.push(promise),
    };
    await toNetlify(keeping(seen))(request(), context);
    const [environ] = seen as [Environ];
    expect(environ).toMatchObject({
      'waygate.gateway': 'netlify',
      REMOTE_ADDR: '192.0.2.1',
      'wsgi.multiprocess': true,
    });
    expect(environ['netlify.context']).toBe(context);
    expect(environ['waygate.request_id']).toBe('01ARZ3');
    expect(environ['waygate.geo']).toEqual({
      country: 'DE',
      region: 'BY',
      city: 'München',
      latitude: 0,
      longitude: 11.5,
      timezone: 'Europe/Berlin',
    });
    environ['waygate.wait_until'](Promise.resolve());
    expect(work).toHaveLength(1);
  });

  it('a hosted Hono-like app gets the context as its first argument’s member', async () => {
    const context: NetlifyContext = { ip: '192.0.2.1' };
    const app = fromFetch((_request: Request, env: unknown) =>
      Response.json(env === undefined ? null : Object.keys(env as object)),
    );
    expect(await (await toNetlify(app)(request(), context)).json()).toEqual(['context']);
  });
});

describe('toFastly', () => {
  /** Calls the listener with an event. */
  async function ask(app: Application, client: object): Promise<{ response: Response; work: unknown[] }> {
    const work: unknown[] = [];
    let answer: Response | Promise<Response> | undefined;
    toFastly(app)({
      request: request(),
      client,
      respondWith: (given) => {
        answer = given;
      },
      waitUntil: (promise) => void work.push(promise),
    });
    return { response: (await answer) as Response, work };
  }

  it('answers the event, with address, id, place and TLS of its client', async () => {
    const seen: Environ[] = [];
    const { response } = await ask(keeping(seen), {
      address: '2001:db8::1',
      requestId: 'abc',
      tlsProtocol: 'TLSv1.3',
      tlsCipherOpensslName: 'TLS_AES_128_GCM_SHA256',
      geo: { city: 'paris', country_code: 'FR', region: 'IDF', postal_code: '75001', latitude: 48.8, longitude: 2.3 },
    });
    expect(response.status).toBe(200);
    expect(seen[0]).toMatchObject({
      'waygate.gateway': 'fastly',
      'wsgi.run_once': true,
      REMOTE_ADDR: '2001:db8::1',
      SSL_PROTOCOL: 'TLSv1.3',
      SSL_CIPHER: 'TLS_AES_128_GCM_SHA256',
      'waygate.request_id': 'abc',
      'waygate.geo': {
        country: 'FR',
        region: 'IDF',
        city: 'paris',
        postalCode: '75001',
        latitude: 48.8,
        longitude: 2.3,
      },
    });
    expect(seen[0]?.['fastly.event']?.client?.address).toBe('2001:db8::1');
  });

  it('what Fastly does not know is absent', async () => {
    const seen: Environ[] = [];
    await ask(keeping(seen), { address: '', requestId: '', tlsProtocol: null, geo: null });
    for (const key of ['REMOTE_ADDR', 'waygate.request_id', 'SSL_PROTOCOL', 'waygate.geo']) {
      expect(seen[0]).not.toHaveProperty([key]);
    }
  });
});

describe('toVercel', () => {
  it('on Node a body that fails ends early, since an error would end the process', async () => {
    const app: Application = (_environ, startResponse) => {
      startResponse('200 OK', []);
      return (async function* () {
        yield encode('first');
        throw new Error('planned');
      })();
    };
    const log: string[] = [];
    const response = await toVercel(app, { errors: (line) => void log.push(line) }).fetch(request());
    expect(await response.text()).toBe('first');
    expect(log.join('')).toContain('planned');
  });

  it('the context of the request under way is found where the runtime keeps it', async () => {
    const key = Symbol.for('@vercel/request-context');
    const work: unknown[] = [];
    const context = { waitUntil: (promise: Promise<unknown>) => void work.push(promise) };
    Object.defineProperty(globalThis, key, { value: { get: () => context }, configurable: true });
    try {
      const seen: Environ[] = [];
      await toVercel(keeping(seen)).fetch(request());
      seen[0]?.['waygate.wait_until'](Promise.resolve());
      expect([seen[0]?.['vercel.context'], work.length]).toEqual([context, 1]);
    } finally {
      Reflect.deleteProperty(globalThis, key);
    }
  });
});

it('requestId takes the id of the platform', async () => {
  const seen: Environ[] = [];
  const response = await toBunny(requestId(keeping(seen)))(request({ 'CDN-RequestId': '9b2f61d0c4e84a1f' }));
  expect([response.headers.get('x-request-id'), seen[0]?.['waygate.request_id']]).toEqual([
    '9b2f61d0c4e84a1f',
    '9b2f61d0c4e84a1f',
  ]);
});

it.each<[source: object, geo: Geo | undefined]>([
  [{}, undefined],
  [{ country: '', city: null, latitude: 'unknown' }, undefined],
  [
    { latitude: '0', longitude: '-0.5', region: 11 },
    { latitude: 0, longitude: -0.5, region: '11' },
  ],
])('addGeo of %j is %j', (source, geo) => {
  const environ = testEnviron();
  addGeo(environ, source);
  expect(environ['waygate.geo']).toEqual(geo);
  expect('waygate.geo' in environ).toBe(geo !== undefined);
});

it.each([
  [undefined, undefined],
  ['', undefined],
  ['192.0.2.1', { address: '192.0.2.1' }],
  ['203.0.113.9,192.0.2.1 ', { address: '192.0.2.1' }],
  ['192.0.2.1:80', { address: '192.0.2.1', port: '80' }],
  ['192.0.2.1:', undefined],
  ['[2001:db8::1]', { address: '2001:db8::1' }],
  ['[2001:db8::1]:80', { address: '2001:db8::1', port: '80' }],
  ['::ffff:192.0.2.1', { address: '::ffff:192.0.2.1' }],
  ['192.0.2.1, _hidden', undefined],
  ['192.0.2.1, ', undefined],
])('the last peer of %j is %j', (header, peer) => {
  expect(lastPeer(header)).toEqual(peer);
});

it('files of a Pages site go out without headers of the connection that brought them', async () => {
  const answer = new Response('a file', { headers: { 'Content-Type': 'text/plain', Connection: 'keep-alive' } });
  const served = toPagesFunction(staticFiles(assets()));
  const response = await served({ request: request(), env: { ASSETS: { fetch: async () => answer } }, waitUntil() {} });
  expect([response.status, await response.text(), response.headers.has('connection')]).toEqual([200, 'a file', false]);
});
