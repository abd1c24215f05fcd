// Targets, paths and URLs, as functions. The tables of shift_path_info and of the URIs hold what CPython's wsgiref gives.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applicationUri,
  BadRequestError,
  type Environ,
  requestUri,
  setupTestingDefaults,
  shiftPathInfo,
} from 'waygate';
import { encodedPathInfo } from 'waygate/adapter';
import { asciiTarget, decodePath, normalizePrefix, quotePath, splitPrefix, splitTarget } from '../../core/url.ts';

const environOf = (keys: Record<string, unknown>): Environ => setupTestingDefaults(keys);
/** Any native string: each code unit is one byte. */
const native = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte)),
  maxLength: 40,
});

describe('shiftPathInfo (URL-03)', () => {
  const ROWS: [script: string, info: string, name: string | null, scriptAfter: string, infoAfter: string][] = [
    ['', '/', '', '/', ''],
    ['', '/x', 'x', '/x', ''],
    ['/', '', null, '/', ''],
    ['/a', '/x/y', 'x', '/a/x', '/y'],
    ['/a', '/x/', 'x', '/a/x', '/'],
    ['/a/b', '/../y', '..', '/a', '/y'],
    ['', '/../y', '..', '', '/y'],
    ['/a/b', '//y', 'y', '/a/b/y', ''],
    ['/a/b', '//y/', 'y', '/a/b/y', '/'],
    ['/a/b', '/./y', 'y', '/a/b/y', ''],
    ['/a/b', '/./y/', 'y', '/a/b/y', '/'],
    ['/a/b', '///./..//y/.//', '..', '/a', '/y/'],
    ['/a/b', '///', '', '/a/b/', ''],
    ['/a/b', '/.//', '', '/a/b/', ''],
    ['/a/b', '/x//', 'x', '/a/b/x', '/'],
    ['/a/b', '/.', null, '/a/b', ''],
  ];
  it.each(ROWS)('of %j and %j moves %j', (script, info, name, scriptAfter, infoAfter) => {
    const environ = environOf({ SCRIPT_NAME: script, PATH_INFO: info });
    expect(shiftPathInfo(environ)).toBe(name);
    expect([environ.SCRIPT_NAME, environ.PATH_INFO]).toEqual([scriptAfter, infoAfter]);
  });

  it('loses nothing of a path of plain segments', () => {
    const segment = fc.string({ unit: fc.constantFrom('a', 'b', '-', '%', '\xe9'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 5 }), (segments) => {
        const environ = environOf({ SCRIPT_NAME: '/m', PATH_INFO: segments.map((each) => `/${each}`).join('') });
        const shifted: (string | null)[] = [];
        for (let round = 0; round <= segments.length; round++) shifted.push(shiftPathInfo(environ));
        expect(shifted).toEqual([...segments, null]);
        expect([environ.SCRIPT_NAME, environ.PATH_INFO]).toEqual([['/m', ...segments].join('/'), '']);
      }),
    );
  });
});

