// errorPage: off unless it is switched on; then it shows the failure at its place in the source, and no secret.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Application, BadRequestError, encode } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { errorPage, validator } from 'waygate/middleware';
import { preferredType } from '../../middleware/accept.ts';
import { ask, hello } from './answers.ts';

const fails: Application = () => {
  throw new Error('the <b>shop</b> is closed', { cause: new TypeError('no key') });
};
const on = (app: Application) => errorPage(app, { enabled: true });

test('it is off unless it is switched on: then the application is the very same', () => {
  expect(errorPage(fails)).toBe(fails);
  expect(errorPage(fails, { enabled: false })).toBe(fails);
});

describe('the page', () => {
  test('is plain text for a client that does not care', async () => {
    const { status, headers, text, log } = await ask(on(fails), { PATH_INFO: '/caf\xc3\xa9' });
    expect(status).toBe('500 Internal Server Error');
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(text).toMatch(/^500 Internal Server Error\nGET \/café\n\nError: the <b>shop<\/b> is closed\n {4}at /);
    expect(text).toContain('\nCaused by: TypeError: no key\n    at ');
    expect(text).toContain('error-page.test.ts:');
    expect(text).toContain('\nREQUEST_METHOD: GET\n');
    expect(log).toContain('Error: the <b>shop</b> is closed');
    expect(log).toContain('Caused by: TypeError: no key');
  });

  test('is HTML for a browser, escaped, with the lines of the source and no script', async () => {
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
    const { headers, text } = await ask(on(fails), { HTTP_ACCEPT: accept, HTTP_X_EVIL: '<script>"\'&' });
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(text).toContain('Error: the &lt;b&gt;shop&lt;/b&gt; is closed');
    expect(text).toContain('&lt;script&gt;&quot;&#39;&amp;');
    expect(text).not.toContain('<script');
    expect(text).toMatch(/<mark> *\d+ {4}throw new Error\(&#39;the &lt;b&gt;shop/);
  });

  test('is JSON for a client that wants it', async () => {
    const { headers, text } = await ask(on(fails), { HTTP_ACCEPT: 'application/json' });
    expect(headers.get('content-type')).toBe('application/json');
    const { status, errors, environ } = JSON.parse(text);
    expect(status).toBe(500);
    expect(errors.map(({ name, message }: Error) => [name, message])).toEqual([
      ['Error', 'the <b>shop</b> is closed'],
      ['TypeError', 'no key'],
    ]);
    expect(errors[0].frames[0]).toMatchObject({ place: expect.stringContaining('error-page.test.ts') });
    expect(environ.PATH_INFO).toBe('/');
  });

  test('no environ breaks out of the markup', () =>
    fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        const value = [...text].filter((unit) => unit <= '\xff').join('');
        const page = await ask(on(fails), { HTTP_ACCEPT: 'text/html', HTTP_X_OWN: `${value}<i>`, QUERY_STRING: value });
        expect(page.text).not.toContain('<i>');
        expect(page.text).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
      }),
      { numRuns: 30 },
    ));
});

test('secrets are hidden by their names, and wherever else their text occurs', async () => {
  const app: Application = (environ) => {
    throw new Error(
      `failed with ${environ.HTTP_AUTHORIZATION} and hunter2222 of postgres://ada:pass1234@db/x and q-secret`,
    );
  };
  const keys = {
    HTTP_AUTHORIZATION: 'Bearer abcdef123456',
    HTTP_COOKIE: 'sid=cookie98765; theme=dark',
    HTTP_X_API_KEY: 'key-424242',
    'app.db_password': 'hunter2222',
    'app.token': { value: 'object-secret' },
    'app.mine': 'mine-777777',
    'app.url': 'https://user:pass-word@example.com/',
    QUERY_STRING: 'access_token=q-secret&a=1',
    REQUEST_URI: '/?access_token=q-secret&a=1',
    AUTH_TYPE: 'Bearer',
  };
  for (const accept of ['text/plain', 'text/html', 'application/json']) {
    const { text } = await ask(errorPage(app, { enabled: true, secrets: /mine/g }), { ...keys, HTTP_ACCEPT: accept });
    for (const secret of [
      'abcdef123456',
      'cookie98765',
      'key-424242',
      'hunter2222',
      'object-secret',
      'mine-777777',
      'pass1234',
      'pass-word',
      'q-secret',
    ])
      expect(text, `${accept}: ${secret}`).not.toContain(secret);
    expect(text).toContain('a=1');
    expect(text).toMatch(/AUTH_TYPE\W.*Bearer/);
  }
});

