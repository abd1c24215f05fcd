// Traces from minified bundles on real runtimes: each request has its own tree of spans, also where many run at once, and
// the platform waits until they have been sent.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CLIENTS, Client, isMissing } from './lambda/clients.ts';
import { type Outcome, RuntimeApi } from './lambda/runtime-api.ts';
import { type Running, start, wranglerDev } from './runtimes/process.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const KINDS = ['express', 'hono', 'plain'];

interface Span {
  name: string;
  trace: string;
  id: string;
  parent?: string;
  path?: string;
  status?: number;
}

/** The trace that a request names in its headers: one of its own for each. */
const traceOf = (kind: string, id: number): string => `${KINDS.indexOf(kind) + 1}${String(id).padStart(31, '0')}`;
const PARENT = 'b7ad6b7169203331';
const headerOf = (kind: string, id: number): string => `00-${traceOf(kind, id)}-${PARENT}-01`;

/** Holds spans to the requests that were made. */
function expectTrees(spans: Span[], ids: readonly number[]): void {
  expect(spans).toHaveLength(2 * KINDS.length * ids.length);
  for (const kind of KINDS) {
    for (const id of ids) {
      const [server, ...others] = spans.filter(({ path }) => path === `/${kind}/${id}`);
      expect(others).toEqual([]);
      expect(server).toMatchObject({
        name: kind === 'hono' ? 'GET /hono/:id' : 'GET',
        trace: traceOf(kind, id),
        parent: PARENT,
        status: 200,
      });
      const inner = spans.filter(({ parent }) => parent === server?.id);
      expect(inner).toMatchObject([{ name: `${kind} ${id}`, trace: traceOf(kind, id) }]);
    }
  }
}

beforeAll(() =>
  build({
    entryPoints: [`${root}tests/e2e/telemetry/lambda.ts`, `${root}tests/e2e/telemetry/node.ts`],
    outdir: `${root}build/telemetry`,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    // Express is CommonJS, and asks for modules of Node's by require().
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  }),
);

describe.each([
  ['on node', () => start(process.execPath, [`${root}build/telemetry/node.mjs`])],
  ['in workerd', () => wranglerDev('tests/e2e/telemetry/worker.toml')],
])('%s, from a minified bundle', (_name, run) => {
  let running: Running;
  beforeAll(async () => {
    running = await run();
  });
  afterAll(() => running?.stop());

  test('requests that overlap each have the tree of spans that their headers begin', async () => {
    const ids = Array.from({ length: 20 }, (_, id) => id);
    const ask = async (kind: string, id: number): Promise<void> => {
      const response = await fetch(`${running.url}/${kind}/${id}`, { headers: { traceparent: headerOf(kind, id) } });
      expect(await response.text()).toBe(`${kind} ${id}`);
    };
    await Promise.all(ids.flatMap((id) => KINDS.map((kind) => ask(kind, id))));
    let spans: Span[] = [];
    await expect
      .poll(async () => {
        spans = (await (await fetch(`${running.url}/spans`)).json()) as Span[];
        return spans.length;
      })
      .toBe(2 * KINDS.length * ids.length);
    expectTrees(spans, ids);
  });
});

/** A Function URL event of the published sample, for another path. */
function event(path: string, headers: Record<string, string> = {}): unknown {
  const file = new URL('../cases/events/function-url-powertools-get.json', import.meta.url);
  const sample = JSON.parse(readFileSync(file, 'utf8'));
  return {
    ...sample,
    headers: { host: 'abc.lambda-url.eu-north-1.on.aws', ...headers },
    rawPath: path,
    rawQueryString: '',
    body: undefined,
    isBase64Encoded: false,
    requestContext: { ...sample.requestContext, http: { ...sample.requestContext.http, method: 'GET', path } },
  };
}

/** The text of an answer, buffered or streamed. */
function textOf({ kind, body }: Outcome): string {
  expect(kind, body.toString()).toBe('response');
  const end = body.indexOf(Buffer.alloc(8));
  return end === -1 ? (JSON.parse(body.toString()) as { body: string }).body : body.subarray(end + 8).toString();
}

describe.each(CLIENTS.map((kind) => ({ ...kind, missing: isMissing(kind) })))('$title', (kind) => {
  describe.skipIf(kind.missing)('traced, from a minified bundle', () => {
    let api: RuntimeApi;
    let address = '';
    let client: Client | null = null;
    beforeAll(async () => {
      api = new RuntimeApi();
      address = await api.start();
    });
    afterEach(async () => {
      await client?.stop();
      api.forgetClients();
    });
    afterAll(() => api?.stop());

    const ask = async (each: string, id: number): Promise<void> => {
      const outcome = await api.invoke(event(`/${each}/${id}`, { traceparent: headerOf(each, id) }));
      expect(textOf(outcome)).toBe(`${each} ${id}`);
    };
    const spansOf = async (): Promise<Span[]> => JSON.parse(textOf(await api.invoke(event('/spans'))));

    test.each(['handler', 'stream'])('of %s: an invocation ends when its spans have been sent', async (name) => {
      client = new Client(kind, address, `telemetry/lambda.${name}`);
      for (const each of KINDS) await ask(each, 0);
      expectTrees(await spansOf(), [0]);
    });

    test.skipIf(!kind.concurrent).each(['handler', 'stream'])('of %s: invocations that run at once', async (name) => {
      const env = { AWS_LAMBDA_MAX_CONCURRENCY: '60', AWS_LAMBDA_NODEJS_WORKER_COUNT: '1' };
      client = new Client(kind, address, `telemetry/lambda.${name}`, env);
      const ids = Array.from({ length: 20 }, (_, id) => id);
      await Promise.all(ids.flatMap((id) => KINDS.map((each) => ask(each, id))));
      expectTrees(await spansOf(), ids);
    });
  });
});

test('a bundle without opentelemetry needs no package of it', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: "import { proxyFix } from 'waygate/middleware'; console.log(proxyFix);",
      resolveDir: root,
    },
    alias: { 'waygate/middleware': `${root}middleware/index.ts` },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    platform: 'node',
    packages: 'external',
  });
  expect(outputFiles[0]?.text).not.toMatch(/opentelemetry|http\.server\.request/);
});
