// examples/python: Python applications that know nothing of Waygate, by the letter of PEP 3333.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import type { PyProxy } from 'pyodide/ffi';
import { describe, expect, test } from 'vitest';
import type { Application } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { serve } from 'waygate/node';
import app from '../../examples/python/app.ts';
import { importFrom, python, suspends } from '../../examples/python/python.ts';
import { fromWsgi } from '../../examples/python/wsgi.ts';

const site = toFetch(app);
const corner = (name: string): Application => fromWsgi(importFrom(`corners:${name}`));
/** The response of an application that fails, and what its log said. */
async function failing(name: string): Promise<{ response: Response; log: string[] }> {
  const log: string[] = [];
  const response = await toFetch(corner(name), { errors: (text) => void log.push(text) })('/');
  return { response, log };
}

test('all of them stand beside a Hono app', async () => {
  expect(await (await site('/simple')).text()).toBe('Hello, world!\n');
  expect(await (await site('/hello/Zo%C3%AB')).text()).toBe('Hello, Zoë! You asked with GET.\n');
  expect(await (await site('/class')).text()).toBe('Hello from a class!\n');
  expect(await (await site('/')).text()).toMatch(/^Try /);
});

test('the demo application of wsgiref sees an environ of native strings', async () => {
  const page = await (await site('/demo/a%20b?q=1', { headers: { 'X-Name': 'Ada' } })).text();
  const lines = page.split('\n');
  expect(lines[0]).toBe('Hello world!');
  for (const line of ["PATH_INFO = '/a b'", "SCRIPT_NAME = '/demo'", "QUERY_STRING = 'q=1'", "HTTP_X_NAME = 'Ada'"]) {
    expect(lines).toContain(line);
  }
  expect(lines).toContain('wsgi.version = (1, 0)');
  expect(lines).toContain('wsgi.multithread = False');
});

test.each([
  ['', '1: ab\ncd\n\nef'],
  ['pieces', '3: ab\n|cd\n|\nef'],
  ['lines', '4: ab\n|cd\n|\n|ef'],
  ['readline', '4: ab\n|cd\n|\n|ef'],
  ['readlines', '4: ab\n|cd\n|\n|ef'],
])('wsgi.input gives the body: %s', async (way, expected) => {
  const response = await toFetch(corner('echo'))(`/?way=${way}`, { method: 'POST', body: 'ab\ncd\n\nef' });
  expect(await response.text()).toBe(expected);
});

test.runIf(suspends)('a read waits for the client, and two requests wait side by side', async () => {
  const controllers: ReadableStreamDefaultController<Uint8Array>[] = [];
  const post = () =>
    toFetch(corner('echo'))('/', {
      method: 'POST',
      body: new ReadableStream({ start: (each) => void controllers.push(each) }),
    });
  const [first, second] = [post(), post()];
  controllers[0]?.enqueue(new TextEncoder().encode('one '));
  controllers[1]?.enqueue(new TextEncoder().encode('other'));
  controllers[1]?.close();
  expect(await (await second).text()).toBe('1: other');
  controllers[0]?.enqueue(new TextEncoder().encode('by one'));
  controllers[0]?.close();
  expect(await (await first).text()).toBe('1: one by one');
});

test('write sends ahead of the body, and exc_info replaces a head that has not gone out', async () => {
  expect(await (await toFetch(corner('write'))('/')).text()).toBe('pushed, and returned\n');
  const response = await toFetch(corner('replaced'))('/');
  expect([response.status, response.headers.get('x-error'), await response.text()]).toEqual([503, 'yes', 'replaced\n']);
});

test('status, repeats and bytes of headers arrive', async () => {
  const response = await toFetch(corner('cookies'))('/');
  expect([response.status, response.statusText]).toEqual([201, 'Created']);
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect(response.headers.get('x-latin')).toBe('caf\xe9');
  expect((await toFetch(corner('no_content'))('/')).status).toBe(204);
});

test('a list is known by its length; a file is read in blocks', async () => {
  expect((await toFetch(fromWsgi(importFrom('simple_app:simple_app')))('/')).headers.get('content-length')).toBe('14');
  expect(await (await toFetch(corner('file'))('/')).text()).toBe('from a file\n'.repeat(10));
});