test('bindings and other objects are named, never shown; an accessor is not called', async () => {
  let called = false;
  const app: Application = (environ) => {
    Object.defineProperty(environ, 'waygate.signal', {
      enumerable: true,
      configurable: true,
      get: () => {
        called = true;
      },
    });
    throw new Error('no');
  };
  const { text } = await ask(on(app), { 'cloudflare.env': { DB: 'connection' }, 'aws.event': ['payload'] });
  expect(text).toContain('cloudflare.env: an Object');
  expect(text).not.toMatch(/connection|payload/);
  expect(called).toBe(false);
});

describe('what was thrown may be anything', () => {
  const hostile = new Proxy(new Error('x'), {
    get() {
      throw new Error('never look at me');
    },
  });
  const circular = new Error('round') as Error & { cause: unknown };
  circular.cause = circular;
  test.each([
    ['a text', 'a text'],
    ['undefined', undefined],
    ['null', null],
    ['a proxy', hostile],
    ['a circle', circular],
    ['an object', { message: 5 }],
  ])('%s', async (_name, thrown) => {
    const { status, text } = await ask(
      on(() => {
        throw thrown;
      }),
    );
    expect(status).toBe('500 Internal Server Error');
    expect(text.length).toBeLessThan(50_000);
  });
});

describe('failures of every kind', () => {
  const late: Record<string, Application> = {
    'a promise': async () => {
      throw new Error('closed');
    },
    'a generator before its first chunk': function* (_environ, startResponse) {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      if (Date.now() > 0) throw new Error('closed');
      yield encode('');
    },
    'an async generator before its first chunk': async function* (_environ, startResponse) {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      yield encode('');
      throw new Error('closed');
    },
    'a stream': (_environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return new ReadableStream<Uint8Array>({
        pull() {
          throw new Error('closed');
        },
      }) as ReturnType<Application>;
    },
  };
  test.each(Object.entries(late))('%s: a page', async (_name, app) => {
    const { status, text, log } = await ask(validator(on(validator(app))));
    expect(status).toBe('500 Internal Server Error');
    expect(text).toContain('Error: closed');
    expect(log.match(/^Error: closed/gm)).toHaveLength(1);
  });

  test('after the first byte the response breaks off, and is logged once', async () => {
    const lines: string[] = [];
    const app: Application = async function* (_environ, startResponse) {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      yield encode('begun');
      throw new Error('closed');
    };
    const wrote: Application = (_environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']])(encode('begun'));
      throw new Error('closed');
    };
    for (const each of [app, wrote]) {
      const response = await toFetch(on(each), { errors: (line) => void lines.push(line) })('http://localhost/');
      expect(response.status).toBe(200);
      await expect(response.text()).rejects.toThrow();
      expect(lines.splice(0).filter((line) => line.includes('closed'))).toHaveLength(1);
    }
  });

  test('a request error keeps its own answer', async () => {
    const app = on(() => {
      throw new BadRequestError('bad');
    });
    const { status, text } = await ask(app);
    expect([status, text]).toEqual(['400 Bad Request', '400 Bad Request\n']);
  });
});

