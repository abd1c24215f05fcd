// The finishing matrix: what goes over the wire for each method, status, declared length and kind of body. (CL, HTTP-05,
// HTTP-06, trap 6 … trap 8)

import type { ApplicationBody, HeaderList } from '../../core/types.ts';
import { equal, ok } from '../assert.ts';
import { valuesOf } from '../raw-response.ts';
import { eventually, quiet, type ServedSite, type TestContext } from '../test-context.ts';
import { answering, asyncChunks, chunks, LoggedBody, u8 } from './apps.ts';
import type { Suite } from './suite.ts';

const declare = (length: number): HeaderList => [['content-LENGTH', String(length)]];

/** An endless body: a gateway that drains it never ends. */
function* endless(): Generator<Uint8Array> {
  for (;;) yield u8('x');
}

export function finishingSuite(suite: Suite): void {
  computed(suite);
  declared(suite);
  withoutContent(suite);
  overSocket(suite);
}

function computed({ capabilities, test, requires, proves }: Suite): void {
  const LENGTHS: [string, () => unknown, string, string][] = [
    ['an array of one chunk', () => [u8('http')], '4', 'http'],
    ['an array of several chunks', () => [u8('a'), u8(''), u8('bc')], '3', 'abc'],
    ['an array without chunks', () => [], '0', ''],
    ['an array of an empty chunk', () => [u8('')], '0', ''],
    ['a generator that yields nothing', () => chunks(), '0', ''],
    ['a generator of empty chunks', () => chunks('', ''), '0', ''],
    ['an async generator that yields nothing', () => asyncChunks(), '0', ''],
  ];
  for (const [what, body, length, text] of LENGTHS) {
    test(`CL-04, CL-07: the length of ${what} is ${length}`, async (t) => {
      const answer = await (await t.serve(answering(body))).get('/');
      equal([answer.status, answer.headers.get('content-length'), answer.text], [200, length, text], 'the response');
    });
  }

  test('CL-04: the length counts bytes, not characters', async (t) => {
    const answer = await (await t.serve(answering(() => [new TextEncoder().encode('h\u00e9\u20ac')]))).get('/');
    equal(answer.headers.get('content-length'), '6', 'the length');
  });

  if (capabilities.streaming) {
    proves('unknownLength', 'CL-04, trap 6: the length of a generator is not known', async (t) => {
      const answer = await (await t.serve(answering(() => chunks('a', 'bc')))).get('/');
      equal([answer.headers.get('content-length'), answer.text], [null, 'abc'], 'length and body');
    });
  }

  requires(['streaming', 'unknownLength'], 'CL-04, trap 6: with write the length is not known', async (t) => {
    const site = await t.serve((_environ, startResponse) => {
      startResponse('200 OK', [])(u8('abc'));
      return [u8('d')];
    });
    const answer = await site.get('/');
    equal([answer.headers.get('content-length'), answer.text], [null, 'abcd'], 'length and body');
  });

  test('CL-05, trap 6: a length property of a body means nothing', async (t) => {
    const body = () => Object.assign(chunks('ab', 'c'), { length: 1, size: 1 });
    const answer = await (await t.serve(answering(body))).get('/');
    equal(answer.text, 'abc', 'the body');
    ok(answer.headers.get('content-length') !== '2', 'the length is not that of the first chunk');
  });
}

