// How the application is called. (CALL, THREAD)

import type { Application, StartResponse } from '../../core/types.ts';
import { equal, ok } from '../assert.ts';
import { Gate, within } from '../test-context.ts';
import { answering, asyncChunks, chunks, u8 } from './apps.ts';
import type { Suite } from './suite.ts';

/** An application as a function that nobody may look at. */
function opaque(app: Application): Application {
  const refuse = (): never => {
    throw new Error('the application was inspected instead of called');
  };
  return new Proxy(app, { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse });
}

const SHAPES: Record<string, Application> = {
  'an arrow function': (_environ, startResponse) => {
    startResponse('201 Created', [['X-Shape', 'any']]);
    return [u8('body')];
  },
  'an async function': async (_environ, startResponse) => {
    await null;
    startResponse('201 Created', [['X-Shape', 'any']]);
    return [u8('body')];
  },
  'a generator function': function* (_environ, startResponse) {
    startResponse('201 Created', [['X-Shape', 'any']]);
    yield u8('bo');
    yield u8('dy');
  },
  'an async generator function': async function* (_environ, startResponse) {
    await null;
    startResponse('201 Created', [['X-Shape', 'any']]);
    yield u8('bo');
    yield u8('dy');
  },
  'a bound method': {
    name: 'any',
    app(this: { name: string }, _environ: unknown, startResponse: StartResponse) {
      startResponse('201 Created', [['X-Shape', this.name]]);
      return chunks('body');
    },
  }.app.bind({ name: 'any' }),
  'a function that returns an async body': (_environ, startResponse) => {
    startResponse('201 Created', [['X-Shape', 'any']]);
    return asyncChunks('bo', 'dy');
  },
};

export function callSuite({ test }: Suite): void {
  for (const [shape, app] of Object.entries(SHAPES)) {
    test(`CALL-01: ${shape} is an application`, async (t) => {
      const site = await t.serve(app);
      const answer = await site.get('/');
      equal([answer.status, answer.headers.get('x-shape'), answer.text], [201, 'any', 'body'], 'the response');
    });
  }

  test('CALL-01: an application is only called, never looked at', async (t) => {
    const site = await t.serve(opaque(answering(() => [u8('body')])));
    equal((await site.get('/')).text, 'body', 'the body');
  });

  test('CALL-01: a class, which cannot be called, is a 500 and no hang', async (t) => {
    class App {}
    const site = await t.serve(App as unknown as Application);
    equal((await site.get('/')).status, 500, 'the status');
    ok(site.errors.includes('TypeError'), 'the TypeError is on wsgi.errors');
  });

  test('CALL-01: startResponse and write need no receiver', async (t) => {
    const site = await t.serve((_environ, startResponse) => {
      const { start } = { start: startResponse };
      const holder = { write: start.call(null, '200 OK', []) };
      const { write } = holder;
      write.call(undefined, u8('written'));
      return [];
    });
    equal((await site.get('/')).text, 'written', 'the body');
  });

  test('CALL-02: the application gets two arguments', async (t) => {
    let given: unknown[] = [];
    const site = await t.serve((...args: unknown[]) => {
      given = args;
      (args[1] as StartResponse)('200 OK', []);
      return [];
    });
    await site.get('/');
    equal(
      given.map((each) => typeof each),
      ['object', 'function'],
      'the types of the arguments',
    );
  });

  test('CALL-03: requests that run at the same time do not mix', async (t) => {
    const both = new Gate();
    let started = 0;
    const site = await t.serve(async function* (environ, startResponse) {
      const name = environ.PATH_INFO.slice(1);
      started += 1;
      if (started === 2) both.open();
      await within(both.opened, 'the second request beside the first');
      startResponse('200 OK', [['X-Name', name]]);
      for (let part = 0; part < 3; part++) {
        yield u8(name);
        await null;
      }
    });
    const answers = await Promise.all([site.get('/a'), site.get('/b')]);
    equal(
      answers.map((answer) => [answer.headers.get('x-name'), answer.text]),
      [
        ['a', 'aaa'],
        ['b', 'bbb'],
      ],
      'the two responses',
    );
  });

  test('CALL-04: the application is called once per request, whatever comes of it', async (t) => {
    let calls = 0;
    const outcomes: Record<string, Application> = {
      '/success': answering(() => [u8('x')]),
      '/throw': () => {
        throw new Error('planned');
      },
      '/reject': () => Promise.reject(new Error('planned')),
      '/refused': answering(() => [], 'bad'),
      '/nothing': () => [],
    };
    const site = await t.serve((environ, startResponse) => {
      calls += 1;
      const app = outcomes[environ.PATH_INFO] as Application;
      return app(environ, startResponse);
    });
    for (const path of Object.keys(outcomes)) {
      calls = 0;
      await site.get(path);
      equal(calls, 1, `the calls for ${path}`);
    }
    calls = 0;
    await site.get('/success', { method: 'HEAD' });
    equal(calls, 1, 'the calls for a HEAD');
  });
}
