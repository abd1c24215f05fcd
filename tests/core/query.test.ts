// query: the fields of QUERY_STRING, as a browser would read them.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeWsgi, query } from 'waygate';
import { testEnviron } from 'waygate/testing';

const fields = (native: string) => [...query(testEnviron({ QUERY_STRING: native }))];

test.each([
  ['', []],
  [
    'a=1&b=2&a=3',
    [
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ],
  ],
  ['a', [['a', '']]],
  ['a=b=c', [['a', 'b=c']]],
  ['?a=1', [['?a', '1']]],
  ['a+b=%2B', [['a b', '+']]],
  ['&&a=1&', [['a', '1']]],
  ['a=caf%C3%A9', [['a', 'café']]],
  ['a=caf\xc3\xa9', [['a', 'café']]],
  ['a=caf\xc3%A9', [['a', 'café']]],
  ['a=\xff%zz%', [['a', '\ufffd%zz%']]],
] as [string, string[][]][])('%j', (native, expected) => {
  expect(fields(native)).toEqual(expected);
});

test('it reads what URLSearchParams writes, and what a browser sends of any text', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))), (pairs) => {
      const params = new URLSearchParams(pairs.map(([name, value]) => [name.toWellFormed(), value.toWellFormed()]));
      expect(fields(params.toString())).toEqual([...params]);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const url = new URL(`http://a/?${text.replaceAll('#', '')}`);
      expect(fields(url.search.slice(1))).toEqual([...url.searchParams]);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const wellFormed = text.toWellFormed();
      expect(fields(encodeWsgi(wellFormed))).toEqual([...new URLSearchParams(`&${wellFormed}`)]);
    }),
  );
});

test('each call reads what QUERY_STRING says then, and gives an object of its own', () => {
  const request = testEnviron({ QUERY_STRING: 'a=1' });
  query(request).set('a', '2');
  expect(query(request).get('a')).toBe('1');
  request.QUERY_STRING = 'a=3';
  expect(query(request).get('a')).toBe('3');
});