function declared({ test }: Suite): void {
  for (const [what, make] of [
    ['an array', (...texts: string[]) => texts.map(u8)],
    ['a generator', chunks],
    ['an async generator', asyncChunks],
  ] as [string, (...texts: string[]) => ApplicationBody][]) {
    test(`§3.2: GET, as many bytes as declared, from ${what}`, async (t) => {
      const site = await t.serve(answering(() => make('ab', 'cd'), '200 OK', declare(4)));
      const answer = await site.get('/');
      equal([answer.headers.get('content-length'), answer.text], ['4', 'abcd'], 'length and body');
      equal(site.errors, '', 'wsgi.errors');
    });

    test(`CL-01, trap 7: GET, more bytes than declared, from ${what}: cut, and reported`, async (t) => {
      const site = await t.serve(answering(() => make('abc', 'def'), '200 OK', declare(2)));
      const answer = await site.get('/');
      equal([answer.headers.get('content-length'), answer.text], ['2', 'ab'], 'length and body');
      await eventually(() => site.errors.includes('CL-01'), 'the report on wsgi.errors');
    });

    test(`CL-02, trap 7: GET, fewer bytes than declared, from ${what}: broken off, and reported`, async (t) => {
      const site = await t.serve(answering(() => make('abc', 'def'), '200 OK', declare(20)));
      await site.breaks('/');
      await eventually(() => site.errors.includes('CL-02'), 'the report on wsgi.errors');
      await quiet();
      equal(site.errors.split('CL-02').length - 1, 1, 'how often it is reported');
    });
  }

  test('CL-01: an array that is longer than declared is reported once, also where a chunk ends at the declared length', async (t) => {
    for (const length of [2, 3]) {
      const site = await t.serve(answering(() => [u8('ab'), u8('cd'), u8('ef')], '200 OK', declare(length)));
      equal((await site.get('/')).text, 'abcdef'.slice(0, length), 'the body');
      await eventually(() => site.errors.includes('CL-01'), 'the report on wsgi.errors');
      await quiet();
      equal(site.errors.split('CL-01').length - 1, 1, 'how often it is reported');
    }
  });

  test('CL-02: GET, a declared length and no body at all: broken off', async (t) => {
    await (await t.serve(answering(() => [], '200 OK', declare(3)))).breaks('/');
  });

  for (const asynchronous of [false, true]) {
    const kind = asynchronous ? 'async' : 'sync';
    test(`CL-01, BODY-05, decision D12: at the declared length the body is closed, not read on (${kind})`, async (t) => {
      const body = new LoggedBody(['abc', 'd', 'e'], asynchronous);
      const site = await t.serve(answering(() => body, '200 OK', declare(3)));
      equal((await site.get('/')).text, 'abc', 'the body');
      await eventually(() => body.log.includes('close'), 'close()');
      equal(body.log, ['iterate', 'next', 'return', 'close'], 'what happened to the body');
      equal(site.errors, '', 'wsgi.errors');
    });
  }

  test('L-48: the same length twice is one length', async (t) => {
    const site = await t.serve(answering(() => [u8('abc')], '200 OK', [...declare(3), ...declare(3)]));
    const answer = await site.get('/');
    equal([answer.headers.get('content-length'), answer.text], ['3', 'abc'], 'length and body');
  });
}

const EMPTY_STATUSES = ['204 No Content', '205 Reset Content', '304 Not Modified'];

