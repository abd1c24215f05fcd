// What the gateway checks, as functions: the grammar, cell by cell, and what is remembered of header names.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Application, ContractError, encode, run, setupTestingDefaults } from 'waygate';
import { validator } from 'waygate/middleware';
import { checkBody } from '../../core/body.ts';
import { isBytes } from '../../core/bytes.ts';
import { checkChunk, checkHeaders, checkStatus, isHeaderValue, isHopByHop, isToken } from '../../core/check.ts';

const unit = (code: number): string => String.fromCharCode(code);
const all = Array.from({ length: 0x180 }, (_, code) => code);

describe('the grammar of a response head', () => {
  it('takes as a header name the characters of a token, and no others', () => {
    const taken = all.map(unit).filter(isToken).join('');
    expect(taken).toBe("!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~");
    expect([isToken(''), isToken('a\n'), isToken('a b')]).toEqual([false, false, false]);
  });

  it('takes in a header value all bytes but control characters, a tab among them allowed', () => {
    const taken = all.filter((code) => isHeaderValue(unit(code)));
    expect(taken).toEqual(all.filter((code) => code === 9 || (code >= 0x20 && code !== 0x7f && code <= 0xff)));
    expect([isHeaderValue(''), isHeaderValue('a\n')]).toEqual([true, false]);
  });

  it('takes in a reason the same, without tab, and no space at either end', () => {
    const takes = (status: string): boolean => {
      try {
        checkStatus(status);
        return true;
      } catch {
        return false;
      }
    };
    const taken = all.filter((code) => takes(`200 a${unit(code)}b`));
    expect(taken).toEqual(all.filter((code) => code >= 0x20 && code !== 0x7f && code <= 0xff));
    expect(['200 a ', '200  a', '200', '200 ', '200 a'].map(takes)).toEqual([false, false, false, true, true]);
    for (let code = 0; code <= 999; code++) {
      expect(takes(`${String(code).padStart(3, '0')} X`)).toBe(code >= 200 && code <= 599);
    }
  });

  it('keeps the names of the connection in any case', () => {
    for (const name of ['Connection', 'KEEP-ALIVE', 'te', 'Trailer', 'trailers', 'Transfer-Encoding', 'upgrade']) {
      expect(isHopByHop(name)).toBe(true);
    }
    expect(['Content-Length', 'TE-X', 'Upgrade-Insecure-Requests'].map(isHopByHop)).toEqual([false, false, false]);
  });
});

describe('checkHeaders', () => {
  it('gives a deep copy, and the declared length', () => {
    const given: [string, string][] = [
      ['A', '1'],
      ['Content-Length', '5'],
      ['content-length', '5'],
      ['a', '2'],
    ];
    const { headers, length } = checkHeaders(given);
    expect(length).toBe(5);
    expect(headers).toEqual([
      ['A', '1'],
      ['Content-Length', '5'],
      ['a', '2'],
    ]);
    for (const pair of headers) expect(given).not.toContain(pair);
    expect(checkHeaders([])).toEqual({ headers: [], length: -1 });
  });

  it('judges a name the same after more names than are remembered', () => {
    const judge = (name: string): string => {
      try {
        checkHeaders([[name, '1']]);
        return 'taken';
      } catch (error) {
        return (error as ContractError).rule;
      }
    };
    const names = ['X', 'Connection', 'Status', 'X Y', 'content-length'];
    const before = names.map(judge);
    for (let count = 0; count < 2000; count++) checkHeaders([[`X-${count}`, '']]);
    expect([before, names.map(judge)]).toEqual([
      ['taken', 'SR-07', 'L-34', 'SR-05', 'taken'],
      ['taken', 'SR-07', 'L-34', 'SR-05', 'taken'],
    ]);
  });

  it('never lets a line end through, whatever the header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, value) => {
        let line = '';
        try {
          line = checkHeaders([[name, value]])
            .headers.map((pair) => pair.join(': '))
            .join('');
        } catch (error) {
          expect(error).toBeInstanceOf(ContractError);
        }
        expect(line).not.toMatch(/[\r\n\0]|[^\x00-\xff]/);
      }),
    );
  });
});

describe('a chunk', () => {
  it('is a Uint8Array, of whatever realm or class, and nothing else', () => {
    class Bytes extends Uint8Array {}
    for (const chunk of [new Uint8Array(1), Buffer.from('a'), new Bytes(1)]) expect(isBytes(chunk)).toBe(true);
    for (const other of [new Uint8ClampedArray(1), new Int8Array(1), new DataView(new ArrayBuffer(1)), 'a', null, {}]) {
      expect(isBytes(other)).toBe(false);
    }
  });

  it('is told from what is none with a hint', () => {
    expect(() => checkChunk('text', 'A chunk')).toThrow(
      'A chunk is the string "text"; expected a Uint8Array. Text becomes',
    );
    expect(() => checkChunk(Promise.resolve(), 'A chunk')).toThrow('Await it first.');
  });
});

describe('a body', () => {
  it('is told from what is none with a hint', () => {
    expect(() => checkBody('text')).toThrow('such as [chunk]. Text becomes bytes with encode(). [BODY-01]');
    expect(() => checkBody(new Response())).toThrow('A Fetch app becomes an application with fromFetch(). [BODY-01]');
    expect(() => checkBody(new Uint8Array(1))).toThrow(/a Uint8Array; .* such as \[chunk\]\. \[BODY-01\]$/);
  });
});

describe('a header list that the application keeps (SR-03)', () => {
  it('may be frozen: the gateway and the validator read it, and their own list is another', async () => {
    const headers = Object.freeze([Object.freeze(['Content-Type', 'text/plain'] as const)]);
    for (const wrap of [(app: Application) => app, validator]) {
      const app = wrap((_environ, startResponse) => {
        startResponse('200 OK', headers);
        return [encode('ok')];
      });
      const response = await run(app, setupTestingDefaults());
      expect(response.headers).toEqual([
        ['Content-Type', 'text/plain'],
        ['Content-Length', '2'],
      ]);
    }
    expect(headers).toEqual([['Content-Type', 'text/plain']]);
  });
});
