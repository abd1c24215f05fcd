// Plans for headers: whatever came before, headers come to what they come to one by one.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BadRequestError, type Environ } from 'waygate';
import { addHeader, headerKey } from '../../core/environ.ts';
import { addHeaderLines, HeaderPlans } from '../../core/header-plans.ts';

type Lines = string[];

const empty = (): Environ => ({}) as Environ;

/** What one call after the other makes of header lines: the rule. */
function oneByOne(lines: Lines): Environ {
  const environ = empty();
  for (let at = 0; at < lines.length; at += 2) addHeader(environ, lines[at] as string, lines[at + 1] as string);
  return environ;
}

function together(lines: Lines): Environ {
  const environ = empty();
  addHeaderLines(environ, lines);
  return environ;
}

/** As often as a plan needs to be made, and once more by it. */
function again(lines: Lines): Environ {
  for (let count = 0; count < 12; count++) together(lines);
  return together(lines);
}

const CASES: Record<string, Lines> = {
  'no headers': [],
  'one header': ['Host', 'a.example'],
  'names in any case': ['HOST', 'a', 'accept', 'b', 'User-agent', 'c'],
  'a name that repeats': ['Accept', 'a', 'X-Two', '1', 'X-Two', '2'],
  'a name that repeats at the end, and nothing else': ['X-Two', '1', 'X-Two', '2'],
  'names that differ in case': ['Cookie', 'a=1', 'Accept', '*/*', 'cookie', 'b=2'],
  'names that are one key': ['X-A', '1', 'x-A', '2', 'x-a', '3'],
  'a Host that agrees with itself': ['Host', 'a', 'Accept', 'b', 'host', 'a'],
  'names that are dropped': ['Accept', 'a', 'Proxy', 'http://evil/', 'X_Accept', 'b', 'X Y', 'c', '__proto__', 'd'],
  'only names that are dropped': ['Proxy', 'a'],
  'names of properties': ['constructor', 'a', 'toString', 'b', 'valueOf', 'c'],
  'Content-Type and Content-Length': ['Content-Type', 'text/plain', 'Content-Length', '5'],
  'empty values': ['A', '', 'B', ''],
  'more headers than a plan has': Array.from({ length: 200 }, (_, index) => `X-${index}`).flatMap((name) => [
    name,
    'v',
  ]),
  'names longer than a plan takes': ['Accept', 'a', `X-${'a'.repeat(4000)}`, 'b'],
};

describe('header lines (ENV-12, ENV-24 … ENV-27)', () => {
  it.each(Object.keys(CASES))('with %s come to what they come to one by one, however often', (name) => {
    const lines = CASES[name] as Lines;
    const expected = oneByOne(lines);
    expect(together(lines)).toEqual(expected);
    expect(again(lines)).toEqual(expected);
    expect(Object.keys(again(lines))).toEqual(Object.keys(expected));
  });

  it('of one request never get a value of another', () => {
    const names = Array.from({ length: 20 }, (_, index) => `X-Header-${index}`);
    for (let request = 0; request < 20; request++) {
      const environ = together(names.flatMap((name, index) => [name, `${request}.${index}`]));
      expect(environ).toEqual(Object.fromEntries(names.map((name, index) => [headerKey(name), `${request}.${index}`])));
    }
  });

  it('of fewer and more names than a plan, which begin as it does, are told from it', () => {
    // So many more that they have the same place: 32 × 7 is a multiple of the places.
    const names = Array.from({ length: 35 }, (_, index) => `X-Header-${index % 7}${index}`);
    const lines = (count: number): Lines => names.slice(0, count).flatMap((name) => [name, 'v']);
    again(lines(34));
    for (let count = 1; count < names.length; count++) {
      expect(again(lines(count))).toEqual(oneByOne(lines(count)));
      expect(together(lines(34))).toEqual(oneByOne(lines(34)));
    }
  });

  it('with two hosts are refused each time, also where a request with one had the same names', () => {
    const good = ['Host', 'a', 'Host', 'a'];
    expect(again(good)).toEqual({ HTTP_HOST: 'a' });
    for (let count = 0; count < 12; count++) {
      expect(() => together(['Host', 'a', 'Host', 'b'])).toThrow(BadRequestError);
      expect(together(good)).toEqual({ HTTP_HOST: 'a' });
    }
  });

  it('of any requests in any order come to the same', () => {
    const name = fc.constantFrom('Host', 'host', 'A', 'a', 'B', 'Cookie', 'cookie', 'Proxy', 'X_A', 'X-A', 'x-a', 'é');
    const request = fc.array(fc.tuple(name, fc.constant('v')), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 40 }), (requests) => {
        for (const pairs of requests) expect(together(pairs.flat())).toEqual(oneByOne(pairs.flat()));
      }),
    );
  });
});

describe('plans', () => {
  it('are made of the first request, and another one takes the place after some that did not fit', () => {
    const plans = new HeaderPlans();
    const one = ['A', 'B'];
    const other = ['C', 'D'];
    plans.missed(one);
    expect(plans.at(2, 'B')).toEqual({ names: one, keys: ['HTTP_A', 'HTTP_B'] });
    let misses = 0;
    while (plans.at(2, 'D')?.names[0] !== 'C') {
      plans.missed(other);
      misses++;
    }
    expect(misses).toBeGreaterThan(1);
    expect(misses).toBeLessThan(10);
    expect(plans.at(2, 'D')).toEqual({ names: other, keys: ['HTTP_C', 'HTTP_D'] });
  });

  it('take every second text where values stand between the names', () => {
    const plans = new HeaderPlans();
    plans.missed(['A', 'secret', 'B', 'secret'], 2);
    expect(plans.at(2, 'B')).toEqual({ names: ['A', 'B'], keys: ['HTTP_A', 'HTTP_B'] });
  });

  it('are none for names that repeat, are one key, or are dropped, for many names, and for long ones', () => {
    const many = Array.from({ length: 65 }, (_, index) => `X-${index}`);
    for (const names of [['A', 'A'], ['A', 'a'], ['A', 'Proxy'], ['X_A'], many, ['A'.repeat(3000)], []]) {
      const plans = new HeaderPlans();
      for (let count = 0; count < 20; count++) plans.missed(names);
      expect(plans.at(names.length, names.at(-1) ?? '')).toBeNull();
    }
  });

  it('that were replaced by none are not followed any more', () => {
    const plans = new HeaderPlans();
    plans.missed(['A', 'B']);
    for (let count = 0; count < 20; count++) plans.missed(['B', 'B']);
    expect(plans.at(2, 'B')).toBeNull();
  });
});
