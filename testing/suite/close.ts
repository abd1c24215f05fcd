// How a body ends: once, on every path, in the right order, and also when the client leaves. (CLOSE, ERR-05, trap 5)

import type { Application, ApplicationBody } from '../../core/types.ts';
import { equal, ok } from '../assert.ts';
import { eventually, Gate, pause, quiet, within } from '../test-context.ts';
import { answering, LoggedBody, type Step, u8 } from './apps.ts';
import { clientLeft } from './client-left.ts';
import type { Suite } from './suite.ts';

const PLANNED = new Error('planned');
const fails = (): never => {
  throw PLANNED;
};

/** Path → steps of the body, head, method, what happens to the body after `iterate` and the chunks that were pulled. */
const PATHS: Record<string, { steps: Step[]; length?: string; status?: string; method?: string; end: string[] }> = {
  exhausted: { steps: ['a', 'b'], end: ['close'] },
  'no chunks': { steps: [], end: ['close'] },
  'the body fails at once': { steps: [fails], end: ['close'] },
  'the body fails after the head': { steps: ['a', fails], end: ['close'] },
  'a wrong chunk': { steps: [() => 7, 'b'], end: ['return', 'close'] },
  'a wrong chunk after the head': { steps: ['a', () => 7, 'b'], end: ['return', 'close'] },
  'the declared length is reached': { steps: ['ab', 'c'], length: '2', end: ['return', 'close'] },
  'the declared length is exceeded': { steps: ['abc', 'd'], length: '2', end: ['return', 'close'] },
  'the declared length is missed': { steps: ['a'], length: '2', end: ['close'] },
  'no startResponse': { steps: ['a', 'b'], status: 'none', end: ['return', 'close'] },
  'a refused startResponse': { steps: ['a', 'b'], status: 'bad', end: ['return', 'close'] },
  HEAD: { steps: ['a', 'b'], method: 'HEAD', end: ['return', 'close'] },
  '204': { steps: ['a', 'b'], status: '204 No Content', end: ['return', 'close'] },
  '304': { steps: ['a', 'b'], status: '304 Not Modified', end: ['return', 'close'] },
};

export function closeSuite(suite: Suite): void {
  everyPath(suite);
  failingClose(suite);
  clientLeft(suite);
}

function everyPath({ test }: Suite): void {
  for (const [path, { steps, length, status = '200 OK', method = 'GET', end }] of Object.entries(PATHS)) {
    for (const asynchronous of [false, true]) {
      test(`CLOSE-01, CLOSE-04, trap 5: ${path} (${asynchronous ? 'async' : 'sync'}): ${end.join(', then ')}`, async (t) => {
        const body = new LoggedBody(steps, asynchronous);
        const site = await t.serve((_environ, startResponse) => {
          try {
            if (status !== 'none') startResponse(status, length === undefined ? [] : [['Content-Length', length]]);
          } catch {
            // The application goes on as if nothing had happened; the gateway does not.
          }
          return body as unknown as ApplicationBody;
        });
        await site.get('/', { method }).catch(() => {});
        await eventually(() => body.log.includes('close'), 'close()');
        await quiet();
        const pulled = body.log.filter((entry) => entry !== 'iterate' && entry !== 'next');
        equal(pulled, end, 'how the body ends');
        equal([...body.log.slice(-end.length)], end, 'the last things that happen to it');
      });
    }
  }

  test('CLOSE-01: an array with a close is closed after its last chunk went out', async (t) => {
    let closed = 0;
    const close = (): void => {
      closed += 1;
    };
    const site = await t.serve(answering(() => Object.assign([u8('a'), u8('b')], { close })));
    equal((await site.get('/')).text, 'ab', 'the body');
    await eventually(() => closed > 0, 'close()');
    await quiet();
    equal(closed, 1, 'the number of calls');
  });

  test('CLOSE-01, BODY-01: something that is not a body but has a close is closed too', async (t) => {
    let closed = 0;
    const close = (): void => {
      closed += 1;
    };
    const site = await t.serve(answering(() => ({ close })));
    equal((await site.get('/')).status, 500, 'the status');
    await eventually(() => closed > 0, 'close()');
    equal(closed, 1, 'the number of calls');
  });

  test('CLOSE-02: close is called as a method of the body', async (t) => {
    let receiver: unknown;
    const body = {
      *[Symbol.iterator]() {
        yield u8('a');
      },
      close(this: unknown) {
        receiver = this;
      },
    };
    await (await t.serve(answering(() => body))).get('/');
    await eventually(() => receiver !== undefined, 'close()');
    ok(receiver === body, 'the receiver of close() is the body');
  });

  test('CLOSE-04: a generator that is not read to its end runs its finally', async (t) => {
    const ended = new Gate();
    const site = await t.serve(
      answering(
        async function* () {
          try {
            yield u8('ab');
            yield u8('never');
          } finally {
            ended.open();
          }
        },
        '200 OK',
        [['Content-Length', '2']],
      ),
    );
    equal((await site.get('/')).text, 'ab', 'the body');
    await within(ended.opened, 'the finally of the generator');
  });

  test('CLOSE-04, §3.4: a ReadableStream that is not read to its end is cancelled', async (t) => {
    const cancelled = new Gate();
    const stream = () =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(u8('ab')),
        cancel: () => cancelled.open(),
      });
    const site = await t.serve(answering(stream, '200 OK', [['Content-Length', '2']]));
    equal((await site.get('/')).text, 'ab', 'the body');
    await within(cancelled.opened, 'the cancel of the stream');
  });
}

