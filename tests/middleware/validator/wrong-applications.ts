// Applications that break one rule each.

import { type Application, type Environ, encode, type HeaderList, type StartResponse } from 'waygate';
import { bodyOf, type Fault, PLAIN } from './lax-gateway.ts';

/** An input as untyped code sees it. */
type Loose = Record<string, (...call: unknown[]) => unknown>;
type Start = (...call: unknown[]) => (...chunks: unknown[]) => Promise<void>;

/** An application that is right but for what `wrong` does with startResponse and environ before it. */
function before(wrong: (start: Start, environ: Environ) => unknown): Application {
  return async (environ, startResponse) => {
    await wrong(startResponse as Start, environ);
    startResponse('200 OK', PLAIN);
    return [encode('x')];
  };
}

/** An application whose whole call to startResponse is `wrong`. */
function starts(...call: unknown[]): Application {
  return (_environ, startResponse) => {
    (startResponse as Start)(...call);
    return [encode('x')];
  };
}

/** An application that returns `body` after a right head. */
function returns(body: unknown, status = '200 OK', headers: HeaderList = PLAIN): Application {
  return (_environ, startResponse) => {
    startResponse(status, headers);
    return body as Uint8Array[];
  };
}

function reads(wrong: (input: Loose) => unknown): Application {
  return before((_start, environ) => wrong(environ['wsgi.input'] as unknown as Loose));
}

const withHeader = (name: unknown, value: unknown): Application => starts('200 OK', [...PLAIN, [name, value]]);

/** Goes on after startResponse has thrown its error back. */
async function* stubborn(start: StartResponse): AsyncGenerator<Uint8Array> {
  start('200 OK', PLAIN);
  yield encode('a');
  try {
    start('500 Oops', PLAIN, new Error('too late'));
  } catch {}
  yield encode('b');
}

