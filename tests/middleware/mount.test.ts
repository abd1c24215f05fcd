// mount: several applications in one.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Application, type Environ, encode, encodeWsgi, requestUri, run, setupTestingDefaults } from 'waygate';
import { fromFetch, toFetch } from 'waygate/fetch';
import { mount } from 'waygate/middleware';

/** Answers with its name and with where it was called. */
const named =
  (name: string): Application =>
  (environ, startResponse) => {
    startResponse('200 OK', []);
    return [encode(`${name} ${environ.SCRIPT_NAME}|${environ.PATH_INFO}`)];
  };

async function ask(app: Application, path: string, host = 'localhost'): Promise<string> {
  const response = await toFetch(app)(path, { headers: { host } });
  return response.status === 200 ? response.text() : String(response.status);
}

test.each([
  ['/', 'root |/'],
  ['/other', 'root |/other'],
  ['/api', 'api /api|'],
  ['/api/', 'api /api|/'],
  ['/api/users/1', 'api /api|/users/1'],
  ['/apiary', 'root |/apiary'],
  ['/api/v2', 'v2 /api/v2|'],
  ['/api/v2/x', 'v2 /api/v2|/x'],
  ['/api/v21', 'api /api|/v21'],
  ['/API/x', 'root |/API/x'],
  ['//api/x', 'root |//api/x'],
  ['/%61pi/x', 'api /api|/x'],
  ['/caf%C3%A9/x', `café ${encodeWsgi('/café')}|/x`],
])('%s is answered by %s', async (path, expected) => {
  const app = mount({
    '/': named('root'),
    '/api/': named('api'),
    'api/v2': named('never reached: this is a host named api'),
    '/api/v2': named('v2'),
    '/café': named('café'),
  });
  expect(await ask(app, path)).toBe(expected);
});

test('what nothing is mounted for is a 404, or the fallback with its environ unchanged', async () => {
  expect(await ask(mount({ '/api': named('api') }), '/elsewhere')).toBe('404');
  expect(await ask(mount({ '/api': named('api') }, named('fallback')), '/elsewhere')).toBe('fallback |/elsewhere');
  const head = await toFetch(mount({}))('/', { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([404, '']);
});

test('a host is matched without its port and whatever its case, before what is mounted on any host', async () => {
  const app = mount({
    'Admin.Example.com': named('admin'),
    'shop.example.com/cart': named('cart'),
    '[::1]/six': named('six'),
    '/cart': named('any cart'),
    '/': named('any'),
  });
  expect(await ask(app, '/cart', 'admin.example.com')).toBe('admin |/cart');
  expect(await ask(app, '/x', 'ADMIN.example.COM:8080')).toBe('admin |/x');
  expect(await ask(app, '/x', 'admin.example.com.')).toBe('admin |/x');
  expect(await ask(app, '/cart/1', 'shop.example.com')).toBe('cart /cart|/1');
  expect(await ask(app, '/x', 'shop.example.com')).toBe('any |/x');
  expect(await ask(app, '/cart/1', 'example.com')).toBe('any cart /cart|/1');
  expect(await ask(app, '/x', 'evil-admin.example.com')).toBe('any |/x');
  expect(await ask(app, '/six', '[::1]:8000')).toBe('six /six|');
});

test('mounts nest, and the URL of the request stays the same', async () => {
  const url: Application = (environ, startResponse) => {
    startResponse('200 OK', []);
    return [encode(`${environ.SCRIPT_NAME} ${requestUri(environ)}`)];
  };
  const app = mount({ '/a': mount({ '/b': url }) });
  expect(await ask(app, '/a/b/c%20d?q=1')).toBe('/a/b http://localhost/a/b/c%20d?q=1');
  expect(await ask(app, '/a/x/b')).toBe('404');
});

test('a hosted app sees the path below its mount in the encoding that was sent', async () => {
  const app = mount({ '/api': fromFetch((request) => new Response(request.url)) });
  expect(await ask(app, '/api/a%2Fb/%7Ec?q=%20')).toBe('http://localhost/a%2Fb/%7Ec?q=%20');
  expect(await ask(app, '/api')).toBe('http://localhost/');
});

test('an application mounted at the root gets the very environ that came', () => {
  const seen: Environ[] = [];
  const app = mount({
    '/': (environ, startResponse) => {
      seen.push(environ);
      startResponse('200 OK', []);
      return [];
    },
  });
  const environ = setupTestingDefaults({ PATH_INFO: '/x' });
  const before = { ...environ };
  run(app, environ);
  expect(seen[0]).toBe(environ);
  expect({ ...environ }).toEqual(before);
});

test('SCRIPT_NAME and PATH_INFO add up to what they were, and no segment is ever split', () => {
  const segment = fc.constantFrom('', 'a', 'ab', 'b', '.', '..', 'a%2Fb');
  const path = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => `/${parts.join('/')}`);
  fc.assert(
    fc.property(path, fc.array(path, { maxLength: 4 }), (pathInfo, prefixes) => {
      const seen: Environ[] = [];
      const record: Application = (environ, startResponse) => {
        seen.push(environ);
        startResponse('200 OK', []);
        return [];
      };
      const unique = new Map(prefixes.map((prefix) => [prefix.replace(/^\/+|\/+$/g, ''), record]));
      const app = mount(Object.fromEntries([...unique].map(([prefix, each]) => [`/${prefix}`, each])), record);
      run(app, setupTestingDefaults({ SCRIPT_NAME: '/base', PATH_INFO: pathInfo }));
      const { SCRIPT_NAME, PATH_INFO } = seen[0] as Environ;
      expect(SCRIPT_NAME + PATH_INFO).toBe(`/base${pathInfo}`);
      expect(PATH_INFO === '' || PATH_INFO.startsWith('/')).toBe(true);
      const best = [...unique.keys()].filter((prefix) => `${pathInfo}/`.startsWith(`/${prefix}/`) && prefix !== '');
      const longest = best.reduce((longer, prefix) => (prefix.length > longer.length ? prefix : longer), '');
      expect(SCRIPT_NAME).toBe(longest === '' ? '/base' : `/base/${longest}`);
    }),
  );
});

test('a value that is not an application, and two for one mount point, are refused when it is made', () => {
  expect(() => mount({ '/a': null as never })).toThrow(
    'What mount was given for "/a" is null; expected a function (environ, startResponse)',
  );
  expect(() => mount({ '/a': null as never })).toThrow(expect.objectContaining({ rule: 'L-21' }));
  for (const wrong of [undefined, null, named('1'), [named('1')]]) {
    expect(() => mount(wrong as never)).toThrow(/^mount was given .*; expected applications by mount point/);
  }
  expect(() => mount({}, 'x' as never)).toThrow('fallback of mount');
  expect(() => mount({ '/a': named('1'), '/a/': named('2') })).toThrow('two applications for /a');
  expect(() => mount({ 'x.org': named('1'), 'X.org:80/': named('2') })).toThrow('two applications for x.org/');
});
