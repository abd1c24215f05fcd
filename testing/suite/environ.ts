// What an application finds in its environ. (ENV, THREAD, HTTP-03)

import type { Environ } from '../../core/types.ts';
import { equal, match, ok } from '../assert.ts';
import type { TestContext } from '../test-context.ts';
import { looking, u8 } from './apps.ts';
import type { Suite } from './suite.ts';

/** The environ that a request gives. */
export async function environOf(t: TestContext, path = '/', init?: RequestInit): Promise<Environ> {
  let seen: Environ | undefined;
  const site = await t.serve(
    looking((environ) => {
      seen = environ;
    }),
  );
  await site.get(path, init);
  ok(seen !== undefined, 'the application was called');
  return seen;
}

const REQUIRED = [
  'REQUEST_METHOD',
  'SCRIPT_NAME',
  'PATH_INFO',
  'QUERY_STRING',
  'SERVER_NAME',
  'SERVER_PORT',
  'SERVER_PROTOCOL',
  'wsgi.version',
  'wsgi.url_scheme',
  'wsgi.input',
  'wsgi.errors',
  'wsgi.multithread',
  'wsgi.multiprocess',
  'wsgi.run_once',
  'wsgi.input_terminated',
  'wsgi.file_wrapper',
  'waygate.gateway',
  'waygate.wait_until',
  'waygate.signal',
];

/** Keys that the contract allows to be made on first use. */
const MAY_BE_LAZY = /^(?!wsgi\.)[a-z_]+\./;

export function environSuite(suite: Suite): void {
  theObject(suite);
  theKeys(suite);
  requestHeaders(suite);
}

function theObject({ test }: Suite): void {
  test('ENV-01, ENV-02: environ is a plain object of plain, writable keys', async (t) => {
    const environ = await environOf(t);
    const prototype = Object.getPrototypeOf(environ);
    ok(prototype === null || Object.getPrototypeOf(prototype) === null, 'it has no class');
    ok(Object.isExtensible(environ), 'keys can be added');
    for (const [key, each] of Object.entries(Object.getOwnPropertyDescriptors(environ))) {
      ok(each.enumerable && each.configurable, `${key} can be listed and deleted`);
      if (!MAY_BE_LAZY.test(key)) ok('value' in each && each.writable, `${key} holds a value, and can be set`);
    }
    for (const key of Object.keys(environ)) ok(Object.hasOwn({ ...environ }, key), `${key} is in a copy`);
  });

  test('ENV-02: every key can be set and deleted, and a copy is as good as the original', async (t) => {
    const kept: Record<string, unknown>[] = [];
    const site = await t.serve((environ, startResponse) => {
      const copy = { ...environ };
      for (const key of REQUIRED) environ[key] = 'changed';
      const changed = REQUIRED.filter((key) => environ[key] !== 'changed');
      for (const key of Object.keys(environ)) delete environ[key];
      kept.push(copy, { changed, left: Object.keys(environ) });
      startResponse('200 OK', []);
      return [u8('fine')];
    });
    const answer = await site.get('/');
    equal([answer.status, answer.text], [200, 'fine'], 'the response of an application that cleared its environ');
    const [copy, rest] = kept as [Environ, unknown];
    equal(rest, { changed: [], left: [] }, 'keys that could not be changed or deleted');
    equal(
      [typeof copy['waygate.wait_until'], copy['waygate.signal'] instanceof AbortSignal],
      ['function', true],
      'the copy',
    );
  });

  test('ENV-02: environ can be frozen, and every key can still be read', async (t) => {
    let keys: unknown[] = [];
    const site = await t.serve(
      looking((environ) => {
        Object.freeze(environ);
        const first = environ['waygate.signal'];
        const copy: Record<string, unknown> = { ...environ };
        keys = Object.keys(environ).filter((key) => copy[key] === undefined);
        if (environ['waygate.signal'] !== first) keys.push('another signal each time');
      }),
    );
    equal((await site.get('/')).status, 200, 'the status');
    equal(keys, [], 'keys that cannot be read');
  });

  test('ENV-02, trap 10: what the application changes changes nothing for the gateway', async (t) => {
    const site = await t.serve((environ, startResponse) => {
      environ.REQUEST_METHOD = environ.REQUEST_METHOD === 'HEAD' ? 'GET' : 'HEAD';
      environ.SERVER_PROTOCOL = 'HTTP/0.9';
      startResponse('200 OK', []);
      return [u8('fine')];
    });
    equal((await site.get('/')).text, 'fine', 'the body of a GET');
    equal((await site.get('/', { method: 'HEAD' })).text, '', 'the body of a HEAD');
  });

  test('ENV-03, ENV-21, trap 10: every request has an environ of its own', async (t) => {
    const environs: Environ[] = [];
    const site = await t.serve(
      looking((environ) => {
        equal(environ['app.left'], undefined, 'what an earlier request left');
        equal(environ['wsgi.version'], [1, 0], 'wsgi.version');
        environ['app.left'] = 'here';
        (environ['wsgi.version'] as number[]).push(7);
        environs.push(environ);
      }),
    );
    equal((await site.get('/')).status, 200, 'the first status');
    equal((await site.get('/')).status, 200, 'the second status');
    ok(environs[0] !== environs[1], 'two requests have two environs');
    ok(environs[0]?.['wsgi.input'] !== environs[1]?.['wsgi.input'], 'two requests have two inputs');
  });
}