describe('frames', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'error-page-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(['inline', 'linked', 'external'] as const)(
    'lead through a source map that is %s to the source',
    async (sourcemap) => {
      const source =
        '// a comment\ninterface Shop { open: boolean }\n\nexport function fail(shop: Shop): never {\n  throw new Error(String(shop.open));\n}\n';
      writeFileSync(join(folder, 'shop.ts'), source);
      const outfile = join(folder, `${sourcemap}.mjs`);
      await build({
        entryPoints: [join(folder, 'shop.ts')],
        outfile,
        sourcemap,
        minify: true,
        format: 'esm',
        logLevel: 'silent',
      });
      const { fail } = await import(/* @vite-ignore */ pathToFileURL(outfile).href);
      const { text } = await ask(
        on(() => fail({ open: false })),
        { HTTP_ACCEPT: 'application/json' },
      );
      const [frame] = JSON.parse(text).errors[0].frames;
      if (sourcemap === 'external') return expect(frame.place).toContain('external.mjs:1:');
      expect(frame.place).toMatch(/shop\.ts:5:\d+$/);
      expect(frame.line).toBe(5);
      expect(frame.lines).toContainEqual([5, '  throw new Error(String(shop.open));']);
    },
  );

  test('a message that looks like frames has no file read', async () => {
    // In pieces, since the page shows these very lines.
    const private_ = ['not', 'to', 'be', 'shown'].join('-');
    writeFileSync(join(folder, 'private.js'), `const hidden = "${private_}";\n`);
    const message = `x\n    at evil (${join(folder, 'private.js')}:1:1)\n    at /etc/passwd:1:1`;
    const { text } = await ask(
      on(() => {
        throw new Error(message);
      }),
      { HTTP_ACCEPT: 'application/json' },
    );
    expect(text).not.toContain(private_);
    const odd = new Error('x');
    odd.stack = `Error: x\n    at a (/etc/passwd:1:1)\n    at b (file:///etc/hostname:1:1)\n    at https://example.com/a.js:1:1\nb@http://localhost/a.js:2:3\nnonsense`;
    const { errors } = JSON.parse(
      (
        await ask(
          on(() => {
            throw odd;
          }),
          { HTTP_ACCEPT: 'application/json' },
        )
      ).text,
    );
    expect(errors[0].frames.map(({ call, place, lines }: Record<string, unknown>) => [call, place, lines])).toEqual([
      ['a', '/etc/passwd:1:1', []],
      ['b', 'file:///etc/hostname:1:1', []],
      ['', 'https://example.com/a.js:1:1', []],
      ['b', 'http://localhost/a.js:2:3', []],
    ]);
  });

  test('a long stack and a broken map cost little', async () => {
    const file = join(folder, 'broken.js');
    writeFileSync(file, `a();\n//# sourceMappingURL=data:application/json;base64,${btoa('{"version":3,')}\n`);
    const odd = new Error('x');
    odd.stack = `Error: x\n${`    at a (${file}:1:1)\n`.repeat(100_000)}`;
    const begun = performance.now();
    const { text } = await ask(
      on(() => {
        throw odd;
      }),
    );
    expect(text.match(/broken\.js/g)?.length).toBeLessThanOrEqual(30);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});

test.each([
  [undefined, 'text/plain'],
  ['', 'text/plain'],
  ['*/*', 'text/plain'],
  ['text/*', 'text/plain'],
  ['text/html', 'text/html'],
  ['TEXT/HTML;level=1', 'text/html'],
  ['application/json;q=0.5, text/html;q=0.4', 'application/json'],
  ['application/*', 'application/json'],
  ['text/plain;q=0, */*;q=0.1', 'text/html'],
  ['image/png', 'text/plain'],
  ['text/html;q=x, application/json;q=0.1', 'application/json'],
  ['text/html;q=0', 'text/plain'],
])('Accept %j prefers %s', (accept, type) => {
  expect(preferredType(accept, ['text/plain', 'text/html', 'application/json'])).toBe(type);
});

test.each([{ enabled: 'yes' }, { enabled: 1 }, { enabled: true, secrets: 'x' }] as never[])(
  'the options %j are refused',
  (options) => {
    expect(() => errorPage(hello, options)).toThrow(TypeError);
  },
);
