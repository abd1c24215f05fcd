// wsgi.input: what it gives, in which order, and where it ends. (INPUT)

import type { Application, GatewayOptions, InputStream } from '../../core/types.ts';
import { equal, isContractError, latin1, ok, rejects } from '../assert.ts';
import type { Suite } from '../conformance.ts';
import { Gate, quiet, type Trial, within } from '../trial.ts';
import { ALL_BYTES, u8 } from './apps.ts';

/** A request body that comes in these chunks. */
function streaming(...texts: string[]): RequestInit {
  const rest = texts.map(u8);
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = rest.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
  });
  return { method: 'POST', body, duplex: 'half' } as RequestInit;
}

const posting = (text: string): RequestInit => ({ method: 'POST', body: u8(text) as BodyInit });

/** Sends a body and gives the input to `use`; what that throws fails the test. */
async function withInput(
  t: Trial,
  init: RequestInit | undefined,
  use: (input: InputStream) => Promise<unknown>,
  options: GatewayOptions = {},
): Promise<void> {
  const outcome = new Gate<unknown>();
  const app: Application = async (environ, startResponse) => {
    await use(environ['wsgi.input']).then(
      () => outcome.open(undefined),
      (error) => outcome.open(error),
    );
    startResponse('200 OK', []);
    return [];
  };
  const site = await t.serve(app, options);
  await site.get('/', init);
  const failure = await within(outcome.opened, 'the application');
  if (failure !== undefined) throw failure;
}

/** The bytes as text. */
async function text(bytes: Promise<Uint8Array>): Promise<string> {
  const value = await bytes;
  ok(value instanceof Uint8Array, 'a read gives a Uint8Array');
  return latin1(value);
}

/** The same body in one piece, byte by byte, and in odd pieces. */
function deliveries(body: string): Record<string, RequestInit> {
  return {
    'in one piece': posting(body),
    'byte by byte': streaming(...body),
    'in odd pieces': streaming(...(body.match(/[\s\S]{1,3}/g) ?? []), ''),
  };
}

export function inputSuite(suite: Suite): void {
  reading(suite);
  lines(suite);
  theEnd(suite);
  order(suite);
  upload(suite);
}

