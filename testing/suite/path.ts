// The path and the query. (URL, ENV-05 … ENV-07, trap 15)

import { equal, ok } from '../assert.ts';
import type { ServedSite, TestContext } from '../test-context.ts';
import { u8 } from './apps.ts';
import type { Suite } from './suite.ts';

type Parts = [scriptName: string, pathInfo: string, queryString: string];

/** Serves an application that notes the parts of its URL. */
async function noting(
  t: TestContext,
  basePath?: string,
): Promise<{ site: ServedSite; seen: Parts[]; targets: unknown[] }> {
  const seen: Parts[] = [];
  const targets: unknown[] = [];
  const site = await t.serve(
    (environ, startResponse) => {
      seen.push([environ.SCRIPT_NAME, environ.PATH_INFO, environ.QUERY_STRING]);
      targets.push(environ.REQUEST_URI);
      startResponse('200 OK', []);
      return [u8('x')];
    },
    basePath === undefined ? {} : { basePath },
  );
  return { site, seen, targets };
}

const escaped = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, at) => `%${(from + at).toString(16).toUpperCase().padStart(2, '0')}`).join('');

const units = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, at) => String.fromCharCode(from + at)).join('');

export function pathSuite({ test, requires, proves }: Suite): void {
  const PATHS: [string, string][] = [
    ['/', '/'],
    ['/users/7', '/users/7'],
    ['/users/', '/users/'],
    ['/caf%C3%A9', '/caf\xc3\xa9'],
    ['/a%20b%2Bc+d', '/a b+c+d'],
    ['/a%2fb', '/a/b'],
    ['/%E2%82%AC', '/\xe2\x82\xac'],
    ["/-._~!$&'()*,;=:@", "/-._~!$&'()*,;=:@"],
  ];
  const MEANINGFUL: [string, string][] = [
    ['/100%25', '/100%'],
    ['/a%3Fb', '/a?b'],
  ];
  const decodes = ([path, expected]: [string, string]): [string, (t: TestContext) => Promise<void>] => [
    `ENV-06, URL-02: PATH_INFO of ${path} is ${JSON.stringify(expected)}`,
    async (t) => {
      const { site, seen } = await noting(t);
      await site.get(path);
      equal(seen, [[t.mount, expected, '']], 'SCRIPT_NAME, PATH_INFO, QUERY_STRING');
    },
  ];
  for (const each of PATHS) test(...decodes(each));
  for (const each of MEANINGFUL) requires(['decodedOnce'], ...decodes(each));

  proves('decodedOnce', 'URL-02, trap 15: the path is decoded once', async (t) => {
    const { site, seen } = await noting(t);
    await site.get('/a%252Fb%2525');
    equal(seen[0]?.[1], '/a%2Fb%25', 'PATH_INFO');
  });

  requires(['decodedOnce'], 'URL-02: every ASCII byte survives in the path', async (t) => {
    const { site, seen } = await noting(t);
    await site.get(`/x${escaped(1, 128)}x`);
    equal(seen[0]?.[1], `/x${units(1, 128)}x`, 'PATH_INFO');
  });

  proves('pathBytes', 'URL-02, trap 15: every byte but NUL survives in the path', async (t) => {
    const { site, seen } = await noting(t);
    await site.get(`/x${escaped(1, 256)}x`);
    equal(seen[0]?.[1], `/x${units(1, 256)}x`, 'PATH_INFO');
    await site.get('/sp%E4m');
    equal(seen[1]?.[1], '/sp\xe4m', 'PATH_INFO');
  });

  for (const path of ['/%00', '/a%00b', '/a/%00?x=1']) {
    test(`a NUL in the path is a 400, and no application sees it: ${path}`, async (t) => {
      const { site, seen } = await noting(t);
      equal((await site.get(path)).status, 400, 'the status');
      equal(seen, [], 'what the application saw');
      equal((await site.get('/fine')).status, 200, 'the status of the next request');
    });
  }

  proves('rawPath', 'URL-02, URL-05: the target arrives exactly as written', async (t) => {
    const targets: [string, string][] = [
      ['/a/../b', '/a/../b'],
      ['/./a/.', '/./a/.'],
      ['/%2e%2E/a', '/../a'],
      ['/.well-known/%2ea/b.', '/.well-known/.a/b.'],
      ['//evil.example/x', '//evil.example/x'],
      ['/a//b', '/a//b'],
      ['/a\\b', '/a\\b'],
      ['/%zz%4%', '/%zz%4%'],
      ['/%', '/%'],
      ['/%41%', '/A%'],
      ['/a"<>^`{|}b', '/a"<>^`{|}b'],
      ['/;a=1/b', '/;a=1/b'],
    ];
    const { site, seen, targets: uris } = await noting(t);
    for (const [target, expected] of targets) {
      equal(await t.target(site, target), 200, `the status for ${target}`);
      equal(seen.pop()?.[1], expected, `PATH_INFO for ${target}`);
      equal(uris.pop(), t.mount + target, `REQUEST_URI for ${target}`);
    }
  });

  test('ENV-07: QUERY_STRING is there, and empty without a query', async (t) => {
    const { site, seen } = await noting(t);
    await site.get('/');
    await site.get('/?');
    equal(
      seen.map((each) => each[2]),
      ['', ''],
      'QUERY_STRING',
    );
  });

  test('ENV-07: the pairs of the query arrive, values in order', async (t) => {
    const { site, seen } = await noting(t);
    await site.get('/?a=1&b=x%20y&a=%C3%A9&c=%26%3D%25');
    const pairs = [...new URLSearchParams(seen[0]?.[2])].map((pair) => pair.join('=')).sort();
    equal(pairs, ['a=1', 'a=\u00e9', 'b=x y', 'c=&=%'], 'the pairs');
  });

  proves('rawQuery', 'ENV-07: QUERY_STRING is exactly what was written', async (t) => {
    const { site, seen } = await noting(t);
    for (const query of ['x=%41&y=1?z', 'a+b&c=%20', '&&=&a', '%zz=%', 'b=2&a=1&b=1', "q='()*!~", 'x=a/b?c:d@e']) {
      await t.target(site, `/?${query}`);
      equal(seen.pop()?.[2], query, 'QUERY_STRING');
    }
  });

  requires(['rawPath'], 'URL-05: a fragment is not part of path or query', async (t) => {
    const { site, seen } = await noting(t);
    await site.get('/a?b=1#c');
    equal(seen, [[t.mount, '/a', 'b=1']], 'SCRIPT_NAME, PATH_INFO, QUERY_STRING');
  });

  const BASES: [basePath: string, path: string, scriptName: string, pathInfo: string][] = [
    ['/api', '/api/users', '/api', '/users'],
    ['/api', '/api', '/api', ''],
    ['/api', '/api/', '/api', '/'],
    ['/api', '/apiary', '', '/apiary'],
    ['/api', '/other', '', '/other'],
    ['/api', '/api/api/x', '/api', '/api/x'],
    ['api/', '/api/x', '/api', '/x'],
    ['/caf\u00e9', '/caf%C3%A9/x', '/caf\xc3\xa9', '/x'],
    ['/\u65e5\u672c', '/%E6%97%A5%E6%9C%AC', '/\xe6\x97\xa5\xe6\x9c\xac', ''],
    ['/a/b', '/a/b/c', '/a/b', '/c'],
    ['/', '/x', '', '/x'],
    ['', '/x', '', '/x'],
  ];
  for (const [basePath, path, scriptName, pathInfo] of BASES) {
    test(`ENV-05, ENV-29: under basePath ${JSON.stringify(basePath)}, ${path} is ${scriptName} and ${pathInfo}`, async (t) => {
      // What a platform's own mount and a basePath add up to is for the platform to say.
      if (t.mount !== '') return;
      const { site, seen } = await noting(t, basePath);
      await site.get(`${path}?q=1`);
      equal(seen, [[scriptName, pathInfo, 'q=1']], 'SCRIPT_NAME, PATH_INFO, QUERY_STRING');
    });
  }

  test('ENV-05, L-06: SCRIPT_NAME is never a lone slash', async (t) => {
    for (const basePath of [undefined, '/', '//']) {
      const { site, seen } = await noting(t, basePath);
      await site.get('/');
      ok(seen[0]?.[0] !== '/', 'SCRIPT_NAME is not "/"');
    }
  });
}
