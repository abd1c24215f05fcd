// toAzureFunctions with the classes of `@azure/functions` themselves, over a socket, buffered and with HTTP streams.

import { Hono } from 'hono';
import { afterEach, describe, expect, it } from 'vitest';
import { type Application, type Environ, encode } from 'waygate';
import { toAzureFunctions } from 'waygate/azure-functions';
import { fromFetch } from 'waygate/fetch';
import { conformance } from 'waygate/testing';
import { overSocket } from '../adapters/node/http-client.ts';
import { AzureHost } from './presets/azure-host.ts';
import { azureBuffered, azureStreamed } from './presets/capabilities.ts';
import { runsLarge } from './presets/tools.ts';

const buffered = new AzureHost();
await buffered.start();
const streamed = new AzureHost();
streamed.functions.app.setup({ enableHttpStream: true });
await streamed.start();

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

function register(host: AzureHost, app: Application, options?: object): void {
  const handler = toAzureFunctions(app, options);
  host.functions.app.http('app', { methods: METHODS, authLevel: 'anonymous', route: '{*path}', handler });
}

/** Serves an application; `fetch` with a path. */
async function site(app: Application, options?: object, prefix = 'api', host: AzureHost = buffered) {
  register(host, app, options);
  const { port, close } = await host.listen('app', prefix);
  closing.push(close);
  return (path: string, init?: RequestInit): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`, init);
}

for (const [name, host, capabilities] of [
  ['toAzureFunctions', buffered, azureBuffered],
  ['toAzureFunctions with HTTP streams', streamed, azureStreamed],
] as const) {
  // In CI what is buffered; both each night.
  if (host === streamed && !runsLarge) continue;
  conformance(
    name,
    async (app, options) => {
      register(host, app, options);
      const { port, close } = await host.listen('app');
      const { fetch } = overSocket(port, close);
      return { fetch: (path, init) => fetch(`/api${path}`, init), close };
    },
    { describe, it, capabilities, mount: '/api' },
  );
}

/** Keeps the environ of each request. */
function keeping(seen: Environ[]): Application {
  return (environ, startResponse) => {
    seen.push(environ);
    startResponse('200 OK', []);
    return [];
  };
}

describe('where the function is mounted', () => {
  it.each([
    ['/api/notes/1?a', 'api', '/api', '/notes/1'],
    ['/api', 'api', '/api', ''],
    ['/api/', 'api', '/api', '/'],
    ['/api/api/a', 'api', '/api', '/api/a'],
    ['/api/a%20b/%C3%BC', 'api', '/api', '/a b/\xc3\xbc'],
    ['/api/a%2Fb', 'api', '/api', '/a/b'],
    ['/v1/site/notes', 'v1/site', '/v1/site', '/notes'],
    ['/notes', '', '', '/notes'],
    ['/api/notes', '', '', '/api/notes'],
    ['/', '', '', '/'],
  ])('%s with the prefix "%s"', async (path, prefix, scriptName, pathInfo) => {
    const seen: Environ[] = [];
    const ask = await site(keeping(seen), {}, prefix);
    await ask(path);
    expect(seen[0]).toMatchObject({ SCRIPT_NAME: scriptName, PATH_INFO: pathInfo, REQUEST_URI: path });
  });

  it('basePath says it by hand', async () => {
    const seen: Environ[] = [];
    const ask = await site(keeping(seen), { basePath: '/api/v2' });
    await ask('/api/v2/notes');
    await ask('/api/v1/notes');
    expect(seen.map(({ SCRIPT_NAME, PATH_INFO }) => [SCRIPT_NAME, PATH_INFO])).toEqual([
      ['/api/v2', '/notes'],
      ['', '/api/v1/notes'],
    ]);
  });

  it('a hosted Hono app routes below it', async () => {
    const hono = new Hono().get('/notes/:id', (context) => context.text(`note ${context.req.param('id')}`));
    const ask = await site(fromFetch(hono));
    expect(await (await ask('/api/notes/7')).text()).toBe('note 7');
  });
});

describe.each([
  ['buffered', buffered],
  ['with HTTP streams', streamed],
])('cookies, %s', (_name, host) => {
  it('several stay apart, with their attributes, and their values are not encoded twice', async () => {
    const app: Application = (_environ, startResponse) => {
      startResponse('200 OK', [
        ['Set-Cookie', 'sid=s%3Aa.b%2F1; Path=/; HttpOnly; Secure; SameSite=None; Max-Age=60'],
        ['Set-Cookie', 'until=1; Expires=Thu, 01 Jan 2032 00:00:00 GMT; Domain=example.com'],
        ['Set-Cookie', 'plain=2; SameSite=Lax'],
      ]);
      return [];
    };
    const ask = await site(app, {}, 'api', host);
    const cookies = (await ask('/api/')).headers.getSetCookie().map((line) => line.toLowerCase().split('; ').sort());
    expect(cookies).toEqual([
      ['httponly', 'max-age=60', 'path=/', 'samesite=none', 'secure', 'sid=s%3aa.b%2f1'],
      ['domain=example.com', 'expires=thu, 01 jan 2032 00:00:00 gmt', 'until=1'],
      ['plain=2', 'samesite=lax'],
    ]);
  });

  it('a single one goes out exactly as the application wrote it', async () => {
    const cookie = 'a=b=c==; Path=/x; Partitioned; Priority=High';
    const app: Application = (_environ, startResponse) => {
      startResponse('200 OK', [['Set-Cookie', cookie]]);
      return [];
    };
    const ask = await site(app, {}, 'api', host);
    expect((await ask('/api/')).headers.getSetCookie()).toEqual([cookie]);
  });
});

it('what a cookie object cannot hold is reported', async () => {
  const log: string[] = [];
  const app: Application = (_environ, startResponse) => {
    startResponse('200 OK', [
      ['Set-Cookie', 'a=1; Partitioned'],
      ['Set-Cookie', 'b=x=y'],
    ]);
    return [];
  };
  const ask = await site(app, { errors: (line: string) => void log.push(line) });
  expect((await ask('/api/')).headers.getSetCookie()).toEqual(['a=1', 'b=x%3Dy']);
  expect(log.join('\n')).toMatch(/cookie a loses Partitioned: .*\n.*cookie b loses the spelling of its value: /);
});

it.each([
  ['203.0.113.9, 192.0.2.1:4711', '192.0.2.1', '4711'],
  ['[2001:db8::1]:4711', '2001:db8::1', '4711'],
  ['2001:db8::1', '2001:db8::1', undefined],
  ['192.0.2.1:4711, unknown', undefined, undefined],
])('X-Forwarded-For: %s is the client %s, port %s', async (header, address, port) => {
  const seen: Environ[] = [];
  const ask = await site(keeping(seen));
  await ask('/api/', { headers: { 'X-Forwarded-For': header } });
  expect([seen[0]?.REMOTE_ADDR, seen[0]?.REMOTE_PORT]).toEqual([address, port]);
});

it('the environ has the objects of Azure, and the id of the invocation', async () => {
  const seen: Environ[] = [];
  const ask = await site(keeping(seen));
  await ask('/api/a');
  const [environ] = seen;
  expect(environ).toMatchObject({ 'waygate.gateway': 'azure-functions', 'wsgi.url_scheme': 'https', HTTPS: 'on' });
  expect(environ?.['azure.request']?.params).toEqual({ path: 'a' });
  expect(environ?.['waygate.request_id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(environ?.['azure.context']?.invocationId).toBe(environ?.['waygate.request_id']);
});

it('the response waits for the work after it', async () => {
  let done = false;
  const ask = await site((environ, startResponse) => {
    environ['waygate.wait_until'](
      new Promise<void>((resolve) => setTimeout(resolve, 30)).then(() => {
        done = true;
      }),
    );
    startResponse('200 OK', []);
    return [encode('sent')];
  });
  expect(await (await ask('/api/')).text()).toBe('sent');
  expect(done).toBe(true);
});

it('fired by a timer, the handler says that it serves HTTP', async () => {
  buffered.functions.app.timer('clock', { schedule: '0 0 * * * *', handler: toAzureFunctions(keeping([])) });
  await expect(buffered.fire('clock')).rejects.toThrow(
    /toAzureFunctions made was called with a timer of Azure Functions; expected an HttpRequest, .*app\.http\(/,
  );
});
