// An application for what the example does not do: gates, failures, work after the response, sizes.

import express from 'express';
import { type Application, type Environ, encode } from 'waygate';
import { type LambdaOptions, toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { fromFetch } from 'waygate/fetch';
import { fromNode } from 'waygate/node';

/** Asks the test, over HTTP, for leave to go on; so the test decides when, not a clock. */
async function ask(environ: { QUERY_STRING: string }, what: string): Promise<void> {
  await fetch(`${decodeURIComponent(environ.QUERY_STRING)}${what}`);
}

/** A hosted Fetch handler whose body fails midway. */
const hostedFetch = fromFetch(async () => {
  let turn = 0;
  return new Response(
    new ReadableStream({
      async pull(controller) {
        if (turn++ === 0) return controller.enqueue(encode('half of it'));
        // By then the head is out: a stream that fails at once is a 500.
        await new Promise((resolve) => setTimeout(resolve, 100));
        controller.error(new Error('planted in a stream'));
      },
    }),
  );
});

/** A hosted Express application that destroys its response midway. */
const hostedExpress = fromNode(
  express().get('/express', (_request, response) => {
    response.write('half of it', () => response.destroy(new Error('planted in Express')));
  }),
);

/** Opened when so many invocations run at the same time as the query says. */
let running = 0;
let peak = 0;
let openBarrier: () => void = () => {};
const barrier = new Promise<void>((resolve) => {
  openBarrier = resolve;
});

/** What an invocation of its own sees, before and after all others have begun. */
async function* overlap(environ: Environ): AsyncGenerator<Uint8Array> {
  const context = environ['aws.context'] as { awsRequestId: string };
  const event = environ['aws.event'] as { rawQueryString: string };
  const before = [context.awsRequestId, environ.QUERY_STRING, event.rawQueryString];
  running++;
  peak = Math.max(peak, running);
  const [count, fate] = environ.QUERY_STRING.split(',');
  if (running >= Number(count)) openBarrier();
  yield encode('[');
  await barrier;
  running--;
  if (fate === 'fails') throw new Error(`planted for ${context.awsRequestId}`);
  const after = [context.awsRequestId, environ.QUERY_STRING, event.rawQueryString];
  yield encode(`${JSON.stringify({ before, after, peak })}]`);
}

const app: Application = async (environ, startResponse) => {
  const text: [string, string][] = [['Content-Type', 'text/plain; charset=utf-8']];
  switch (environ.PATH_INFO) {
    case '/gate':
      startResponse('200 OK', text);
      return (async function* () {
        yield encode('before the gate\n');
        await ask(environ, 'gate');
        yield encode('after the gate\n');
      })();
    case '/fails-late':
      startResponse('200 OK', text);
      return (async function* () {
        yield encode('half of it');
        await ask(environ, 'gate');
        throw new Error('planted after the prelude');
      })();
    case '/short':
      startResponse('200 OK', [...text, ['Content-Length', '20']]);
      return (function* () {
        yield encode('half of it');
      })();
    case '/fails-strangely':
      startResponse('200 OK', text);
      return (async function* () {
        yield encode('half of it');
        const error = new Error('planted\u0000 \u2026 '.repeat(5000));
        error.name = 'Gro\u00dfer\nFehler \u2026';
        throw error;
      })();
    case '/fails-with-nothing':
      startResponse('200 OK', text);
      return (async function* () {
        yield encode('half of it');
        throw undefined;
      })();
    case '/fetch':
      return hostedFetch(environ, startResponse);
    case '/express':
      return hostedExpress(environ, startResponse);
    case '/overlap':
      startResponse('200 OK', text);
      return overlap(environ);
    case '/endless':
      startResponse('200 OK', text);
      return (async function* () {
        while (!environ['waygate.signal'].aborted) {
          yield encode('.');
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        yield encode('end');
      })();
    case '/pid':
      startResponse('200 OK', text);
      return [encode(String(process.pid))];
    case '/fails':
      throw new Error('planted before the head');
    case '/empty':
      startResponse('202 Accepted', [['Set-Cookie', 'a=1']]);
      return [];
    case '/later':
      environ['waygate.wait_until'](
        (async () => {
          await new Promise((resolve) => setTimeout(resolve, 100));
          await ask(environ, 'later');
        })(),
      );
      startResponse('200 OK', text);
      return [encode('answered\n')];
    case '/large':
      startResponse('200 OK', text);
      return (function* () {
        for (let block = 0; block < 7 * 16; block++) yield new Uint8Array(64 * 1024).fill(0x61);
      })();
    case '/slow': {
      startResponse('200 OK', text);
      const own = environ.QUERY_STRING;
      return (async function* () {
        for (let turn = 0; turn < 5; turn++) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          yield encode(own);
        }
      })();
    }
    default:
      startResponse('404 Not Found', text);
      return [encode('nothing here\n')];
  }
};

/** A pool, a timer, a socket: what many functions have open for as long as they live. */
if (process.env.KEEP_OPEN !== undefined) setInterval(() => {}, 1000);

/** Events that are not HTTP, record by record; what each saw is in its log. */
const others: LambdaOptions = {
  events: {
    record: (record, context) => {
      console.log(`record ${record.messageId} of ${context.awsRequestId}`);
      if (record.body === 'bad') throw new Error('planted in a record');
      return record.messageId === undefined ? { pong: true } : undefined;
    },
  },
};
export const handlerOfAll = toLambda(app, others);
export const streamOfAll = toLambdaStream(app, { ...others, errorStatuses: [500], abortBeforeTimeoutMs: 14_000 });
export const handler = toLambda(app);
export const stream = toLambdaStream(app);