function theKeys({ test, proves, capabilities }: Suite): void {
  test('ENV-04 … ENV-11, ENV-21 … ENV-23, THREAD: the required keys are there, of the right type', async (t) => {
    const environ = await environOf(t);
    for (const key of REQUIRED) ok(Object.hasOwn(environ, key), `${key} is there`);
    equal(environ.REQUEST_METHOD, 'GET', 'REQUEST_METHOD');
    equal(environ['wsgi.version'], [1, 0], 'wsgi.version');
    ok(environ.SERVER_NAME !== '', 'SERVER_NAME is not empty');
    match(environ.SERVER_PORT, /^[0-9]+$/, 'SERVER_PORT');
    match(environ.SERVER_PROTOCOL, /^HTTP\/[0-9](\.[0-9])?$/, 'SERVER_PROTOCOL');
    match(environ['wsgi.url_scheme'], /^https?$/, 'wsgi.url_scheme');
    match(environ['waygate.gateway'], /^[a-z-]+$/, 'waygate.gateway');
    for (const key of ['wsgi.multithread', 'wsgi.multiprocess', 'wsgi.run_once']) {
      equal(typeof environ[key], 'boolean', `the type of ${key}`);
    }
    equal(environ['wsgi.multithread'], false, 'wsgi.multithread (decision D1)');
    equal(environ['wsgi.input_terminated'], true, 'wsgi.input_terminated (decision D7)');
    equal(environ['waygate.signal'].aborted, false, 'waygate.signal.aborted');
  });

  test('ENV-15: HTTPS says what wsgi.url_scheme says', async (t) => {
    const environ = await environOf(t);
    equal(environ.HTTPS, environ['wsgi.url_scheme'] === 'https' ? 'on' : undefined, 'HTTPS');
  });

  test('ENV-16, ENV-17, STR-03, L-15, L-16: every CGI variable is a native string', async (t) => {
    const environ = await environOf(t, '/caf%C3%A9?q=%C3%A9', { headers: { 'X-Text': 'caf\xc3\xa9' } });
    for (const [key, value] of Object.entries(environ)) {
      ok(value !== undefined && value !== null, `${key} has a value`);
      if (!key.includes('.')) match(value, /^[\x00-\xff]*$/, key);
    }
  });

  test('ENV-19, L-20: keys with a dot are lower case and have a prefix', async (t) => {
    const known = new Set(REQUIRED);
    for (const key of Object.keys(await environOf(t)).filter((each) => each.includes('.'))) {
      match(key, /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$/, 'a key');
      if (key.startsWith('wsgi.')) ok(known.has(key), `${key} is a key of the contract`);
    }
  });

  test('ENV-18: nothing of the process environment is in it', async (t) => {
    const environ = await environOf(t);
    const { process } = globalThis as { process?: { env?: Record<string, string> } };
    const leaked = Object.keys(process?.env ?? { PATH: '', HOME: '' }).filter((key) => Object.hasOwn(environ, key));
    equal(
      leaked.filter((key) => !REQUIRED.includes(key) && !/^(HTTPS?|REMOTE|SERVER|SSL)_?/.test(key)),
      [],
      'leaked keys',
    );
  });

  test('ENV-08, ENV-09: without a body there is neither CONTENT_TYPE nor CONTENT_LENGTH', async (t) => {
    const environ = await environOf(t);
    equal([environ.CONTENT_TYPE, environ.CONTENT_LENGTH ?? '0'], [undefined, '0'], 'the two keys');
  });

  test('ENV-08, ENV-25: Content-Type is CONTENT_TYPE, never HTTP_CONTENT_TYPE', async (t) => {
    const init = { method: 'POST', body: 'x=1', headers: { 'Content-Type': 'text/x-test; a="b"' } };
    const environ = await environOf(t, '/', init);
    equal(environ.CONTENT_TYPE, 'text/x-test; a="b"', 'CONTENT_TYPE');
    ok(!('HTTP_CONTENT_TYPE' in environ) && !('HTTP_CONTENT_LENGTH' in environ), 'no HTTP_CONTENT_ keys');
  });

  proves('requestLength', 'ENV-09: CONTENT_LENGTH counts the bytes of the body', async (t) => {
    const environ = await environOf(t, '/', { method: 'POST', body: u8('\xc3\xa9\x00') as BodyInit });
    equal(environ.CONTENT_LENGTH, '3', 'CONTENT_LENGTH');
  });

  for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    test(`ENV-04: REQUEST_METHOD is ${method}`, async (t) => {
      equal((await environOf(t, '/', { method })).REQUEST_METHOD, method, 'REQUEST_METHOD');
    });
  }

  proves('anyMethod', 'ENV-04: an extension method arrives as it was sent, case included', async (t) => {
    for (const method of ['PROPFIND', 'M-SEARCH']) {
      equal((await environOf(t, '/', { method })).REQUEST_METHOD, method, 'REQUEST_METHOD');
    }
    // A socket takes only methods that its parser knows.
    if (!capabilities.raw)
      equal((await environOf(t, '/', { method: 'patch' })).REQUEST_METHOD, 'patch', 'REQUEST_METHOD');
  });

  test('waygate.wait_until takes work that goes on after the response, and reports its failure', async (t) => {
    let done = false;
    const site = await t.serve((environ, startResponse) => {
      environ['waygate.wait_until'](
        Promise.resolve().then(() => {
          done = true;
        }),
      );
      environ['waygate.wait_until'](Promise.reject(new Error('planned failure of work')));
      startResponse('200 OK', []);
      return [u8('fine')];
    });
    equal((await site.get('/')).text, 'fine', 'the body');
    for (let waited = 0; !(done && site.errors.includes('planned failure of work')) && waited < 200; waited++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    ok(done, 'the work was done');
    ok(site.errors.includes('planned failure of work'), `wsgi.errors reports the failure: ${site.errors}`);
  });
}

