// Our gateway beside CPython's own: the same applications under core/exchange.ts and under wsgiref.handlers.BaseHandler, which
// runs in Pyodide. Status, headers, body, the calls of close() and what is an error are the same.

import { readFileSync } from 'node:fs';
import { loadPyodide } from 'pyodide';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Application, type ApplicationBody, encode, type HeaderList, run, setupTestingDefaults } from 'waygate';

type Serve = (application: unknown, method: string) => { toJs?: unknown } & [Uint8Array, string];

/** How often `close()` was called in the request at hand. */
let closed = 0;

const PLAIN: HeaderList = [['Content-Type', 'text/plain']];

function closing(chunks: Iterable<Uint8Array>): ApplicationBody {
  return {
    [Symbol.iterator]: () => chunks[Symbol.iterator](),
    close: () => {
      closed++;
    },
  };
}

const APPLICATIONS: Record<string, Application> = {
  'a list of one chunk': (_environ, startResponse) => {
    startResponse('200 OK', PLAIN);
    return [encode('hello')];
  },
  'a list of several, with empty ones': (_environ, startResponse) => {
    startResponse('200 OK', PLAIN);
    return [encode('a'), encode(''), encode('b')];
  },
  'no chunk at all': (_environ, startResponse) => {
    startResponse('404 Not Found', PLAIN);
    return [];
  },
  'a generator that starts the response late': function* (_environ, startResponse) {
    startResponse('201 Created', [
      ['X-A', '1'],
      ['X-A', '2'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ]);
    yield encode('late');
  },
  'a body with close': (_environ, startResponse) => {
    startResponse('200 OK', PLAIN);
    return closing([encode('a'), encode('b')]);
  },
  'a declared length': (_environ, startResponse) => {
    startResponse('200 OK', [...PLAIN, ['Content-Length', '3']]);
    return closing([encode('abc')]);
  },
  'write, then a body': (_environ, startResponse) => {
    const write = startResponse('200 OK', PLAIN);
    write(encode('written, '));
    return [encode('returned')];
  },
  'a head replaced by an error handler': (_environ, startResponse) => {
    startResponse('200 OK', PLAIN);
    startResponse('503 Service Unavailable', [['X-Replaced', 'yes']], new Error('replaced'));
    return [encode('sorry')];
  },
  'bytes beyond ASCII in a header': (_environ, startResponse) => {
    startResponse('200 OK', [['X-Latin', 'caf\xe9']]);
    return [Uint8Array.of(0, 255, 128)];
  },
};

/** What both gateways refuse or report, before anything went out: a 500, and the reason in wsgi.errors. */
const FAULTS: Record<string, Application> = {
  'a throw before startResponse': () => {
    throw new Error('broken');
  },
  'no startResponse': () => [encode('no head')],
  'a second startResponse': (_environ, startResponse) => {
    startResponse('200 OK', PLAIN);
    startResponse('200 OK', PLAIN);
    return [];
  },
  'a generator that fails first': function* (_environ, startResponse) {
    startResponse('200 OK', PLAIN);
    yield* [] as Uint8Array[];
    throw new Error('failed');
  },
  'a body with close that fails first': (_environ, startResponse) => {
    startResponse('200 OK', PLAIN);
    return closing(
      (function* (): Generator<Uint8Array> {
        yield* [];
        throw new Error('failed');
      })(),
    );
  },
};

interface Outcome {
  status: string;
  headers: string[];
  body: string;
  closed: number;
}

/** Both add a length where they know it, Python to one chunk and Waygate to a list: it is no part of the comparison. */
const shown = (headers: HeaderList): string[] =>
  headers.map(([name, value]) => `${name}: ${value}`).filter((line) => !/^content-length:/i.test(line));

async function underWaygate(app: Application, method: string): Promise<Outcome & { log: string }> {
  closed = 0;
  const lines: string[] = [];
  const errors = { write: (text: string) => void lines.push(text), writelines() {}, flush() {} };
  const response = await run(app, setupTestingDefaults({ REQUEST_METHOD: method, 'wsgi.errors': errors }));
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString('latin1');
  return { status: response.status, headers: shown(response.headers), body, closed, log: lines.join('') };
}

let serve: Serve;
beforeAll(async () => {
  const python = await loadPyodide();
  python.runPython(readFileSync(new URL('python/base_handler.py', import.meta.url), 'utf8'));
  serve = python.globals.get('serve') as Serve;
});

function underPython(app: Application, method: string): Outcome & { log: string } {
  closed = 0;
  const application = (cgi: string, start: (status: string, headers: HeaderList, error?: unknown) => unknown) => {
    const environ = setupTestingDefaults(JSON.parse(cgi));
    const body = app(environ, (status, headers, error) => {
      const write = start(status, headers as HeaderList, error) as (chunk: Uint8Array) => void;
      return async (chunk) => write(chunk);
    }) as Iterable<Uint8Array> & ApplicationBody;
    const iterator = body[Symbol.iterator]();
    return {
      next: () => iterator.next().value ?? undefined,
      close: () => body.close?.(),
    };
  };
  const [output, log] = serve(application, method);
  const text = Buffer.from(output).toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const pairs = text
    .slice(0, end)
    .split('\r\n')
    .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]);
  const status = pairs[0]?.[1] as string;
  return { status, headers: shown(pairs.slice(1)), body: text.slice(end + 4), closed, log };
}

describe.each(Object.entries(APPLICATIONS))('%s', (_name, app) => {
  test('goes out as under BaseHandler', async () => {
    const { log, ...ours } = await underWaygate(app, 'GET');
    const { log: theirLog, ...theirs } = underPython(app, 'GET');
    expect(ours).toEqual(theirs);
    expect([log, theirLog]).toEqual(['', '']);
  });
});

describe.each(Object.entries(FAULTS))('%s', (_name, app) => {
  test('is a 500 and a report, as under BaseHandler', async () => {
    const ours = await underWaygate(app, 'GET');
    const theirs = underPython(app, 'GET');
    expect([ours.status.slice(0, 3), ours.closed]).toEqual([theirs.status.slice(0, 3), theirs.closed]);
    expect(ours.status).toMatch(/^500 /);
    expect(ours.log).not.toBe('');
    expect(theirs.log).not.toBe('');
  });
});
