// How environ is put together: header keys, repeats, lengths, the deployer's keys, keys made on first use.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BadRequestError, type ContractError, type Environ, setupTestingDefaults } from 'waygate';
import { addDeployerKeys, addHeader, declaredLength, headerKey, prepareOptions } from '../../core/environ.ts';
import { attachState, lazyKey, stateOf } from '../../core/private-state.ts';

const empty = (): Environ => ({}) as Environ;

describe('the environ key of a header (ENV-12, ENV-25 … ENV-27)', () => {
  it.each([
    ['X-Test', 'HTTP_X_TEST'],
    ['x-test', 'HTTP_X_TEST'],
    ['Content-Type', 'CONTENT_TYPE'],
    ['content-length', 'CONTENT_LENGTH'],
    ['Remote-Addr', 'HTTP_REMOTE_ADDR'],
    ['__proto__', ''],
    ['X_Test', ''],
    ['X-Test_', ''],
    ['Proxy', ''],
    ['PROXY', ''],
    ['Proxy-Authorization', 'HTTP_PROXY_AUTHORIZATION'],
    ['X Y', ''],
    ['X:', ''],
    ['', ''],
    ['\xdf', ''],
    ['x!~', 'HTTP_X!~'],
  ])('of %j is %j', (name, key) => {
    expect(headerKey(name)).toBe(key);
    expect(headerKey(name)).toBe(key);
  });

  it('is the same after more names than are remembered', () => {
    for (let count = 0; count < 3000; count++) headerKey(`X-Name-${count}`);
    expect([headerKey('X-Name-1'), headerKey('Proxy'), headerKey('a_b')]).toEqual(['HTTP_X_NAME_1', '', '']);
  });

  it('never is the key of something else, whatever the name', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(headerKey(name)).toMatch(/^$|^HTTP_|^CONTENT_(?:TYPE|LENGTH)$/);
      }),
    );
  });
});

describe('repeated headers (ENV-24)', () => {
  const add = (...pairs: [string, string][]): Environ => {
    const environ = empty();
    for (const [name, value] of pairs) addHeader(environ, name, value);
    return environ;
  };

  it('are joined in order; cookies with a semicolon', () => {
    expect(add(['A', '1'], ['B', 'x'], ['a', ''], ['A', '3'])).toEqual({ HTTP_A: '1, , 3', HTTP_B: 'x' });
    expect(add(['Cookie', 'a=1'], ['cookie', 'b=2; c=3'])).toEqual({ HTTP_COOKIE: 'a=1; b=2; c=3' });
  });

  it.each(['Host', 'Content-Length', 'Content-Type'])('%s may agree with itself, and not disagree', (name) => {
    expect(Object.values(add([name, '5'], [name.toLowerCase(), '5']))).toEqual(['5']);
    expect(() => add([name, '5'], [name, '6'])).toThrow(BadRequestError);
    expect(() => add([name, '5'], [name, ''])).toThrow(BadRequestError);
  });
});

describe('the declared length', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['0', 0],
    ['007', 7],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('of %j is %j', (text, length) => {
    const environ = empty();
    if (text !== undefined) environ.CONTENT_LENGTH = text;
    expect(declaredLength(environ)).toBe(length);
    expect('CONTENT_LENGTH' in environ).toBe(length !== undefined);
  });

  it.each(['-1', '+1', '1.5', '0x5', '1e3', '5, 5', ' 5', '٥', '9007199254740992'])('%j is refused', (text) => {
    expect(() => declaredLength({ CONTENT_LENGTH: text } as Environ)).toThrow(BadRequestError);
  });
});

describe('the deployer’s keys (ENV-20)', () => {
  it('stand over headers, and under all else', () => {
    const environ = { REQUEST_METHOD: 'GET', HTTP_A: 'client', 'wsgi.version': [1, 0] } as unknown as Environ;
    addDeployerKeys(
      environ,
      Object.entries({ REQUEST_METHOD: 'EVIL', HTTP_A: 'deployer', 'wsgi.version': 7, 'app.key': 1 }),
    );
    expect(environ).toEqual({ REQUEST_METHOD: 'GET', HTTP_A: 'deployer', 'wsgi.version': [1, 0], 'app.key': 1 });
  });

  it('cannot say anything of the body', () => {
    const { deployerKeys } = prepareOptions(() => [], {
      environ: { CONTENT_LENGTH: '5', CONTENT_TYPE: 'a/b', CONTENTS: '1' },
    });
    expect(deployerKeys).toEqual([['CONTENTS', '1']]);
  });

  it('are absent where they have no value, such as a variable that is not set (L-15)', () => {
    const { deployerKeys } = prepareOptions(() => [], { environ: { STAGE: undefined, 'app.key': null } });
    expect(deployerKeys).toEqual([['app.key', null]]);
  });
});

describe('options', () => {
  it('name what is wrong with them', () => {
    expect(() => prepareOptions(null, {})).toThrow(
      'The application is null; expected a function (environ, startResponse)',
    );
    expect(() => prepareOptions(() => [], { maxBodyBytes: -1 })).toThrow('"maxBodyBytes" is the number -1; expected');
    expect(() => prepareOptions(() => [], { basePath: 5 as never })).toThrow('"basePath" is the number 5; expected');
    expect(() => prepareOptions(() => [], { onError: 5 as never })).toThrow('"onError" is the number 5; expected');
    expect(() => prepareOptions(() => [], { errors: {} as never })).toThrow('"errors" is an Object; expected');
    expect(() => prepareOptions(() => [], 3000 as never)).toThrow(
      'The options are the number 3000; expected an object.',
    );
    expect(() => prepareOptions(() => [], null as never)).toThrow('The options are null; expected an object.');
  });
});