function failingClose({ test }: Suite): void {
  const CLOSES: Record<string, () => unknown> = {
    throws: () => {
      throw PLANNED;
    },
    rejects: () => Promise.reject(PLANNED),
  };
  for (const [what, close] of Object.entries(CLOSES)) {
    test(`CLOSE-05: a close that ${what} is reported, and the response stays whole`, async (t) => {
      const body = {
        *[Symbol.iterator]() {
          yield u8('a');
          yield u8('b');
        },
        close,
      };
      const site = await t.serve(answering(() => body));
      const answer = await site.get('/');
      equal([answer.status, answer.text], [200, 'ab'], 'the response');
      await eventually(() => site.errors.includes(PLANNED.message), 'the error on wsgi.errors');
      await quiet();
      equal(site.errors.split(`Error: ${PLANNED.message}`).length - 1, 1, 'how often it is reported');
      equal((await site.get('/')).status, 200, 'the status of the next request');
    });
  }

  test('CLOSE-05: a close that cannot even be looked at is reported too', async (t) => {
    const body = {
      *[Symbol.iterator]() {
        yield u8('a');
      },
      get close(): never {
        throw PLANNED;
      },
    };
    const site = await t.serve(answering(() => body));
    equal((await site.get('/')).text, 'a', 'the body');
    await eventually(() => site.errors.includes(PLANNED.message), 'the error on wsgi.errors');
  });

  test('CLOSE-05: a return that throws does not keep close from being called', async (t) => {
    let closed = 0;
    const body = {
      [Symbol.iterator]: () => ({ next: () => ({ done: false, value: u8('ab') }), return: fails }),
      close: () => {
        closed += 1;
      },
    };
    const site = await t.serve(answering(() => body, '200 OK', [['Content-Length', '2']]));
    equal((await site.get('/')).text, 'ab', 'the body');
    await eventually(() => closed > 0, 'close()');
  });

  test('CLOSE-03: a close that takes its time is waited for, and the log is flushed after it', async (t) => {
    const closed = new Gate();
    const app: Application = (environ, startResponse) => {
      startResponse('200 OK', []);
      const close = async (): Promise<void> => {
        await pause(5);
        environ['wsgi.errors'].write('closed, without a line end');
        closed.open();
      };
      return Object.assign([u8('a')], { close });
    };
    const site = await t.serve(app);
    await site.get('/');
    await within(closed.opened, 'the end of close()');
    await eventually(() => site.errors.includes('closed, without'), 'the flushed log');
  });
}
