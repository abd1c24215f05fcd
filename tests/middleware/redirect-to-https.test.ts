// redirectToHttps: the same address over https, on hosts that are served here alone.

import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { quotePath } from 'waygate/adapter';
import { proxyFix, type RedirectToHttpsOptions, redirectToHttps } from 'waygate/middleware';
import { ask, hello } from './answers.ts';
import { checked, closeAll, everywhere } from './everywhere.ts';

afterEach(closeAll);

async function location(keys: Record<string, unknown>, options: RedirectToHttpsOptions = {}): Promise<string | null> {
  const { headers, status } = await ask(redirectToHttps(hello, options), keys);
  expect(status).toBe(
    `${options.status ?? 308} ${options.status === 301 ? 'Moved Permanently' : 'Permanent Redirect'}`,
  );
  return headers.get('location');
}

test('a request over http is sent to the same address over https', async () => {
  expect(await location({ PATH_INFO: '/a b', REQUEST_URI: '/a%20b?c=%2F', QUERY_STRING: 'c=%2F' })).toBe(
    'https://example.com/a%20b?c=%2F',
  );
  expect(await location({ HTTP_HOST: 'example.com:8080' })).toBe('https://example.com/');
  expect(await location({ HTTP_HOST: '[::1]:8080' }, { port: 8443 })).toBe('https://[::1]:8443/');
  expect(await location({ HTTP_HOST: undefined, SERVER_NAME: 'example.org' }, { status: 301 })).toBe(
    'https://example.org/',
  );
  expect(await location({ SCRIPT_NAME: '/shop', PATH_INFO: '/a%2Fb', REQUEST_URI: '/shop/a%252Fb' })).toBe(
    'https://example.com/shop/a%252Fb',
  );
  expect(await location({ REQUEST_METHOD: 'OPTIONS', PATH_INFO: '*', REQUEST_URI: '*' })).toBe('https://example.com/');
  expect(await location({ PATH_INFO: '//evil.example/a', REQUEST_URI: '//evil.example/a' })).toBe(
    'https://example.com//evil.example/a',
  );
});

test('over https the application answers, with Strict-Transport-Security where that is asked for', async () => {
  const keys = { 'wsgi.url_scheme': 'https' };
  expect((await ask(redirectToHttps(hello), keys)).headers.has('strict-transport-security')).toBe(false);
  const { text, headers } = await ask(redirectToHttps(hello, { hsts: true }), keys);
  expect([text, headers.get('strict-transport-security')]).toEqual(['hello', 'max-age=31536000; includeSubDomains']);
  const own = redirectToHttps(hello, { hsts: { maxAgeSeconds: 60, includeSubDomains: false } });
  expect((await ask(own, keys)).headers.get('strict-transport-security')).toBe('max-age=60');
  expect((await ask(own)).headers.has('strict-transport-security')).toBe(false);
});

test('a host that is not served here, or is none, gets a 400 and one line in the log', async () => {
  const app = redirectToHttps(hello, { hosts: ['example.com', 'www.example.com'] });
  expect((await ask(app, { HTTP_HOST: 'WWW.example.com:80' })).headers.get('location')).toBe(
    'https://WWW.example.com/',
  );
  for (const host of [
    'evil.example',
    'example.com.evil.example',
    'example.com:80:80',
    'example.com@evil.example',
    '',
  ]) {
    const { status, headers, log } = await ask(app, { HTTP_HOST: host });
    expect([status, headers.get('location')], host).toEqual(['400 Bad Request', null]);
    expect(log).toBe('redirectToHttps: the host of a request is not one that is served here; answered 400.\n');
  }
  for (const host of ['a b', 'a/b', 'a\\b', 'a?b', '[::1', 'a\r\nb'])
    expect((await ask(redirectToHttps(hello), { HTTP_HOST: host })).status, host).toBe('400 Bad Request');
});

test('no path or query leads to another place', () =>
  fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), async (path, query) => {
      const byte = (text: string) => [...text].filter((unit) => unit <= '\xff').join('');
      const native = `/${byte(path)}`;
      const url = (await location({ PATH_INFO: native, QUERY_STRING: byte(query) })) as string;
      expect(url.startsWith('https://example.com/')).toBe(true);
      expect(url).not.toMatch(/[^\x21-\x7e]/);
      expect(new URL(url).host).toBe('example.com');
      expect(url.startsWith(`https://example.com${quotePath(native)}`)).toBe(true);
    }),
  ));

test('behind a proxy it is the scheme of the client that counts', async () => {
  const app = proxyFix(redirectToHttps(hello), { proto: true });
  expect((await ask(app, { HTTP_X_FORWARDED_PROTO: 'https' })).text).toBe('hello');
  expect((await ask(app, { HTTP_X_FORWARDED_PROTO: 'http' })).status).toBe('308 Permanent Redirect');
  expect((await ask(redirectToHttps(hello), { HTTP_X_FORWARDED_PROTO: 'https' })).status).toBe(
    '308 Permanent Redirect',
  );
});

test('every platform redirects where it speaks http', async () => {
  for (const [platform, call] of await everywhere(checked((inner) => redirectToHttps(inner), hello))) {
    const response = await call('/a%20b?c=d', { redirect: 'manual' });
    // API gateways and CloudFront speak https to their clients.
    if (response.status !== 308) expect(await response.text(), platform).toBe('hello');
    else expect(response.headers.get('location'), platform).toMatch(/^https:\/\/[^/]+\/(?:[^/]+\/)?a%20b\?c=d$/);
    if (['node', 'fetch', 'workers'].includes(platform)) expect(response.status, platform).toBe(308);
  }
});

test.each([
  { status: 302 },
  { port: 0 },
  { hosts: 'example.com' },
  { hosts: ['example.com:80'] },
  { hsts: { maxAgeSeconds: 1.5 } },
] as never[])('the options %j are refused', (options) => {
  expect(() => redirectToHttps(hello, options)).toThrow(TypeError);
});