describe('the URI of the application and of the request (URL-01)', () => {
  const APPLICATION: [uri: string, keys: Record<string, unknown>][] = [
    ['http://127.0.0.1/', {}],
    ['http://127.0.0.1/spam', { SCRIPT_NAME: '/spam' }],
    ['http://127.0.0.1/sp%E4m', { SCRIPT_NAME: '/sp\xe4m' }],
    ['http://spam.example.com:2071/', { HTTP_HOST: 'spam.example.com:2071' }],
    ['http://spam.example.com/', { SERVER_NAME: 'spam.example.com' }],
    ['http://127.0.0.1/', { HTTP_HOST: '127.0.0.1', SERVER_NAME: 'spam.example.com' }],
    ['https://127.0.0.1/', { HTTPS: 'on' }],
    ['http://127.0.0.1:8000/', { SERVER_PORT: '8000', HTTP_HOST: '' }],
    ['https://127.0.0.1:80/', { HTTPS: 'on', SERVER_PORT: '80', HTTP_HOST: '' }],
    ['https://127.0.0.1/', { HTTPS: 'on', SERVER_PORT: '443', HTTP_HOST: '' }],
  ];
  it.each(APPLICATION)('%s is the application of %j', (uri, keys) => {
    expect(applicationUri(environOf(keys))).toBe(uri);
  });

  const REQUEST: [uri: string, keys: Record<string, unknown>][] = [
    ['http://127.0.0.1/', {}],
    ['http://127.0.0.1/spam', { SCRIPT_NAME: '/spam' }],
    ['http://127.0.0.1/sp%E4m', { SCRIPT_NAME: '/sp\xe4m' }],
    ['http://127.0.0.1/spammity/spam', { SCRIPT_NAME: '/spammity', PATH_INFO: '/spam' }],
    ['http://127.0.0.1/spammity/sp%E4m', { SCRIPT_NAME: '/spammity', PATH_INFO: '/sp\xe4m' }],
    ['http://127.0.0.1/spammity/spam;ham', { SCRIPT_NAME: '/spammity', PATH_INFO: '/spam;ham' }],
    ['http://127.0.0.1/spam;cookie=1234,5678', { SCRIPT_NAME: '/spam;cookie=1234,5678' }],
    ['http://127.0.0.1/spam?say=ni', { SCRIPT_NAME: '/spam', QUERY_STRING: 'say=ni' }],
    ['http://127.0.0.1/spam?s%E4y=ni', { SCRIPT_NAME: '/spam', QUERY_STRING: 's%E4y=ni' }],
    ['http://127.0.0.1/a%3Fb%23c%25', { PATH_INFO: '/a?b#c%' }],
    ['http://127.0.0.1/x', { PATH_INFO: 'x' }],
    ['http://127.0.0.1/', { PATH_INFO: '*', REQUEST_METHOD: 'OPTIONS' }],
  ];
  it.each(REQUEST)('%s is the request of %j', (uri, keys) => {
    expect(requestUri(environOf(keys))).toBe(uri);
  });

  it('leaves the query out on demand', () => {
    expect(requestUri(environOf({ QUERY_STRING: 'a=1', PATH_INFO: '/x' }), false)).toBe('http://127.0.0.1/x');
  });

  it('is a URL that says the same path, whatever the bytes', () => {
    fc.assert(
      fc.property(native, (path) => {
        const url = requestUri(environOf({ SCRIPT_NAME: '', PATH_INFO: `/x${path}` }));
        expect(decodePath(url.slice('http://127.0.0.1'.length))).toBe(`/x${path}`);
        expect(url).toMatch(/^[\x21-\x7e]*$/);
      }),
    );
  });
});

describe('splitTarget (URL-05)', () => {
  const ROWS: [target: string, path: string, query: string][] = [
    ['/', '/', ''],
    ['/a?b?c', '/a', 'b?c'],
    ['/a?', '/a', ''],
    ['/a#b?c', '/a', ''],
    ['/a?b#c', '/a', 'b'],
    ['//evil/x', '//evil/x', ''],
    ['http://evil:99/p?q', '/p', 'q'],
    ['HTTPS://user:pass@evil/p', '/p', ''],
    ['http://evil', '/', ''],
    ['http://evil?q', '/', 'q'],
    ['http://evil#f', '/', ''],
    ['/http://evil/', '/http://evil/', ''],
  ];
  it.each(ROWS)('%j is path %j and query %j', (target, path, query) => {
    expect(splitTarget(target, 'GET')).toEqual({ path, query });
  });

  it('takes the asterisk with OPTIONS alone', () => {
    expect(splitTarget('*', 'OPTIONS')).toEqual({ path: '*', query: '' });
    expect(() => splitTarget('*', 'GET')).toThrow(BadRequestError);
  });

  it.each(['', 'a', 'a/b', 'ftp://x/y', 'javascript:1', '?q', '**', 'evil:80', 'http:/x', ' /'])(
    'refuses %j',
    (target) => {
      expect(() => splitTarget(target, 'GET')).toThrow(BadRequestError);
    },
  );
});