function reading({ test }: Suite): void {
  test('INPUT-01, LOG-01: input and log have the members of the contract', async (t) => {
    const site = await t.serve((environ, startResponse) => {
      for (const name of ['read', 'readline', 'readlines', 'bytes', 'text', 'json', 'stream'] as const) {
        equal(typeof environ['wsgi.input'][name], 'function', `the type of wsgi.input.${name}`);
      }
      equal(typeof environ['wsgi.input'][Symbol.asyncIterator], 'function', 'the iteration of wsgi.input');
      for (const name of ['write', 'writelines', 'flush'] as const) {
        equal(typeof environ['wsgi.errors'][name], 'function', `the type of wsgi.errors.${name}`);
      }
      ok(environ['wsgi.input'].read() instanceof Promise, 'read() gives a promise');
      startResponse('200 OK', []);
      return [];
    });
    equal([(await site.get('/')).status, site.errors], [200, ''], 'status and errors');
  });

  for (const [how, init] of Object.entries(deliveries('abcdefghij'))) {
    test(`INPUT-03, INPUT-09: read(n) gives n bytes, read() the rest, ${how}`, async (t) => {
      await withInput(t, init, async (input) => {
        equal(await text(input.read(2)), 'ab', 'read(2)');
        equal(await text(input.read(0)), '', 'read(0)');
        equal(await text(input.read(5)), 'cdefg', 'read(5)');
        equal(await text(input.read()), 'hij', 'read()');
      });
    });
  }

  for (const rest of [undefined, null, -1, -5, Number.POSITIVE_INFINITY]) {
    test(`INPUT-03: read(${rest}) gives the rest`, async (t) => {
      await withInput(t, posting('abcdef'), async (input) => {
        await input.read(1);
        equal(await text(input.read(rest as number)), 'bcdef', 'the rest');
      });
    });
  }

  test('INPUT-03: a size that is no whole number is refused', async (t) => {
    await withInput(t, posting('abc'), async (input) => {
      for (const size of ['5', 1.5, Number.NaN, {}, true]) {
        const error = await Promise.resolve()
          .then(() => rejects(input.read(size as number), `read(${String(size)})`))
          .catch((thrown) => thrown);
        ok(isContractError(error, 'INPUT-03'), `read(${String(size)}) is refused with a ContractError, not ${error}`);
      }
      equal(await text(input.read()), 'abc', 'the body after all that');
    });
  });

  test('BODY-03, STR-06, trap 15: all 256 bytes arrive', async (t) => {
    for (const init of [posting(latin1(ALL_BYTES)), streaming(...latin1(ALL_BYTES))]) {
      await withInput(t, init, async (input) => equal(await input.read(), ALL_BYTES, 'the body'));
    }
  });

  test('what goes in comes out: all 256 bytes, echoed chunk by chunk', async (t) => {
    const site = await t.serve(async function* (environ, startResponse) {
      startResponse('200 OK', []);
      for (;;) {
        const chunk = await environ['wsgi.input'].read(7);
        if (chunk.byteLength === 0) return;
        yield chunk;
      }
    });
    const body = Uint8Array.from({ length: 2048 }, (_, at) => (at * 31) & 0xff);
    equal((await site.get('/', { method: 'POST', body: body as BodyInit })).bytes, body, 'the echo');
  });

  test('bytes(), text(), json() and stream() give all that is left', async (t) => {
    await withInput(t, posting('{"a":"\xc3\xa9"}'), async (input) =>
      equal(await input.json(), { a: '\u00e9' }, 'json()'),
    );
    await withInput(t, posting('x\xc3\xa9'), async (input) => {
      await input.read(1);
      equal(await input.text(), '\u00e9', 'text()');
    });
    await withInput(t, posting('abc'), async (input) => equal(await input.bytes(), u8('abc'), 'bytes()'));
    await withInput(t, streaming('ab', 'cd', 'ef'), async (input) => {
      await input.read(1);
      equal(await new Response(input.stream()).text(), 'bcdef', 'stream()');
    });
  });
}

function lines({ test }: Suite): void {
  const BODY = 'one\ntwo\r\n\nfo\rur\nlast';
  const LINES = ['one\n', 'two\r\n', '\n', 'fo\rur\n', 'last'];

  for (const [how, init] of Object.entries(deliveries(BODY))) {
    test(`INPUT-09, trap 13: lines end at \\n and keep it, ${how}`, async (t) => {
      await withInput(t, init, async (input) => {
        const seen: string[] = [];
        for await (const line of input) seen.push(latin1(line));
        equal(seen, LINES, 'the lines');
      });
    });
  }

  test('INPUT-05: readline takes a size, and leaves the rest of the line', async (t) => {
    for (const init of Object.values(deliveries('abc\ndef'))) {
      await withInput(t, init, async (input) => {
        equal(await text(input.readline(2)), 'ab', 'readline(2)');
        equal(await text(input.readline(0)), '', 'readline(0)');
        equal(await text(input.readline(2)), 'c\n', 'readline(2)');
        equal(await text(input.readline(3)), 'def', 'readline(3)');
        equal(await text(input.readline()), '', 'readline() at the end');
      });
    }
  });

  test('INPUT-06: readlines gives all lines, or enough to reach the hint', async (t) => {
    await withInput(t, streaming(...BODY), async (input) =>
      equal((await input.readlines()).map(latin1), LINES, 'all lines'),
    );
    for (const hint of [0, -1]) {
      await withInput(t, posting(BODY), async (input) =>
        equal((await input.readlines(hint)).map(latin1), LINES, 'all lines'),
      );
    }
    await withInput(t, posting(BODY), async (input) => {
      const some = (await input.readlines(5)).map(latin1);
      ok(some.join('').length >= 5, 'at least as many bytes as hinted');
      equal([...some, ...(await input.readlines()).map(latin1)], LINES, 'these and the rest');
    });
  });

  test('INPUT-07: leaving the iteration leaves the rest to be read', async (t) => {
    await withInput(t, streaming('a\nb', '\nc\n', 'd'), async (input) => {
      for await (const line of input) {
        equal(latin1(line), 'a\n', 'the first line');
        break;
      }
      equal(await text(input.readline()), 'b\n', 'the second line');
      for await (const line of input) {
        equal(latin1(line), 'c\n', 'the third line');
        break;
      }
      equal(await text(input.read()), 'd', 'the rest');
    });
  });
}

