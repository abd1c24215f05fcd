// AWS's own runtime client runs the built bundles: what a function really does between an event and its answer.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { CLIENTS, Client, type ClientKind, isMissing } from './lambda/clients.ts';
import { type Outcome, RuntimeApi } from './lambda/runtime-api.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

const PRELUDE_TYPE = 'application/vnd.awslambda.http-integration-response';

/** A Function URL event of the published sample, for another path and body. */
function event(
  path: string,
  change: { query?: string; method?: string; body?: string; cookies?: string[] } = {},
): unknown {
  const file = new URL('../cases/events/function-url-powertools-get.json', import.meta.url);
  const sample = JSON.parse(readFileSync(file, 'utf8'));
  const method = change.method ?? (change.body === undefined ? 'GET' : 'POST');
  return {
    ...sample,
    headers: { ...sample.headers, host: 'abc.lambda-url.eu-north-1.on.aws' },
    rawPath: path,
    rawQueryString: change.query ?? '',
    cookies: change.cookies,
    body: change.body,
    isBase64Encoded: change.body !== undefined,
    requestContext: { ...sample.requestContext, http: { ...sample.requestContext.http, method, path } },
  };
}

/** The answer of a buffered invocation. */
function result(outcome: Outcome): {
  statusCode: number;
  headers: Record<string, string>;
  cookies?: string[];
  body: string;
  isBase64Encoded?: boolean;
} {
  expect(outcome.kind, outcome.body.toString()).toBe('response');
  return JSON.parse(outcome.body.toString());
}

/** The two parts of a streamed answer. */
function parts(outcome: Outcome): {
  prelude: { statusCode: number; headers: Record<string, string>; cookies?: string[] };
  body: Buffer;
} {
  expect(outcome.kind).toBe('response');
  expect(outcome.headers['content-type']).toBe(PRELUDE_TYPE);
  const end = outcome.body.indexOf(Buffer.alloc(8));
  expect(end).toBeGreaterThan(0);
  return { prelude: JSON.parse(outcome.body.subarray(0, end).toString()), body: outcome.body.subarray(end + 8) };
}