export const WRONG_APPLICATIONS: Fault[] = [
  { rule: 'CALL-02', name: 'write without a chunk', app: before((start) => start('200 OK', PLAIN)()) },
  {
    rule: 'CALL-02',
    name: 'write with two chunks',
    app: before((start) => start('200 OK', PLAIN)(encode('a'), encode('b'))),
  },
  { rule: 'STR-04', name: 'a string as chunk', app: returns(['text']) },
  { rule: 'STR-04', name: 'a promise as chunk', app: returns([Promise.resolve(encode('x'))]) },
  { rule: 'STR-04', name: 'a promise from a sync iterable', app: returns(new Set([Promise.resolve(encode('x'))])) },
  { rule: 'STR-04', name: 'an ArrayBuffer as chunk', app: returns([new ArrayBuffer(3)]) },
  { rule: 'STR-04', name: 'a number from an iterable', app: returns(new Set([1])) },
  { rule: 'STR-04', name: 'a hole in an array', app: returns(new Array(1)) },
  { rule: 'STR-04', name: 'write of a string', app: before((start) => start('200 OK', PLAIN)('text')) },
  { rule: 'INPUT-03', name: 'read of a string', app: reads((input) => input.read?.('5' as never)), body: 'abc' },
  { rule: 'INPUT-03', name: 'readline of a fraction', app: reads((input) => input.readline?.(1.5)), body: 'abc' },
  { rule: 'L-23', name: 'read with two arguments', app: reads((input) => input.read?.(1, 2 as never)), body: 'abc' },
  {
    rule: 'L-24',
    name: 'readline with two arguments',
    app: reads((input) => input.readline?.(1, 2 as never)),
    body: 'abc',
  },
  {
    rule: 'L-24',
    name: 'readlines with two arguments',
    app: reads((input) => input.readlines?.(1, 2 as never)),
    body: 'abc',
  },
  { rule: 'INPUT-07', name: 'closes the input', app: reads((input) => input.close?.()), body: 'abc' },
  { rule: 'L-27', name: 'seeks in the input', app: reads((input) => input.seek?.(0)), body: 'abc' },
  { rule: 'L-27', name: 'takes the input for a web stream', app: reads((input) => input.getReader?.()), body: 'abc' },
  {
    rule: 'L-27',
    name: 'takes the input for a Node stream',
    app: reads((input) => input.on?.('data', () => {})),
    body: 'abc',
  },
  {
    rule: 'INPUT-11',
    name: 'reads twice at once',
    app: reads((input) => Promise.all([input.read?.(1), input.read?.(1)])),
    body: 'abc',
  },
  {
    rule: 'LOG-05',
    name: 'closes the log',
    app: before((_start, environ) => (environ['wsgi.errors'] as unknown as { close(): void }).close()),
  },
  {
    rule: 'LOG-05',
    name: 'takes the log for a console',
    app: before((_start, environ) => (environ['wsgi.errors'] as unknown as Console).warn('x')),
  },
  {
    rule: 'L-28',
    name: 'logs an error object',
    app: before((_start, environ) => environ['wsgi.errors'].write(new Error('x') as never)),
  },
  {
    rule: 'L-28',
    name: 'logs lines of bytes',
    app: before((_start, environ) => environ['wsgi.errors'].writelines([encode('x') as never])),
  },
  { rule: 'SR-02', name: 'a number as status', app: starts(200, PLAIN) },
  { rule: 'SR-02', name: 'a code without reason and space', app: starts('200', PLAIN) },
  { rule: 'SR-02', name: 'an informational status', app: starts('103 Early Hints', PLAIN) },
  { rule: 'SR-02', name: 'a line end in the status', app: starts('200 OK\r\nX: 1', PLAIN) },
  { rule: 'SR-02', name: 'a reason beyond Latin-1', app: starts('200 €', PLAIN) },
  { rule: 'L-31', name: 'no headers', app: starts('200 OK') },
  { rule: 'L-31', name: 'four arguments', app: starts('200 OK', PLAIN, undefined, 1) },
  { rule: 'SR-03', name: 'an object of headers', app: starts('200 OK', { 'Content-Type': 'text/plain' }) },
  { rule: 'SR-03', name: 'a Headers of Fetch', app: starts('200 OK', new Headers(PLAIN)) },
  { rule: 'SR-03', name: 'a flat list', app: starts('200 OK', ['Content-Type', 'text/plain']) },
  { rule: 'SR-03', name: 'a pair of three', app: starts('200 OK', [['A', 'b', 'c']]) },
  { rule: 'SR-03', name: 'a number as value', app: withHeader('X-Count', 5) },
  { rule: 'SR-03', name: 'no value', app: withHeader('X-Count', undefined) },
  { rule: 'SR-05', name: 'a colon in a name', app: withHeader('X:', '1') },
  { rule: 'SR-05', name: 'an empty name', app: withHeader('', '1') },
  { rule: 'SR-06', name: 'a line end in a value', app: withHeader('X-A', '1\r\nX-B: 2') },
  { rule: 'SR-06', name: 'a value beyond Latin-1', app: withHeader('X-A', '€') },
  { rule: 'SR-07', name: 'a chunked coding', app: withHeader('transfer-encoding', 'chunked') },
  { rule: 'SR-07', name: 'a Connection header', app: withHeader('Connection', 'close') },
  { rule: 'L-34', name: 'a Status header', app: withHeader('Status', '200 OK') },
  { rule: 'L-35', name: 'a name that starts with a digit', app: withHeader('1X', 'a') },
  { rule: 'L-36', name: 'a name that ends in a dash', app: withHeader('X-', 'a') },
  { rule: 'L-38', name: 'a tab in a value', app: withHeader('X-A', 'a\tb') },
  { rule: 'L-42', name: 'content without a type', app: starts('200 OK', []) },
  { rule: 'L-43', name: 'a type without content', app: returns([], '204 No Content') },
  { rule: 'L-44', name: 'a 204 with a length', app: returns([], '204 No Content', [['Content-Length', '0']]) },
  { rule: 'L-45', name: 'a text as error', app: starts('500 Oops', PLAIN, 'it failed') },
  { rule: 'L-47', name: 'an unquoted ETag', app: withHeader('ETag', 'abc') },
  { rule: 'L-47', name: 'a lower-case weak ETag', app: withHeader('ETag', 'w/"abc"') },
  { rule: 'L-48', name: 'a length in words', app: withHeader('Content-Length', 'one') },
  {
    rule: 'L-48',
    name: 'two lengths',
    app: starts('200 OK', [...PLAIN, ['Content-Length', '1'], ['content-length', '2']]),
  },
  { rule: 'SR-12', name: 'goes on after the error came back', app: (_environ, start) => stubborn(start) },
  { rule: 'SR-13', name: 'starts twice', app: before((start) => start('404 Not Found', PLAIN)) },
  {
    rule: 'SR-13',
    name: 'goes on after a refusal',
    app: (_environ, start) => {
      try {
        start('bad', PLAIN);
      } catch {}
      return [encode('x')];
    },
  },
  {
    rule: 'L-51',
    name: 'an empty chunk before the head',
    app: async function* (_environ: Environ, start: StartResponse) {
      yield encode('');
      start('200 OK', PLAIN);
      yield encode('x');
    },
  },
  { rule: 'SR-15', name: 'never starts, with data', app: () => [encode('x')] },
  { rule: 'SR-15', name: 'never starts, without data', app: () => [] },
  { rule: 'SR-15', name: 'never starts a stream', app: () => bodyOf([encode('x')]) },
  { rule: 'SR-15', name: 'never starts an empty stream', app: () => bodyOf([]) },
  {
    rule: 'SR-16',
    name: 'starts once more when all is over',
    app: (_environ, start) => {
      start('200 OK', PLAIN);
      return Object.assign(bodyOf([encode('x')]), { close: () => void start('200 OK', PLAIN) });
    },
  },
  {
    rule: 'SR-16',
    name: 'writes when all is over',
    app: (_environ, start) => {
      const write = start('200 OK', PLAIN);
      return Object.assign(bodyOf([encode('x')]), { close: () => void write(encode('y')) });
    },
  },
  {
    rule: 'L-57',
    name: 'an array too short',
    app: returns([encode('abc')], '200 OK', [...PLAIN, ['Content-Length', '4']]),
  },
  {
    rule: 'L-57',
    name: 'an array too long',
    app: returns([encode('abc')], '200 OK', [...PLAIN, ['Content-Length', '2']]),
  },
  {
    rule: 'L-57',
    name: 'a stream too short',
    app: returns(bodyOf([encode('abc')]), '200 OK', [...PLAIN, ['Content-Length', '4']]),
  },
  {
    rule: 'L-57',
    name: 'a stream too long',
    app: returns(bodyOf([encode('a'), encode('bc')]), '200 OK', [...PLAIN, ['Content-Length', '2']]),
  },
  { rule: 'BODY-01', name: 'returns nothing', app: returns(undefined) },
  { rule: 'BODY-01', name: 'returns null', app: returns(null) },
  { rule: 'BODY-01', name: 'returns text', app: returns('text') },
  { rule: 'BODY-01', name: 'returns bare bytes', app: returns(encode('x')) },
  { rule: 'BODY-01', name: 'returns a Response', app: returns(new Response('x')) },
  {
    rule: 'BODY-08',
    name: 'changes a chunk that it has given away',
    app: async function* (_environ: Environ, start: StartResponse) {
      start('200 OK', PLAIN);
      const chunk = encode('abc');
      setTimeout(() => chunk.fill(0));
      yield chunk;
      await null;
      yield encode('x');
    },
  },
  { rule: 'L-58', name: 'content for HEAD', app: returns(bodyOf([encode('x')])), method: 'HEAD' },
  { rule: 'L-59', name: 'content for 304', app: returns([encode('x')], '304 Not Modified', []) },
  { rule: 'L-59', name: 'content for 204', app: returns(bodyOf([encode('x')]), '204 No Content', []) },
  {
    rule: 'WRITE-02',
    name: 'writes',
    app: (_environ, start) => {
      start('200 OK', PLAIN)(encode('x'));
      return [];
    },
  },
  {
    rule: 'WRITE-03',
    name: 'writes from inside its body',
    app: (_environ, start) => {
      const write = start('200 OK', PLAIN);
      return (async function* () {
        await write(encode('a'));
        yield encode('b');
      })();
    },
  },
  {
    rule: 'L-65',
    name: 'bad early hints',
    app: before((_start, environ) => environ['waygate.early_hints']?.([['Link:', '</a.css>']])),
  },
  {
    rule: 'FILE-03',
    name: 'wraps what is no file',
    app: (environ, start) => {
      start('200 OK', PLAIN);
      return environ['wsgi.file_wrapper']?.({} as never) ?? [];
    },
  },
];
