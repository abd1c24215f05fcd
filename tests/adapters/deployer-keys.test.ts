// The option `environ` of every adapter: what the contract forbids is refused when the adapter is made. (ENV-20)

import { describe, expect, test } from 'vitest';
import type { Application, GatewayOptions } from 'waygate';
import { toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { toWorker } from 'waygate/cloudflare-workers';
import { toFetch } from 'waygate/fetch';
import { serve, toNode } from 'waygate/node';

const app: Application = (_environ, startResponse) => {
  startResponse('200 OK', []);
  return [];
};

/** Makes an adapter; `serve` reports by a rejection. */
const ADAPTERS: [name: string, make: (options: GatewayOptions) => unknown][] = [
  ['toNode', (options) => toNode(app, options)],
  ['serve', async (options) => (await serve(app, { ...options, port: 0, signals: false })).close()],
  ['toFetch', (options) => toFetch(app, options)],
  ['toWorker', (options) => toWorker(app, options)],
  ['toLambda', (options) => toLambda(app, options)],
  ['toLambdaStream', (options) => toLambdaStream(app, options)],
];

describe.each(ADAPTERS)('%s', (_name, make) => {
  const outcome = async (environ: unknown): Promise<unknown> => {
    try {
      await make({ environ: environ as Record<string, unknown> });
      return null;
    } catch (error) {
      return error;
    }
  };

  test.each<[unknown, RegExp]>([
    [{ bad: 5 }, /the number 5 under "bad".*\[L-15\]$/],
    [{ BAD: null }, /null under "BAD".*\[L-15\]$/],
    [{ HTTP_X: ['a'] }, /an Array under "HTTP_X".*\[L-15\]$/],
    [{ CONTENT_LENGTH: 5 }, /the number 5 under "CONTENT_LENGTH".*\[L-15\]$/],
    [{ PRICE: '5 €' }, /"5 €" under "PRICE".*encodeWsgi\(\)\. \[L-16\]$/],
    [{ 'wsgi.x': 1 }, /the key "wsgi\.x".*\[L-20\]$/],
    [{ 'wsgi.version': [1, 0] }, /the key "wsgi\.version".*\[L-20\]$/],
    [{ 'waygate.signal': null }, /the key "waygate\.signal".*\[L-20\]$/],
    [null, /"environ" is null; expected an object/],
    ['STAGE=live', /"environ" is the string "STAGE=live"; expected an object/],
    [['STAGE'], /"environ" is an Array; expected an object/],
  ])('refuses %j', async (environ, message) => {
    const error = await outcome(environ);
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toMatch(message);
  });

  test('takes strings, keys with a dot of any value, and variables that are not set', async () => {
    expect(
      await outcome({ STAGE: 'live', 'app.config': { a: 1 }, 'app.none': null, MISSING: undefined, EMPTY: '' }),
    ).toBe(null);
  });
});