function withoutContent(suite: Suite): void {
  const { test, requires, proves } = suite;

  for (const status of EMPTY_STATUSES) {
    test(`HTTP-06, trap 8: ${status}: the body is dropped and closed, and that is reported`, async (t) => {
      const body = new LoggedBody(['abc', 'def']);
      const site = await t.serve(answering(() => body, status));
      const answer = await site.get('/');
      equal([answer.status, answer.text], [Number(status.slice(0, 3)), ''], 'status and body');
      await eventually(() => body.log.includes('close'), 'close()');
      equal(body.count('close'), 1, 'the number of calls of close()');
      ok(body.count('next') <= 1, 'the body is not drained');
      ok(site.errors.includes(status.slice(0, 3)), `wsgi.errors says that bytes were dropped: ${site.errors}`);
    });

    test(`HTTP-06: ${status}: an endless body is not drained`, async (t) => {
      equal((await (await t.serve(answering(endless, status))).get('/')).text, '', 'the body');
    });

    test(`HTTP-06: ${status} without a body is nothing to complain of`, async (t) => {
      const site = await t.serve(answering(() => [], status));
      const { headers } = await site.get('/');
      const length = headers.get('content-length');
      ok(length === null || (length === '0' && status.startsWith('205')), `no length, not ${length}`);
      equal(site.errors, '', 'wsgi.errors');
    });

    test(`HTTP-06: ${status}: a declared length does not break the response off`, async (t) => {
      const site = await t.serve(answering(() => [], status, declare(5)));
      const { headers } = await site.get('/');
      const length = headers.get('content-length');
      if (status.startsWith('204')) equal(length, null, 'the length');
      if (status.startsWith('205')) ok(length === null || length === '0', `no length or 0, not ${length}`);
      equal(site.errors, '', 'wsgi.errors');
    });
  }

  for (const [what, make] of [
    ['an array', () => [u8('hel'), u8('lo')]],
    ['a generator', () => chunks('hel', 'lo')],
    ['an endless generator', endless],
  ] as [string, () => unknown][]) {
    test(`HTTP-05, trap 8: HEAD with ${what}: no bytes`, async (t) => {
      const answer = await (await t.serve(answering(make))).get('/', { method: 'HEAD' });
      equal([answer.status, answer.text], [200, ''], 'status and body');
    });
  }

  test('HTTP-05: the application sees the HEAD', async (t) => {
    let method = '';
    const site = await t.serve((environ, startResponse) => {
      method = environ.REQUEST_METHOD;
      startResponse('200 OK', []);
      return [];
    });
    await site.get('/', { method: 'HEAD' });
    equal(method, 'HEAD', 'REQUEST_METHOD');
  });

  proves('headLength', 'HTTP-05: HEAD keeps a declared length, and fewer bytes are not a shortfall', async (t) => {
    const site = await t.serve(answering(() => [], '200 OK', declare(12345)));
    const answer = await site.get('/', { method: 'HEAD' });
    equal([answer.headers.get('content-length'), answer.text], ['12345', ''], 'length and body');
    equal(site.errors, '', 'wsgi.errors');
  });

  requires(['headLength'], 'HTTP-05: HEAD with an array has the length that GET would have', async (t) => {
    const site = await t.serve(answering(() => [u8('hel'), u8('lo')]));
    equal((await site.get('/', { method: 'HEAD' })).headers.get('content-length'), '5', 'the length');
  });

  test('CLOSE-01: HEAD closes the body', async (t) => {
    const body = new LoggedBody(['abc', 'def'], true);
    const site = await t.serve(answering(() => body));
    await site.get('/', { method: 'HEAD' });
    await eventually(() => body.log.includes('close'), 'close()');
    equal(body.count('close'), 1, 'the number of calls of close()');
  });
}

const ask = (method: string, version = '1.1'): string =>
  `${method} / HTTP/${version}\r\nHost: localhost\r\nConnection: close\r\n\r\n`;

