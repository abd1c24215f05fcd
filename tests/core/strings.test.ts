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

describe('what encode makes', () => {
  const LENGTHS = [0, 1, 14, 31, 32, 33, 63, 64, 65, 66, 100, 500, 5000];

  it('is what TextEncoder makes, of any text and around every length at which it goes another way', () => {
    const platform = new TextEncoder();
    for (const unit of ['a', 'é', '世', '😀', '\ud800', '\udc00']) {
      for (const length of LENGTHS) {
        for (const text of [unit.repeat(length), 'a'.repeat(length) + unit, unit + 'a'.repeat(length)]) {
          expect(encode(text)).toEqual(platform.encode(text));
        }
      }
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 90 }), (text) => {
        expect(encode(text)).toEqual(platform.encode(text));
      }),
    );
  });

  it('stays as it is, whatever is encoded, changed or transferred after', () => {
    for (const length of LENGTHS) {
      const text = 'a'.repeat(length);
      const chunk = encode(text);
      const others = LENGTHS.map((each) => encode('b'.repeat(each)));
      for (const other of others) {
        other.fill(0x63);
        structuredClone(other, { transfer: [other.buffer as ArrayBuffer] });
      }
      expect(new TextDecoder().decode(chunk)).toBe(text);
      expect(encode(text)).toEqual(chunk);
    }
  });

  it('is in memory of its own: a byte stream may have it', async () => {
    for (const length of LENGTHS) {
      const chunk = encode('a'.repeat(length));
      expect({ offset: chunk.byteOffset, all: chunk.buffer.byteLength }).toEqual({ offset: 0, all: length });
    }
    const stream = new ReadableStream({
      type: 'bytes',
      start(controller) {
        for (const text of ['one ', 'two ', 'three']) controller.enqueue(encode(text) as Uint8Array<ArrayBuffer>);
        controller.close();
      },
    });
    expect(await new Response(stream).text()).toBe('one two three');
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

  it('are not windows-1252: 0x80 to 0x9F stay what they are (trap 15)', () => {
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
