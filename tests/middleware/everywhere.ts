// Applications of every kind, and every platform to run them on: what a middleware passes through must arrive as without it.

import {
  type Application,
  type ApplicationBody,
  encode,
  type FileLike,
  FileWrapper,
  type GatewayOptions,
  type Middleware,
} from 'waygate';
import { fromLambda, type SourceName, toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { toWorker } from 'waygate/cloudflare-workers';
import { toFetch } from 'waygate/fetch';
import { validator } from 'waygate/middleware';
import { serve } from 'waygate/node';

export type Call = (path: string, init?: RequestInit) => Promise<Response>;

const HEAD: [string, string][] = [['Content-Type', 'text/plain; charset=utf-8']];

/** What an application of each kind has to say. */
export const TEXT = 'apples\npears\n';

const CHUNKS = ['apples\n', '', 'pears\n'];

/** Counts the closings of one body. */
export interface Closes {
  made: number;
  closed: number;
}

function closable(body: ApplicationBody, closes: Closes): ApplicationBody {
  closes.made++;
  const own = Object.getOwnPropertyDescriptor(body, 'close')?.value as (() => unknown) | undefined;
  Object.defineProperty(body, 'close', {
    configurable: true,
    value: () => {
      closes.closed++;
      return own?.();
    },
  });
  return body;
}

/** Applications of every kind there is, by name; those with a `close` count in `closes`. */
export const APPS: Record<string, (closes: Closes) => Application> = {
  array: () => (_environ, startResponse) => {
    startResponse('200 OK', HEAD);
    return CHUNKS.map(encode);
  },
  'array with close': (closes) => (_environ, startResponse) => {
    startResponse('200 OK', HEAD);
    return closable(CHUNKS.map(encode), closes);
  },
  'declared length': () => (_environ, startResponse) => {
    startResponse('200 OK', [...HEAD, ['Content-Length', String(TEXT.length)]]);
    return CHUNKS.map(encode);
  },
  generator: (closes) => (_environ, startResponse) => {
    startResponse('200 OK', HEAD);
    return closable(
      (function* () {
        for (const chunk of CHUNKS) yield encode(chunk);
      })(),
      closes,
    );
  },
  'generator function': () =>
    function* (_environ, startResponse) {
      startResponse('200 OK', HEAD);
      for (const chunk of CHUNKS) yield encode(chunk);
    },
  'async generator': (closes) => (_environ, startResponse) => {
    startResponse('200 OK', HEAD);
    return closable(
      (async function* () {
        for (const chunk of CHUNKS) yield encode(chunk);
      })(),
      closes,
    );
  },
  'async function': () => async (_environ, startResponse) => {
    await null;
    startResponse('200 OK', HEAD);
    return CHUNKS.map(encode);
  },
  write: () => (_environ, startResponse) => {
    const write = startResponse('200 OK', HEAD);
    write(encode(CHUNKS[0] as string));
    return [encode(CHUNKS[2] as string)];
  },
  'write, async': () => async (_environ, startResponse) => {
    const write = startResponse('200 OK', HEAD);
    await write(encode(CHUNKS[0] as string));
    return [encode(CHUNKS[2] as string)];
  },
  stream: () => (_environ, startResponse) => {
    startResponse('200 OK', HEAD);
    return new Blob([TEXT]).stream() as ApplicationBody;
  },
  file: (closes) => (environ, startResponse) => {
    startResponse('200 OK', HEAD);
    let rest = encode(TEXT);
    closes.made++;
    const file = {
      read(size: number) {
        const block = rest.subarray(0, Math.min(size, 8));
        rest = rest.subarray(block.byteLength);
        return block;
      },
      remaining: () => rest.byteLength,
      close: () => {
        closes.closed++;
      },
    };
    const wrap = environ['wsgi.file_wrapper'] ?? ((each: FileLike) => new FileWrapper(each));
    return wrap(file);
  },
  'replaced head': () => (_environ, startResponse) => {
    startResponse('404 Not Found', [['X-Old', 'yes']]);
    startResponse('200 OK', HEAD, new Error('replaced'));
    return CHUNKS.map(encode);
  },
  'no content': () => (_environ, startResponse) => {
    startResponse('204 No Content', []);
    return [];
  },
};

export const SOURCES: SourceName[] = ['rest-api', 'http-api', 'function-url', 'alb', 'lattice', 'lattice-v1', 'edge'];

/** An application on every platform of this process, by name. */
export async function everywhere(app: Application, options: GatewayOptions = {}): Promise<[string, Call][]> {
  const served = await serve(app, { ...options, port: 0, signals: false });
  closing.push(served.close);
  const worker = toWorker(app, options);
  const context = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} };
  const at = (call: (input: string, init?: RequestInit) => Promise<Response>): Call => {
    return (path, init) => call(`http://localhost${path}`, init);
  };
  return [
    ['node', (path, init) => fetch(new URL(path, served.url), init)],
    ['fetch', at(toFetch(app, options))],
    ['workers', at(async (url, init) => worker.fetch(new Request(url, init), {}, context))],
    ...SOURCES.map((source): [string, Call] => [source, at(toFetch(fromLambda(toLambda(app, options), { source })))]),
    ['rest-api, streamed', at(toFetch(fromLambda(toLambdaStream(app, options), { source: 'rest-api' })))],
    ['function-url, streamed', at(toFetch(fromLambda(toLambdaStream(app, options), { source: 'function-url' })))],
  ];
}

const closing: (() => Promise<void>)[] = [];

/** Ends all servers; for `afterEach`. */
export async function closeAll(): Promise<void> {
  await Promise.all(closing.splice(0).map((close) => close()));
}

/** `validator(middleware(validator(app)))`. */
export function checked(middleware: Middleware, app: Application): Application {
  return validator(middleware(validator(app)));
}
