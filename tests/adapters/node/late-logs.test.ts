// Express logs an error in setImmediate, after the response: a platform that ends with the response has to wait for it.

import express from 'express';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fromLambda, toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { toWorker } from 'waygate/cloudflare-workers';
import { toFetch } from 'waygate/fetch';
import { fromNode } from 'waygate/node';

let logged: unknown[];
beforeEach(() => {
  logged = [];
  vi.spyOn(console, 'error').mockImplementation((...values) => void logged.push(...values.map(String)));
  // Express logs nothing in tests.
  vi.stubEnv('NODE_ENV', 'development');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const planted = () => {
  const app = express();
  app.get('/fails', () => {
    throw new Error('planted');
  });
  app.get('/streams', (_request, response, next) => {
    response.write('begun');
    setImmediate(() => next(new Error('planted')));
  });
  app.get('/fine', (_request, response) => void response.send('fine'));
  return fromNode(app);
};

describe('a log of Express in setImmediate', () => {
  it('is written before waitUntil of a Worker lets it go', async () => {
    const work: Promise<unknown>[] = [];
    const ctx = { waitUntil: (promise: Promise<unknown>) => void work.push(promise) };
    const response = await toWorker(planted()).fetch(new Request('http://a/fails'), {}, ctx);
    expect(response.status).toBe(500);
    await response.text();
    await Promise.all(work);
    expect(logged).toEqual([expect.stringContaining('Error: planted')]);
  });

  it('is written before a Lambda invocation ends', async () => {
    const answer = await toFetch(fromLambda(toLambda(planted()), { source: 'http-api' }))('/fails');
    // No turn of the event loop is given here.
    const atTheEnd = [...logged];
    expect(answer.status).toBe(500);
    expect(atTheEnd).toEqual([expect.stringContaining('Error: planted')]);
  });

  it('is written before a streamed invocation ends', async () => {
    const handler = toLambdaStream(planted());
    const answer = await toFetch(fromLambda(handler, { source: 'function-url', streaming: true }))('/fails');
    await answer.text();
    await vi.waitFor(() => expect(logged).toEqual([expect.stringContaining('Error: planted')]));
  });

  it('keeps no Lambda invocation waiting that has no error', async () => {
    const app = planted();
    const held: string[] = [];
    const watched: typeof app = (environ, startResponse) => {
      const waitUntil = environ['waygate.wait_until'];
      environ['waygate.wait_until'] = (promise) => {
        held.push(environ.PATH_INFO);
        waitUntil(promise);
      };
      return app(environ, startResponse);
    };
    const fetch = toFetch(fromLambda(toLambda(watched), { source: 'http-api' }));
    for (const path of ['/fine', '/fails']) await (await fetch(path)).text();
    expect(held).toEqual(['/fails']);
  });

  it.each([
    ['a response that is whole', '/fine', 'GET'],
    ['a response without content', '/fine', 'HEAD'],
    ['a response that breaks off', '/streams', 'GET'],
  ])('holds nothing longer than that after %s', async (_what, path, method) => {
    const work: Promise<unknown>[] = [];
    const fetch = toFetch(planted(), { waitUntil: (promise) => void work.push(promise) });
    const response = await fetch(path, { method });
    await response.text().catch(() => {});
    await Promise.all(work);
    expect(work.length).toBe(1);
  });

  it('holds nothing for a client that leaves', async () => {
    const work: Promise<unknown>[] = [];
    const app = fromNode((_request, response) => void response.write('begun'));
    const response = await toFetch(app, { waitUntil: (promise) => void work.push(promise) })('/');
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await Promise.all(work);
    expect(work.length).toBe(1);
  });
});
