// A hosted request and its headers to whoever inspects them: console, util, assert, and code that looks at the constructor.
// (On Node 20 and 22 they are light ones; everywhere they show what real ones show.)

import assert from 'node:assert';
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import util from 'node:util';
import { expect, test } from 'vitest';
import { run, setupTestingDefaults } from 'waygate';
import { fromFetch } from 'waygate/fetch';

/** The request that a handler gets, and one that is like it. */
async function requests(method = 'GET'): Promise<[hosted: Request, real: Request]> {
  let hosted: Request | undefined;
  const keys = { REQUEST_METHOD: method, PATH_INFO: '/a b', HTTP_HOST: 'h', HTTP_X_A: '1', HTTP_COOKIE: 'a=1; b=2' };
  const environ = setupTestingDefaults(keys);
  await run(
    fromFetch((request) => {
      hosted = request;
      return new Response('ok');
    }),
    environ,
  );
  const { url, signal } = hosted as Request;
  // In the order of environ, in which they are shown.
  const headers: [string, string][] = [
    ['host', 'h'],
    ['x-a', '1'],
    ['cookie', 'a=1; b=2'],
  ];
  return [hosted as Request, new Request(url, { method, headers, signal })];
}

const WAYS: [name: string, text: (value: unknown) => string][] = [
  ['util.inspect', (value) => util.inspect(value)],
  ['util.inspect with everything', (value) => util.inspect(value, { showHidden: true, depth: 10, getters: true })],
  ['util.inspect without custom ways', (value) => util.inspect(value, { customInspect: false })],
  [
    'util.inspect without custom ways, of getters',
    (value) => util.inspect(value, { customInspect: false, getters: true }),
  ],
  ['%o', (value) => util.format('%o', value)],
  ['%O', (value) => util.format('%O', value)],
  ['%s', (value) => util.format('%s', value)],
  ['%j', (value) => util.format('%j', value)],
  ['console.log', (value) => printed((console) => console.log(value))],
  ['console.dir', (value) => printed((console) => console.dir(value))],
  [
    'console.dir with colors and depth',
    (value) => printed((console) => console.dir(value, { depth: null, colors: true })),
  ],
  ['console.table', (value) => printed((console) => console.table([value]))],
  ['inside an object', (value) => util.inspect({ inside: [value] }, { depth: 9 })],
  ['String', (value) => String(value)],
  ['JSON', (value) => JSON.stringify(value)],
  ['assert.strictEqual', (value) => thrown(() => assert.strictEqual(value, 1))],
  ['assert.deepStrictEqual', (value) => thrown(() => assert.deepStrictEqual(value, { a: 1 }))],
];

function printed(print: (console: Console) => void): string {
  let text = '';
  const out = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  print(new Console(out));
  return text;
}

function thrown(work: () => void): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

const own = /without custom ways|console\.dir|assert|table|%o|everything/;

test.each(WAYS)('%s', async (name, text) => {
  for (const method of ['GET', 'POST']) {
    const [hosted, real] = await requests(method);
    // Once it was looked at more closely, and before.
    for (let look = 0; look < 2; look++) {
      for (const part of ['headers', 'itself'] as const) {
        const [shown, expected] = part === 'headers' ? [hosted.headers, real.headers] : [hosted, real];
        const line = text(shown);
        expect(typeof line).not.toBe('');
        // What looks past the custom way sees how it is made, whichever runtime made it.
        if (!own.test(name)) expect(line).toBe(text(expected));
      }
      hosted.clone();
    }
  }
});

test('the constructors are those of the platform', async () => {
  const [hosted] = await requests();
  expect(hosted.constructor).toBe(Request);
  expect(hosted.headers.constructor).toBe(Headers);
  expect([hosted instanceof Request, hosted.headers instanceof Headers]).toEqual([true, true]);
  expect(Object.prototype.toString.call(hosted)).toBe('[object Request]');
  expect(Object.prototype.toString.call(hosted.headers)).toBe('[object Headers]');
  const copy = new (hosted.constructor as typeof Request)(hosted);
  expect(copy.url).toBe(hosted.url);
  expect(new (hosted.headers.constructor as typeof Headers)(hosted.headers).get('x-a')).toBe('1');
});

test('every property and method of a Request and of Headers can be looked at', async () => {
  const [hosted, real] = await requests();
  for (const key of Object.getOwnPropertyNames(Request.prototype) as (keyof Request)[]) {
    if (key === 'body' || key === 'signal' || key === 'headers') continue;
    if (typeof real[key] === 'function') expect(typeof hosted[key]).toBe('function');
    else expect([key, hosted[key]]).toEqual([key, real[key]]);
  }
  expect([...hosted.headers]).toEqual([...real.headers]);
  for (const key in hosted) expect(key in real).toBe(true);
});
