// The write callable. (WRITE)

import type { Write } from '../../core/types.ts';
import { equal, isContractError, ok, throws } from '../assert.ts';
import { eventually, Gate, quiet, within } from '../test-context.ts';
import { chunks, u8 } from './apps.ts';
import type { Suite } from './suite.ts';

export function writeSuite({ test, requires, proves }: Suite): void {
  test('WRITE-01: what is written is the body, as if it had been yielded', async (t) => {
    const site = await t.serve((_environ, startResponse) => {
      const write = startResponse('201 Created', [['X-Head', 'yes']]);
      write(u8('abc'));
      return [];
    });
    const answer = await site.get('/');
    equal([answer.status, answer.headers.get('x-head'), answer.text], [201, 'yes', 'abc'], 'the response');
  });

  test('WRITE-03, WRITE-04, trap 9: writes that nobody awaits go out in order, and ahead of the body', async (t) => {
    for (const make of [() => [u8('c')], () => chunks('c')]) {
      const site = await t.serve((_environ, startResponse) => {
        const write = startResponse('200 OK', []);
        write(u8('a'));
        write(u8(''));
        write(u8('b'));
        return make();
      });
      equal((await site.get('/')).text, 'abc', 'the body');
    }
  });

  test('WRITE-04: write resolves, so an application can keep the pace of the platform', async (t) => {
    const site = await t.serve(async (_environ, startResponse) => {
      const write = startResponse('200 OK', []);
      for (const text of ['a', 'b', 'c']) await within(write(u8(text)), `leave to go on after ${text}`);
      return [u8('d')];
    });
    equal((await site.get('/')).text, 'abcd', 'the body');
  });

  test('WRITE-01, BODY-08: the buffer may be used again as soon as write returned', async (t) => {
    const site = await t.serve((_environ, startResponse) => {
      const write = startResponse('200 OK', []);
      const scratch = new Uint8Array(1);
      for (const text of ['a', 'b', 'c']) {
        scratch.set(u8(text));
        write(scratch);
      }
      return [];
    });
    equal((await site.get('/')).text, 'abc', 'the body');
  });

  for (const [what, bad] of Object.entries({
    'a string': 'text',
    undefined: undefined,
    'an ArrayBuffer': new ArrayBuffer(1),
  })) {
    test(`WRITE-01, STR-04: ${what} cannot be written`, async (t) => {
      let error: unknown;
      const site = await t.serve((_environ, startResponse) => {
        const write = startResponse('200 OK', []);
        error = throws(() => write(bad as never), 'write');
        throw error;
      });
      equal((await site.get('/')).status, 500, 'the status');
      ok(isContractError(error, 'STR-04'), `write throws a ContractError, not ${String(error)}`);
    });
  }

  test('WRITE-03: from inside the body, write throws', async (t) => {
    let error: unknown;
    const site = await t.serve((_environ, startResponse) => {
      const write = startResponse('200 OK', []);
      return (function* () {
        yield u8('a');
        error = throws(() => write(u8('b')), 'write');
        yield u8('c');
      })();
    });
    equal((await site.get('/')).text, 'ac', 'the body');
    ok(isContractError(error, 'WRITE-03'), `write throws a ContractError, not ${String(error)}`);
  });

  test('WRITE-01, CL-01: beyond the declared length write sends what fits and throws', async (t) => {
    let error: unknown;
    const site = await t.serve((_environ, startResponse) => {
      const write = startResponse('200 OK', [['Content-Length', '4']]);
      write(u8('abc'));
      error = throws(() => write(u8('def')), 'write');
      return [];
    });
    equal((await site.get('/')).text, 'abcd', 'the body');
    ok(isContractError(error, 'CL-01'), `write throws a ContractError, not ${String(error)}`);
  });

  test('WRITE-01, CL-02: fewer bytes written than declared break the response off', async (t) => {
    const site = await t.serve((_environ, startResponse) => {
      startResponse('200 OK', [['Content-Length', '4']])(u8('abc'));
      return [];
    });
    await site.breaks('/');
    await eventually(() => site.errors.includes('CL-02'), 'the report on wsgi.errors');
  });

  test('SR-16: a write that comes too late throws, and the next request is clean', async (t) => {
    let late: Write | undefined;
    const site = await t.serve((_environ, startResponse) => {
      const write = startResponse('200 OK', []);
      late ??= write;
      return [u8('body')];
    });
    await site.get('/');
    await quiet();
    const error = throws(() => late?.(u8('late')), 'write');
    ok(isContractError(error), `write throws a ContractError, not ${String(error)}`);
    equal((await site.get('/')).text, 'body', 'the next body');
  });

  test('HTTP-05: what is written for a HEAD goes nowhere, and write resolves', async (t) => {
    const site = await t.serve(async (_environ, startResponse) => {
      const write = startResponse('200 OK', []);
      await within(write(u8('abc')), 'leave to go on');
      return [];
    });
    const answer = await site.get('/', { method: 'HEAD' });
    equal([answer.status, answer.text], [200, ''], 'status and body');
  });

  test('HTTP-05, HTTP-06: an application may go on to write what a response without content drops', async (t) => {
    for (const [method, status] of [
      ['HEAD', '200 OK'],
      ['GET', '304 Not Modified'],
    ] as const) {
      const returned = new Gate();
      const site = await t.serve(async (_environ, startResponse) => {
        const write = startResponse(status, []);
        await write(u8('abc'));
        await quiet();
        await within(write(u8('def')), 'leave to go on');
        returned.open();
        return [u8('ghi')];
      });
      const answer = await site.get('/', { method });
      equal([answer.status, answer.text], [Number(status.slice(0, 3)), ''], 'status and body');
      await within(returned.opened, 'the end of the application');
      ok(!/Error/.test(site.errors), `no error on wsgi.errors, such as ${site.errors}`);
    }
  });

  test('SR-12: after an error that came too late, write throws it again', async (t) => {
    const late = new Error('too late');
    let again: unknown;
    const site = await t.serve((_environ, startResponse) => {
      const write = startResponse('200 OK', []);
      write(u8('abc'));
      throws(() => startResponse('500 Internal Server Error', [], late), 'startResponse');
      again = throws(() => write(u8('more')), 'write');
      return [];
    });
    await site.breaks('/');
    ok(again === late, `write throws the error, not ${String(again)}`);
  });

  test('L-81: an error after a write breaks the response off, and a body that was returned is closed', async (t) => {
    let closed = 0;
    const site = await t.serve((_environ, startResponse) => {
      startResponse('200 OK', [])(u8('abc'));
      const next = (): never => {
        throw new Error('planned');
      };
      const close = (): void => {
        closed += 1;
      };
      return { [Symbol.iterator]: () => ({ next }), close };
    });
    await site.breaks('/');
    await eventually(() => closed > 0, 'close()');
    equal(closed, 1, 'the number of calls of close()');
  });

  proves('earlyHead', 'WRITE-01: what is written reaches the client while the application runs', async (t) => {
    const seen = new Gate();
    const site = await t.serve(async (_environ, startResponse) => {
      startResponse('200 OK', [])(u8('early'));
      await within(seen.opened, 'the written chunk at the client');
      return [u8(',late')];
    });
    const response = await site.fetch('/');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    equal((await within(reader.read(), 'the written chunk')).value, u8('early'), 'the first chunk');
    seen.open();
    equal((await within(reader.read(), 'the body')).value, u8(',late'), 'the second chunk');
  });

  requires(
    ['promptDisconnect', 'disconnect', 'earlyHead'],
    'WRITE-04: after the client left, write rejects or throws, and nothing crashes',
    async (t) => {
      const outcome = new Gate<string>();
      const left = new Gate();
      const site = await t.serve(async (environ, startResponse) => {
        const write = startResponse('200 OK', []);
        write(u8('early'));
        // Nobody awaits this one: that it is lost must not end the process.
        write(new Uint8Array(1024 * 1024));
        await within(left.opened, 'the client leaving');
        const { 'waygate.signal': signal } = environ;
        await eventually(() => signal.aborted, 'the signal');
        try {
          await write(u8('late'));
          outcome.open('resolved');
        } catch {
          outcome.open('failed');
        }
        return [];
      });
      const response = await site.fetch('/');
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      await within(reader.read(), 'the written chunk');
      await reader.cancel();
      left.open();
      equal(await within(outcome.opened, 'an outcome of the late write'), 'failed', 'the late write');
      await quiet();
      equal(site.errors, '', 'wsgi.errors (ERR-05)');
    },
  );
}