describe('close', () => {
  const counter = (): { closed: number } => importFrom('corners:Counted') as unknown as { closed: number };

  test('is called once at the end', async () => {
    const before = counter().closed;
    expect(await (await toFetch(corner('counted'))('/')).text()).toBe('ab\n');
    expect(counter().closed).toBe(before + 1);
  });

  test('is called once when the client leaves an endless response', async () => {
    const before = counter().closed;
    const server = await serve(corner('endless'), { port: 0, host: '127.0.0.1', signals: false });
    await new Promise<void>((resolve) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
      socket.once('data', () => {
        socket.destroy();
        resolve();
      });
    });
    await expect.poll(() => counter().closed).toBe(before + 1);
    await server.close();
  });

  test('is called where HEAD takes no body', async () => {
    const before = counter().closed;
    await toFetch(corner('endless'))('/', { method: 'HEAD' });
    await expect.poll(() => counter().closed).toBe(before + 1);
  });
});

test.each([
  ['raises', 'RuntimeError: a fault of the application'],
  ['text', "A chunk of the body is 'a str is not a chunk'; expected bytes."],
  ['twice', 'start_response was called a second time without exc_info.'],
  ['never', 'without calling startResponse'],
])('%s is a plain 500, with the reason in wsgi.errors', async (name, reason) => {
  const { response, log } = await failing(name);
  expect([response.status, (await response.text()).includes('fault')]).toEqual([500, false]);
  expect(log.join('')).toContain(reason);
  if (name === 'raises') expect(log.join('')).toMatch(/Traceback[\s\S]+corners\.py[\s\S]+in raises/);
});

test.each(['midway', 'late'])('%s breaks the response off after its first chunk', async (name) => {
  const { response, log } = await failing(name);
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow();
  expect(log.join('')).toContain(name === 'late' ? 'ValueError: too late for a head' : 'RuntimeError: a fault midway');
});

test('wsgiref.validate finds nothing in what Python is given, and in what these programs do', async () => {
  const validate = python.pyimport('wsgiref.validate') as PyProxy;
  const log: string[] = [];
  const names = ['simple_app:simple_app', 'simple_app:application', 'wsgiref.simple_server:demo_app'];
  for (const name of names) {
    const call = toFetch(fromWsgi(validate.validator(importFrom(name))), { errors: (text) => void log.push(text) });
    for (const init of [{}, { method: 'POST', body: 'a=1' }]) {
      const response = await call('/caf%C3%A9?q', init);
      expect([name, response.status]).toEqual([name, 200]);
      await response.text();
    }
  }
  expect(log).toEqual([]);
});

describe.skipIf(!existsSync('/usr/lib/python3/dist-packages/flask'))('a Flask site', () => {
  test('has a session: a form sets a cookie, the next page knows the name', async () => {
    const greeted = await site('/flask/greet', {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ name: 'Zoë' }),
    });
    expect([greeted.status, greeted.headers.get('location')]).toEqual([302, '/flask/']);
    const cookie = greeted.headers.getSetCookie()[0]?.split(';')[0] as string;
    const page = await (await site('/flask/', { headers: { cookie } })).text();
    expect(page).toContain('<h1>Hello, Zoë!</h1>');
    expect(page).toContain('action="/flask/upload"');
  });

  test('takes a file, byte for byte', async () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 7) % 256);
    const form = new FormData();
    form.append('file', new Blob([bytes], { type: 'image/png' }), 'picture.png');
    const answer = await (await site('/flask/upload', { method: 'POST', body: form })).json();
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(answer).toEqual({ name: 'picture.png', type: 'image/png', bytes: 100_000, sha256 });
  });

  test('streams, and answers an error with its own page', async () => {
    expect(await (await site('/flask/count/5')).text()).toBe('1\n2\n3\n4\n5\n');
    const log: string[] = [];
    const failed = await toFetch(app, { errors: (text) => void log.push(text) })('/flask/fail');
    expect(failed.status).toBe(500);
    expect(await failed.text()).toContain('Internal Server Error');
    expect(log.join('')).toContain('ValueError: a fault of the site');
  });
});
