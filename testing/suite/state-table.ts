// The state table of a response, row by row: what each call and each step of the body does in each state. (SR-09 … SR-16)

import type { Application, ApplicationBody, HeaderList, StartResponse, Write } from '../../core/types.ts';
import { equal, isContractError, ok } from '../assert.ts';
import { eventually, quiet, type ServedSite } from '../test-context.ts';
import { LoggedBody, type Step, u8 } from './apps.ts';
import type { Suite } from './suite.ts';

type State = 'idle' | 'failed' | 'failed again' | 'stored' | 'committed' | 'done';

const STORED: HeaderList = [['X-State', 'stored']];
const NEW: HeaderList = [['X-State', 'new']];
const FAILURE = new Error('the error that the application handles');

/** Brings a response into a state, and returns its `write` where there is one. */
function reach(state: State, startResponse: StartResponse): Write | undefined {
  if (state === 'idle') return undefined;
  if (state === 'failed') {
    attempt(() => startResponse('bad', []));
    return undefined;
  }
  const write = startResponse('200 OK', STORED);
  if (state === 'failed again') attempt(() => startResponse('bad', [], FAILURE));
  if (state === 'committed') write(u8('first,'));
  return write;
}

function attempt(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** What follows: the rule of the ContractError that is thrown, or the given error itself; then the client's view. */
interface Outcome {
  throws?: string | Error;
  /** The state header and the body that the client gets; `500`; or `breaks`. */
  client: string;
}

interface Row {
  title: string;
  call: (startResponse: StartResponse, write: Write) => unknown;
  outcomes: Partial<Record<State, Outcome>>;
}

const ROWS: Row[] = [
  {
    title: 'startResponse with valid arguments',
    call: (startResponse) => startResponse('202 Accepted', NEW),
    outcomes: {
      idle: { client: 'new body' },
      failed: { throws: 'SR-13', client: '500' },
      stored: { throws: 'SR-13', client: 'stored body' },
      committed: { throws: 'SR-13', client: 'stored first,body' },
      done: { throws: 'SR-16', client: 'stored body' },
    },
  },
  {
    title: 'startResponse with invalid arguments',
    call: (startResponse) => startResponse('200', NEW),
    outcomes: {
      idle: { throws: 'SR-02', client: '500' },
      failed: { throws: 'SR-13', client: '500' },
      stored: { throws: 'SR-13', client: 'stored body' },
      committed: { throws: 'SR-13', client: 'stored first,body' },
      done: { throws: 'SR-16', client: 'stored body' },
    },
  },
  {
    title: 'startResponse with an error and valid arguments',
    call: (startResponse) => startResponse('202 Accepted', NEW, FAILURE),
    outcomes: {
      idle: { client: 'new body' },
      failed: { client: 'new body' },
      'failed again': { client: 'new body' },
      stored: { client: 'new body' },
      committed: { throws: FAILURE, client: 'breaks' },
      done: { throws: FAILURE, client: 'stored body' },
    },
  },
  {
    title: 'startResponse with an error and invalid arguments',
    call: (startResponse) => startResponse('200', NEW, FAILURE),
    outcomes: {
      idle: { throws: 'SR-02', client: '500' },
      failed: { throws: 'SR-02', client: '500' },
      stored: { throws: 'SR-02', client: '500' },
      committed: { throws: FAILURE, client: 'breaks' },
      done: { throws: FAILURE, client: 'stored body' },
    },
  },
  {
    title: 'write of nothing',
    call: (_startResponse, write) => write(u8('')),
    outcomes: {
      stored: { client: 'stored body' },
      committed: { client: 'stored first,body' },
      done: { throws: 'SR-16', client: 'stored body' },
    },
  },
  {
    title: 'write of data',
    call: (_startResponse, write) => write(u8('data,')),
    outcomes: {
      'failed again': { throws: 'SR-13', client: '500' },
      stored: { client: 'stored data,body' },
      committed: { client: 'stored first,data,body' },
      done: { throws: 'SR-16', client: 'stored body' },
    },
  },
];

export function stateTableSuite(suite: Suite): void {
  for (const { title, call, outcomes } of ROWS) {
    for (const [state, outcome] of Object.entries(outcomes) as [State, Outcome][]) {
      suite.test(`§3.1 ${state}: ${title} ${say(outcome)}`, async (t) => {
        let thrown: unknown;
        let later = (): unknown => undefined;
        const site = await t.serve((_environ, startResponse) => {
          const write = reach(state, startResponse) as Write;
          later = () => attempt(() => call(startResponse, write));
          if (state !== 'done') {
            thrown = later();
            // To swallow one's own error is forbidden; everything else is tried to the end. (SR-12)
            if (thrown === FAILURE) throw thrown;
          }
          return [u8('body')];
        });
        await expectClient(site, outcome.client);
        if (state === 'done') {
          await quiet();
          thrown = later();
          await expectClient(site, outcome.client);
        }
        if (outcome.throws instanceof Error)
          ok(thrown === outcome.throws, `it throws the very error, not ${String(thrown)}`);
        else if (outcome.throws !== undefined) {
          ok(
            isContractError(thrown, outcome.throws),
            `it throws a ContractError ${outcome.throws}, not ${String(thrown)}`,
          );
        } else equal(thrown, undefined, 'what it throws');
      });
    }
  }
  for (const asynchronous of [false, true]) bodyRows(suite, asynchronous);
  misc(suite);
}

function say({ throws: error, client }: Outcome): string {
  if (error === undefined) return `gives ${client}`;
  return `throws ${error instanceof Error ? 'that error' : error}, and the client gets ${client}`;
}

async function expectClient(site: ServedSite, expected: string): Promise<void> {
  if (expected === 'breaks') return site.breaks('/');
  const answer = await site.get('/');
  const seen = answer.status === 500 ? '500' : `${answer.headers.get('x-state')} ${answer.text}`;
  equal(seen, expected, 'what the client gets');
}

const BODY_ROWS: { title: string; steps: Step[]; outcomes: Partial<Record<State, string>> }[] = [
  {
    title: 'the body yields nothing, then ends',
    steps: ['', ''],
    outcomes: { idle: '500', failed: '500', stored: 'stored ', committed: 'stored first,' },
  },
  {
    title: 'the body yields data',
    steps: ['da', 'ta'],
    outcomes: { idle: '500', failed: '500', stored: 'stored data', committed: 'stored first,data' },
  },
  {
    title: 'the body yields something else than bytes',
    steps: ['', () => 7],
    outcomes: { idle: '500', failed: '500', stored: '500', committed: 'breaks' },
  },
  {
    title: 'the body ends',
    steps: [],
    outcomes: { idle: '500', failed: '500', stored: 'stored ', committed: 'stored first,' },
  },
  {
    title: 'the body throws',
    steps: [
      '',
      () => {
        throw FAILURE;
      },
    ],
    outcomes: { idle: '500', failed: '500', stored: '500', committed: 'breaks' },
  },
];
function bodyRows({ test }: Suite, asynchronous: boolean): void {
  const kind = asynchronous ? 'async' : 'sync';
  for (const { title, steps, outcomes } of BODY_ROWS) {
    for (const [state, client] of Object.entries(outcomes) as [State, string][]) {
      test(`§3.1 ${state}: ${title} (${kind}): ${client}, and one close`, async (t) => {
        let body = new LoggedBody([]);
        const app: Application = (_environ, startResponse) => {
          reach(state === 'committed' ? 'stored' : state, startResponse);
          body = new LoggedBody(state === 'committed' ? ['first,', ...steps] : steps, asynchronous);
          return body as unknown as ApplicationBody;
        };
        const site = await t.serve(app);
        await expectClient(site, client);
        await eventually(() => body.log.includes('close'), 'close()');
        await quiet();
        equal(body.count('close'), 1, 'the number of calls of close()');
        equal(body.count('iterate'), 1, 'the number of iterations');
        equal(body.log.at(-1), 'close', 'the last thing that happens to the body');
        equal(site.errors !== '', client === '500' || client === 'breaks', 'whether something is on wsgi.errors');
      });
    }
  }
}

function misc({ test }: Suite): void {
  for (const state of ['idle', 'failed', 'stored', 'committed'] as const) {
    const client = state === 'committed' ? 'breaks' : '500';
    test(`§3.1 ${state}: the application throws: ${client}`, async (t) => {
      const site = await t.serve((_environ, startResponse) => {
        reach(state, startResponse);
        throw FAILURE;
      });
      await expectClient(site, client);
      await eventually(() => site.errors.includes(FAILURE.message), 'the error on wsgi.errors');
    });
  }

  test('SR-13, trap 4: a second call that is not caught gives a 500, not the stored head', async (t) => {
    const site = await t.serve((_environ, startResponse) => {
      startResponse('200 OK', STORED);
      startResponse('202 Accepted', NEW);
      return [];
    });
    const answer = await site.get('/');
    equal([answer.status, answer.headers.get('x-state')], [500, null], 'status and header');
  });

  test('SR-09, SR-14: chunks without bytes ahead of startResponse are skipped', async (t) => {
    const site = await t.serve(function* (_environ, startResponse) {
      yield u8('');
      startResponse('200 OK', STORED);
      yield u8('');
      yield u8('body');
    });
    await expectClient(site, 'stored body');
  });

  test('SR-09, trap 2: chunks without bytes leave the head open to be replaced', async (t) => {
    const site = await t.serve(function* (_environ, startResponse) {
      startResponse('200 OK', STORED);
      yield u8('');
      startResponse('202 Accepted', NEW, FAILURE);
      yield u8('body');
    });
    await expectClient(site, 'new body');
  });

  test('SR-09, decision D3: a write of nothing leaves the head open to be replaced', async (t) => {
    const site = await t.serve((_environ, startResponse) => {
      const write = startResponse('200 OK', STORED);
      write(u8(''));
      startResponse('202 Accepted', NEW, FAILURE);
      return [u8('body')];
    });
    await expectClient(site, 'new body');
  });

  test('SR-10: what an error handler gives replaces status and headers as a whole', async (t) => {
    const site = await t.serve((_environ, startResponse) => {
      startResponse('200 OK', [
        ['Content-Length', '999'],
        ['Set-Cookie', 'secret=1'],
      ]);
      startResponse('503 Busy', NEW, FAILURE);
      return [u8('page')];
    });
    const { status, headers, text } = await site.get('/');
    equal(
      [status, headers.get('set-cookie'), headers.get('x-state'), text],
      [503, null, 'new', 'page'],
      'the response',
    );
    ok(headers.get('content-length') !== '999', 'the length of the first head is gone');
  });

  for (const value of [null, 0, '', false]) {
    test(`SR-10, trap 3: ${JSON.stringify(value)} counts as an error that was given`, async (t) => {
      let again: unknown = 'nothing';
      const site = await t.serve(function* (_environ, startResponse) {
        startResponse('200 OK', STORED);
        startResponse('202 Accepted', NEW, value);
        yield u8('first,');
        try {
          startResponse('500 Late', NEW, value);
        } catch (error) {
          again = error;
          throw error;
        }
      });
      await site.breaks('/');
      equal(again, value, 'what startResponse throws after the head');
    });
  }

  test('SR-11, trap 3: after the head went out with the body, startResponse throws the error it was given', async (t) => {
    let thrown: unknown;
    const site = await t.serve(function* (_environ, startResponse) {
      startResponse('200 OK', STORED);
      yield u8('first,');
      try {
        startResponse('not even valid', NEW, FAILURE);
      } catch (error) {
        thrown = error;
        throw error;
      }
    });
    await site.breaks('/');
    ok(thrown === FAILURE, `the very error, not ${String(thrown)}`);
    await eventually(() => site.errors !== '', 'the error on wsgi.errors');
    equal(site.errors.split(FAILURE.message).length - 1, 1, 'how often the error is logged');
  });

  test('SR-15: a body without startResponse is a 500 that says so', async (t) => {
    const site = await t.serve(() => [u8('x')]);
    equal((await site.get('/')).status, 500, 'the status');
    ok(site.errors.includes('startResponse'), `wsgi.errors names startResponse: ${site.errors}`);
  });
}