function theEnd({ test }: Suite): void {
  for (const [what, init] of Object.entries({ 'without a body': undefined, 'after the body': posting('abc') })) {
    test(`INPUT-04, ENV-23, trap 13: ${what} every read gives nothing, again and again`, async (t) => {
      await withInput(t, init, async (input) => {
        await input.read();
        for (let round = 0; round < 3; round++) {
          equal(await input.read(), new Uint8Array(0), 'read()');
          equal(await input.read(5), new Uint8Array(0), 'read(5)');
          equal(await input.readline(), new Uint8Array(0), 'readline()');
          equal(await input.readlines(), [], 'readlines()');
          equal(await input[Symbol.asyncIterator]().next(), { done: true, value: undefined }, 'the iteration');
          equal(await input.bytes(), new Uint8Array(0), 'bytes()');
        }
      });
    });
  }

  test('INPUT-02, INPUT-04: reading past the end gives what there is', async (t) => {
    await withInput(t, posting('abc'), async (input) => {
      equal(await text(input.read(100)), 'abc', 'read(100)');
      equal(await text(input.read(100)), '', 'read(100) again');
    });
  });
}

function order({ test }: Suite): void {
  test('INPUT-11, decision D9: reads that overlap are served in the order they were made', async (t) => {
    for (const init of Object.values(deliveries('ab\ncdefgh\nij'))) {
      await withInput(t, init, async (input) => {
        const all = await Promise.all([
          text(input.read(1)),
          text(input.readline()),
          text(input.read(0)),
          text(input.read(3)),
          input.readlines(1).then((each) => each.map(latin1).join()),
          text(input.read()),
          text(input.read(1)),
        ]);
        equal(all, ['a', 'b\n', '', 'cde', 'fgh\n', 'ij', ''], 'what the reads gave');
      });
    }
  });

  test('INPUT-04, §1.5: what was read does not change with later reads', async (t) => {
    await withInput(t, streaming(...'abcdef'), async (input) => {
      const parts = [await input.read(2), await input.read(2), await input.read(2)];
      equal(parts.map(latin1), ['ab', 'cd', 'ef'], 'the parts');
    });
  });
}

