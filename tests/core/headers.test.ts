// The view of a header list. (HDR-01 … HDR-03)

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ContractError, type HeaderList, ResponseHeaders } from 'waygate';

const token = fc.string({ unit: fc.constantFrom(..."abcXYZ019!#$%&'*+-.^_`|~"), minLength: 1, maxLength: 8 });
const value = fc
  .string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((each) => String.fromCharCode(each)), maxLength: 20 })
  .map((text) => text.replaceAll('\x7f', ''));
const list = fc.array(fc.tuple(token, value), { maxLength: 8 });

describe('Headers', () => {
  it('is a view: the list it was given changes with it', () => {
    const given: HeaderList = [['A', '1']];
    const headers = new ResponseHeaders(given);
    headers.append('B', '2');
    given.push(['C', '3']);
    expect(headers.list).toBe(given);
    expect(headers.keys()).toEqual(['A', 'B', 'C']);
  });

  it('looks up without regard to case, the first match first', () => {
    const headers = new ResponseHeaders([
      ['A', '1'],
      ['b', ''],
      ['a', '3'],
    ]);
    expect([headers.get('a'), headers.get('B'), headers.get('c')]).toEqual(['1', '', null]);
    expect(headers.getAll('A')).toEqual(['1', '3']);
    expect(headers.getAll('c')).toEqual([]);
    expect([headers.has('B'), headers.has('c'), headers.size]).toEqual([true, false, 3]);
  });

  it('sets at the end, in place of all matches (HDR-02)', () => {
    const headers = new ResponseHeaders([
      ['A', '1'],
      ['B', '2'],
      ['a', '3'],
    ]);
    headers.set('A', '9');
    expect(headers.list).toEqual([
      ['B', '2'],
      ['A', '9'],
    ]);
  });

  it('deletes all matches, and a missing name in silence', () => {
    const headers = new ResponseHeaders([
      ['A', '1'],
      ['a', '2'],
      ['B', '3'],
      ['A', '4'],
    ]);
    headers.delete('a');
    headers.delete('never');
    expect(headers.list).toEqual([['B', '3']]);
  });

  it('gives a default only where there is nothing', () => {
    const headers = new ResponseHeaders([['A', '']]);
    expect([headers.setDefault('a', '9'), headers.setDefault('B', '2')]).toEqual(['', '2']);
    expect(headers.list).toEqual([
      ['A', ''],
      ['B', '2'],
    ]);
  });

  it('lists copies: changing them changes nothing', () => {
    const headers = new ResponseHeaders([['A', '1']]);
    for (const pair of headers) pair[1] = 'changed';
    (headers.entries()[0] as [string, string])[1] = 'changed';
    expect([headers.values(), [...headers]]).toEqual([['1'], [['A', '1']]]);
  });

  it.each<[string | null, Record<string, string | null>, string]>([
    ['attachment', { filename: 'a"b\\c.txt', x_y: null }, 'attachment; filename="a\\"b\\\\c.txt"; x-y'],
    ['attachment', { filename: '' }, 'attachment; filename'],
    [null, { a: '1', b: '2' }, 'a="1"; b="2"'],
    ['plain', {}, 'plain'],
  ])('adds %j with %j as %j (HDR-03)', (main, parameters, expected) => {
    const headers = new ResponseHeaders();
    headers.addHeader('Content-Disposition', main, parameters);
    expect(headers.list).toEqual([['Content-Disposition', expected]]);
  });

  it('writes the fields as HTTP/1.1 does', () => {
    expect(
      String(
        new ResponseHeaders([
          ['A', '1'],
          ['b', ''],
        ]),
      ),
    ).toBe('A: 1\r\nb: \r\n\r\n');
    expect(String(new ResponseHeaders())).toBe('\r\n');
  });

  it('loses nothing: what it writes reads back as the same list', () => {
    fc.assert(
      fc.property(list, (pairs) => {
        const text = String(new ResponseHeaders(pairs));
        const back = text
          .split('\r\n')
          .slice(0, -2)
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]);
        expect(back).toEqual(pairs);
      }),
    );
  });

  it('behaves as a simple list would, for any sequence of changes', () => {
    const change = fc.oneof(
      fc.tuple(fc.constant('set' as const), token, value),
      fc.tuple(fc.constant('append' as const), token, value),
      fc.tuple(fc.constant('delete' as const), token, fc.constant('')),
    );
    fc.assert(
      fc.property(list, fc.array(change, { maxLength: 8 }), (pairs, changes) => {
        const headers = new ResponseHeaders(pairs.map(([name, text]) => [name, text]));
        let model = pairs.map(([name, text]) => [name, text]);
        for (const [kind, name, text] of changes) {
          if (kind === 'set') headers.set(name, text);
          else if (kind === 'append') headers.append(name, text);
          else headers.delete(name);
          if (kind !== 'append') model = model.filter(([each]) => each?.toLowerCase() !== name.toLowerCase());
          if (kind !== 'delete') model.push([name, text]);
        }
        expect(headers.list).toEqual(model);
      }),
    );
  });

  it.each<[string, string]>([
    ['X Y', 'a'],
    ['', 'a'],
    ['X', 'a\r\nb'],
    ['X', '\u20ac'],
    ['X', 'a\0'],
    ['X', 7 as unknown as string],
  ])('refuses %j: %j in every way to add it', (name, text) => {
    const headers = new ResponseHeaders();
    const ways = [
      () => new ResponseHeaders([[name, text]]),
      () => headers.set(name, text),
      () => headers.append(name, text),
      () => headers.setDefault(name, text),
    ];
    for (const way of ways) expect(way).toThrow(ContractError);
    expect(headers.size).toBe(0);
  });

  it('refuses a parameter that would break out of its header', () => {
    expect(() => new ResponseHeaders().addHeader('X', 'a', { b: 'c\r\nEvil: 1' })).toThrow(ContractError);
  });

  it('takes no other container', () => {
    for (const wrong of [new Map(), { A: '1' }, 'A: 1', new globalThis.Headers()]) {
      expect(() => new ResponseHeaders(wrong as never)).toThrow(ContractError);
    }
  });
});
