// What the client, the log and the deployer get when an application fails. (ERR)

import type { Application, GatewayOptions } from '../../core/types.ts';
import { equal, match, ok } from '../assert.ts';
import { eventually, quiet } from '../test-context.ts';
import { answering, u8 } from './apps.ts';
import type { Suite } from './suite.ts';

const SECRET = 'a detail for the log only';

const fail = (): never => {
  throw new Error(SECRET);
};

/** The ways in which an application fails ahead of its head. */
const FAILURES: Record<string, Application> = {
  'it throws': fail,
  'its promise rejects': async () => fail(),
  'its body throws': answering(function* () {
    yield u8('');
    fail();
  }),
  'its body rejects': answering(async function* () {
    yield u8('');
    fail();
  }),
  'its body cannot be iterated': answering(() => ({ [Symbol.iterator]: fail })),
  'its stream errors': answering(
    () => new ReadableStream({ start: (controller) => controller.error(new Error(SECRET)) }),
    '200 OK',
    [['Content-Length', '3']],
  ),
};

export function failureSuite(suite: Suite): void {
  beforeTheHead(suite);
  afterTheHead(suite);
  anythingThrown(suite);
  telling(suite);
}

function beforeTheHead({ test }: Suite): void {
  for (const [what, app] of Object.entries(FAILURES)) {
    test(`ERR-02, ERR-03: ${what}: a plain 500, and the details in the log only`, async (t) => {
      const site = await t.serve(app);
      const answer = await site.get('/');
      equal(answer.status, 500, 'the status');
      match(answer.headers.get('content-type'), /^text\/plain/, 'the content type');
      ok(!answer.text.includes(SECRET), 'the page keeps the details to itself');
      ok(!answer.text.includes('.ts'), 'the page shows no stack');
      equal(answer.headers.get('content-length'), String(answer.bytes.byteLength), 'the length');
      await eventually(() => site.errors.includes(SECRET), 'the error on wsgi.errors');
      ok(/\n +at /.test(site.errors), 'the stack is on wsgi.errors');
      equal(site.errors.split(`Error: ${SECRET}`).length - 1, 1, 'how often the error is reported');
    });
  }

  test('ERR-03: nothing of the application’s own head is in a 500', async (t) => {
    const site = await t.serve((_environ, startResponse) => {
      startResponse('200 OK', [
        ['Set-Cookie', 'session=1'],
        ['Content-Length', '999'],
        ['Content-Type', 'image/png'],
        ['Content-Encoding', 'gzip'],
      ]);
      return fail();
    });
    const { status, headers } = await site.get('/');
    equal([status, headers.get('set-cookie'), headers.get('content-encoding')], [500, null, null], 'the head');
    match(headers.get('content-type'), /^text\/plain/, 'the content type');
  });

  test('ERR-03, trap 8: the 500 for a HEAD has no body', async (t) => {
    const answer = await (await t.serve(fail)).get('/', { method: 'HEAD' });
    equal([answer.status, answer.text], [500, ''], 'status and body');
  });

  test('ERR-02: after a failure the next request is served as ever', async (t) => {
    const site = await t.serve((environ, startResponse) => {
      if (environ.PATH_INFO === '/fail') fail();
      startResponse('200 OK', []);
      return [u8('fine')];
    });
    for (let round = 0; round < 3; round++) {
      equal((await site.get('/fail')).status, 500, 'the status of the failing one');
      equal((await site.get('/')).text, 'fine', 'the next body');
    }
  });

  test('ERR-02: a thrown value that fails on every look at it is a 500 like any other', async (t) => {
    const fails = (): never => {
      throw new Error('looked at');
    };
    const hostile = new Proxy({}, { get: fails, has: fails, getPrototypeOf: fails, ownKeys: fails });
    const apps: Application[] = [
      () => {
        throw hostile;
      },
      () => Promise.reject(hostile),
      (_environ, startResponse) => {
        startResponse('200 OK', []);
        // biome-ignore lint/correctness/useYield: it fails before its first chunk
        return (async function* () {
          throw hostile;
        })();
      },
    ];
    for (const app of apps) {
      const site = await t.serve(app);
      equal((await site.get('/')).status, 500, 'the status');
      await eventually(() => site.errors.includes('Thrown: '), 'a line on wsgi.errors');
    }
  });
}

/** An application that gives its error to startResponse after its first chunk went out, and goes on. */
function lateError(error: Error, giveUp: (report: () => void) => void): Application {
  return (_environ, startResponse) =>
    (async function* () {
      startResponse('200 OK', []);
      yield u8('first');
      giveUp(() => startResponse('500 Internal Server Error', [], error));
      yield u8('more');
    })();
}

