// Middlewares that break one rule each. They stand between two validators: what they do to the application inside and to
// the gateway around them is seen. `app` of a fault is the right application that they wrap.

import {
  type Application,
  type ApplicationBody,
  type Environ,
  encode,
  type HeaderList,
  type InputStream,
  type Middleware,
  type StartResponse,
  type Write,
} from 'waygate';
import { bodyOf, type Fault, PLAIN, streaming } from './lax-gateway.ts';

export interface MiddlewareFault extends Fault {
  middleware: Middleware;
}

const small: Application = (_environ, startResponse) => {
  startResponse('200 OK', PLAIN);
  return [encode('x')];
};
const stream = streaming('a', 'b', 'c');
const sized: Application = (environ, startResponse) => {
  startResponse('200 OK', [...PLAIN, ['Content-Length', '3']]);
  return stream(environ, () => async () => {});
};
const writing: Application = (_environ, startResponse) => {
  startResponse('200 OK', PLAIN)(encode('w'));
  return [];
};
/** Reads its input in the way given, then answers. */
const reading = (read: (input: InputStream) => unknown): Application => {
  return async (environ, startResponse) => {
    await read(environ['wsgi.input']);
    return small(environ, startResponse);
  };
};

type Chunks = AsyncIterable<Uint8Array> & { close(): void };

/** A middleware that does something to the body inside. */
function withBody(change: (body: Chunks) => unknown): Middleware {
  return (app) => (environ, startResponse) => change(app(environ, startResponse) as Chunks) as ApplicationBody;
}

/** A middleware that does something to the environ inside. */
function withEnviron(change: (environ: Record<string, unknown>) => unknown): Middleware {
  return (app) => (environ, startResponse) => {
    const changed = change(environ);
    return app((changed ?? environ) as Environ, startResponse);
  };
}

const set = (key: string, value: unknown): Middleware =>
  withEnviron((environ) => void Object.assign(environ, { [key]: value }));
const unset = (key: string): Middleware => withEnviron((environ) => void delete environ[key]);

/** A middleware with another `wsgi.input`, made of the members given over those of the one that came. */
function withInput(members: (input: InputStream) => object): Middleware {
  return withEnviron((environ) => {
    const input = environ['wsgi.input'] as InputStream;
    const own = {
      read: (size?: number) => input.read(size),
      readline: (size?: number) => input.readline(size),
      readlines: (hint?: number) => input.readlines(hint),
      [Symbol.asyncIterator]: () => input[Symbol.asyncIterator](),
    };
    environ['wsgi.input'] = { ...own, ...members(input) };
  });
}

/** A middleware with a startResponse of its own. */
function withStart(own: (start: StartResponse) => unknown): Middleware {
  return (app) => (environ, startResponse) => app(environ, own(startResponse) as StartResponse);
}

/** Fails after its head is out, and says so through startResponse. */
const failing: Application = async function* (_environ: Environ, startResponse: StartResponse) {
  startResponse('200 OK', PLAIN);
  startResponse('500 Oops', PLAIN, new Error('planted'));
  yield encode('x');
};

async function* forwarded(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) yield chunk;
}

function iterates(
  body: Chunks,
  next: (iterator: AsyncIterator<Uint8Array>) => Promise<IteratorResult<Uint8Array>>,
): Chunks {
  const iterator = body[Symbol.asyncIterator]();
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => next(iterator),
      return: async () => iterator.return?.() as Promise<IteratorResult<Uint8Array>>,
    }),
    close: () => body.close(),
  };
}

const repeated =
  (size: number): (() => Promise<Uint8Array>) =>
  async () =>
    new Uint8Array(size);