function upload(suite: Suite): void {
  const { test, needs, decides } = suite;

  decides('requestStreaming', 'INPUT-08: the first bytes can be read while the rest is not sent yet', async (t) => {
    const read = new Gate();
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        sent += 1;
        if (sent === 1) return controller.enqueue(u8('first'));
        await within(read.opened, 'the read of the first bytes');
        controller.enqueue(u8(',rest'));
        controller.close();
      },
    });
    await withInput(t, { method: 'POST', body, duplex: 'half' } as RequestInit, async (input) => {
      equal(await text(input.read(5)), 'first', 'the first bytes');
      read.open();
      equal(await text(input.read()), ',rest', 'the rest');
    });
  });

  decides('abortedUpload', 'INPUT-12, trap 13: an upload that breaks off is an error, not an end', async (t) => {
    const outcome = new Gate<unknown[]>();
    const started = new Gate();
    let called = false;
    const site = await t.serve(async (environ, startResponse) => {
      called = true;
      const input = environ['wsgi.input'];
      const first = latin1(await input.read(5));
      started.open();
      const errors = [
        await rejects(input.read(), 'the pending read'),
        await rejects(input.read(1), 'a later read'),
        await rejects(input.readline(), 'a later readline'),
      ].map((error) => error instanceof Error);
      outcome.open([first, ...errors]);
      startResponse('200 OK', []);
      return [];
    });
    let sent = false;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (!sent) {
          sent = true;
          return controller.enqueue(u8('first'));
        }
        if (t.can.requestStreaming) await within(started.opened, 'the read of the first bytes');
        controller.error(new Error('the client breaks off'));
      },
    });
    await site.fetch('/', { method: 'POST', body, duplex: 'half' } as RequestInit).catch(() => {});
    ok(called, 'the application is called');
    equal(
      await within(outcome.opened, 'the outcome of the reads'),
      ['first', true, true, true],
      'first bytes and errors',
    );
  });

  needs(
    ['abortedUpload', 'requestStreaming'],
    'ERR-05: an upload that breaks off is no fault of an application that reads it',
    async (t) => {
      const started = new Gate();
      const over = new Gate();
      const site = await t.serve(async (environ) => {
        started.open();
        return environ['wsgi.input'].read().finally(over.open) as never;
      });
      const body = new ReadableStream<Uint8Array>({
        async start(controller) {
          controller.enqueue(u8('first'));
          await within(started.opened, 'the start of the application');
          controller.error(new Error('the client breaks off'));
        },
      });
      await site.fetch('/', { method: 'POST', body, duplex: 'half' } as RequestInit).catch(() => {});
      await within(over.opened, 'the end of the read');
      await quiet();
      equal(site.errors, '', 'wsgi.errors');
    },
  );

  for (const [how, init] of Object.entries({
    'of known length': posting('abcdef'),
    'of unknown length': streaming(...'abcdef'),
  })) {
    test(`maxBodyBytes: a larger body ${how} is a 413`, async (t) => {
      const site = await t.serve(
        async (environ, startResponse) => {
          const body = await environ['wsgi.input'].read();
          startResponse('200 OK', []);
          return [body];
        },
        { maxBodyBytes: 5 },
      );
      const answer = await site.get('/', init);
      equal(answer.status, 413, 'the status');
      equal((await site.get('/', posting('abcde'))).text, 'abcde', 'the echo of a body that fits');
      equal((await site.get('/')).status, 200, 'the status without a body');
    });
  }

  needs(
    ['requestLength'],
    'maxBodyBytes: of a body that is declared too large the application hears nothing',
    async (t) => {
      let calls = 0;
      const app: Application = (_environ, startResponse) => {
        calls += 1;
        startResponse('200 OK', []);
        return [];
      };
      equal((await (await t.serve(app, { maxBodyBytes: 5 })).get('/', posting('abcdef'))).status, 413, 'the status');
      equal(calls, 0, 'the calls of the application');
    },
  );

  test('maxBodyBytes: an application may answer a body that is too large by itself', async (t) => {
    const site = await t.serve(
      async (environ, startResponse) => {
        const error = await rejects(environ['wsgi.input'].read(), 'read()').catch(() => null);
        startResponse('200 OK', []);
        return [u8(`handled ${(error as Error | null)?.name}`)];
      },
      { maxBodyBytes: 2 },
    );
    const answer = await site.get('/', streaming('ab', 'cd'));
    ok(
      answer.status === 413 || answer.text === 'handled BodyTooLargeError',
      `413 or its own answer, not ${answer.text}`,
    );
  });

  test('maxBodyBytes, basePath, errors, onError: options of a wrong type are refused at once', async (t) => {
    const app: Application = () => [];
    const wrong: GatewayOptions[] = [
      { maxBodyBytes: -1 },
      { maxBodyBytes: '5' as never },
      { maxBodyBytes: Number.NaN },
      { basePath: 5 as never },
      { errors: 'stderr' as never },
      { onError: 'none' as never },
    ];
    for (const options of wrong) {
      const error = await rejects(t.serve(app, options), `serving with ${JSON.stringify(options)}`);
      ok(error instanceof TypeError, `a TypeError, not ${String(error)}`);
    }
    for (const none of [undefined, null, {}, 'app']) {
      ok((await rejects(t.serve(none as never), 'serving no function')) instanceof TypeError, 'a TypeError');
    }
  });
}
