// Bodies of every kind behind a bridge to another kind of middleware: between two validators it has to be silent. (MW-01)

import { expect } from 'vitest';
import { type Application, type ApplicationBody, encode, type Middleware } from 'waygate';
import { validator } from 'waygate/middleware';
import type { AppWay } from './connect-ways.ts';

type Make = (close: () => void) => ApplicationBody | Promise<ApplicationBody>;

const CHUNKS = [encode('some '), encode('more '), encode('hello')];

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const BODIES: Record<string, Make> = {
  array: () => [...CHUNKS],
  'array with close': (close) => Object.assign([...CHUNKS], { close }),
  generator: (close) =>
    (function* () {
      try {
        yield* CHUNKS;
      } finally {
        close();
      }
    })(),
  'async generator with close': (close) =>
    Object.assign(
      (async function* () {
        for (const chunk of CHUNKS) {
          await later();
          yield chunk;
        }
      })(),
      { close },
    ),
  'promise of a generator with an asynchronous close': async (close) => {
    await later();
    const body = (function* () {
      yield* CHUNKS;
    })();
    return Object.assign(body, { close: () => later().then(close) });
  },
  stream: (close) =>
    new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          for (const chunk of CHUNKS) controller.enqueue(chunk);
          controller.close();
          close();
        },
      },
      { highWaterMark: 0 },
    ) as ApplicationBody,
};

/** Asks for each of them, with a length and without, also with a method and a status that have no content. */
export async function expectSilence(way: AppWay, middleware: Middleware): Promise<void> {
  for (const [name, make] of Object.entries(BODIES)) {
    for (const [method, status, declares] of [
      ['GET', '200 OK', false],
      ['GET', '200 OK', true],
      ['HEAD', '200 OK', false],
      ['GET', '304 Not Modified', false],
    ] as const) {
      const isNull = status !== '200 OK';
      let closed = 0;
      const app: Application = (_environ, startResponse) => {
        startResponse(status, [
          ...(isNull ? [] : [['Content-Type', 'text/plain'] as const]),
          ...(declares ? [['Content-Length', '15'] as const] : []),
        ]);
        if (isNull) return Object.assign([], { close: () => closed++ }) as unknown as ApplicationBody;
        return make(() => closed++);
      };
      const texts: string[] = [];
      const errors = (text: string): void => {
        // That a body is there for HEAD is the application's affair.
        if (!text.includes('[L-58]')) texts.push(text);
      };
      const what = `${name}, ${method} ${status}${declares ? ', declared' : ''}`;
      await way(
        validator(middleware(validator(app))),
        async (call) => {
          const response = await call('/', { method });
          expect([response.status, await response.text()], what).toEqual([
            isNull ? 304 : 200,
            isNull || method === 'HEAD' ? '' : 'some more hello',
          ]);
          if (name !== 'array') await expect.poll(() => closed, { message: what }).toBe(1);
        },
        { errors },
      );
      expect(texts, what).toEqual([]);
    }
  }
}