describe('decodePath and quotePath (URL-02)', () => {
  const ROWS: [encoded: string, decoded: string][] = [
    ['/caf%C3%A9', '/caf\xc3\xa9'],
    ['/%e4%E4', '/\xe4\xe4'],
    ['/a%2Fb', '/a/b'],
    ['/a+b', '/a+b'],
    ['/%zz%4%', '/%zz%4%'],
    ['/%%41', '/%A'],
    ['/%2541', '/%41'],
    ['/%u0041', '/%u0041'],
    ['/\xe9', '/\xe9'],
  ];
  it.each(ROWS)('%j decodes to %j', (encoded, decoded) => {
    expect(decodePath(encoded)).toBe(decoded);
  });

  it.each(['/%00', '/a%00b', '/\0'])('%j, with its NUL, is refused', (path) => {
    expect(() => decodePath(path)).toThrow(BadRequestError);
  });

  it('are inverses for every native string', () => {
    fc.assert(
      fc.property(native, (path) => {
        expect(decodePath(quotePath(path))).toBe(path);
      }),
    );
  });

  it('never throw for a path without NUL, and lengthen none', () => {
    const odd = fc.string({ unit: fc.constantFrom('%', '4', '1', 'f', 'z', '/', '\xff', '+') });
    fc.assert(
      fc.property(odd, (path) => {
        expect(decodePath(path).length).toBeLessThanOrEqual(path.length);
      }),
    );
  });

  it('quote leaves what RFC 3986 allows in a path, and nothing else', () => {
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
    const kept = quotePath(all).replace(/%[0-9A-F]{2}/g, '');
    expect(kept).toBe("!$&'()*+,-./0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~");
  });
});

describe('a mount prefix (ENV-29)', () => {
  it.each([
    ['/api/x', '/api', '/api', '/x'],
    ['/api', '/api', '/api', ''],
    ['/api/', '/api', '/api', '/'],
    ['/apiary', '/api', '', '/apiary'],
    ['/API/x', '/api', '', '/API/x'],
    ['/api/api', '/api', '/api', '/api'],
    ['*', '/api', '', '*'],
    ['/x', '', '', '/x'],
  ])('%j under %j splits into %j and %j', (path, prefix, scriptName, pathInfo) => {
    expect(splitPrefix(path, prefix)).toEqual({ scriptName, pathInfo });
  });

  it.each([
    ['api', '/api'],
    ['/api/', '/api'],
    ['//api//', '/api'],
    ['/a/b/', '/a/b'],
    ['/', ''],
    ['', ''],
    [undefined, ''],
  ])('%j is normalized to %j', (prefix, normal) => {
    expect(normalizePrefix(prefix)).toBe(normal);
  });
});

describe('encodedPathInfo', () => {
  it.each([
    ['/a%2Fb', '', '/a/b', '/a%2Fb'],
    ['/m/a%2Fb?q', '/m', '/a/b', '/a%2Fb'],
    ['/%6D/x', '/m', '/x', '/x'],
    ['/m', '/m', '', ''],
    ['/m%2Fx', '/m', '/x', '/x'],
    ['/m%2f%2Fx%20', '/m', '//x ', '/%2Fx%20'],
    ['/%zz', '', '/%zz', '/%zz'],
    ['http://x/a%20b', '', '/a b', '/a%20b'],
    ['/old', '', '/new path', '/new%20path'],
    [undefined, '', '/a b', '/a%20b'],
    ['no target', '', '/a b', '/a%20b'],
    ['/%00', '', '/x', '/x'],
  ])('of target %j, mounted at %j, with path %j is %j', (target, script, info, expected) => {
    expect(encodedPathInfo(environOf({ REQUEST_URI: target, SCRIPT_NAME: script, PATH_INFO: info }))).toBe(expected);
  });

  it('always denotes PATH_INFO, however the target was encoded', () => {
    const piece = fc.oneof(
      fc.constantFrom('/', 'a', '%41', '%2F', '%2f', '%zz', '%', '~', '%7E', '%C3%A9', '%20', '+'),
      native.map(quotePath),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.constantFrom('', '/m', '/m%20n'), (pieces, mount) => {
        const target = `${mount}/${pieces.join('')}`;
        const script = decodePath(mount);
        const info = decodePath(target).slice(script.length);
        const encoded = encodedPathInfo(environOf({ REQUEST_URI: target, SCRIPT_NAME: script, PATH_INFO: info }));
        expect(encoded).toBe(target.slice(mount.length));
      }),
    );
  });
});

describe('asciiTarget', () => {
  it.each([
    ['/caf\u00e9?q=\u20ac', '/caf%C3%A9?q=%E2%82%AC'],
    ['/a b', '/a%20b'],
    ['/%20%zz', '/%20%zz'],
    ['/\u{1f600}', '/%F0%9F%98%80'],
    ['/\r\n', '/%0D%0A'],
  ])('%j becomes %j', (text, target) => {
    expect(asciiTarget(text)).toBe(target);
  });
});
