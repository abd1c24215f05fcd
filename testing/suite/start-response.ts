// What startResponse takes and refuses. (SR-01 … SR-08, STR-01, STR-02)

import type { HeaderList } from '../../core/types.ts';
import { equal, isContractError, match, ok, throws } from '../assert.ts';
import { answering, chunks, u8 } from './apps.ts';
import type { Suite } from './suite.ts';

const BAD_STATUSES: unknown[] = [
  '200',
  '200OK',
  '20X OK',
  ' 200 OK',
  '200  OK',
  '200\tOK',
  '200 OK\n',
  '200 OK\r\nX-Evil: 1',
  '200 O\tK',
  '200 O\0K',
  '200 OK ',
  '\u0662\u0660\u0660 OK',
  '200 \u20ac',
  '099 Low',
  '100 Continue',
  '101 Switching Protocols',
  '103 Early Hints',
  '199 Low',
  '600 High',
  '999 High',
  '2000 OK',
  '',
  200,
  null,
  undefined,
  new String('200 OK'),
  ['200 OK'],
];

const BAD_NAMES: unknown[] = [
  '',
  'X:',
  'X Y',
  ' X',
  'X ',
  'X\t',
  'X\n',
  'X\r\nEvil',
  'X\0',
  'X\x7f',
  'X(',
  'X"',
  'X/',
  'X,',
  'X=',
  'X{',
  '\xe9',
  '\u20ac',
  7,
  null,
];

const BAD_VALUES: unknown[] = [
  'a\r\nX-Evil: 1',
  'a\nb',
  'a\rb',
  'a\n',
  '\r',
  'a\0b',
  '\x01',
  '\x08',
  '\x0b',
  '\x1f',
  'a\x7f',
  '\u20ac',
  '\u0100',
  'a\ud83d\ude00',
  5,
  null,
  undefined,
  ['a'],
];

const BAD_LISTS: Record<string, unknown> = {
  'a Headers object': new Headers([['A', 'b']]),
  'a Map': new Map([['A', 'b']]),
  'a plain object': { A: 'b' },
  'a flat array': ['A', 'b'],
  'an array with a hole': new Array(1),
  'a pair of three': [['A', 'b', 'c']],
  'a pair of one': [['A']],
  'a generator': chunks(),
  null: null,
  undefined: undefined,
  'a string': 'A: b',
};

const HOP_BY_HOP = [
  'Connection',
  'Keep-Alive',
  'Proxy-Authenticate',
  'Proxy-Authorization',
  'Proxy-Connection',
  'TE',
  'Trailer',
  'Trailers',
  'Transfer-Encoding',
  'Upgrade',
];