function afterTheHead({ test }: Suite): void {
  test('SR-12: an application that swallows what a late startResponse throws has its response broken all the same', async (t) => {
    const error = new Error(SECRET);
    const site = await t.serve(
      lateError(error, (report) => {
        try {
          report();
        } catch {
          // What SR-12 forbids.
        }
      }),
    );
    await site.breaks('/');
    await eventually(() => site.errors.includes(SECRET), 'the error on wsgi.errors');
    await quiet();
    equal(site.errors.split(`Error: ${SECRET}`).length - 1, 1, 'how often the error is reported');
  });

  const LATE: Record<string, Application> = {
    'its body throws': answering(function* () {
      yield u8('sent');
      fail();
    }),
    'its body rejects': answering(async function* () {
      yield u8('sent');
      fail();
    }),
    'it throws after a write': (_environ, startResponse) => {
      startResponse('200 OK', [])(u8('sent'));
      return fail();
    },
    'its promise rejects after a write': async (_environ, startResponse) => {
      startResponse('200 OK', [])(u8('sent'));
      await null;
      return fail();
    },
    'its stream errors': answering(
      () => {
        let sent = false;
        return new ReadableStream({
          pull(controller) {
            if (sent) controller.error(new Error(SECRET));
            else controller.enqueue(u8('sent'));
            sent = true;
          },
        });
      },
      '200 OK',
      [['Content-Length', '9']],
    ),
  };
  for (const [what, app] of Object.entries(LATE)) {
    test(`ERR-04, trap 7: after the head, ${what}: the response breaks off, and that is reported once`, async (t) => {
      const site = await t.serve(app);
      await site.breaks('/');
      await eventually(() => site.errors.includes(SECRET), 'the error on wsgi.errors');
      await quiet();
      equal(site.errors.split(`Error: ${SECRET}`).length - 1, 1, 'how often the error is reported');
    });
  }

  test('ERR-05: an error of the application’s own that looks like a lost connection is reported', async (t) => {
    const site = await t.serve(
      answering(function* () {
        yield u8('sent');
        throw Object.assign(new Error('read ECONNRESET of the database'), { code: 'ECONNRESET' });
      }),
    );
    await site.breaks('/');
    await eventually(() => site.errors.includes('of the database'), 'the error on wsgi.errors');
  });
}

function anythingThrown({ test }: Suite): void {
  const hostile = {
    toString: fail,
    toJSON: fail,
    get message() {
      return fail();
    },
    get stack() {
      return fail();
    },
  };
  const THROWN: Record<string, unknown> = {
    undefined: undefined,
    null: null,
    zero: 0,
    'a string': 'text',
    'a symbol': Symbol('thrown'),
    'an object that cannot be printed': hostile,
    'an object without a prototype': Object.create(null),
    'an Error whose stack throws': Object.defineProperty(new Error('x'), 'stack', { get: fail }),
  };
  for (const [what, value] of Object.entries(THROWN)) {
    test(`ERR-06: ${what} can be thrown`, async (t) => {
      const thrown = (): never => {
        throw value;
      };
      const ways: Record<string, () => unknown> = {
        '/throw': thrown,
        '/reject': async () => thrown(),
        '/body': () => ({ [Symbol.iterator]: () => ({ next: thrown }) }),
      };
      const site = await t.serve((environ, startResponse) => {
        startResponse('200 OK', []);
        return ways[environ.PATH_INFO]?.() as never;
      });
      for (const path of Object.keys(ways)) {
        site.errors = '';
        equal((await site.get(path)).status, 500, `the status for ${path}`);
        await eventually(() => site.errors !== '', `something on wsgi.errors for ${path}`);
      }
    });
  }
}

function telling({ test }: Suite): void {
  test('ERR-02: the log names the causes of an error', async (t) => {
    const site = await t.serve(() => {
      throw new Error('outer', { cause: new Error('inner reason') });
    });
    await site.get('/');
    await eventually(() => site.errors.includes('inner reason'), 'the cause on wsgi.errors');
  });

  test('ERR-06: a log that fails does not keep the 500 from the client, nor close from the body', async (t) => {
    let closed = 0;
    const body = {
      [Symbol.iterator]: () => ({ next: fail }),
      close: () => {
        closed += 1;
      },
    };
    const errors = { write: fail, flush: fail };
    const site = await t.serve(
      answering(() => body),
      { errors },
    );
    equal((await site.get('/')).status, 500, 'the status');
    await eventually(() => closed > 0, 'close()');
  });

  test('onError is called once per failure, with the very error and its environ', async (t) => {
    const told: [unknown, unknown][] = [];
    const error = new Error('planned');
    const site = await t.serve(
      (environ) => {
        environ['app.name'] = 'mine';
        throw error;
      },
      { onError: (seen, environ) => void told.push([seen, environ['app.name']]) },
    );
    equal((await site.get('/')).status, 500, 'the status');
    equal(told.length, 1, 'the number of calls');
    ok(told[0]?.[0] === error, 'the error');
    equal(told[0]?.[1], 'mine', 'a key of the environ');
  });

  test('onError that throws changes nothing', async (t) => {
    const site = await t.serve(fail, { onError: fail });
    equal((await site.get('/')).status, 500, 'the status');
  });

  // In most runtimes a rejection that nobody listens to ends the process.
  test('ERR-06: onError may be an async function, and what it rejects with is reported', async (t) => {
    const site = await t.serve(fail, { onError: async () => Promise.reject(new Error('second failure')) });
    equal((await site.get('/')).status, 500, 'the status');
    await eventually(() => site.errors.includes('second failure'), 'the rejection on wsgi.errors');
  });

  const SINKS: Record<string, (fails: () => never) => GatewayOptions['errors']> = {
    'a function': (fails) => fails,
    'an object with write': (write) => ({ write }),
    'a stream': (write) => ({ write, writelines: write, flush: () => {} }),
  };
  for (const [what, sink] of Object.entries(SINKS)) {
    test(`ERR-06: ${what} as errors may fail later, which nobody hears of`, async (t) => {
      let heard = 0;
      // biome-ignore lint/suspicious/noThenProperty: a promise that shows whether its rejection is listened for
      const failing = { then: (_resolve: unknown, reject: unknown) => (heard += Number(typeof reject === 'function')) };
      const site = await t.serve(fail, { errors: sink(() => failing as never) });
      equal((await site.get('/')).status, 500, 'the status');
      await eventually(() => heard > 0, 'somebody who listens for the rejection');
    });
  }

  test('L-79: a success leaves the log empty and onError uncalled', async (t) => {
    let told = 0;
    const site = await t.serve(
      answering(() => [u8('fine')]),
      {
        onError: () => {
          told += 1;
        },
      },
    );
    equal((await site.get('/')).text, 'fine', 'the body');
    await quiet();
    equal([site.errors, told], ['', 0], 'log and calls');
  });
}
