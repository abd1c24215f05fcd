// The maps of headers in events: whatever events came before, they come to what they come to name by name.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Environ } from 'waygate';
import { lambdaEvent, toLambda } from 'waygate/aws-lambda';
import {
  addBothHeaders,
  addCookies,
  addHeaders,
  addValue,
} from '../../../adapters/aws-lambda/event/request-headers.ts';
import type { ValueMap } from '../../../adapters/aws-lambda/event/target.ts';

const empty = (): Environ => ({}) as Environ;

/** The rule: one header after the other. */
function oneByOne(map: ValueMap): Environ {
  const environ = empty();
  for (const name in map) addValue(environ, name, map[name]);
  return environ;
}

function together(map: ValueMap): Environ {
  const environ = empty();
  addHeaders(environ, map);
  return environ;
}

const parse = (json: string): ValueMap => JSON.parse(json);

const MAPS: Record<string, ValueMap> = {
  'no headers': {},
  null: null,
  undefined: undefined,
  'one header': { host: 'a' },
  'names in any case': { HOST: 'a', Accept: 'b', 'user-agent': 'c' },
  'names that differ in case': { Cookie: 'a=1', cookie: 'b=2', 'X-A': '1', 'x-a': '2' },
  'lists of one': { accept: ['a'], host: ['b'] },
  'lists of more, of none, and of lists': {
    accept: ['a', 'b'],
    cookie: ['a=1', 'b=2'],
    'x-a': [],
    'x-b': [['c'], 'd'],
  },
  'a list and a text': { accept: ['a'], host: 'b' },
  'a list of a number': { accept: [5], host: [null] },
  'numbers, booleans and null': { 'content-length': 5, 'x-a': true, 'x-b': null, 'x-c': 'd' },
  'text beyond ASCII': { 'x-a': 'é', 'x-b': '世界', 'x-c': 'plain' },
  'names that are dropped': { proxy: 'http://evil/', x_a: 'b', accept: 'c' },
  'names of properties': parse('{"__proto__":"a","constructor":"b","toString":"c","host":"d"}'),
  'names that are numbers': { host: 'a', 7: 'b', 1: 'c' },
};

describe('a map of headers (ENV-12, ENV-24 … ENV-27)', () => {
  it.each(Object.keys(MAPS))('with %s comes to what it comes to name by name, however often', (name) => {
    const map = MAPS[name];
    const expected = oneByOne(map);
    for (let count = 0; count < 12; count++) expect(together(map)).toEqual(expected);
  });

  it('never gets a value of another request', () => {
    for (let request = 0; request < 12; request++) {
      const names = ['host', 'accept', 'authorization', 'cookie'];
      const map = Object.fromEntries(names.map((name) => [name, `${name} of ${request}`]));
      expect(together(map)).toEqual(oneByOne(map));
    }
  });

  it('of any events in any order comes to the same', () => {
    const value = fc.constantFrom<unknown>('v', 'é', ['w'], ['a', 'b'], 5, null);
    const map = fc.dictionary(fc.constantFrom('x-b', 'X-B', 'accept', 'x-a', 'X-A', 'x_a', 'proxy', 'cookie'), value);
    fc.assert(
      fc.property(fc.array(map, { maxLength: 30 }), (maps) => {
        for (const each of maps) expect(together(each)).toEqual(oneByOne(each));
      }),
    );
  });
});

describe('the two maps of a REST API or load balancer', () => {
  const both = (multi: ValueMap, single: ValueMap): Environ => {
    const environ = empty();
    addBothHeaders(environ, multi, single);
    return environ;
  };

  it.each<[string, ValueMap, ValueMap, Record<string, string>]>([
    [
      'the same names',
      { accept: ['a', 'b'], host: ['c'] },
      { accept: 'b', host: 'c' },
      { HTTP_ACCEPT: 'a, b', HTTP_HOST: 'c' },
    ],
    ['no map with all values', null, { accept: 'b' }, { HTTP_ACCEPT: 'b' }],
    ['no map with one value each', { accept: ['a'] }, null, { HTTP_ACCEPT: 'a' }],
    [
      'a name that only the second has',
      { accept: ['a'] },
      { accept: 'a', host: 'c' },
      { HTTP_ACCEPT: 'a', HTTP_HOST: 'c' },
    ],
    ['another case', { Accept: ['a'] }, { accept: 'a', ACCEPT: 'a' }, { HTTP_ACCEPT: 'a' }],
    ['names in the second that differ in case', {}, { 'X-A': '1', 'x-a': '2' }, { HTTP_X_A: '1, 2' }],
    ['an empty list', { accept: [] }, { accept: 'a' }, { HTTP_ACCEPT: 'a' }],
    ['a list of null', { accept: [null] }, { accept: 'a' }, { HTTP_ACCEPT: 'a' }],
  ])('with %s', (_what, multi, single, expected) => {
    for (let count = 0; count < 8; count++) expect(both(multi, single)).toEqual(expected);
  });
});

describe('the list of cookies', () => {
  it.each<[string, unknown, string | undefined]>([
    ['of one', ['a=1'], 'a=1'],
    ['of three', ['a=1', 'b=é', 'c'], 'a=1; b=Ã©; c'],
    ['of none', [], undefined],
    ['with null', ['a=1', null, 'b=2'], 'a=1; ; b=2'],
    ['that is none', 'a=1', undefined],
  ])('%s', (_what, cookies, expected) => {
    const environ = empty();
    addCookies(environ, cookies);
    expect(environ.HTTP_COOKIE).toBe(expected);
  });
});

it.each(['http-api', 'rest-api', 'function-url', 'alb', 'lattice', 'lattice-v1', 'edge'] as const)(
  'an event of %s shows its headers the same the tenth time, and other values where they are others',
  async (source) => {
    const seen: unknown[] = [];
    const handler = toLambda((environ, startResponse) => {
      seen.push([environ.HTTP_X_A, environ.HTTP_X_B, environ.HTTP_COOKIE, environ.HTTP_HOST]);
      startResponse('200 OK', []);
      return [];
    }) as (event: unknown, context: unknown) => Promise<unknown>;
    const event = (count: number): unknown =>
      lambdaEvent(source, {
        headers: { host: 'a.example', 'x-a': `a${count}`, 'x-b': `b${count}`, cookie: `c=${count}` },
      });
    for (let count = 0; count < 10; count++) await handler(event(count), {});
    expect(seen).toEqual(
      Array.from({ length: 10 }, (_, count) => [`a${count}`, `b${count}`, `c=${count}`, 'a.example']),
    );
  },
);