/** Byte-exact, where there is a socket to see it on. */
function overSocket({ requires, proves }: Suite): void {
  proves('raw', 'SRV: a raw HTTP/1.1 request gets a raw response', async (t) => {
    const response = await (await t.serve(answering(() => [u8('hi')]))).raw(ask('GET'));
    equal([response.statusLine, response.body], ['HTTP/1.1 200 OK', 'hi'], 'status line and body');
  });

  const framing = async (t: TestContext, app: Parameters<TestContext['serve']>[0], request: string) => {
    const site: ServedSite = await t.serve(app);
    const response = await site.raw(request);
    return {
      response,
      seen: [
        response.status,
        valuesOf(response, 'content-length').join(),
        valuesOf(response, 'transfer-encoding').join(),
      ],
    };
  };

  const ROWS: [string, Parameters<TestContext['serve']>[0], string, unknown[], string][] = [
    ['GET, array of one', answering(() => [u8('abc')]), ask('GET'), [200, '3', ''], 'abc'],
    ['GET, generator', answering(() => chunks('a', '', 'bc')), ask('GET'), [200, '', 'chunked'], 'abc'],
    ['GET, nothing', answering(() => chunks()), ask('GET'), [200, '0', ''], ''],
    ['GET, HTTP/1.0, generator', answering(() => chunks('a', 'bc')), ask('GET', '1.0'), [200, '', ''], 'abc'],
    ['HEAD, array', answering(() => [u8('abc')]), ask('HEAD'), [200, '3', ''], ''],
    ['HEAD, declared', answering(() => chunks('abc'), '200 OK', declare(3)), ask('HEAD'), [200, '3', ''], ''],
    ['204', answering(() => chunks('abc'), '204 No Content', declare(3)), ask('GET'), [204, '', ''], ''],
    ['205', answering(() => chunks('abc'), '205 Reset Content'), ask('GET'), [205, '0', ''], ''],
    ['304', answering(() => chunks('abc'), '304 Not Modified'), ask('GET'), [304, '', ''], ''],
    ['304, declared', answering(() => [], '304 Not Modified', declare(9)), ask('GET'), [304, '9', ''], ''],
    ['500 for HEAD', answering(() => [], 'bad'), ask('HEAD'), [500, '26', ''], ''],
  ];
  for (const [what, app, request, expected, body] of ROWS) {
    requires(['raw'], `§3.2 on the wire: ${what}`, async (t) => {
      const { response, seen } = await framing(t, app, request);
      equal(seen, expected, 'status, Content-Length and Transfer-Encoding');
      equal([response.body, response.complete], [body, true], 'the body and whether it is complete');
    });
  }

  requires(['raw'], 'ERR-04, trap 7: a chunked response that fails has no last chunk', async (t) => {
    const site = await t.serve(function* (_environ, startResponse) {
      startResponse('200 OK', []);
      yield u8('abc');
      throw new Error('planned');
    });
    const response = await site.raw(ask('GET'));
    equal([response.status, response.body, response.complete], [200, 'abc', false], 'status, body, complete');
  });

  requires(
    ['raw'],
    'CL-02, ERR-04: a response that falls short shows its head and what there was of its body',
    async (t) => {
      const site = await t.serve(answering(() => chunks('abc'), '200 OK', declare(20)));
      const response = await site.raw(ask('GET'));
      equal([response.status, response.body, response.complete], [200, 'abc', false], 'status, body, complete');
    },
  );

  requires(['raw'], 'CL-01: not a byte more than declared goes out', async (t) => {
    const site = await t.serve(answering(() => chunks('abc', 'def'), '200 OK', declare(2)));
    const bytes = await site.served.raw?.(u8(ask('GET')));
    ok(new TextDecoder().decode(bytes).endsWith('\r\n\r\nab'), 'the response ends after two bytes');
  });

  requires(['raw'], 'SR-17, HTTP-02: order, case and repeats of headers are the application’s own', async (t) => {
    const list: HeaderList = [
      ['X-One', '1'],
      ['x-TWO', '2'],
      ['Set-Cookie', 'a=1'],
      ['X-One', '3'],
      ['set-cookie', 'b=2'],
      ['A-Last', ''],
    ];
    const response = await (await t.serve(answering(() => [u8('x')], '200 OK', list))).raw(ask('GET'));
    equal(response.headers.slice(0, list.length), list, 'the first headers');
    const added = response.headers.slice(list.length).map(([name]) => name.toLowerCase());
    for (const name of added) {
      ok(['content-length', 'date', 'server', 'connection', 'keep-alive'].includes(name), `${name} was not asked for`);
    }
  });

  requires(['raw'], 'SR-17: there is a Date, and one of the application’s own stands alone', async (t) => {
    const site = await t.serve(answering(() => [u8('x')]));
    equal(valuesOf(await site.raw(ask('GET')), 'date').length, 1, 'the number of dates');
    const own = await t.serve(answering(() => [u8('x')], '200 OK', [['dAtE', 'Thu, 01 Jan 1970 00:00:00 GMT']]));
    equal(valuesOf(await own.raw(ask('GET')), 'date'), ['Thu, 01 Jan 1970 00:00:00 GMT'], 'the dates');
  });

  requires(['raw'], 'STR-05: one byte per code unit goes out, also in the reason', async (t) => {
    const app = answering(() => [], '200 \xa1s\xed!', [['X-Byte', '\xe9']]);
    const response = await (await t.serve(app)).raw(ask('GET'));
    equal(
      [response.statusLine, valuesOf(response, 'x-byte')],
      ['HTTP/1.1 200 \xa1s\xed!', ['\xe9']],
      'status line and header',
    );
  });
}