export const WRONG_MIDDLEWARES: MiddlewareFault[] = [
  {
    rule: 'L-22',
    name: 'calls with a third argument',
    app: small,
    middleware: (app) => (environ, start) => (app as (...all: unknown[]) => ApplicationBody)(environ, start, {}),
  },
  {
    rule: 'L-22',
    name: 'calls with environ alone',
    app: small,
    middleware: (app) => (environ) => (app as (...all: unknown[]) => ApplicationBody)(environ),
  },

  // The body inside.
  {
    rule: 'L-55',
    name: 'gathers the body before it returns',
    app: stream,
    middleware: (app) => async (environ, start) => {
      const body = (await app(environ, start)) as Chunks;
      const all: Uint8Array[] = [];
      for await (const chunk of body) all.push(chunk);
      body.close();
      return all;
    },
  },
  {
    rule: 'L-55',
    name: 'waits for the first chunk before it returns',
    app: stream,
    middleware: (app) => async (environ, start) => {
      const body = (await app(environ, start)) as Chunks;
      const iterator = body[Symbol.asyncIterator]();
      await iterator.next();
      return iterates(body, () => iterator.next());
    },
  },
  {
    rule: 'L-56',
    name: 'gives one chunk for two',
    app: stream,
    middleware: withBody((body) =>
      iterates(body, async (iterator) => {
        const first = await iterator.next();
        return first.done ? first : iterator.next();
      }),
    ),
  },
  {
    rule: 'L-56',
    name: 'swallows empty chunks',
    app: streaming('a', '', 'b'),
    middleware: withBody((body) =>
      iterates(body, async (iterator) => {
        let step = await iterator.next();
        while (!step.done && step.value.byteLength === 0) step = await iterator.next();
        return step;
      }),
    ),
  },
  {
    rule: 'L-53',
    name: 'iterates twice',
    app: stream,
    middleware: withBody((body) =>
      Object.assign(
        (async function* () {
          yield* forwarded(body);
          yield* forwarded(body);
        })(),
        { close: () => body.close() },
      ),
    ),
  },
  {
    rule: 'L-52',
    name: 'iterates after close',
    app: stream,
    middleware: withBody((body) => {
      body.close();
      return forwarded(body);
    }),
  },
  {
    rule: 'L-52',
    name: 'closes after the first chunk and goes on',
    app: stream,
    middleware: withBody((body) =>
      Object.assign(
        (async function* () {
          const iterator = body[Symbol.asyncIterator]();
          yield (await iterator.next()).value;
          await iterator.return?.();
          body.close();
          yield (await iterator.next()).value;
        })(),
        { close: () => {} },
      ),
    ),
  },
  { rule: 'L-64', name: 'loses close in a generator', app: stream, middleware: withBody(forwarded) },
  {
    rule: 'L-64',
    name: 'throws a body away unclosed',
    app: stream,
    middleware: (app) => (environ, start) => {
      app(environ, start);
      return [encode('other')];
    },
  },
  {
    rule: 'L-64',
    name: 'closes the iterator, not the body',
    app: stream,
    middleware: withBody((body) => {
      const iterator = body[Symbol.asyncIterator]();
      return { [Symbol.asyncIterator]: () => iterator, close: () => (iterator as { close?(): void }).close?.() };
    }),
  },
  {
    rule: 'BODY-09',
    name: 'asks for two chunks at once',
    app: stream,
    middleware: withBody((body) =>
      iterates(body, async (iterator) => (await Promise.all([iterator.next(), iterator.next()]))[0]),
    ),
  },
  {
    rule: 'CLOSE-02',
    name: 'closes twice',
    app: stream,
    middleware: withBody((body) =>
      Object.assign(forwarded(body), {
        close: () => {
          body.close();
          body.close();
        },
      }),
    ),
  },
  {
    rule: 'CLOSE-04',
    name: 'closes in the middle without return',
    app: stream,
    middleware: withBody((body) => {
      const iterator = body[Symbol.asyncIterator]();
      let given = 0;
      return {
        [Symbol.asyncIterator]: () => ({
          next: () => (given++ === 0 ? iterator.next() : Promise.resolve({ done: true, value: undefined })),
        }),
        close: () => body.close(),
      };
    }),
  },
  {
    rule: 'BODY-08',
    name: 'writes into a chunk of the body inside',
    app: stream,
    middleware: withBody((body) =>
      Object.assign(
        (async function* () {
          for await (const chunk of body) {
            yield chunk.slice();
            chunk.fill(0);
          }
        })(),
        { close: () => body.close() },
      ),
    ),
  },
  {
    rule: 'BODY-01',
    name: 'returns no body',
    app: small,
    middleware: (app) => (environ, start) => {
      app(environ, start);
      return undefined as unknown as ApplicationBody;
    },
  },
  {
    rule: 'STR-04',
    name: 'turns chunks into text',
    app: stream,
    middleware: withBody((body) =>
      Object.assign(
        (async function* () {
          for await (const chunk of body) yield new TextDecoder().decode(chunk);
        })(),
        { close: () => body.close() },
      ),
    ),
  },
  {
    rule: 'L-57',
    name: 'makes the body longer than its length',
    app: sized,
    middleware: withBody((body) =>
      Object.assign(
        (async function* () {
          yield* forwarded(body);
          yield encode('more');
        })(),
        { close: () => body.close() },
      ),
    ),
  },

  // startResponse and write.
  {
    rule: 'SR-01',
    name: 'an asynchronous startResponse',
    app: small,
    middleware: withStart(
      (start) =>
        async (...call: Parameters<StartResponse>) =>
          start(...call),
    ),
  },
  {
    rule: 'SR-01',
    name: 'a startResponse without write',
    app: small,
    middleware: withStart(
      (start) =>
        (...call: Parameters<StartResponse>) =>
          void start(...call),
    ),
  },
  {
    rule: 'SR-13',
    name: 'loses the error',
    app: failing,
    middleware: withStart((start) => (status: string, headers: HeaderList) => start(status, headers)),
  },
  {
    rule: 'SR-13',
    name: 'starts before the application does',
    app: small,
    middleware: (app) => (environ, start) => {
      start('200 OK', PLAIN);
      return app(environ, start);
    },
  },
  { rule: 'SR-15', name: 'keeps the head to itself', app: small, middleware: withStart(() => () => async () => {}) },
  {
    rule: 'SR-03',
    name: 'adds headers as an object',
    app: small,
    middleware: withStart((start) => (status: string, headers: HeaderList) => start(status, { ...headers } as never)),
  },
  {
    rule: 'SR-07',
    name: 'adds a coding of its own',
    app: small,
    middleware: withStart(
      (start) => (status: string, headers: HeaderList) => start(status, [...headers, ['Transfer-Encoding', 'gzip']]),
    ),
  },
  {
    rule: 'WRITE-01',
    name: 'a write that returns nothing',
    app: writing,
    middleware: withStart((start) => (...call: Parameters<StartResponse>) => {
      const write = start(...call);
      return (chunk: Uint8Array) => void write(chunk);
    }),
  },
  {
    rule: 'MW-03',
    name: 'writes what was yielded',
    app: stream,
    middleware: (app) => (environ, start) => {
      let write: Write = async () => {};
      const body = app(environ, (...call) => {
        write = start(...call);
        return write;
      }) as Chunks;
      write(encode('a'));
      body.close();
      return [];
    },
  },

  // environ.
  {
    rule: 'ENV-01',
    name: 'an environ over another',
    app: small,
    middleware: withEnviron((environ) => Object.create(environ)),
  },
  {
    rule: 'ENV-01',
    name: 'a class of environs',
    app: small,
    middleware: withEnviron((environ) => Object.assign(new (class Request {})(), environ)),
  },
  {
    rule: 'ENV-01',
    name: 'an accessor for a CGI variable',
    app: small,
    middleware: withEnviron(
      (environ) => void Object.defineProperty(environ, 'PATH_INFO', { get: () => '/', enumerable: true }),
    ),
  },
  {
    rule: 'ENV-01',
    name: 'a hidden key',
    app: small,
    middleware: withEnviron((environ) => void Object.defineProperty(environ, 'my.user', { value: 1, writable: true })),
  },
  {
    rule: 'L-18',
    name: 'a frozen environ',
    app: small,
    middleware: withEnviron((environ) => Object.freeze({ ...environ })),
  },
  {
    rule: 'L-18',
    name: 'a key that cannot be changed',
    app: small,
    middleware: withEnviron(
      (environ) => void Object.defineProperty(environ, 'PATH_INFO', { value: '/', enumerable: true, writable: false }),
    ),
  },
  { rule: 'L-15', name: 'a number among the variables', app: small, middleware: set('SERVER_PORT', 80) },
  { rule: 'L-15', name: 'an undefined variable', app: small, middleware: set('REMOTE_USER', undefined) },
  {
    rule: 'L-15',
    name: 'a symbol',
    app: small,
    middleware: withEnviron((environ) => ({ ...environ, [Symbol('user')]: 1 })),
  },
  { rule: 'L-16', name: 'a path as Unicode text', app: small, middleware: set('PATH_INFO', '/€') },
  { rule: 'L-01', name: 'a Content-Type under HTTP_', app: small, middleware: set('HTTP_CONTENT_TYPE', 'text/plain') },
  { rule: 'L-02', name: 'takes the query away', app: small, middleware: unset('QUERY_STRING') },
  { rule: 'L-04', name: 'a mount without slash', app: small, middleware: set('SCRIPT_NAME', 'api') },
  { rule: 'L-05', name: 'a path without slash', app: small, middleware: set('PATH_INFO', 'users') },
  { rule: 'L-06', name: 'a mount of a lone slash', app: small, middleware: set('SCRIPT_NAME', '/') },
  { rule: 'L-07', name: 'a mount that ends in a slash', app: small, middleware: set('SCRIPT_NAME', '/api/') },
  { rule: 'L-08', name: 'neither mount nor path', app: small, middleware: set('PATH_INFO', '') },
  { rule: 'L-09', name: 'a length with a unit', app: small, middleware: set('CONTENT_LENGTH', '10b') },
  { rule: 'L-10', name: 'a scheme with its colon', app: small, middleware: set('wsgi.url_scheme', 'https:') },
  { rule: 'L-14', name: 'a query with its fragment', app: small, middleware: set('QUERY_STRING', 'a=1#top') },
  { rule: 'L-20', name: 'a key of its own under wsgi.', app: small, middleware: set('wsgi.user', 'x') },
  { rule: 'ENV-19', name: 'a key in capitals', app: small, middleware: set('MyApp.User', 'x') },
  { rule: 'ENV-16', name: 'an empty user', app: small, middleware: set('REMOTE_USER', '') },
  { rule: 'ENV-27', name: 'a proxy', app: small, middleware: set('HTTP_PROXY', 'http://evil.test') },
  { rule: 'LOG-01', name: 'a console as log', app: small, middleware: set('wsgi.errors', console) },
  { rule: 'FILE-01', name: 'a file wrapper that is no function', app: small, middleware: set('wsgi.file_wrapper', {}) },

  // wsgi.input.
  { rule: 'INPUT-01', name: 'a web stream as input', app: small, middleware: set('wsgi.input', new ReadableStream()) },
  {
    rule: 'L-25',
    name: 'a synchronous read',
    app: reading((input) => input.read()),
    body: 'ab',
    middleware: withInput(() => ({ read: () => encode('ab') })),
  },
  {
    rule: 'L-25',
    name: 'a read of text',
    app: reading((input) => input.read()),
    body: 'ab',
    middleware: withInput(() => ({ read: async () => 'ab' })),
  },
  {
    rule: 'L-25',
    name: 'a read that gives more than was asked for',
    app: reading((input) => input.read(1)),
    body: 'ab',
    middleware: withInput(() => ({ read: repeated(2) })),
  },
  {
    rule: 'L-25',
    name: 'lines that are no array',
    app: reading((input) => input.readlines()),
    body: 'ab',
    middleware: withInput(() => ({ readlines: async () => 'ab' })),
  },
  {
    rule: 'L-26',
    name: 'chunks for lines',
    app: reading((input) => input.readline()),
    body: 'a\nb',
    middleware: withInput((input) => ({ readline: () => input.read() })),
  },
  {
    rule: 'L-26',
    name: 'lines without their ends',
    app: reading((input) => input.readlines()),
    body: 'a\nb',
    middleware: withInput(() => ({ readlines: async () => [encode('a'), encode('b')] })),
  },
  {
    rule: 'L-26',
    name: 'an iteration by chunks',
    app: reading(async (input) => {
      for await (const _line of input);
    }),
    body: 'a\nb',
    middleware: withInput(() => ({ [Symbol.asyncIterator]: () => bodyOf([encode('a\nb')])[Symbol.asyncIterator]() })),
  },
  {
    rule: 'INPUT-02',
    name: 'more input than was declared',
    app: reading((input) => input.read()),
    body: 'ab',
    middleware: withInput(() => ({ read: repeated(3) })),
  },
  {
    rule: 'INPUT-04',
    name: 'input after its end',
    app: reading(async (input) => {
      await input.read();
      await input.read(1);
    }),
    body: 'ab',
    middleware: withInput(() => ({ read: async (size = 2) => new Uint8Array(size) })),
  },
  {
    rule: 'INPUT-12',
    name: 'uses the input up',
    app: reading((input) => input.read()),
    body: 'ab',
    middleware: (app) => async (environ, start) => {
      await environ['wsgi.input'].read();
      return app(environ, start);
    },
  },
];
