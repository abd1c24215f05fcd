// Bytes, native strings and text.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeWsgi, encode, encodeWsgi } from 'waygate';
import { bytesFromNative, nativeFromBytes, textFromNative } from '../../core/strings.ts';

const bytes = fc.uint8Array({ maxLength: 300 });

describe('encode', () => {
  it('takes text and nothing else: what stands where a text was meant is a mistake, not a page', () => {
    expect(encode('é')).toEqual(Uint8Array.of(0xc3, 0xa9));
    expect(() => encode(Promise.resolve('a') as never)).toThrow(
      'encode was given a Promise; expected a string. Await it first.',
    );
    expect(() => encode(undefined as never)).toThrow('encode was given undefined; expected a string.');
    for (const wrong of [null, 5, {}, Uint8Array.of(1)]) expect(() => encode(wrong as never)).toThrow(TypeError);
  });
});

describe('native strings (STR-01 … STR-06)', () => {
  it('stand for any bytes, and back', () => {
    fc.assert(
      fc.property(bytes, (each) => {
        const native = nativeFromBytes(each);
        expect(native.length).toBe(each.length);
        expect(bytesFromNative(native)).toEqual(each);
      }),
    );
  });

  it('are no windows-1252: 0x80 to 0x9F stay what they are (trap 15)', () => {
    expect(nativeFromBytes(Uint8Array.of(0x80, 0x85, 0x9f))).toBe('\x80\x85\x9f');
  });

  it('stand for long byte arrays too', () => {
    const long = Uint8Array.from({ length: 100_001 }, (_, at) => at & 0xff);
    expect(bytesFromNative(nativeFromBytes(long))).toEqual(long);
  });

  it('carry any well-formed text through UTF-8, and back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const native = encodeWsgi(text);
        expect(native).toMatch(/^[\x00-\xff]*$/);
        expect(bytesFromNative(native)).toEqual(encode(text));
        expect(decodeWsgi(native)).toBe(text);
      }),
    );
  });

  it.each([
    ['/caf\xc3\xa9', '/caf\u00e9'],
    ['/\xe2\x82\xac', '/\u20ac'],
    ['/\xff', '/\ufffd'],
    ['\xef\xbb\xbfx', '\ufeffx'],
    ['plain', 'plain'],
  ])('%j means %j', (native, text) => {
    expect(decodeWsgi(native)).toBe(text);
  });

  it('become text for a platform that wants UTF-8 only where they are UTF-8', () => {
    expect(textFromNative('caf\xc3\xa9')).toBe('caf\u00e9');
    expect(textFromNative('caf\xe9')).toBe('caf\xe9');
  });

  it('replace lone surrogates, and never fail', () => {
    expect(encode('a\ud800b')).toEqual(encode('a\ufffdb'));
    expect(encodeWsgi('\ud800')).toBe('\xef\xbf\xbd');
  });
});