beforeAll(async () => {
  execFileSync('npm', ['run', 'bundle:lambda'], { cwd: root, stdio: 'pipe' });
  await build({
    entryPoints: [`${root}tests/e2e/lambda/app.ts`],
    outfile: `${root}build/lambda-e2e/app.mjs`,
    bundle: true,
    format: 'esm',
    platform: 'node',
    // Express is CommonJS, and asks for modules of Node's by require().
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
});

describe.each(CLIENTS.map((kind) => ({ ...kind, missing: isMissing(kind) })))('$title', (kind) => {
  describe.skipIf(kind.missing)('runs', () => {
    let api: RuntimeApi;
    let address: string;
    const clients: Client[] = [];

    /** Starts a process of the runtime client on a handler such as `lambda/handler.handler`. */
    function start(handler: string, env: Record<string, string> = {}): Client {
      const client = new Client(kind as ClientKind, address, handler, env);
      clients.push(client);
      return client;
    }

    beforeAll(async () => {
      api = new RuntimeApi();
      address = await api.start();
    });

    afterEach(async () => {
      for (const client of clients.splice(0)) await client.stop();
      api.forgetClients();
    });

    afterAll(() => api?.stop());

    describe('buffered, the example bundle', () => {
      it('answers JSON, an echo of bytes, cookies, and bytes that are not text', async () => {
        start('lambda/handler.handler');
        const page = result(await api.invoke(event('/', { query: 'q=1' })));
        expect(page.statusCode).toBe(200);
        expect(JSON.parse(page.body)).toMatchObject({ hello: 'from Waygate on Lambda', query: 'q=1', mountedAt: '' });

        const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
        const echo = result(await api.invoke(event('/echo', { body: bytes.toString('base64') })));
        expect(echo.isBase64Encoded).toBe(true);
        expect(Buffer.from(echo.body, 'base64')).toEqual(bytes);

        const cookies = result(await api.invoke(event('/cookies', { cookies: ['a=1', 'b=2'] })));
        expect(cookies.cookies).toEqual([
          'theme=dark; Path=/',
          'seen=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT; Path=/',
        ]);
        expect(JSON.parse(cookies.body)).toEqual({ received: 'a=1; b=2' });

        const pixel = result(await api.invoke(event('/pixel.gif')));
        expect(Buffer.from(pixel.body, 'base64').subarray(0, 3).toString()).toBe('GIF');
      });

      it('goes on after an event that is not HTTP, which fails with a message that names it', async () => {
        start('lambda/handler.handler');
        const outcome = await api.invoke({ Records: [{ eventSource: 'aws:sqs', body: 'x', messageId: '1' }] });
        expect(outcome.kind).toBe('error');
        expect(JSON.parse(outcome.body.toString()).errorMessage).toMatch(/sqs/i);
        expect(result(await api.invoke(event('/'))).statusCode).toBe(200);
      });
    });

    describe('buffered, failures and limits', () => {
      it('answers an application that throws with a plain 500, and logs why', async () => {
        const client = start('lambda-e2e/app.handler');
        const answer = result(await api.invoke(event('/fails')));
        expect(answer.statusCode).toBe(500);
        expect(answer.body).not.toContain('planted');
        expect(client.log).toContain('planted before the head');
      });

      it('answers a result that is larger than Lambda takes with a plain 500, and logs why', async () => {
        const client = start('lambda-e2e/app.handler');
        const answer = result(await api.invoke(event('/large')));
        expect(answer.statusCode).toBe(500);
        expect(answer.body.length).toBeLessThan(1000);
        expect(client.log).toMatch(/6 ?MB|6291556|larger|limit/i);
      });

      it('finishes work given to wait_until before the invocation ends', async () => {
        const gate = await gates();
        start('lambda-e2e/app.handler');
        const answer = result(await api.invoke(event('/later', { query: encodeURIComponent(gate.url) })));
        expect(answer.statusCode).toBe(200);
        expect(gate.asked).toEqual(['later']);
        gate.close();
      });

      it('serves all that comes in one process, failures between', async () => {
        const client = start('lambda-e2e/app.handler', { KEEP_OPEN: '1' });
        const pid = result(await api.invoke(event('/pid'))).body;
        for (const path of ['/fails', '/fails-strangely', '/fails-with-nothing', '/short', '/fetch', '/express']) {
          expect([path, result(await api.invoke(event(path))).statusCode]).toEqual([path, 500]);
          expect((await api.invoke({ source: 'warm-up' })).kind).toBe('error');
          expect(result(await api.invoke(event('/pid'))).body).toBe(pid);
        }
        expect(client.ended).toBeNull();
      });

      it('keeps invocations apart when several clients run at once', async () => {
        for (let each = 0; each < 3; each++) start('lambda-e2e/app.handler');
        const names = Array.from({ length: 12 }, (_, each) => `client-${each};`);
        const answers = await Promise.all(names.map((name) => api.invoke(event('/slow', { query: name }))));
        expect(answers.map((answer) => result(answer).body)).toEqual(names.map((name) => name.repeat(5)));
      });
    });

    describe('streamed', () => {
      it('sends the prelude and each chunk as it comes: the example bundle', async () => {
        start('lambda/stream.handler');
        const { prelude, body } = parts(await api.invoke(event('/events')));
        expect(prelude.statusCode).toBe(200);
        expect(prelude.headers['content-type'] ?? prelude.headers['Content-Type']).toBe('text/event-stream');
        expect(body.toString().match(/data: /g)).toHaveLength(5);
        const cookies = parts(await api.invoke(event('/cookies')));
        expect(cookies.prelude.cookies).toHaveLength(2);
        expect(Object.keys(cookies.prelude.headers).map((name) => name.toLowerCase())).not.toContain('set-cookie');
      });

      it('does not hold a chunk back while the application waits', async () => {
        start('lambda-e2e/app.stream');
        let arrived = '';
        const gate = await gates(() => arrived.includes('before the gate'));
        const outcome = await api.invoke(event('/gate', { query: encodeURIComponent(gate.url) }), (piece) => {
          arrived += piece.toString('latin1');
          gate.check();
        });
        expect(parts(outcome).body.toString()).toBe('before the gate\nafter the gate\n');
        gate.close();
      });

      it('sends the prelude of an empty body, with its cookies', async () => {
        start('lambda-e2e/app.stream');
        const { prelude, body } = parts(await api.invoke(event('/empty')));
        expect(prelude).toMatchObject({ statusCode: 202, cookies: ['a=1'] });
        expect(body).toHaveLength(0);
      });

      it('sends a plain 500 while the head is not out', async () => {
        start('lambda-e2e/app.stream');
        const { prelude, body } = parts(await api.invoke(event('/fails')));
        expect(prelude.statusCode).toBe(500);
        expect(body.toString()).not.toContain('planted');
      });

      it('A1: ends what breaks off with an error, and the same process serves all that comes', async () => {
        const client = start('lambda-e2e/app.stream');
        const pid = parts(await api.invoke(event('/pid'))).body.toString();
        const open = await gates();
        const query = encodeURIComponent(open.url);
        for (const path of [
          '/fails-late',
          '/short',
          '/fails-strangely',
          '/fails-with-nothing',
          '/fetch',
          '/express',
          '/fails-late',
        ]) {
          const outcome = await api.invoke(event(path, { query }));
          expect(failed(outcome), `${path}: ${outcome.kind} ${outcome.body} ${client.log}`).toBe(true);
          expect(outcome.body.toString()).not.toContain('500 Internal');
          const next = parts(await api.invoke(event('/pid')));
          expect([path, next.prelude.statusCode, next.body.toString()]).toEqual([path, 200, pid]);
        }
        const queue = await api.invoke({ Records: [{ eventSource: 'aws:sqs', body: 'x', messageId: '1' }] });
        expect(failed(queue)).toBe(true);
        expect(parts(await api.invoke(event('/fails'))).prelude.statusCode).toBe(500);
        expect(parts(await api.invoke(event('/pid'))).body.toString()).toBe(pid);
        expect(client.ended).toBeNull();
        open.close();
      });

      it('sends what came before the failure, and the error of the application in the trailers', async () => {
        start('lambda-e2e/app.stream');
        const open = await gates();
        const outcome = await api.invoke(event('/fails-late', { query: encodeURIComponent(open.url) }));
        expect(parts(outcome).body.toString()).toBe('half of it');
        expect(outcome.trailers['lambda-runtime-function-error-type']).toBe('Error');
        const error = Buffer.from(outcome.trailers['lambda-runtime-function-error-body'] ?? '', 'base64').toString();
        expect(JSON.parse(error).errorMessage).toBe('planted after the prelude');
        open.close();
      });

      it('A2: asks for the next event while a timer of the function is open', async () => {
        start('lambda-e2e/app.stream', { KEEP_OPEN: '1' });
        for (let turn = 0; turn < 3; turn++) {
          expect(parts(await api.invoke(event('/empty'))).prelude.statusCode).toBe(202);
        }
      });

      it('streams more than a buffered result could hold', async () => {
        start('lambda-e2e/app.stream');
        const { body } = parts(await api.invoke(event('/large')));
        expect(body.byteLength).toBe(7 * 1024 * 1024);
      });

      it('finishes work given to wait_until before it asks for the next event', async () => {
        const gate = await gates();
        start('lambda-e2e/app.stream');
        expect(parts(await api.invoke(event('/later', { query: encodeURIComponent(gate.url) }))).body.toString()).toBe(
          'answered\n',
        );
        expect(parts(await api.invoke(event('/empty'))).prelude.statusCode).toBe(202);
        expect(gate.asked).toEqual(['later']);
        gate.close();
      });
    });

    describe('options', () => {
      const queue = {
        Records: ['1', '2', '3'].map((messageId) => ({
          eventSource: 'aws:sqs',
          messageId,
          body: messageId === '2' ? 'bad' : 'good',
        })),
      };

      it.each(['handlerOfAll', 'streamOfAll'])(
        'events of app.%s: the records that failed are reported',
        async (name) => {
          const client = start(`lambda-e2e/app.${name}`);
          for (let turn = 0; turn < 3; turn++) {
            const outcome = await api.invoke(queue);
            expect([outcome.kind, outcome.trailers]).toEqual(['response', {}]);
            expect(JSON.parse(outcome.body.toString())).toEqual({ batchItemFailures: [{ itemIdentifier: '2' }] });
            await vi.waitFor(() => expect(client.log).toContain(`record 3 of ${outcome.id}`));
            const ping = await api.invoke({ source: 'warm-up' });
            expect(JSON.parse(ping.body.toString())).toEqual({ pong: true });
            const page = await api.invoke(event('/pid'));
            expect((name === 'streamOfAll' ? parts(page).prelude : result(page)).statusCode).toBe(200);
          }
          expect(client.ended).toBeNull();
        },
      );

      it('errorStatuses: the invocation fails with nothing sent, and the next is served', async () => {
        const client = start('lambda-e2e/app.streamOfAll');
        const outcome = await api.invoke(event('/fails'));
        expect(failed(outcome)).toBe(true);
        expect(outcome.body).toHaveLength(0);
        expect(outcome.trailers['lambda-runtime-function-error-type']).toBe('FailedResponseError');
        expect(parts(await api.invoke(event('/empty'))).prelude.statusCode).toBe(202);
        expect(client.ended).toBeNull();
      });

      it('A9: abortBeforeTimeoutMs has an endless response end by itself', async () => {
        start('lambda-e2e/app.streamOfAll');
        const started = Date.now();
        expect(parts(await api.invoke(event('/endless'))).body.toString()).toMatch(/^\.+end$/);
        // The Runtime API gives each invocation 15 seconds.
        expect(Date.now() - started).toBeLessThan(8000);
      });
    });

    describe('A8: a function in CommonJS', () => {
      it('loads when it is bundled', async () => {
        await build({
          entryPoints: [`${root}examples/lambda/handler.ts`],
          outfile: `${root}build/lambda-cjs/handler.cjs`,
          bundle: true,
          format: 'cjs',
          platform: 'node',
        });
        start('lambda-cjs/handler.handler');
        expect(result(await api.invoke(event('/'))).statusCode).toBe(200);
      });
    });

    describe.skipIf(!kind.concurrent)('several at a time, in one process and thread', () => {
      const COUNT = 1000;
      const env = { AWS_LAMBDA_MAX_CONCURRENCY: String(COUNT), AWS_LAMBDA_NODEJS_WORKER_COUNT: '1' };

      it.each(['handler', 'stream'])(
        'of app.%s: 1,000 that overlap see their own event and context, and failures end none of the others',
        { timeout: 120_000 },
        async (name) => {
          const client = start(`lambda-e2e/app.${name}`, env);
          const fates = Array.from({ length: COUNT }, (_, each) => (each % 10 === 3 ? 'fails' : `number-${each}`));
          const outcomes = await Promise.all(
            fates.map((fate) => api.invoke(event('/overlap', { query: `${COUNT},${fate}` }))),
          );
          const bodies = outcomes.map((outcome, each) => {
            if (name === 'stream') {
              if (fates[each] === 'fails') expect(failed(outcome)).toBe(true);
              return parts(outcome).body.toString();
            }
            return result(outcome).body;
          });
          for (const [each, fate] of fates.entries()) {
            if (fate === 'fails') {
              expect(bodies[each]).toBe(name === 'stream' ? '[' : '500 Internal Server Error\n');
              continue;
            }
            const own = [outcomes[each]?.id, `${COUNT},${fate}`, `${COUNT},${fate}`];
            expect(JSON.parse(bodies[each] as string)).toEqual([{ before: own, after: own, peak: COUNT }]);
          }
          expect(client.ended).toBeNull();
        },
      );
    });
  });
});

/** Whether a streamed answer tells that it is not whole. */
function failed(outcome: Outcome): boolean {
  return outcome.kind === 'error' || outcome.trailers['lambda-runtime-function-error-type'] !== undefined;
}

/** A server that the application asks for leave: it answers once `open` holds, and remembers what was asked. */
async function gates(
  open: () => boolean = () => true,
): Promise<{ url: string; asked: string[]; check: () => void; close: () => void }> {
  const asked: string[] = [];
  let held: (() => void)[] = [];
  const check = (): void => {
    if (open()) for (const release of held.splice(0)) release();
  };
  const server: Server = createServer((request, response) => {
    asked.push((request.url ?? '').slice(1));
    held = [...held, () => response.end()];
    check();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    check,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
