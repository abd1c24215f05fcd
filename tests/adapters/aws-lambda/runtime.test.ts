// invokeLambda: what Lambda's Node.js runtime does with a handler, whatever form it has.

import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { awslambda, invokeLambda } from 'waygate/aws-lambda';

type Context = {
  succeed(result: unknown): void;
  fail(error: unknown): void;
  done(error: unknown, result: unknown): void;
};
// biome-ignore lint/suspicious/noExplicitAny: handlers of every form.
type Handler = (event: any, context: any, callback: any) => unknown;

describe('the result', () => {
  it.each<[string, Handler, unknown]>([
    ['a promise', async (event) => event, { a: 1 }],
    ['the callback', (_event, _context, callback) => setImmediate(callback, null, 'called back'), 'called back'],
    ['the callback at once', (_event, _context, callback) => callback(null, 1), 1],
    ['context.succeed, at once', (_event: unknown, context: Context) => context.succeed('x'), 'x'],
    [
      'context.succeed, later',
      (_event: unknown, context: Context) => void setTimeout(() => context.succeed('x'), 5),
      'x',
    ],
    ['context.done', (_event: unknown, context: Context) => void setTimeout(() => context.done(null, 'x'), 5), 'x'],
    ['nothing of what a plain function returns', ((event: unknown) => event) as Handler, null],
    ['null for what is undefined', async () => undefined, null],
    [
      'what JSON makes of it',
      async () => ({ date: new Date(0), none: undefined }),
      { date: '1970-01-01T00:00:00.000Z' },
    ],
  ])('is %s', async (_title, handler, result) => {
    expect(await invokeLambda(handler, { a: 1 })).toEqual(result);
  });

  it.each<[string, Handler]>([
    ['throws', () => fail()],
    ['rejects', async () => fail()],
    ['calls back with an error', (_event, _context, callback) => callback(new Error('planted'))],
    ['calls context.fail', (_event: unknown, context: Context) => context.fail(new Error('planted'))],
  ])('is a failure of a handler that %s', async (_title, handler) => {
    await expect(invokeLambda(handler, {})).rejects.toThrow('planted');
  });

  it('is null when nothing is left to run, and the calls that are over leave no listener behind', async () => {
    const before = process.listenerCount('beforeExit');
    const silent = Array.from({ length: 20 }, () => invokeLambda((_event, _context, _callback) => {}, {}));
    const called = invokeLambda((_event, _context, callback) => setImmediate(callback, null, 1), {});
    expect(process.listenerCount('beforeExit')).toBe(before + 1);
    expect(await called).toBe(1);
    // Of this process's own listeners only the one in question is called.
    const own = process.listeners('beforeExit').at(-1) as (code: number) => void;
    own.call(process, 0);
    expect(await Promise.all(silent)).toEqual(Array(20).fill(null));
    expect(process.listenerCount('beforeExit')).toBe(before);
  });
});

describe('the context', () => {
  it('has the id, the name and the time that is left', async () => {
    const options = { requestId: 'r-1', functionName: 'f', timeoutMs: 5000, memoryLimitInMB: 256 };
    const seen = (await invokeLambda(
      async (_event, context) => ({ ...context, left: context.getRemainingTimeInMillis() }),
      {},
      options,
    )) as Record<string, unknown>;
    expect(seen).toMatchObject({ awsRequestId: 'r-1', functionName: 'f', memoryLimitInMB: '256' });
    expect(seen.left).toBeGreaterThan(4000);
    expect(seen.left).toBeLessThanOrEqual(5000);
  });
});

describe('a handler that streams', () => {
  it('writes to the stream it is given, and fails as it fails', async () => {
    const stream = new PassThrough();
    const handler = awslambda.streamifyResponse(async (event, responseStream, context) => {
      responseStream.end(`${event.a} ${context.awsRequestId}`);
    });
    expect(await invokeLambda(handler, { a: 1 }, { stream, requestId: 'r-1' })).toBeUndefined();
    expect(await text(stream)).toBe('1 r-1');
    expect(await invokeLambda(handler, { a: 1 })).toBeUndefined();
    await expect(
      invokeLambda(
        awslambda.streamifyResponse(async () => fail()),
        {},
      ),
    ).rejects.toThrow('planted');
  });

  it('has to be asynchronous', async () => {
    const handler = awslambda.streamifyResponse((_event, stream) => stream.end());
    await expect(invokeLambda(handler, {})).rejects.toThrow('Streaming does not support non-async handlers.');
  });
});

function fail(): never {
  throw new Error('planted');
}
