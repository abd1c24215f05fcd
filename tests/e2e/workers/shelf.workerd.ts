// The shelf of middleware inside workerd: its timers, its crypto, its forms and its streams.

import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { type Application, encode, form, formParts, query } from 'waygate';
import { toWorker } from 'waygate/cloudflare-workers';
import {
  accessLog,
  basicAuth,
  cascade,
  cookies,
  cors,
  errorPage,
  methodOverride,
  redirectToHttps,
  requestId,
  secureHeaders,
  setCookie,
  timeout,
  validator,
} from 'waygate/middleware';

async function ask(app: Application, path = '/', init: RequestInit = {}, log: string[] = []): Promise<Response> {
  const ctx = createExecutionContext();
  const worker = toWorker(app, { errors: (text) => void log.push(text) });
  const response = await worker.fetch(new Request(new URL(path, 'https://example.com'), init), {}, ctx);
  const bytes = await response.arrayBuffer();
  await waitOnExecutionContext(ctx);
  return new Response(bytes.byteLength === 0 ? null : bytes, response);
}

const echo: Application = async (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain'], setCookie('seen', 'ja')]);
  const { REQUEST_METHOD: method, REMOTE_USER: user } = environ;
  return [encode(`${method} ${user} ${query(environ).get('a')} ${cookies(environ).b}`)];
};

test('the whole shelf around one application', async () => {
  const lines: string[] = [];
  const unknown: Application = (_environ, startResponse) => {
    startResponse('404 Not Found', [['Content-Type', 'text/plain']]);
    return [];
  };
  const shelf = [
    (app: Application) => cascade([unknown, app]),
    (app: Application) => methodOverride(app),
    (app: Application) => basicAuth(app, { users: { ada: 'geheim' } }),
    (app: Application) => secureHeaders(app, { contentSecurityPolicy: { directives: { 'script-src': "'nonce'" } } }),
    (app: Application) => cors(app, { origins: 'https://shop.example' }),
    (app: Application) => timeout(app, { ms: 5000 }),
    (app: Application) => errorPage(app, { enabled: true }),
    (app: Application) => redirectToHttps(app, { hsts: true }),
    (app: Application) => accessLog(app, { format: 'json', write: (line) => lines.push(line) }),
    (app: Application) => requestId(app),
  ];
  const app = shelf.reduce((inner, middleware) => validator(middleware(inner)), validator(echo));
  const errors: string[] = [];
  const headers = {
    Authorization: `Basic ${btoa('ada:geheim')}`,
    Origin: 'https://shop.example',
    Cookie: 'b=2',
    'Content-Type': 'application/x-www-form-urlencoded',
    'CF-Ray': '8a1b2c3d4e5f-FRA',
  };
  const response = await ask(app, '/?a=1', { method: 'POST', body: '_method=DELETE', headers }, errors);
  expect(errors).toEqual([]);
  expect([response.status, await response.text()]).toEqual([200, 'DELETE ada 1 2']);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'access-control-allow-origin': 'https://shop.example',
    'content-security-policy': expect.stringMatching(/script-src 'nonce-[A-Za-z0-9+/]{22}=='/),
    'set-cookie': 'seen=ja; Path=/; HttpOnly; SameSite=Lax',
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
    'x-request-id': '8a1b2c3d4e5f-FRA',
  });
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { method: 'POST', status: 200, bytes: 14, remoteUser: 'ada', requestId: '8a1b2c3d4e5f-FRA', failed: false },
  ]);
});

test('a form with a file is read in memory, and as a stream', async () => {
  const read: Application = async (environ, startResponse) => {
    const parts: string[] = [];
    if (environ.PATH_INFO === '/stream') {
      for await (const part of formParts(environ))
        parts.push(
          `${part.name} ${part.fileName} ${await new Response(part.stream() as ReadableStream<Uint8Array<ArrayBuffer>>).text()}`,
        );
    } else {
      for (const [name, value] of await form(environ))
        parts.push(
          typeof value === 'string' ? `${name} undefined ${value}` : `${name} ${value.name} ${await value.text()}`,
        );
    }
    startResponse('200 OK', [['Content-Type', 'text/plain']]);
    return [encode(parts.join(', '))];
  };
  for (const path of ['/memory', '/stream']) {
    const data = new FormData();
    data.append('a', 'grüße');
    data.append('f', new File(['x'.repeat(100_000)], 'ä.txt'));
    const response = await ask(validator(read), path, { method: 'POST', body: data });
    expect(await response.text(), path).toBe(`a undefined grüße, f ä.txt ${'x'.repeat(100_000)}`);
  }
  const headers = { 'Content-Type': 'multipart/form-data; boundary=x' };
  expect((await ask(read, '/', { method: 'POST', body: 'nothing', headers })).status).toBe(400);
});

test('a late application is answered for', async () => {
  const never: Application = () => new Promise(() => {});
  const log: string[] = [];
  const response = await ask(validator(timeout(validator(never), { ms: 20 })), '/', {}, log);
  expect([response.status, log.length]).toEqual([503, 1]);
});

test('a failure is shown, without files to read', async () => {
  const fails: Application = () => {
    throw new Error('no <key>');
  };
  const response = await ask(errorPage(fails, { enabled: true }), '/', { headers: { Accept: 'text/html' } });
  expect(await response.text()).toContain('<h1>Error: no &lt;key&gt;</h1>');
});
