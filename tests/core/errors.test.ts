// Errors as text, the log they go to, and answers in the application's stead.

import { describe, expect, it, vi } from 'vitest';
import {
  BadRequestError,
  BodyTooLargeError,
  ClientDisconnectedError,
  ContractError,
  RequestError,
  run,
  setupTestingDefaults,
} from 'waygate';
import { errorStreams } from '../../core/error-stream.ts';
import { describe as describeValue, isA, report, statusOf } from '../../core/errors.ts';
import { plainResponse, refuse } from '../../core/plain-response.ts';
import { decodeWsgi, nativeFromBytes } from '../../core/strings.ts';
import type { ErrorSink, ErrorStream } from '../../core/types.ts';
import { logRejection } from '../../core/work.ts';

const hostile = (): unknown => {
  const fail = (): never => {
    throw new Error('looked at');
  };
  return Object.defineProperties(new Error('x'), { stack: { get: fail }, message: { get: fail } });
};

/** Fails for `instanceof` as well. */
const proxy = (): unknown => {
  const fail = (): never => {
    throw new Error('looked at');
  };
  return new Proxy({}, { get: fail, getPrototypeOf: fail, has: fail, ownKeys: fail });
};

/** Prints, but its cause cannot be looked at. */
const hidesItsCause = (): unknown =>
  Object.defineProperty(new Error('x'), 'cause', {
    get() {
      throw new Error('looked at');
    },
  });

function collecting(): ErrorStream & { text: string; flushes: number } {
  return {
    text: '',
    flushes: 0,
    write(text) {
      this.text += text;
    },
    writelines(lines) {
      for (const line of lines) this.write(line);
    },
    flush() {
      this.flushes += 1;
    },
  };
}

describe('the error classes', () => {
  it('say what they are, and carry what the gateway needs', () => {
    const contract = new ContractError('SR-13', 'Something.');
    expect(contract).toBeInstanceOf(TypeError);
    expect([contract.name, contract.rule, contract.message]).toEqual(['ContractError', 'SR-13', 'Something. [SR-13]']);
    expect(new BodyTooLargeError(5)).toMatchObject({ status: 413, name: 'BodyTooLargeError' });
    expect(new ClientDisconnectedError('gone')).toBeInstanceOf(RequestError);
  });
});

describe('a value in a message', () => {
  it.each<[unknown, string]>([
    [null, 'null'],
    [undefined, 'undefined'],
    ['a\nb', 'the string "a\\nb"'],
    ['x'.repeat(100), `the string "${'x'.repeat(60)}…"`],
    [7, 'the number 7'],
    [Symbol('s'), 'the symbol Symbol(s)'],
    [10n, 'the bigint 10'],
    [() => {}, 'a function'],
    [new Map(), 'a Map'],
    [[], 'an Array'],
    [{}, 'an Object'],
    [new ArrayBuffer(1), 'an ArrayBuffer'],
    [Object.create(null), 'an Object'],
  ])('%o is called %j', (value, text) => {
    expect(describeValue(value)).toBe(text);
  });
});

describe('an error in the log (ERR-02, ERR-06)', () => {
  it('has its stack and those of its causes', () => {
    const text = report(new Error('outer', { cause: new Error('middle', { cause: 'inner' }) }));
    expect(text).toMatch(
      /^Error: outer\n\s+at [\s\S]*Caused by: Error: middle\n\s+at [\s\S]*Caused by: Thrown: the string "inner"$/,
    );
  });

  it('ends, also where the causes go in a circle', () => {
    const error = new Error('circle');
    error.cause = error;
    expect(report(error).split('Caused by').length).toBeLessThan(12);
  });

  it('is something, whatever was thrown', () => {
    for (const thrown of [
      undefined,
      null,
      0,
      '',
      Symbol('x'),
      {},
      Object.create(null),
      hostile(),
      proxy(),
      hidesItsCause(),
    ]) {
      expect(report(thrown)).not.toBe('');
      expect(describeValue(thrown)).not.toBe('');
      expect(isA(thrown, RequestError)).toBe(false);
      expect(statusOf(thrown)).toBe(500);
    }
  });
});

