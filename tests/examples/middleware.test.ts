// examples/middleware: what the three do to a response, and to one that fails.

import { beforeEach, expect, test, vi } from 'vitest';
import { type Application, encode } from 'waygate';
import { toFetch } from 'waygate/fetch';
import app from '../../examples/middleware/app.ts';
import { errorPage } from '../../examples/middleware/error-page.ts';
import { upperCase } from '../../examples/middleware/upper-case.ts';

const errors: string[] = [];
const handler = toFetch(app, { errors: (text) => errors.push(text) });

beforeEach(() => {
  errors.length = 0;
  vi.spyOn(console, 'error').mockImplementation(() => {});
  return () => vi.restoreAllMocks();
});

test('text comes in capitals, with the time it took in the head', async () => {
  const response = await handler('/');
  expect(response.headers.get('server-timing')).toMatch(/^app;dur=\d+\.\d$/);
  expect(await response.text()).toBe('APPLES\nPEARS\n');
});

test.each(['/fail', '/late'])('%s gets an error page, and its error is on the console', async (path) => {
  const response = await handler(path);
  expect(response.status).toBe(500);
  expect(response.headers.get('server-timing')).not.toBeNull();
  expect(await response.text()).toBe('Sorry, this did not work.\n');
  expect(vi.mocked(console.error).mock.calls).toMatchObject([[{ message: expect.stringMatching(/^failed before/) }]]);
  expect(errors).toEqual([]);
});

test('/broken breaks off: after the first chunk no page can help', async () => {
  const response = await handler('/broken');
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow('failed after the first chunk');
  expect(errors.join()).toContain('failed after the first chunk');
});

const written: string[] = [];
const tracked: Application = (_environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return {
    *[Symbol.iterator]() {
      for (const text of ['a', 'b', 'c']) {
        written.push(text);
        yield encode(text);
      }
    },
    close: () => void written.push('closed'),
  };
};

test.each([
  ['upperCase', upperCase, 'A'],
  ['errorPage', errorPage, 'a'],
])(
  '%s keeps pace chunk for chunk, and closes what it wraps when the client leaves',
  async (_name, middleware, first) => {
    written.length = 0;
    const response = await toFetch(middleware(tracked))('/');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect((await reader.read()).value).toEqual(encode(first));
    expect(written).toEqual(['a']);
    await reader.cancel();
    expect(written).toEqual(['a', 'closed']);
  },
);

test.each([
  ['upperCase', upperCase],
  ['errorPage', errorPage],
])('%s closes what it wraps also when nothing is read', async (_name, middleware) => {
  written.length = 0;
  await toFetch(middleware(tracked))('/', { method: 'HEAD' });
  await expect.poll(() => written.at(-1)).toBe('closed');
  expect(written.filter((each) => each === 'closed')).toHaveLength(1);
});
