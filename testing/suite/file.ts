// wsgi.file_wrapper, over objects that every platform has. (FILE)

import type { Application, ApplicationBody, FileLike } from '../../core/types.ts';
import { equal, ok } from '../assert.ts';
import { eventually, quiet } from '../test-context.ts';
import { u8 } from './apps.ts';
import type { Suite } from './suite.ts';

/** A file in memory that counts what is done to it. */
class MemoryFile {
  reads = 0;
  closes = 0;
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(text: string, at = 0) {
    this.#bytes = u8(text);
    this.#at = at;
  }

  read(size: number): Uint8Array {
    this.reads += 1;
    const block = this.#bytes.subarray(this.#at, this.#at + size);
    this.#at += block.byteLength;
    return block;
  }

  close(): void {
    this.closes += 1;
  }

  remaining(): number {
    return this.#bytes.byteLength - this.#at;
  }
}

/** Without `close` and `remaining`. */
const bare = (file: MemoryFile): FileLike => ({ read: (size) => file.read(size) });

const sending =
  (
    file: FileLike,
    blockSize?: number,
    change: (body: ApplicationBody) => ApplicationBody = (body) => body,
  ): Application =>
  (environ, startResponse) => {
    startResponse('200 OK', []);
    return change(environ['wsgi.file_wrapper']?.(file, blockSize) as ApplicationBody);
  };

export function fileSuite({ test, requires }: Suite): void {
  test('FILE-01, FILE-04: a file is sent from its position to its end, and its length is known', async (t) => {
    const file = new MemoryFile('abcdef', 3);
    const answer = await (await t.serve(sending(file, 2))).get('/');
    equal([answer.text, answer.headers.get('content-length')], ['def', '3'], 'body and length');
    await eventually(() => file.closes > 0, 'the close of the file');
    equal(file.closes, 1, 'the number of closes');
  });

  test('FILE-05: an object with only read is enough', async (t) => {
    const file = new MemoryFile('abcdef');
    for (const blockSize of [1, 4, 100, undefined]) {
      const text = 'abcdef';
      equal((await (await t.serve(sending(bare(new MemoryFile(text)), blockSize))).get('/')).text, text, 'the body');
    }
    const read = async (size: number) => file.read(size);
    equal((await (await t.serve(sending({ read }))).get('/')).text, 'abcdef', 'the body of an async read');
  });

  test('FILE-02: to wrap reads nothing, and an unused wrapper does nothing', async (t) => {
    const file = new MemoryFile('abcdef');
    let readsAtWrap = -1;
    const site = await t.serve((environ, startResponse) => {
      startResponse('200 OK', []);
      environ['wsgi.file_wrapper']?.(file);
      readsAtWrap = file.reads;
      return [u8('other')];
    });
    equal((await site.get('/')).text, 'other', 'the body');
    await quiet();
    equal([readsAtWrap, file.reads, file.closes], [0, 0, 0], 'reads at the wrapping, reads, closes');
  });

  test('FILE-03: a wrapper has close only if the file has', async (t) => {
    let kinds: string[] = [];
    const site = await t.serve((environ, startResponse) => {
      const wrap = environ['wsgi.file_wrapper'] as (file: FileLike) => ApplicationBody;
      kinds = [typeof wrap(new MemoryFile('a')).close, typeof wrap(bare(new MemoryFile('a'))).close];
      startResponse('200 OK', []);
      return [];
    });
    await site.get('/');
    equal(kinds, ['function', 'undefined'], 'the types of close');
  });

  test('FILE-06, trap 14: a wrapper inside a middleware is iterated like any body', async (t) => {
    const file = new MemoryFile('abcdef');
    const shout = (body: ApplicationBody): ApplicationBody => {
      const inner = body as AsyncIterable<Uint8Array> & { close(): void };
      async function* upper(): AsyncGenerator<Uint8Array> {
        for await (const chunk of inner) yield chunk.map((byte) => byte - 32);
      }
      return Object.assign(upper(), { close: () => inner.close() });
    };
    equal((await (await t.serve(sending(file, 4, shout))).get('/')).text, 'ABCDEF', 'the body');
    await eventually(() => file.closes > 0, 'the close of the file');
    equal(file.closes, 1, 'the number of closes');
  });

  for (const remaining of [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY, 2 ** 60, '3', 3n, null]) {
    test(`FILE-04, L-48: ${String(remaining)} (${typeof remaining}) bytes left are not a length`, async (t) => {
      const file = Object.assign(new MemoryFile('abc'), { remaining: () => remaining as number });
      const site = await t.serve(sending(file));
      equal((await site.get('/')).status, 500, 'the status');
      ok(site.errors.includes('FILE-04'), `the rule is on wsgi.errors, not ${site.errors}`);
      await eventually(() => file.closes > 0, 'the close of the file');
    });
  }

  test('FILE-04, CL-01: a declared length wins over that of the file', async (t) => {
    const file = new MemoryFile('abcdef');
    const site = await t.serve((environ, startResponse) => {
      startResponse('200 OK', [['Content-Length', '2']]);
      return environ['wsgi.file_wrapper']?.(file, 2) as ApplicationBody;
    });
    const answer = await site.get('/');
    equal([answer.text, answer.headers.get('content-length')], ['ab', '2'], 'body and length');
    await eventually(() => file.closes > 0, 'the close of the file');
  });

  test('FILE-06, HTTP-05, HTTP-06: HEAD, 204 and 304 close the file and send nothing of it', async (t) => {
    for (const [method, status] of [
      ['HEAD', '200 OK'],
      ['GET', '204 No Content'],
      ['GET', '304 Not Modified'],
    ] as const) {
      const file = new MemoryFile('abcdef');
      const site = await t.serve((environ, startResponse) => {
        startResponse(status, []);
        return environ['wsgi.file_wrapper']?.(file) as ApplicationBody;
      });
      equal((await site.get('/', { method })).text, '', `the body of ${method} ${status}`);
      await eventually(() => file.closes > 0, 'the close of the file');
      equal(file.closes, 1, 'the number of closes');
    }
  });

  requires(['headLength'], 'HTTP-05: HEAD of a file has its length', async (t) => {
    const site = await t.serve(sending(new MemoryFile('abcdef')));
    equal((await site.get('/', { method: 'HEAD' })).headers.get('content-length'), '6', 'the length');
  });

  test('ERR-03: a file that cannot be read is a 500', async (t) => {
    const read = (): never => {
      throw new Error('planned');
    };
    const site = await t.serve(sending({ read }));
    equal((await site.get('/')).status, 500, 'the status');
    ok(site.errors.includes('planned'), 'the error is on wsgi.errors');
  });

  test('FILE-03: what has no read is refused at once', async (t) => {
    const site = await t.serve(sending({} as FileLike));
    equal((await site.get('/')).status, 500, 'the status');
    ok(site.errors.includes('TypeError'), 'the TypeError is on wsgi.errors');
  });
}
