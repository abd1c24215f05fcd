// The body of a response that has not started: begun once by the first read, handed on only while nothing has touched it.

import { expect, test, vi } from 'vitest';
import { type ApplicationBody, encode, type StartResponse } from 'waygate';
import { DeferredBody } from '../../core/deferred-body.ts';

const startResponse: StartResponse = () => async () => {};

function deferred(body: () => ApplicationBody | Promise<ApplicationBody> = () => [encode('a'), encode('b')]) {
  const begin = vi.fn(body);
  const abandon = vi.fn();
  class Deferred extends DeferredBody {
    protected override begin() {
      return begin();
    }
    protected override abandon() {
      abandon();
    }
  }
  return { body: new Deferred(startResponse), begin, abandon };
}

async function read(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of body) text += String.fromCharCode(...chunk);
  return text;
}

test('the first read begins the response, once', async () => {
  const { body, begin, abandon } = deferred();
  expect(begin).not.toHaveBeenCalled();
  expect(body.isUntouched(startResponse)).toBe(true);
  expect(await read(body)).toBe('ab');
  expect(await read(body)).toBe('');
  expect(begin).toHaveBeenCalledTimes(1);
  expect(abandon).not.toHaveBeenCalled();
  expect(body.isUntouched(startResponse)).toBe(false);
});

test('a body of a promise is read as well, and what begin throws fails the read', async () => {
  expect(await read(deferred(async () => [encode('later')]).body)).toBe('later');
  const failing = deferred(() => {
    throw new Error('no');
  });
  await expect(failing.body.next()).rejects.toThrow('no');
});

test('closed before anybody read, it never begins, and an answer that is there is got rid of', async () => {
  const { body, begin, abandon } = deferred();
  body.close();
  body.close();
  expect(await read(body)).toBe('');
  expect(begin).not.toHaveBeenCalled();
  expect(abandon).toHaveBeenCalledTimes(1);
});

test('the body in its place is closed once, however the reading ends', async () => {
  const close = vi.fn();
  const inner = () => Object.assign([encode('a'), encode('b')], { close });
  const { body } = deferred(inner);
  for await (const _chunk of body) break;
  await body.close();
  expect(close).toHaveBeenCalledTimes(1);
});

test('a close() that a middleware puts on it is for the gateway to call: an early end of the reading does not (CLOSE-02)', async () => {
  const { body } = deferred();
  const close = vi.fn();
  const changed = Object.assign(body, { close });
  for await (const _chunk of changed) break;
  expect(close).not.toHaveBeenCalled();
});

test('it is handed on with the very startResponse only, and as nothing but itself (EXT-02)', () => {
  const { body } = deferred();
  expect(body.isUntouched(() => async () => {})).toBe(false);
  expect(DeferredBody.prototype.isUntouched.call(Object.create(body), startResponse)).toBe(false);
  expect(Object.assign(deferred().body, { close() {} }).isUntouched(startResponse)).toBe(false);
  const closed = deferred().body;
  closed.close();
  expect(closed.isUntouched(startResponse)).toBe(false);
});