export function startResponseSuite(suite: Suite): void {
  const { test } = suite;

  test('SR-01: startResponse returns write, at once', async (t) => {
    let write: unknown;
    const site = await t.serve((_environ, startResponse) => {
      write = startResponse('200 OK', []);
      return [];
    });
    await site.get('/');
    equal(typeof write, 'function', 'the type of what startResponse returned');
  });

  refusals(suite, 'SR-02', 'a status', BAD_STATUSES, (bad) => [bad, []]);
  refusals(suite, 'SR-05', 'a header name', BAD_NAMES, (bad) => ['200 OK', [[bad, 'value']]]);
  refusals(suite, 'SR-06, STR-02', 'a header value', BAD_VALUES, (bad) => ['200 OK', [['X-Value', bad]]]);

  for (const [what, list] of Object.entries(BAD_LISTS)) {
    refusals(suite, 'SR-03', `as headers ${what}`, [list], (bad) => ['200 OK', bad]);
  }
  for (const name of HOP_BY_HOP) {
    const spellings = new Set([name, name.toLowerCase(), name.toUpperCase()]);
    refusals(suite, 'SR-07', `the header ${name}`, [...spellings], (bad) => ['200 OK', [[bad, 'close']]]);
  }
  refusals(suite, 'L-34', 'a header that poses as the status', ['Status', 'status'], (bad) => ['200 OK', [[bad, '1']]]);

  refusals(
    suite,
    'L-48, trap 7',
    'a malformed Content-Length',
    ['', 'x', '-1', '+1', '1.0', '0x1', '1, 2', ' 1'],
    (bad) => ['200 OK', [['Content-Length', bad]]],
  );
  refusals(suite, 'L-48, trap 7', 'a Content-Length that contradicts another', ['2', '02'], (bad) => [
    '200 OK',
    [
      ['Content-Length', bad === '02' ? '3' : '1'],
      ['content-length', bad],
    ],
  ]);

  for (const status of ['200 OK', '299 Any Reason', "418 I'm a teapot", '599 \xa1Hola!', '404 N', '200 ']) {
    test(`SR-02: the status ${JSON.stringify(status)} is taken`, async (t) => {
      const site = await t.serve(answering(() => [u8('x')], status));
      const answer = await site.get('/');
      equal(answer.status, Number(status.slice(0, 3)), 'the status');
    });
  }

  suite.proves('reason', 'SR-02: the reason phrase is the application’s own', async (t) => {
    const site = await t.serve(answering(() => [u8('x')], '299 Any Reason, really'));
    equal((await site.get('/')).reason, 'Any Reason, really', 'the reason');
  });

  test('SR-03: frozen lists are taken', async (t) => {
    const list = Object.freeze([Object.freeze(['X-Frozen', 'yes'])]) as unknown as HeaderList;
    const site = await t.serve(answering(() => [u8('x')], '200 OK', list));
    equal((await site.get('/')).headers.get('x-frozen'), 'yes', 'the header');
  });

  suite.proves('setCookies', 'SR-03: two Set-Cookie headers are two headers', async (t) => {
    const cookies: HeaderList = [
      ['Set-Cookie', 'a=1; Expires=Thu, 01 Jan 2032 00:00:00 GMT'],
      ['set-cookie', 'b=2'],
      ['Set-Cookie', 'c=3; Path=/'],
    ];
    const site = await t.serve(answering(() => [u8('x')], '200 OK', cookies));
    equal(
      (await site.get('/')).headers.getSetCookie(),
      cookies.map(([, value]) => value),
      'the cookies',
    );
  });

  test('SR-04, trap 12: a header list is copied, so changing it later has no effect', async (t) => {
    const site = await t.serve((_environ, startResponse) => {
      const pair: [string, string] = ['X-Pair', 'before'];
      const list: HeaderList = [pair];
      startResponse('200 OK', list);
      pair[1] = 'after\r\nX-Evil: 1';
      list.push(['X-Late', 'yes'], ['Connection', 'close']);
      return [u8('x')];
    });
    const { headers } = await site.get('/');
    equal([headers.get('x-pair'), headers.get('x-late'), headers.get('x-evil')], ['before', null, null], 'the headers');
  });

  test('SR-04, trap 6: a constant header list is left as it is and can be used again', async (t) => {
    const list: HeaderList = [['X-Constant', 'yes']];
    const site = await t.serve((environ, startResponse) => {
      startResponse('200 OK', list);
      return [u8(environ.PATH_INFO.slice(1))];
    });
    const long = await site.get('/12345');
    const short = await site.get('/1');
    equal(list, [['X-Constant', 'yes']], 'the list of the application');
    equal([long.text, short.text], ['12345', '1'], 'the bodies');
    const lengths = [long.headers.get('content-length'), short.headers.get('content-length')];
    ok(lengths[0] !== '1' && lengths[1] !== '5', `no length of another response: ${lengths}`);
  });

  test('SR-05: any token is a header name', async (t) => {
    const site = await t.serve(answering(() => [u8('x')], '200 OK', [["X!#$%&'*+.^`|~-1", 'yes']]));
    equal((await site.get('/')).headers.get("x!#$%&'*+.^`|~-1"), 'yes', 'the header');
  });

  test('SR-06, decision D4: a tab is allowed inside a header value', async (t) => {
    const site = await t.serve(answering(() => [u8('x')], '200 OK', [['X-Tab', 'a\tb']]));
    equal((await site.get('/')).headers.get('x-tab'), 'a\tb', 'the header');
  });

  test('SR-08: a refusal comes from the very call, with the application on its stack', async (t) => {
    let stack = '';
    const site = await t.serve(function applicationUnderTest(_environ, startResponse) {
      const error = throws(() => startResponse('bad', []), 'a bad status');
      stack = (error as Error).stack ?? '';
      throw error;
    });
    equal((await site.get('/')).status, 500, 'the status');
    match(stack, /applicationUnderTest/, 'the stack of the error');
  });
}

/** A test that startResponse throws a ContractError, that the client gets a plain 500, and that nothing leaks. */
function refusals(suite: Suite, ids: string, what: string, bads: unknown[], make: (bad: unknown) => unknown[]): void {
  for (const bad of bads) {
    const shown = bads.length === 1 && !ids.startsWith('SR-02') ? what : `${what} ${describe(bad)}`;
    suite.test(`${ids}: refused is ${shown}`, async (t) => {
      let error: unknown;
      const site = await t.serve((_environ, startResponse) => {
        try {
          startResponse(...(make(bad) as [string, HeaderList]));
        } catch (thrown) {
          error = thrown;
          throw thrown;
        }
        return [u8('sent')];
      });
      const answer = await site.get('/');
      ok(isContractError(error), `startResponse throws a ContractError, not ${String(error)}`);
      equal(answer.status, 500, 'the status');
      equal(answer.headers.get('x-evil'), null, 'an injected header');
      ok(!answer.text.includes('sent'), 'nothing of the body goes out');
      ok(site.errors.includes((error as Error).message), 'the error is on wsgi.errors');
    });
  }
}

function describe(bad: unknown): string {
  if (bad instanceof String) return 'String object';
  const text = JSON.stringify(bad) ?? String(bad);
  return text.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
