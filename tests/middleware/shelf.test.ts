// Each middleware of the shelf around applications of every kind, on every platform: what passes through is unchanged, the
// validator is silent on both sides, and each body is closed once.

import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Application, type Middleware, run, setupTestingDefaults } from 'waygate';
import {
  accessLog,
  basicAuth,
  cascade,
  cors,
  errorPage,
  methodOverride,
  redirectToHttps,
  requestId,
  secureHeaders,
  timeout,
} from 'waygate/middleware';
import { APPS, type Closes, checked, closeAll, everywhere } from './everywhere.ts';

/** An application that sees https, whatever the platform spoke. */
const overHttps =
  (middleware: Middleware): Middleware =>
  (app) => {
    const inner = middleware(app);
    return (environ, startResponse) => {
      environ['wsgi.url_scheme'] = 'https';
      environ.HTTPS = 'on';
      return inner(environ, startResponse);
    };
  };

/** Knows no address. */
const unknown: Application = (_environ, startResponse) => {
  startResponse('404 Not Found', [['X-Unknown', 'yes']]);
  return [];
};

/** Each middleware as it lets a request with these headers through. */
const SHELF: Record<string, Middleware> = {
  accessLog: (app) => accessLog(app, { write: () => {} }),
  requestId: (app) => requestId(app),
  cors: (app) => cors(app, { origins: 'https://example.com', credentials: true }),
  secureHeaders: (app) => secureHeaders(app),
  basicAuth: (app) => basicAuth(app, { users: { ada: 'secret' } }),
  'basicAuth, async': (app) => basicAuth(app, { check: async (user) => user === 'ada' }),
  methodOverride: (app) => methodOverride(app),
  timeout: (app) => timeout(app, { ms: 10_000 }),
  errorPage: (app) => errorPage(app, { enabled: true }),
  'cascade, first': (app) => cascade([app, unknown]),
  'cascade, last': (app) => cascade([unknown, app]),
  redirectToHttps: overHttps((app) => redirectToHttps(app, { hsts: true })),
};

const HEADERS = { Authorization: `Basic ${btoa('ada:secret')}`, Origin: 'https://example.com' };

afterEach(closeAll);

/** What a client sees of a response, without what each middleware adds. */
async function seen(response: Response) {
  const { status, headers } = response;
  return {
    status,
    text: await response.text(),
    type: headers.get('content-type'),
    length: headers.get('content-length'),
  };
}

describe.each(Object.entries(SHELF))('%s', (_name, middleware) => {
  test.each(Object.entries(APPS))(
    'passes on the response of an application with a body of the kind: %s',
    async (_kind, make) => {
      const closes: Closes = { made: 0, closed: 0 };
      let log = '';
      const options = {
        errors: (text: string) => {
          log += `${text}\n`;
        },
      };
      const plain = await everywhere(make({ made: 0, closed: 0 }));
      const wrapped = await everywhere(checked(middleware, make(closes)), options);
      for (const [index, [platform, call]] of wrapped.entries()) {
        for (const method of ['GET', 'HEAD']) {
          const expected = await seen(await (plain[index] as (typeof plain)[0])[1]('/', { method, headers: HEADERS }));
          const got = await seen(await call('/', { method, headers: HEADERS }));
          // An array with close is framed by the platform once a validator looks at it. (L-73)
          if (got.length === null) expected.length = null;
          expect(got, `${platform} ${method}`).toEqual(expected);
        }
      }
      // New applications give no chunks to write; the validator says so once. (WRITE-02, L-58)
      expect(log.replace(/^.*\[(?:WRITE-02|L-58|L-51)\]\n/gm, '')).toBe('');
      await vi.waitFor(() => expect(closes.closed).toBe(closes.made));
    },
  );

  test('a synchronous application stays synchronous', () => {
    const app = middleware(APPS.array?.({ made: 0, closed: 0 }) as Application);
    const environ = setupTestingDefaults({ HTTP_AUTHORIZATION: HEADERS.Authorization, HTTP_ORIGIN: HEADERS.Origin });
    if (_name !== 'basicAuth, async') expect(run(app, environ)).toMatchObject({ statusCode: 200 });
  });

  test('the length of an array and of a file is still found', async () => {
    for (const kind of ['array', 'file']) {
      const app = middleware(APPS[kind]?.({ made: 0, closed: 0 }) as Application);
      const environ = setupTestingDefaults({ HTTP_AUTHORIZATION: HEADERS.Authorization, HTTP_ORIGIN: HEADERS.Origin });
      const { headers, body } = await run(app, environ);
      expect(headers, kind).toContainEqual(['Content-Length', '13']);
      if (!Array.isArray(body)) body.close();
    }
  });
});