describe('a value that is not an application (L-21)', () => {
  const refusal = (app: unknown) => {
    try {
      prepareOptions(app, {});
    } catch (error) {
      return error as ContractError;
    }
  };

  it('is refused with what it is and what makes one of it', () => {
    expect(refusal(undefined)).toMatchObject({ name: 'ContractError', rule: 'L-21' });
    expect(refusal({})?.message).toBe(
      'The application is an Object; expected a function (environ, startResponse). [L-21]',
    );
    expect(refusal(Promise.resolve(() => []))?.message).toMatch(/a Promise; .*\. Await it first\. \[L-21\]$/);
    expect(refusal({ fetch: () => new Response() })?.message).toMatch(
      / A Fetch app becomes an application with fromFetch\(\)\. \[L-21\]$/,
    );
  });
});

describe('a key made on first use', () => {
  const lazy = (): { environ: Environ; made: () => number } => {
    let made = 0;
    const environ = empty();
    attachState(environ, { name: 'state' });
    const descriptor = lazyKey('test.key', (state: { name: string }) => {
      made += 1;
      return { of: state.name };
    });
    Object.defineProperty(environ, 'test.key', descriptor);
    return { environ, made: () => made };
  };

  it('is made once, and is data from then on', () => {
    const { environ, made } = lazy();
    expect(made()).toBe(0);
    expect(environ['test.key']).toEqual({ of: 'state' });
    expect(environ['test.key']).toBe(environ['test.key']);
    expect([made(), 'value' in (Object.getOwnPropertyDescriptor(environ, 'test.key') as object)]).toEqual([1, true]);
  });

  it('can be listed, copied, set and deleted like any other', () => {
    const { environ, made } = lazy();
    expect(Object.keys(environ)).toEqual(['test.key']);
    environ['test.key'] = 'set';
    expect([environ['test.key'], made()]).toEqual(['set', 0]);
    delete environ['test.key'];
    expect('test.key' in environ).toBe(false);
    const other = lazy();
    expect({ ...other.environ }).toEqual({ 'test.key': { of: 'state' } });
  });

  it('is made once for its object and all that derive from it, in whichever order they are asked', () => {
    const { environ, made } = lazy();
    const derived = Object.create(Object.create(environ)) as Environ;
    const value = derived['test.key'];
    expect(environ['test.key']).toBe(value);
    expect([made(), Object.keys(derived)]).toEqual([1, []]);
  });

  it('is made once where the object is frozen, and is of the state that it had then', () => {
    const { environ, made } = lazy();
    Object.freeze(environ);
    expect((Object.create(environ) as Environ)['test.key']).toBe(environ['test.key']);
    expect(environ['test.key']).toBe(environ['test.key']);
    expect(made()).toBe(1);
  });

  it('leaves its state invisible, also to a copy', () => {
    const { environ } = lazy();
    expect(Reflect.ownKeys(environ)).toEqual(['test.key']);
    expect(stateOf(environ)).toEqual({ name: 'state' });
    expect(stateOf({ ...environ } as Environ)).toBe(undefined);
  });
});

describe('setupTestingDefaults (URL-04)', () => {
  it('fills in all that is required, and only what is missing', () => {
    const given = { REQUEST_METHOD: 'POST', 'app.key': 1 };
    const environ = setupTestingDefaults(given);
    expect(environ).toBe(given);
    expect(environ).toMatchObject({
      REQUEST_METHOD: 'POST',
      SCRIPT_NAME: '',
      PATH_INFO: '/',
      QUERY_STRING: '',
      SERVER_NAME: '127.0.0.1',
      SERVER_PORT: '80',
      SERVER_PROTOCOL: 'HTTP/1.0',
      HTTP_HOST: '127.0.0.1',
      'wsgi.version': [1, 0],
      'wsgi.url_scheme': 'http',
      'wsgi.multithread': false,
      'wsgi.run_once': false,
      'app.key': 1,
    });
    expect(environ['waygate.signal'].aborted).toBe(false);
  });

  it.each<[Record<string, unknown>, string, unknown]>([
    [{ SERVER_NAME: 'foo.bar' }, 'HTTP_HOST', 'foo.bar'],
    [{ HTTPS: 'on' }, 'wsgi.url_scheme', 'https'],
    [{ HTTPS: '1' }, 'wsgi.url_scheme', 'https'],
    [{ HTTPS: 'yes' }, 'wsgi.url_scheme', 'https'],
    [{ HTTPS: 'foo' }, 'wsgi.url_scheme', 'http'],
    [{ HTTPS: 'foo' }, 'SERVER_PORT', '80'],
    [{ HTTPS: 'on' }, 'SERVER_PORT', '443'],
    [{ 'wsgi.url_scheme': 'https' }, 'SERVER_PORT', '443'],
    [{ SCRIPT_NAME: '/app' }, 'PATH_INFO', ''],
  ])('given %j, %s is %j', (keys, key, value) => {
    expect(setupTestingDefaults(keys)[key]).toBe(value);
  });

  it('gives an input that is at its end', async () => {
    expect(await setupTestingDefaults()['wsgi.input'].read()).toEqual(new Uint8Array(0));
  });
});
