// cors and secureHeaders beside the packages that people know: the same headers, but where the documents say otherwise.

import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import corsPackage, { type CorsOptions as PackageOptions } from 'cors';
import fc from 'fast-check';
import helmet from 'helmet';
import { createRequest, createResponse } from 'node-mocks-http';
import { expect, test } from 'vitest';
import { type CorsOptions, cors, secureHeaders } from 'waygate/middleware';
import { ask, hello } from './answers.ts';

/** The headers that a middleware of connect sets, and whether it went on. */
async function reference(
  middleware: (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void,
  method: 'GET' | 'OPTIONS',
  headers: Record<string, string>,
): Promise<{ headers: Record<string, unknown>; wentOn: boolean }> {
  const [request, response] = [createRequest({ method, headers }), createResponse({ eventEmitter: EventEmitter })];
  let wentOn = false;
  await new Promise<void>((resolve) => {
    response.on('end', () => resolve());
    middleware(request, response, () => {
      wentOn = true;
      resolve();
    });
  });
  return { headers: response.getHeaders(), wentOn };
}

/** Fields by name, `Vary` as a set. */
function comparable(headers: Iterable<[string, unknown]>): Record<string, unknown> {
  const fields = [...headers].map(([name, value]): [string, unknown] => {
    const lower = name.toLowerCase();
    const list = () => String(value).toLowerCase().split(/, */).sort().join();
    return [
      lower,
      /^(?:vary|access-control-(?:allow|expose)-(?:methods|headers))$/.test(lower) ? list() : String(value),
    ];
  });
  return Object.fromEntries(fields.filter(([name]) => /^(?:vary|access-control)/.test(name)).sort());
}

const ORIGINS = ['https://a.example', 'https://b.example', 'http://a.example', 'https://a.test:8443'];

test('cors answers requests and preflights as the package of that name does', () => {
  const options = fc.record({
    origins: fc.constantFrom<CorsOptions['origins']>(
      '*',
      ORIGINS[0],
      [ORIGINS[0] as string, /\.test:\d+$/],
      [/^https:/g],
    ),
    credentials: fc.boolean(),
    methods: fc.subarray(['GET', 'PUT', 'DELETE'], { minLength: 1 }),
    headers: fc.option(fc.constant(['X-Token', 'Content-Type']), { nil: undefined }),
    exposedHeaders: fc.constantFrom([], ['ETag', 'X-Total']),
    maxAgeSeconds: fc.constantFrom(undefined, 0, 600),
  });
  const request = fc.record({
    origin: fc.constantFrom(...ORIGINS),
    preflight: fc.boolean(),
    asked: fc.constantFrom(undefined, 'x-token', 'x-token, content-type'),
  });
  return fc.assert(
    fc.asyncProperty(options, request, async (given, { origin, preflight, asked }) => {
      fc.pre(!(given.origins === '*' && given.credentials));
      const { origins, headers, maxAgeSeconds, exposedHeaders, ...same } = given;
      const settings: PackageOptions = { ...same, exposedHeaders: [...exposedHeaders], optionsSuccessStatus: 204 };
      // The package takes patterns with a flag g as they are, which then match every other time.
      const plain = (each: string | RegExp) => (each instanceof RegExp ? new RegExp(each.source) : each);
      settings.origin = Array.isArray(origins) ? origins.map(plain) : (origins as string);
      // One name is sent by the package to every origin, also to others; a list is compared.
      if (typeof settings.origin === 'string' && settings.origin !== '*') settings.origin = [settings.origin];
      if (headers !== undefined) settings.allowedHeaders = [...headers];
      if (maxAgeSeconds !== undefined) settings.maxAge = maxAgeSeconds;
      const sent: Record<string, string> = { origin };
      if (preflight) sent['access-control-request-method'] = 'PUT';
      if (preflight && asked !== undefined) sent['access-control-request-headers'] = asked;
      const expected = await reference(corsPackage(settings), preflight ? 'OPTIONS' : 'GET', sent);
      const answer = await ask(cors(hello, given as CorsOptions), {
        REQUEST_METHOD: preflight ? 'OPTIONS' : 'GET',
        ...Object.fromEntries(
          Object.entries(sent).map(([name, value]) => [`HTTP_${name.toUpperCase().replaceAll('-', '_')}`, value]),
        ),
      });
      expect(answer.text === 'hello').toBe(expected.wentOn);
      const [got, wanted] = [comparable(answer.headers), comparable(Object.entries(expected.headers))];
      // A preflight varies with what it asks for, as caches have to know (Fetch standard); the package says a part of it.
      if (preflight) {
        delete got.vary;
        delete wanted.vary;
      }
      // To an origin that is not allowed the package still tells methods and headers; browsers stop before they look.
      if (got['access-control-allow-origin'] === undefined) {
        expect(wanted).not.toHaveProperty('access-control-allow-origin');
        return;
      }
      // A preflight has nothing to expose. (Fetch standard §3.2.3)
      if (preflight) delete wanted['access-control-expose-headers'];
      expect(got).toEqual(wanted);
    }),
  );
});

test('secureHeaders sends over https what helmet sends', async () => {
  const expected = await reference(helmet(), 'GET', {});
  const { headers } = await ask(secureHeaders(hello), { 'wsgi.url_scheme': 'https' });
  headers.delete('content-type');
  headers.delete('content-length');
  const policy = (text: unknown) => String(text).split(/; */).sort();
  const { 'content-security-policy': csp, ...rest } = Object.fromEntries(headers);
  const { 'content-security-policy': helmetCsp, ...helmetRest } = expected.headers;
  expect(rest).toEqual(Object.fromEntries(Object.entries(helmetRest).map(([name, value]) => [name, String(value)])));
  expect(policy(csp)).toEqual(policy(String(helmetCsp).replaceAll(';', '; ')));
});
