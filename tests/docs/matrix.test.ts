// The matrix in README.md: every cell says whether an app of some kind runs on some platform. Every cell is run here, and
// those of Workers in workerd by tests/e2e/kinds-workers.test.ts.

import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { Application } from 'waygate';
import { fromLambda, type SourceName, toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { toWorker } from 'waygate/cloudflare-workers';
import { toFetch } from 'waygate/fetch';
import { serve } from 'waygate/node';
import { COOKIES, KINDS } from './kinds.ts';

type Call = (path: string, init?: RequestInit) => Promise<Response>;

const BUFFERED: SourceName[] = ['rest-api', 'http-api', 'function-url', 'alb', 'lattice', 'lattice-v1', 'edge'];
const STREAMED: SourceName[] = ['rest-api', 'function-url'];
const closing: (() => Promise<void>)[] = [];

/** Each platform as calls to it; Lambda has several. */
const PLATFORMS: Record<string, (app: Application) => Promise<Record<string, Call>>> = {
  async Node(app) {
    const { url, close } = await serve(app, { port: 0, signals: false });
    closing.push(close);
    return { 'node:http': (path, init) => fetch(new URL(path, url), init) };
  },
  Fetch: async (app) => ({ toFetch: toFetch(app) }),
  async Workers(app) {
    const worker = toWorker(app);
    const context = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} };
    return {
      toWorker: async (path, init) =>
        worker.fetch(new Request(new URL(path, 'https://example.com'), init), {}, context),
    };
  },
  Lambda: async (app) =>
    Object.fromEntries(BUFFERED.map((source) => [source, toFetch(fromLambda(toLambda(app), { source }))])),
  'Lambda, streamed': async (app) =>
    Object.fromEntries(STREAMED.map((source) => [source, toFetch(fromLambda(toLambdaStream(app), { source }))])),
};

/** The matrix as it stands in README.md: the names of its columns, and its rows. */
function matrix(): { platforms: string[]; rows: [kind: string, cells: string[]][] } {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const table = /^\| what you have \|[\s\S]*?\n\n/m.exec(readme)?.[0] ?? '';
  const lines = table
    .trim()
    .split('\n')
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  const [head = [], , ...rows] = lines;
  return { platforms: head.slice(2), rows: rows.map(([kind = '', , ...cells]) => [kind, cells]) };
}

describe('the matrix of README.md', () => {
  const { platforms, rows } = matrix();
  afterAll(() => Promise.all(closing.map((close) => close())));

  it('names every kind of app and every platform that is tested here, and no other', () => {
    expect(platforms).toEqual(Object.keys(PLATFORMS));
    expect(rows.map(([kind]) => kind)).toEqual(Object.keys(KINDS));
  });

  for (const [kind, cells] of rows) {
    cells.forEach((cell, column) => {
      const platform = platforms[column] as string;
      it(`${kind} on ${platform}`, async () => {
        expect(cell).toBe(kind === 'Fastify' && platform === 'Workers' ? 'no' : 'yes');
        if (cell === 'no') return;
        const app = await KINDS[kind]?.();
        const calls = await PLATFORMS[platform]?.(app as Application);
        for (const [name, call] of Object.entries(calls ?? {})) {
          const response = await call('/some/path?q=1&r=%20', {
            method: 'POST',
            body: 'grüße',
            headers: { 'Content-Type': 'text/plain' },
          });
          expect(response.status, name).toBe(201);
          expect(response.headers.getSetCookie(), name).toEqual(COOKIES);
          expect(await response.json(), name).toEqual({ path: '/some/path', query: 'q=1&r=%20', body: 'grüße' });
        }
      });
    });
  }
});
