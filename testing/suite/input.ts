// wsgi.input: what it gives, in which order, and where it ends. (INPUT)

import type { Application, GatewayOptions, InputStream } from '../../core/types.ts';
import { equal, isContractError, latin1, ok, rejects } from '../assert.ts';
import { Gate, type TestContext, within } from '../test-context.ts';
import { ALL_BYTES, u8 } from './apps.ts';
import type { Suite } from './suite.ts';

/** A request body that comes in these chunks. */
export function streaming(...texts: string[]): RequestInit {
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

export const posting = (text: string): RequestInit => ({ method: 'POST', body: u8(text) as BodyInit });

/** Sends a body and gives the input to `use`; what that throws fails the test. */
export async function withInput(
  t: TestContext,
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
export async function text(bytes: Promise<Uint8Array>): Promise<string> {
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

  test('INPUT-03: a size that is not a whole number is refused', async (t) => {
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
