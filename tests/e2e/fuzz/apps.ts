// Applications that fail in every way an application can, by the path that asks for them, and what a client may see.

import { type Application, type Environ, encode } from 'waygate';
import { calls, counted, hostile, OK, type Outcome, PART, pause, plan } from './bodies.ts';

type Node = { destroy(error?: Error): void; socket: { destroy(): void } | null };
const node = (environ: Environ, key: 'request' | 'response'): Node => environ[`node.${key}`] as unknown as Node;

export const FAILING: Record<string, [Outcome, Application]> = {
  throws: [
    500,
    () => {
      throw plan();
    },
  ],
  rejects: [500, () => Promise.reject(plan())],
  'rejects-nothing': [500, () => Promise.reject(undefined)],
  'throws-hostile': [
    500,
    () => {
      throw hostile;
    },
  ],
  'rejects-hostile': [500, () => Promise.reject(hostile)],
  'throws-after-start': [
    500,
    (_environ, startResponse) => {
      startResponse(OK, []);
      throw plan();
    },
  ],
  'fails-in-the-body': [
    'cut',
    (_environ, startResponse) => {
      startResponse(OK, []);
      return counted(async function* () {
        yield PART;
        throw plan();
      });
    },
  ],
  'fails-at-once-in-the-body': [
    500,
    (_environ, startResponse) => {
      startResponse(OK, []);
      // biome-ignore lint/correctness/useYield: a body that fails before its first chunk
      return counted(async function* () {
        throw plan();
      });
    },
  ],
  'fails-later': [
    'cut',
    (_environ, startResponse) => {
      startResponse(OK, []);
      return counted(async function* () {
        yield PART;
        await pause(5);
        throw hostile;
      });
    },
  ],
  'fails-in-a-generator': [
    'cut',
    (_environ, startResponse) => {
      startResponse(OK, []);
      return (function* () {
        yield PART;
        throw plan();
      })();
    },
  ],
  'writes-then-throws': [
    'cut',
    async (_environ, startResponse) => {
      await startResponse(OK, [])(PART);
      throw plan();
    },
  ],
  'writes-then-throws-at-once': [
    'any',
    (_environ, startResponse) => {
      startResponse(OK, [])(PART).catch(() => {});
      throw plan();
    },
  ],
  'writes-in-vain': [
    'any',
    (_environ, startResponse) => {
      // Nobody waits for it: it must not become an unhandled rejection either.
      startResponse(OK, [['Content-Length', '3']])(PART);
      return [PART];
    },
  ],
  short: [
    'cut',
    (_environ, startResponse) => {
      startResponse(OK, [['Content-Length', '100']]);
      return [PART];
    },
  ],
  'short-stream': [
    'cut',
    (_environ, startResponse) => {
      startResponse(OK, [['Content-Length', '100']]);
      return counted(async function* () {
        yield PART;
      });
    },
  ],
  long: [
    200,
    (_environ, startResponse) => {
      startResponse(OK, [['Content-Length', '3']]);
      return counted(async function* () {
        yield PART;
        yield PART;
      });
    },
  ],
  'bad-header-name': [500, (_environ, startResponse) => [startResponse(OK, [['a b', '1']]) && PART]],
  'bad-header-value': [500, (_environ, startResponse) => [startResponse(OK, [['a', '1\r\nb: 2']]) && PART]],
  'bad-header-list': [500, (_environ, startResponse) => [startResponse(OK, [hostile] as never) && PART]],
  'bad-length': [500, (_environ, startResponse) => [startResponse(OK, [['Content-Length', '-1']]) && PART]],
  'bad-status': [500, (_environ, startResponse) => [startResponse('99 Low', []) && PART]],
  'bad-reason': [500, (_environ, startResponse) => [startResponse('200 O\nK', []) && PART]],
  'bad-start': [500, (_environ, startResponse) => [startResponse(hostile as never, hostile as never) && PART]],
  'a-text-as-chunk': [500, (_environ, startResponse) => [startResponse(OK, []) && ('text' as never)]],
  'a-text-as-second-chunk': [
    'cut',
    (_environ, startResponse) => {
      startResponse(OK, []);
      return counted(async function* () {
        yield PART;
        yield 'text' as never;
      });
    },
  ],
  'a-number-as-body': [500, (_environ, startResponse) => startResponse(OK, []) && (5 as never)],
  'a-text-as-body': [500, (_environ, startResponse) => startResponse(OK, []) && ('text' as never)],
  'a-hostile-body': [500, (_environ, startResponse) => startResponse(OK, []) && (hostile as never)],
  'no-body': [500, (_environ, startResponse) => startResponse(OK, []) && (undefined as never)],
  'no-start': [500, () => [PART]],
  'starts-twice': [
    500,
    (_environ, startResponse) => {
      startResponse(OK, []);
      startResponse(OK, []);
      return [PART];
    },
  ],
  'starts-again-too-late': [
    'cut',
    (_environ, startResponse) => {
      startResponse(OK, []);
      return counted(async function* () {
        yield PART;
        startResponse('500 Late', [], plan());
      });
    },
  ],
  'an-iterator-without-next': [
    500,
    (_environ, startResponse) => startResponse(OK, []) && ({ [Symbol.iterator]: () => ({}) } as never),
  ],
  'an-iterator-of-nonsense': [
    500,
    (_environ, startResponse) =>
      startResponse(OK, []) && ({ [Symbol.asyncIterator]: () => ({ next: async () => 7 }) } as never),
  ],
  'close-throws': [
    200,
    (_environ, startResponse) => {
      startResponse(OK, []);
      return counted(
        async function* () {
          yield PART;
        },
        () => {
          throw plan();
        },
      );
    },
  ],
  'close-rejects': [
    200,
    (_environ, startResponse) => {
      startResponse(OK, []);
      return counted(
        async function* () {
          yield PART;
        },
        () => Promise.reject(hostile),
      );
    },
  ],
  'reads-then-throws': [
    500,
    async (environ) => {
      await environ['wsgi.input'].bytes();
      throw plan();
    },
  ],
  'throws-and-reads-on': [
    500,
    (environ) => {
      environ['wsgi.input'].read().catch(() => {});
      throw plan();
    },
  ],
  upload: [
    200,
    async (environ, startResponse) => {
      const input = environ['wsgi.input'];
      let total = 0;
      for (let part = await input.read(4096); part.byteLength > 0; part = await input.read(4096)) {
        total += part.byteLength;
      }
      startResponse(OK, []);
      return [encode(String(total))];
    },
  ],
  'upload-by-lines': [
    200,
    async (environ, startResponse) => {
      let lines = 0;
      for await (const line of environ['wsgi.input']) lines += line.byteLength > 0 ? 1 : 0;
      startResponse(OK, []);
      return [encode(String(lines))];
    },
  ],
  'answers-before-the-upload': [
    200,
    (_environ, startResponse) => {
      startResponse(OK, []);
      return counted(async function* () {
        yield PART;
        await pause(2);
        yield PART;
      });
    },
  ],
  'hints-then-throws': [
    500,
    (environ) => {
      (environ['waygate.early_hints'] as ((list: unknown) => void) | undefined)?.([['link', '</a>; rel=preload']]);
      throw plan();
    },
  ],
  'bad-hints': [
    500,
    (environ, startResponse) => {
      // Absent under HTTP/1.0: that fails as well.
      (environ['waygate.early_hints'] as (list: unknown) => void)([['link', 'not a link\0']]);
      startResponse(OK, []);
      return [PART];
    },
  ],
  'work-rejects': [
    200,
    (environ, startResponse) => {
      environ['waygate.wait_until'](Promise.reject(plan()));
      environ['waygate.wait_until'](hostile as never);
      startResponse(OK, []);
      return [PART];
    },
  ],
  'destroys-the-response': ['any', (environ) => node(environ, 'response').destroy(plan()) as never],
  'destroys-the-request': [
    'any',
    (environ, startResponse) => {
      node(environ, 'request').destroy();
      startResponse(OK, []);
      return [PART];
    },
  ],
  'destroys-the-socket': [
    'any',
    async (environ, startResponse) => {
      startResponse(OK, []);
      node(environ, 'request').socket?.destroy();
      await pause(1);
      return [PART];
    },
  ],
  'no-content-with-a-body': [
    204,
    (_environ, startResponse) => {
      startResponse('204 No Content', []);
      return counted(async function* () {
        yield PART;
        throw plan();
      });
    },
  ],
  'no-content-written': [
    'any',
    async (_environ, startResponse) => {
      await startResponse('204 No Content', [])(PART);
      throw plan();
    },
  ],
  'not-modified-written': [
    'any',
    async (_environ, startResponse) => {
      await startResponse('304 Not Modified', [])(PART);
      throw plan();
    },
  ],
  large: [
    200,
    (_environ, startResponse) => {
      startResponse(OK, []);
      return counted(async function* () {
        for (let left = 20; left > 0; left--) yield new Uint8Array(16_384);
      });
    },
  ],
  'large-then-fails': [
    'cut',
    (_environ, startResponse) => {
      startResponse(OK, [['Content-Length', '400000']]);
      return counted(async function* () {
        for (let left = 20; left > 0; left--) yield new Uint8Array(16_384);
        throw plan();
      });
    },
  ],
};

/** Ends only when its client has gone. */
export const ENDLESS = 'endless';

/** Answers by the path: `/NAME` fails as NAME says, all else is a small page. */
export const app: Application = (environ, startResponse) => {
  const name = environ.PATH_INFO.slice(1);
  calls(name);
  const failing = Object.hasOwn(FAILING, name) ? FAILING[name]?.[1] : undefined;
  if (failing !== undefined) return failing(environ, startResponse);
  startResponse(OK, [['Content-Type', 'text/plain']]);
  if (name !== ENDLESS) return [PART];
  return counted(async function* () {
    const signal = environ['waygate.signal'];
    yield PART;
    await new Promise((resolve) => {
      if (signal.aborted) resolve(undefined);
      else signal.addEventListener('abort', resolve);
    });
  });
};