describe('wsgi.errors from the errors option (LOG)', () => {
  it('gives a function complete texts, without the last line end', () => {
    const entries: string[] = [];
    const stream = errorStreams((text) => void entries.push(text))();
    stream.write('a');
    stream.write('b\nc\nd');
    stream.write('');
    stream.flush();
    stream.flush();
    stream.writelines(['e', '\n', '\n']);
    expect(entries).toEqual(['ab\nc', 'd', 'e', '']);
  });

  it('is a stream per request for a function; a stream gets each text as it was written', async () => {
    const make = errorStreams(() => {});
    expect(make()).not.toBe(make());
    const own = collecting();
    const stream = errorStreams(own)();
    stream.write('a');
    stream.writelines(['b', 'c\n']);
    await stream.flush();
    expect([own.text, own.flushes]).toEqual(['abc\n', 1]);
  });

  it('puts many texts without a line end into one entry, and cuts a line that would fill the memory', () => {
    const entries: string[] = [];
    const stream = errorStreams((text) => void entries.push(text))();
    for (let count = 0; count < 5000; count++) stream.write('dot.');
    expect(entries).toEqual([]);
    stream.write('\nnext');
    expect(entries).toEqual(['dot.'.repeat(5000)]);
    for (let count = 0; count < 3000; count++) stream.write('x'.repeat(1000));
    stream.flush();
    expect(entries.slice(1).every((entry) => entry.length < 1.1 * 1024 * 1024)).toBe(true);
    expect(entries.slice(1).join('')).toBe(`next${'x'.repeat(3_000_000)}`);
  });

  const failing = (): never => {
    throw new Error('the log failed');
  };
  const rejecting = async (): Promise<never> => failing();
  it.each<[string, ErrorSink]>([
    ['a function that throws', failing],
    ['an async function that rejects', rejecting],
    ['an object whose write throws', { write: failing }],
    ['an object whose write rejects', { write: rejecting, flush: rejecting }],
    ['an object whose flush throws', { write: () => {}, flush: failing }],
    ['an error stream of which everything throws', { write: failing, writelines: failing, flush: failing }],
    ['an error stream of which everything rejects', { write: rejecting, writelines: rejecting, flush: rejecting }],
    [
      'a function that answers with something that fails to be a promise',
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: this is what is tried.
        get then() {
          return failing();
        },
      }),
    ],
  ])('lets no failure of the log through to the application: %s (LOG-03, ERR-06)', async (_name, sink) => {
    const stream = errorStreams(sink)();
    expect(stream.write('one\n')).toBe(undefined);
    expect(stream.write('half')).toBe(undefined);
    expect(stream.writelines(['two\n', 'three'])).toBe(undefined);
    expect(await stream.flush()).toBe(undefined);
    expect(await stream.flush()).toBe(undefined);
  });

  it('shows no control byte of a client on the terminal, and lets the application have its colours', () => {
    const shown = vi.spyOn(console, 'error').mockImplementation(() => {});
    errorStreams(undefined)().write('\x1b[31mred\x1b[0m \x9b2J \x7f caf\xc3\x89\n');
    expect(shown.mock.calls).toEqual([['\x1b[31mred\x1b[0m \\u009b2J \\u007f caf\xc3\\u0089']]);
    shown.mockRestore();
  });

  it('shows no control byte in what the gateway itself logs', async () => {
    const entries: string[] = [];
    const errors = errorStreams((text) => void entries.push(text))();
    const environ = setupTestingDefaults({ PATH_INFO: '/\x9b2J\x1b]0;title\x07\r', 'wsgi.errors': errors });
    await run(() => {
      throw new Error(`no page at ${environ.PATH_INFO}\nsecond line`);
    }, environ);
    await run(() => {
      throw new BadRequestError(`no page at ${environ.PATH_INFO}`);
    }, environ);
    expect(entries.length).toBe(2);
    for (const entry of entries) expect(entry).toMatch(/^[\n\x20-\x7e]+$/);
    expect(entries[0]).toContain('no page at /\\u009b2J\\u001b]0;title\\u0007\\u000d\nsecond line\n    at ');
  });

  it('takes whatever is written, also values that are not text', () => {
    const entries: string[] = [];
    const stream = errorStreams((text) => void entries.push(text))();
    for (const odd of [5, undefined, null, Symbol('s'), Object.create(null)]) stream.write(odd as string);
    stream.flush();
    expect(entries).toEqual(['5undefinednullSymbol(s)']);
  });

  it('hands on to anything with write, and lives without its flush', () => {
    const written: string[] = [];
    const stream = errorStreams({ write: (text) => written.push(text) })();
    stream.writelines(['a', 'b\n']);
    expect(stream.flush()).toBe(undefined);
    expect(written).toEqual(['a', 'b\n']);
  });
});

describe('answers in the application’s stead (ERR-03)', () => {
  const page = (body: unknown): string => decodeWsgi(nativeFromBytes((body as Uint8Array[])[0] as Uint8Array));

  it('are plain pages of a known length', () => {
    const response = plainResponse(500, 'GET');
    expect(response.status).toBe('500 Internal Server Error');
    expect(page(response.body)).toBe('500 Internal Server Error\n');
    expect(response.headers).toEqual([
      ['Content-Type', 'text/plain; charset=utf-8'],
      ['Content-Length', '26'],
    ]);
  });

  it('have no bytes for HEAD, and the length all the same', () => {
    expect(plainResponse(500, 'HEAD')).toMatchObject({ body: [], headers: plainResponse(500, 'GET').headers });
  });

  it('show a client what it did wrong, and nothing of a fault of the adapter', () => {
    const errors = collecting();
    const tooMany = refuse(new RequestError(431, 'Too many headers.'), errors, 'GET');
    expect([tooMany.status, page(tooMany.body)]).toEqual(['431 Error', '431 Error\nToo many headers.\n']);
    expect(refuse(new RequestError(413, 'x'), errors, 'HEAD').status).toBe('413 Content Too Large');
    expect(errors.text).toBe('');
    const fault = refuse(new Error('secret'), errors, 'GET');
    expect([fault.statusCode, page(fault.body)]).toEqual([500, '500 Internal Server Error\n']);
    expect(errors.text).toContain('secret');
    expect(errors.flushes).toBe(1);
  });
});

describe('work after the response', () => {
  it('never rejects, and its failure is logged', async () => {
    const errors = collecting();
    await logRejection(Promise.reject(new Error('failed work')), errors);
    expect(errors.text).toContain('failed work');
    expect(errors.flushes).toBe(1);
    await logRejection('no promise at all', errors);
    expect(errors.flushes).toBe(1);
  });

  it('fails nothing where the log fails, as an answer to a bad request does (ERR-06)', async () => {
    const fail = () => {
      throw new Error('no space left');
    };
    for (const flush of [fail, () => Promise.reject(new Error('no space left'))]) {
      const broken = { write: fail, writelines: fail, flush };
      await expect(logRejection(Promise.reject(new Error('failed work')), broken)).resolves.toBe(undefined);
      expect(refuse(new Error('secret'), broken, undefined).statusCode).toBe(500);
    }
  });
});
