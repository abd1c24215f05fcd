// secureHeaders: what helmet sends by default, and a policy with a nonce.

import { expect, test } from 'vitest';
import type { Application } from 'waygate';
import { CSP_NONCE, secureHeaders } from 'waygate/middleware';
import { ask, hello } from './answers.ts';

const HTTPS = { 'wsgi.url_scheme': 'https' };

/** From the documentation of helmet 8. */
const DEFAULTS = {
  'content-security-policy':
    "default-src 'self'; base-uri 'self'; font-src 'self' https: data:; form-action 'self'; frame-ancestors 'self'; " +
    "img-src 'self' data:; object-src 'none'; script-src 'self'; script-src-attr 'none'; style-src 'self' https: 'unsafe-inline'; " +
    'upgrade-insecure-requests',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'SAMEORIGIN',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
};

async function sent(app: Application, keys = {}): Promise<Record<string, string>> {
  const { headers } = await ask(app, keys);
  headers.delete('content-type');
  headers.delete('content-length');
  return Object.fromEntries(headers);
}

test('the defaults are those of helmet; Strict-Transport-Security goes out over https alone', async () => {
  expect(await sent(secureHeaders(hello), HTTPS)).toEqual(DEFAULTS);
  const { 'strict-transport-security': _, ...overHttp } = DEFAULTS;
  expect(await sent(secureHeaders(hello))).toEqual(overHttp);
});

test('each header can be left out, or take another value', async () => {
  const headers = await sent(
    secureHeaders(hello, {
      contentSecurityPolicy: false,
      xFrameOptions: false,
      referrerPolicy: 'same-origin',
      permissionsPolicy: 'camera=()',
      crossOriginEmbedderPolicy: 'require-corp',
      strictTransportSecurity: { maxAgeSeconds: 60, includeSubDomains: false, preload: true },
    }),
    HTTPS,
  );
  expect(headers).not.toHaveProperty('content-security-policy');
  expect(headers).not.toHaveProperty('x-frame-options');
  expect(headers).toMatchObject({
    'referrer-policy': 'same-origin',
    'permissions-policy': 'camera=()',
    'cross-origin-embedder-policy': 'require-corp',
    'strict-transport-security': 'max-age=60; preload',
  });
});

test('what the application sets stands; what names its software goes', async () => {
  const app: Application = (_environ, startResponse) => {
    startResponse('200 OK', [
      ['x-frame-options', 'DENY'],
      ['X-Powered-By', 'Express'],
    ]);
    return [];
  };
  const headers = await sent(secureHeaders(app));
  expect(headers['x-frame-options']).toBe('DENY');
  expect(headers).not.toHaveProperty('x-powered-by');
});

test('directives change one by one, or all at once', async () => {
  const policy = async (contentSecurityPolicy: object) =>
    (await sent(secureHeaders(hello, { contentSecurityPolicy })))['content-security-policy'];
  const changed = await policy({
    directives: { 'img-src': ["'self'", 'https://cdn.example'], 'upgrade-insecure-requests': false },
  });
  expect(changed).toContain("; img-src 'self' https://cdn.example;");
  expect(changed).not.toContain('upgrade');
  expect(await policy({ defaults: false, directives: { 'default-src': "'none'", sandbox: [] } })).toBe(
    "default-src 'none'; sandbox",
  );
});

test('a nonce is new for each request, and the same in environ and in the policy', async () => {
  const app = secureHeaders(hello, {
    contentSecurityPolicy: { directives: { 'script-src': ["'nonce'"], 'style-src': ["'nonce'"] }, reportOnly: true },
  });
  const nonces = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const { headers, environ } = await ask(app);
    const nonce = environ[CSP_NONCE] as string;
    expect(nonce).toMatch(/^[A-Za-z0-9+/]{22}==$/);
    expect(headers.get('content-security-policy-report-only')).toContain(`script-src 'nonce-${nonce}'; `);
    expect(headers.get('content-security-policy-report-only')).toContain(`style-src 'nonce-${nonce}'`);
    expect(headers.has('content-security-policy')).toBe(false);
    nonces.add(nonce);
  }
  expect(nonces.size).toBe(3);
  expect((await ask(secureHeaders(hello))).environ[CSP_NONCE]).toBe(undefined);
});

test.each([
  { xFrameOptions: 'a\nb' },
  { xFrameOptions: 5 },
  { xFrameOptions: '' },
  { frameguard: true },
  { strictTransportSecurity: { maxAgeSeconds: -1 } },
  { contentSecurityPolicy: { directives: { 'img-src': ['a; script-src *'] } } },
  { contentSecurityPolicy: { directives: { 'img-src': ['a,b'] } } },
  { contentSecurityPolicy: { directives: { 'img-src': ['caf\xe9'] } } },
  { contentSecurityPolicy: { directives: { imgSrc: ['a'] } } },
  { contentSecurityPolicy: { directives: { 'img-src': 5 } } },
  { contentSecurityPolicy: { defaults: false } },
] as never[])('the options %j are refused', (options) => {
  expect(() => secureHeaders(hello, options)).toThrow(TypeError);
});
