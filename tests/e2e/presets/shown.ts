// An application that answers with what its environ has, and does some work after the response.

import type { Application } from '../../../core/types.ts';

/** What was done after responses so far. */
let done = 0;

/** Answers with the texts of its environ, and the names of its objects, as JSON. */
export const shown: Application = async (environ, startResponse) => {
  const body = await environ['wsgi.input'].text();
  const texts = Object.entries(environ).filter(([, value]) => typeof value === 'string');
  const objects = Object.keys(environ).filter((key) => /^[a-z-]+\.[a-z_.]+$/.test(key));
  const { promise, resolve } = withResolvers();
  setTimeout(resolve, 20);
  environ['waygate.wait_until'](
    promise.then(() => {
      done += 1;
    }),
  );
  startResponse('200 OK', [
    ['Content-Type', 'application/json'],
    ['Set-Cookie', 'a=1'],
    ['Set-Cookie', 'b=2'],
  ]);
  const answer = { ...Object.fromEntries(texts), geo: environ['waygate.geo'], objects, body, done };
  return [new TextEncoder().encode(JSON.stringify(answer))];
};

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
