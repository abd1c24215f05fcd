// How the gateway finishes a response, as adapters are handed it: what they may set right by themselves must be right here.

import { describe, expect, test } from 'vitest';
import {
  type Application,
  type ApplicationBody,
  type Environ,
  encode,
  type GatewayResponse,
  type HeaderList,
  run,
  setupTestingDefaults,
} from 'waygate';
import { Exchange, Input } from 'waygate/adapter';

/** An environ, and what was logged. */
function request(method = 'GET'): { environ: Environ; log: string[] } {
  const log: string[] = [];
  const errors = { write: (text: string) => void log.push(text), writelines: () => {}, flush: () => {} };
  return { environ: setupTestingDefaults({ REQUEST_METHOD: method, 'wsgi.errors': errors }), log };
}

function answering(status: string, headers: HeaderList, body: () => unknown): Application {
  return (_environ, startResponse) => {
    startResponse(status, headers);
    return body() as ApplicationBody;
  };
}

/** The response with its body read, through the members that adapters use. */
async function read(response: GatewayResponse): Promise<{ headers: HeaderList; chunks: number }> {
  let chunks = 0;
  for await (const _chunk of response.body) chunks++;
  return { headers: response.headers, chunks };
}

const LENGTH: [string, string] = ['Content-Length', '5'];
const bodies: Record<string, () => unknown> = {
  'an array': () => [encode('hello')],
  'a generator': function* () {
    yield encode('hello');
  },
  'an async generator': async function* () {
    yield encode('hello');
  },
};

describe.each(Object.entries(bodies))('%s', (_name, body) => {
  test.each([
    ['204 No Content', [LENGTH], []],
    ['205 Reset Content', [LENGTH], [['Content-Length', '0']]],
    ['205 Reset Content', [], [['Content-Length', '0']]],
    ['304 Not Modified', [LENGTH], [LENGTH]],
    ['304 Not Modified', [], []],
  ] as [string, HeaderList, HeaderList][])(
    'of a %s response with %j is dropped (HTTP-06)',
    async (status, headers, out) => {
      const { environ, log } = request();
      const response = await run(answering(status, headers, body), environ);
      expect(await read(response)).toEqual({ headers: out, chunks: 0 });
      expect(log.join('')).toContain('its body were dropped');
    },
  );

  test('of a response to HEAD is dropped after its first chunk (HTTP-05)', async () => {
    let asked = 0;
    const watched = (): unknown => {
      const iterable = body() as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
      if (Array.isArray(iterable)) return iterable;
      const method = iterable[Symbol.asyncIterator] ? Symbol.asyncIterator : Symbol.iterator;
      const iterator = iterable[method]?.() as Iterator<unknown>;
      const next = (): unknown => {
        asked++;
        return iterator.next();
      };
      return { [method]: () => ({ next }) };
    };
    const response = await run(answering('200 OK', [], watched), request('HEAD').environ);
    expect((await read(response)).chunks).toBe(0);
    expect(asked).toBeLessThanOrEqual(1);
  });
});

test.each(['an empty array', 'an empty generator'])('HEAD with %s says no length (CL-07)', async (name) => {
  const empty = name === 'an empty array' ? () => [] : function* () {};
  const response = await run(answering('200 OK', [], empty), request('HEAD').environ);
  expect(response.headers).toEqual([]);
  const get = await run(answering('200 OK', [], empty), request().environ);
  expect(get.headers).toEqual([['Content-Length', '0']]);
});

test('a length beyond what a number holds is refused (L-48)', () => {
  const declared: HeaderList = [['Content-Length', '9007199254740993']];
  const refused = answering('200 OK', declared, () => []);
  expect(run(refused, request().environ)).toMatchObject({ statusCode: 500 });
});

test('what an application writes after an await is there while it goes on working (WRITE-01)', async () => {
  let leave = (): void => {};
  const app: Application = async (_environ, startResponse) => {
    const write = startResponse('200 OK', []);
    await null;
    write(encode('early'));
    await new Promise<void>((resolve) => {
      leave = resolve;
    });
    return [];
  };
  const response = await run(app, request().environ);
  expect(response.status).toBe('200 OK');
  leave();
});

test('what was written and never taken rejects, and crashes nobody who ignores it (WRITE-04)', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  try {
    let first: Promise<void> | undefined;
    const exchange = new Exchange(request().environ);
    const response = exchange.run(async (_environ, startResponse) => {
      const write = startResponse('200 OK', []);
      first = write(encode('a'));
      write(encode('b'));
      await new Promise((turn) => setTimeout(turn, 5));
      return [];
    });
    await response;
    exchange.close();
    await new Promise((turn) => setTimeout(turn, 10));
    expect(unhandled).toEqual([]);
    await expect(first).rejects.toThrow('closed before');
  } finally {
    process.off('unhandledRejection', note);
  }
});

test('close() again closes nothing again (CLOSE-02)', async () => {
  let closed = 0;
  const body = { *[Symbol.iterator]() {}, close: () => void closed++ };
  const exchange = new Exchange(request().environ);
  await exchange.run(answering('200 OK', [], () => body));
  await exchange.close();
  await exchange.close();
  expect(closed).toBe(1);
});

test('a client that stopped sending is not reported (ERR-05, INPUT-12)', async () => {
  const { environ, log } = request('POST');
  environ['wsgi.input'] = new Input({ pull: () => null }, 10);
  const response = await run(async (given, startResponse) => {
    startResponse('200 OK', []);
    return [await given['wsgi.input'].read()];
  }, environ);
  expect(response.statusCode).toBe(400);
  expect(log).toEqual([]);
});
