// How a body ends when the client leaves. (CLOSE-01, CLOSE-04, ERR-05, trap 5)

import type { ApplicationBody } from '../../core/types.ts';
import { equal } from '../assert.ts';
import {
  eventually,
  Gate,
  PATIENCE,
  pause,
  quiet,
  type ServedSite,
  type TestContext,
  within,
} from '../test-context.ts';
import { answering, LoggedBody, u8 } from './apps.ts';
import type { Suite } from './suite.ts';

/** Reads the first chunk, then leaves. */
async function leaveAfterFirst(site: ServedSite): Promise<void> {
  const response = await site.fetch('/');
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await within(reader.read(), 'the first chunk');
  await reader.cancel();
}

async function bodyThatHangs(t: TestContext): Promise<void> {
  const closed = new Gate();
  let signal: AbortSignal | undefined;
  const site = await t.serve((environ, startResponse) => {
    signal = environ['waygate.signal'];
    startResponse('200 OK', []);
    const body = (async function* () {
      yield u8('x');
      await new Promise(() => {});
    })();
    return Object.assign(body, { close: () => closed.open() });
  });
  await leaveAfterFirst(site);
  await within(closed.opened, 'close()');
  await eventually(() => signal?.aborted === true, 'the abort of waygate.signal');
}

/** What becomes of the body when the client leaves before its end. */
export function clientLeft({ capabilities, requires, proves }: Suite): void {
  proves(
    'disconnect',
    'CLOSE-01, ERR-05: a client that disconnects ends the body, and that is not an error',
    async (t) => {
      const ended = new Gate<string>();
      const site = await t.serve(
        answering(async function* () {
          let how = 'left unread';
          try {
            // Not endless: where nobody sees the client leave, it has to end all the same.
            for (let waited = 0; waited < PATIENCE; waited++) {
              yield u8('x');
              await pause(1);
            }
            how = 'read to its end';
          } finally {
            ended.open(how);
          }
        }),
      );
      await leaveAfterFirst(site);
      equal(await within(ended.opened, 'the end of the body'), 'left unread', 'how the body ended');
      await quiet();
      equal(site.errors, '', 'wsgi.errors');
    },
  );

  requires(['disconnect'], 'decision D10: waygate.signal aborts when the client leaves', async (t) => {
    let aborted = false;
    const site = await t.serve(async function* (environ, startResponse) {
      const signal = environ['waygate.signal'];
      // Not the signal itself: some platforms let no request touch what another one was given.
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      equal(signal.aborted, false, 'whether the signal is aborted at the start');
      startResponse('200 OK', []);
      while (!signal.aborted) {
        yield u8('x');
        await pause(1);
      }
    });
    await leaveAfterFirst(site);
    await eventually(() => aborted, 'the abort of waygate.signal');
  });

  for (const asynchronous of [false, true]) {
    const kind = asynchronous ? 'async' : 'sync';
    requires(['disconnect'], `§3.1 client gone: an endless body stops, and is closed once (${kind})`, async (t) => {
      const body = new LoggedBody([], asynchronous);
      const part = new Uint8Array(64 * 1024);
      let pulls = 0;
      const method = asynchronous ? Symbol.asyncIterator : Symbol.iterator;
      const step = () => {
        pulls += 1;
        return { done: false, value: part };
      };
      Object.defineProperty(body, method, { value: () => ({ next: asynchronous ? async () => step() : step }) });
      const site = await t.serve(answering(() => body));
      await leaveAfterFirst(site);
      await eventually(() => body.log.includes('close'), 'close()');
      const before = pulls;
      await quiet();
      equal([body.count('close'), pulls - before, site.errors], [1, 0, ''], 'closes, later pulls, errors');
    });
  }

  if (capabilities.disconnect) {
    proves('promptDisconnect', 'CLOSE-04, trap 5: a body that hangs is closed all the same', bodyThatHangs);
  }

  requires(
    ['disconnect', 'promptDisconnect'],
    '§3.1 client gone: a client that leaves ahead of the head finds its body closed unread',
    async (t) => {
      const started = new Gate();
      const body = new LoggedBody(['a', 'b']);
      const site = await t.serve(async (environ, startResponse) => {
        const signal = environ['waygate.signal'];
        started.open();
        await eventually(() => signal.aborted, 'the abort of waygate.signal');
        startResponse('200 OK', []);
        return body as unknown as ApplicationBody;
      });
      const controller = new AbortController();
      const response = site.fetch('/', { signal: controller.signal }).catch(() => null);
      await within(started.opened, 'the start of the application');
      controller.abort();
      equal(await response, null, 'a response after the abort');
      await eventually(() => body.log.includes('close'), 'close()');
      await quiet();
      equal([body.count('close'), body.count('next'), site.errors], [1, 0, ''], 'closes, steps, errors');
    },
  );

  requires(
    ['disconnect', 'promptDisconnect'],
    'decision D10: waygate.signal is aborted also if it is first read after the client has disconnected',
    async (t) => {
      const started = new Gate();
      const left = new Gate();
      const seen = new Gate();
      const site = await t.serve(async (environ, startResponse) => {
        started.open();
        await left.opened;
        await quiet();
        await eventually(() => environ['waygate.signal'].aborted, 'the abort of waygate.signal');
        seen.open();
        startResponse('200 OK', []);
        return [];
      });
      const controller = new AbortController();
      const response = site.fetch('/', { signal: controller.signal }).catch(() => null);
      await within(started.opened, 'the start of the application');
      controller.abort();
      await response;
      left.open();
      await within(seen.opened, 'an aborted signal');
    },
  );

  requires(
    ['disconnect', 'promptDisconnect'],
    'CLOSE-01: a client that leaves while the first chunk is made ends the body',
    async (t) => {
      const started = new Gate();
      const closed = new Gate();
      const site = await t.serve((_environ, startResponse) => {
        startResponse('200 OK', []);
        const body = (async function* (): AsyncGenerator<Uint8Array> {
          started.open();
          await new Promise(() => {});
          yield u8('never');
        })();
        return Object.assign(body, { close: () => closed.open() });
      });
      const controller = new AbortController();
      const response = site.fetch('/', { signal: controller.signal }).catch(() => null);
      await within(started.opened, 'the first step of the body');
      controller.abort();
      await response;
      await within(closed.opened, 'close()');
      equal(site.errors, '', 'wsgi.errors');
    },
  );

  requires(
    ['disconnect', 'promptDisconnect'],
    'CLOSE-01: a native stream is cancelled when the client leaves',
    async (t) => {
      const cancelled = new Gate();
      const stream = () =>
        new ReadableStream<Uint8Array>({
          async pull(controller) {
            await pause(1);
            controller.enqueue(u8('x'));
          },
          cancel: () => cancelled.open(),
        });
      await leaveAfterFirst(await t.serve(answering(stream)));
      await within(cancelled.opened, 'the cancel of the stream');
    },
  );
}