function requestHeaders({ test, requires, proves }: Suite): void {
  test('ENV-12: a header is HTTP_ and its name, and keeps its value', async (t) => {
    const headers = { 'X-Mixed-Case-1': 'a, b;c="d"', 'x-empty': '', Accept: 'text/x-test' };
    const environ = await environOf(t, '/', { headers });
    equal(environ.HTTP_X_MIXED_CASE_1, 'a, b;c="d"', 'HTTP_X_MIXED_CASE_1');
    equal(environ.HTTP_X_EMPTY, '', 'HTTP_X_EMPTY');
    equal(environ.HTTP_ACCEPT, 'text/x-test', 'HTTP_ACCEPT');
    equal(environ.HTTP_X_NEVER_SENT, undefined, 'a header that was not sent');
  });

  test('ENV-12: any token is a header name', async (t) => {
    const environ = await environOf(t, '/', { headers: { 'x!y.z~1': 'yes' } });
    equal(environ['HTTP_X!Y.Z~1'], 'yes', 'the header');
  });

  test('ENV-24: repeated headers are joined, with a comma', async (t) => {
    const headers: [string, string][] = [
      ['X-Many', '1'],
      ['x-many', '2, 3'],
    ];
    match((await environOf(t, '/', { headers })).HTTP_X_MANY, /^1, ?2, 3$/, 'HTTP_X_MANY');
  });

  test('ENV-24, ENV-12: cookies keep their semicolons', async (t) => {
    equal((await environOf(t, '/', { headers: { Cookie: 'a=1; b=2' } })).HTTP_COOKIE, 'a=1; b=2', 'HTTP_COOKIE');
    equal('HTTP_COOKIE' in (await environOf(t)), false, 'HTTP_COOKIE without a cookie');
  });

  test('ENV-26, ENV-27, httpoxy: names with an underscore and Proxy are dropped', async (t) => {
    const headers = {
      X_Forwarded_For: '6.6.6.6',
      Content_Length: '5',
      SCRIPT_NAME: '/evil',
      Proxy: 'http://evil.example',
    };
    const environ = await environOf(t, '/', { headers });
    for (const key of ['HTTP_PROXY', 'HTTP_SCRIPT_NAME', 'HTTP_CONTENT_LENGTH']) ok(!(key in environ), `no ${key}`);
    ok(environ.HTTP_X_FORWARDED_FOR !== '6.6.6.6', 'X_Forwarded_For does not pose as X-Forwarded-For');
    ok(environ.CONTENT_LENGTH !== '5', 'Content_Length does not pose as Content-Length');
    equal(environ.SCRIPT_NAME, t.mount, 'SCRIPT_NAME');
  });

  test('ENV-27: a header named as a CGI variable leaves that variable alone', async (t) => {
    const headers = { 'Remote-Addr': '6.6.6.6', 'Server-Name': 'evil', 'Remote-User': 'root', 'Path-Info': '/evil' };
    const environ = await environOf(t, '/', { headers });
    ok(environ.REMOTE_ADDR !== '6.6.6.6' && environ.SERVER_NAME !== 'evil', 'address and name are the platform’s');
    equal([environ.REMOTE_USER, environ.PATH_INFO], [undefined, '/'], 'REMOTE_USER and PATH_INFO');
    equal(environ.HTTP_REMOTE_ADDR, '6.6.6.6', 'HTTP_REMOTE_ADDR');
  });

  test('trap 10: header names that JavaScript gives a meaning are keys like any other', async (t) => {
    const environ = await environOf(t, '/', { headers: { constructor: 'a', 'to-string': 'b' } });
    equal([environ.HTTP_CONSTRUCTOR, environ.HTTP_TO_STRING], ['a', 'b'], 'the headers');
    equal(
      Object.getPrototypeOf(environ) === null || typeof environ.hasOwnProperty === 'function',
      true,
      'the prototype',
    );
  });

  test('STR-03, ENV-28: UTF-8 in a header value arrives as its bytes', async (t) => {
    const environ = await environOf(t, '/', { headers: { 'X-Text': 'caf\xc3\xa9' } });
    equal(environ.HTTP_X_TEXT, 'caf\xc3\xa9', 'HTTP_X_TEXT');
  });

  const HIGH = Array.from({ length: 128 }, (_, at) => String.fromCharCode(128 + at)).join('');
  proves('headerBytes', 'STR-03: every byte from 0x80 to 0xFF survives in a request header', async (t) => {
    equal((await environOf(t, '/', { headers: { 'X-High': `a${HIGH}z` } })).HTTP_X_HIGH, `a${HIGH}z`, 'HTTP_X_HIGH');
  });

  test('trap 15: every printable ASCII character survives in header values, both ways', async (t) => {
    const ascii = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).join('');
    const site = await t.serve((environ, startResponse) => {
      startResponse('200 OK', [['X-Echo', environ.HTTP_X_ASCII as string]]);
      return [];
    });
    const { headers } = await site.get('/', { headers: { 'X-Ascii': `a${ascii}\tz` } });
    equal(headers.get('x-echo'), `a${ascii}\tz`, 'the header that came back');
  });

  test('STR-05: UTF-8 bytes in a response header reach the client', async (t) => {
    const site = await t.serve((_environ, startResponse) => {
      startResponse('200 OK', [['X-Text', 'caf\xc3\xa9']]);
      return [];
    });
    equal((await site.get('/')).headers.get('x-text'), 'caf\xc3\xa9', 'the header');
  });

  requires(['headerBytes'], 'STR-05: every byte from 0x80 to 0xFF survives in a response header', async (t) => {
    const site = await t.serve((_environ, startResponse) => {
      startResponse('200 OK', [['X-High', `a${HIGH}z`]]);
      return [];
    });
    equal((await site.get('/')).headers.get('x-high'), `a${HIGH}z`, 'the header');
  });
}
