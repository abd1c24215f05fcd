// methodOverride: a POST becomes what it asks for, if that is allowed, and its body is still there.

import { afterEach, expect, test } from 'vitest';
import { type Application, encode } from 'waygate';
import { METHOD_OVERRIDE_ORIGINAL, type MethodOverrideOptions, methodOverride } from 'waygate/middleware';
import { testEnviron } from 'waygate/testing';
import { ask } from './answers.ts';
import { checked, closeAll, everywhere } from './everywhere.ts';

afterEach(closeAll);

const echo: Application = async (environ, startResponse) => {
  const body = await environ['wsgi.input'].read();
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [encode(`${environ.REQUEST_METHOD} ${environ[METHOD_OVERRIDE_ORIGINAL] ?? '-'} `), body];
};

const FORM = { CONTENT_TYPE: 'application/x-www-form-urlencoded; charset=utf-8' };

async function send(keys: Record<string, unknown>, body = '', options: MethodOverrideOptions = {}) {
  return ask(methodOverride(echo, options), { ...testEnviron({ 'wsgi.errors': undefined, ...keys }, body) });
}

test('a header or a field names the method, in any case; the header comes first', async () => {
  expect((await send({ HTTP_X_HTTP_METHOD_OVERRIDE: 'delete' })).text).toBe('DELETE POST ');
  expect((await send(FORM, 'a=1&_method=put')).text).toBe('PUT POST a=1&_method=put');
  expect((await send(FORM, '?_method=put')).text).toBe('POST - ?_method=put');
  expect((await send({ ...FORM, HTTP_X_HTTP_METHOD_OVERRIDE: 'PATCH' }, '_method=put')).text).toBe(
    'PATCH POST _method=put',
  );
});

test('only a POST is changed', async () => {
  for (const method of ['GET', 'PUT', 'post'])
    expect((await send({ REQUEST_METHOD: method, HTTP_X_HTTP_METHOD_OVERRIDE: 'DELETE' })).text).toBe(`${method} - `);
});

test.each(['GET', 'CONNECT', 'TRACE', '', 'DELETE PUT', '\x1b[2J'])(
  '%j is not on the list: a POST it stays, with one line in the log',
  async (named) => {
    const { text, log } = await send({ HTTP_X_HTTP_METHOD_OVERRIDE: named });
    expect(text).toBe('POST - ');
    expect(log).toBe('methodOverride: a POST asks for a method that is not allowed; expected PUT, PATCH, DELETE.\n');
  },
);

test('only a small form is read', async () => {
  expect((await send({ CONTENT_TYPE: 'text/plain' }, '_method=put')).text).toBe('POST - _method=put');
  expect((await send({ CONTENT_TYPE: 'application/x-www-form-urlencodedx' }, '_method=put')).text).toBe(
    'POST - _method=put',
  );
  expect((await send(FORM, '_method=put', { maxFormBytes: 10 })).text).toBe('POST - _method=put');
  const long = `_method=put&a=${'x'.repeat(100_000)}`;
  expect((await send({ ...FORM, CONTENT_LENGTH: undefined }, long)).text).toBe(`POST - ${long}`);
  expect((await send({ ...FORM, CONTENT_LENGTH: undefined }, '_method=put')).text).toBe('PUT POST _method=put');
  expect((await send(FORM, '_method=put', { field: false })).text).toBe('POST - _method=put');
});

test('names and methods are yours to choose', async () => {
  const options = { header: false, field: 'method', methods: ['LOCK'] } as const;
  expect((await send({ ...FORM, HTTP_X_HTTP_METHOD_OVERRIDE: 'PUT' }, 'method=lock', options)).text).toBe(
    'LOCK POST method=lock',
  );
});

test('bytes that are not UTF-8 change nothing', async () => {
  const body = new Uint8Array([...encode('a='), 0xff, 0xfe, ...encode('&_method=PUT')]);
  const { text, environ } = await ask(methodOverride(echo), {
    ...testEnviron({ ...FORM, 'wsgi.errors': undefined }, body),
  });
  expect(environ.REQUEST_METHOD).toBe('PUT');
  expect(text).toContain('PUT POST a=');
});

test('on every platform a form asks for DELETE, and the application reads the form', async () => {
  const lines: string[] = [];
  const app = checked((inner) => methodOverride(inner), echo);
  for (const [platform, call] of await everywhere(app, { errors: (text) => void lines.push(text) })) {
    const response = await call('/', { method: 'POST', body: new URLSearchParams({ _method: 'DELETE', a: 'ü' }) });
    expect(await response.text(), platform).toBe('DELETE POST _method=DELETE&a=%C3%BC');
  }
  expect(lines).toEqual([]);
});

test.each([
  { methods: 'PUT' },
  { methods: ['A B'] },
  { header: '' },
  { field: '' },
  { field: 5 },
  { maxFormBytes: -1 },
] as never[])('the options %j are refused', (options) => {
  expect(() => methodOverride(echo, options)).toThrow(TypeError);
});
