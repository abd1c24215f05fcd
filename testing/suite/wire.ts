// Requests as only a raw socket can make them: repeats, odd targets, malformed messages. (ENV-24, URL-05, INPUT-02, HTTP-01)

import type { Environ } from '../../core/types.ts';
import { equal, ok } from '../assert.ts';
import { valuesOf } from '../raw-response.ts';
import type { TestContext } from '../test-context.ts';
import { answering, looking, u8 } from './apps.ts';
import type { Suite } from './suite.ts';

/** The status of a raw request, and the environ it gave, if it gave one. */
async function send(t: TestContext, request: string): Promise<{ status: number; environ: Environ | undefined }> {
  let environ: Environ | undefined;
  const site = await t.serve(
    looking(async (seen) => {
      if (seen.PATH_INFO !== '/after') environ = { ...seen };
      await seen['wsgi.input'].read();
    }),
  );
  const { status } = await site.raw(request);
  // Whatever it was, the server is still there.
  equal(
    (await site.raw('GET /after HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).status,
    200,
    'the next request',
  );
  return { status, environ };
}

const get = (target: string, ...headers: string[]): string =>
  `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers.map((each) => `${each}\r\n`).join('')}\r\n`;

/** Requests that no application may see. */
const REFUSED: Record<string, string> = {
  'two Hosts that differ': get('/', 'Host: evil.example'),
  'two lengths that differ':
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab',
  'a length that is not a number': 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\nConnection: close\r\n\r\na',
  'a negative length': 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\nConnection: close\r\n\r\n',
  'a length and chunks':
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'two content types that differ': get('/', 'Content-Type: a/b', 'Content-Type: c/d'),
  'a NUL in the path': get('/a%00b'),
  'a target without a slash': get('nothing'),
  'an asterisk with GET': get('*'),
  'a space in a header name': get('/', 'X Y: 1'),
  'a header without a colon': get('/', 'nonsense'),
  'a NUL in a header value': get('/', 'X-Nul: a\0b'),
  'an unknown version': 'GET / HTTP/9.9\r\nHost: x\r\n\r\n',
};

export function wireSuite({ requires }: Suite): void {
  for (const [what, request] of Object.entries(REFUSED)) {
    requires(['raw'], `trap 15, URL-05: refused with a 4xx or 5xx, and no application called: ${what}`, async (t) => {
      const { status, environ } = await send(t, request);
      ok(status >= 400, `the status is an error, not ${status}`);
      equal(environ, undefined, 'the environ');
    });
  }

  requires(['raw'], 'ENV-24: repeated lines are joined with ", ", cookies with "; "', async (t) => {
    const { environ } = await send(t, get('/', 'X-A: 1', 'Cookie: a=1', 'x-a: 2', 'cookie: b=2', 'X-A: 3'));
    equal([environ?.HTTP_X_A, environ?.HTTP_COOKIE], ['1, 2, 3', 'a=1; b=2'], 'the headers');
  });

  requires(
    ['raw'],
    'ENV-24: a Host, a length and a type that are repeated without contradiction are one',
    async (t) => {
      const lines = ['Host: localhost', 'Content-Type: a/b', 'Content-Type: a/b'];
      const { status, environ } = await send(t, get('/', ...lines));
      equal([status, environ?.HTTP_HOST, environ?.CONTENT_TYPE], [200, 'localhost', 'a/b'], 'status and headers');
    },
  );

  requires(['raw'], 'ENV-12: white space around a value is not part of it', async (t) => {
    const { environ } = await send(t, get('/', 'X-A: \t a b \t', 'X-Empty:', 'X-Blank:   '));
    equal([environ?.HTTP_X_A, environ?.HTTP_X_EMPTY, environ?.HTTP_X_BLANK], ['a b', '', ''], 'the headers');
  });

  requires(['raw'], 'STR-03: every byte from 0x80 to 0xFF survives in a header value', async (t) => {
    const high = Array.from({ length: 128 }, (_, at) => String.fromCharCode(128 + at)).join('');
    equal((await send(t, get('/', `X-High: ${high}`))).environ?.HTTP_X_HIGH, high, 'HTTP_X_HIGH');
  });

  requires(['raw'], 'URL-05: an absolute target gives its path; scheme, name and port stay the server’s', async (t) => {
    const { environ } = await send(t, get('https://evil.example:99/p%20q?x=1'));
    equal([environ?.PATH_INFO, environ?.QUERY_STRING], ['/p q', 'x=1'], 'path and query');
    ok(environ?.SERVER_NAME !== 'evil.example' && environ?.SERVER_PORT !== '99', 'the server is not the target’s');
    equal([environ?.['wsgi.url_scheme'], environ?.HTTP_HOST], ['http', 'localhost'], 'scheme and Host');
  });

  requires(['raw'], 'URL-05: an absolute target without a path is the root', async (t) => {
    equal((await send(t, get('http://localhost?x'))).environ?.PATH_INFO, '/', 'PATH_INFO');
  });

  requires(['raw'], 'URL-05, decision D13: OPTIONS * has the path *', async (t) => {
    const { environ } = await send(t, 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    equal([environ?.PATH_INFO, environ?.REQUEST_URI], ['*', '*'], 'PATH_INFO and REQUEST_URI');
  });

  requires(['raw'], 'URL-05: a target that starts with // is a path', async (t) => {
    const { environ } = await send(t, get('//evil.example/x'));
    equal([environ?.PATH_INFO, environ?.HTTP_HOST], ['//evil.example/x', 'localhost'], 'PATH_INFO and Host');
  });

  requires(['raw'], 'ENV-11: HTTP/1.0 without a Host is served, and said', async (t) => {
    const { status, environ } = await send(t, 'GET /old HTTP/1.0\r\n\r\n');
    equal(
      [status, environ?.SERVER_PROTOCOL, environ?.HTTP_HOST],
      [200, 'HTTP/1.0', undefined],
      'status, protocol, Host',
    );
  });

  requires(['raw'], 'ENV-22: X-Forwarded-Proto and its like are a client’s words, not facts', async (t) => {
    const { environ } = await send(
      t,
      get('/', 'X-Forwarded-Proto: https', 'X-Forwarded-For: 6.6.6.6', 'Forwarded: proto=https'),
    );
    equal(environ?.['wsgi.url_scheme'], 'http', 'wsgi.url_scheme');
    ok(environ?.REMOTE_ADDR !== '6.6.6.6', 'REMOTE_ADDR is not what a client claims');
  });

  requires(
    ['raw'],
    'INPUT-02, trap 13: a body ends where it was declared to end, and the next request starts there',
    async (t) => {
      const bodies: string[] = [];
      const site = await t.serve(async (environ, startResponse) => {
        bodies.push(await environ['wsgi.input'].text());
        startResponse('200 OK', [['X-Path', environ.PATH_INFO]]);
        return [u8('x')];
      });
      const request = `POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc${get('/2')}`;
      const responses = await site.rawAll(request);
      equal(
        responses.map((each) => valuesOf(each, 'x-path')[0]),
        ['/1', '/2'],
        'the responses',
      );
      equal(bodies, ['abc', ''], 'the bodies');
    },
  );

  requires(['raw'], 'INPUT-10: chunks are taken apart, and the body ends', async (t) => {
    let body = '';
    const site = await t.serve(async (environ, startResponse) => {
      body = await environ['wsgi.input'].text();
      startResponse('200 OK', []);
      return [u8(String(environ.CONTENT_LENGTH))];
    });
    const request =
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-T: 1\r\n\r\n';
    equal((await site.raw(request)).body, 'undefined', 'CONTENT_LENGTH');
    equal(body, 'abcde', 'the body');
  });

  for (const framing of [
    'Content-Length: 5\r\n\r\nabcde',
    'Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n',
  ]) {
    requires(
      ['raw'],
      `trap 13: a body that nobody reads does not poison the next request: ${framing.slice(0, 17)}`,
      async (t) => {
        const site = await t.serve(answering(() => [u8('unread')]));
        const responses = await site.rawAll(`POST / HTTP/1.1\r\nHost: x\r\n${framing}${get('/')}`);
        equal(
          responses.map((each) => [each.status, each.body]),
          [
            [200, 'unread'],
            [200, 'unread'],
          ],
          'the responses',
        );
      },
    );
  }

  requires(['raw'], 'BODY-07, CL-03: responses on one connection do not run into each other', async (t) => {
    const site = await t.serve((environ, startResponse) => {
      startResponse(environ.PATH_INFO === '/204' ? '204 No Content' : '200 OK', []);
      return (function* () {
        yield u8('');
        yield u8(environ.PATH_INFO);
      })();
    });
    const ask = (method: string, target: string) => `${method} ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const responses = await site.rawAll(ask('GET', '/a') + ask('HEAD', '/b') + ask('GET', '/204') + get('/c'));
    equal(
      responses.map((each) => [each.status, each.body]),
      [
        [200, '/a'],
        [200, ''],
        [204, ''],
        [200, '/c'],
      ],
      'the responses',
    );
  });
}
