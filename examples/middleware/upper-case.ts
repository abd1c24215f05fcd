// A middleware that changes the body, chunk for chunk: nothing is held back, and the body it wraps is closed.

import type { ApplicationBody, Middleware } from 'waygate';

/** Writes the ASCII letters of every text in capitals. The length stays what it was. */
export const upperCase: Middleware = (app) => async (environ, startResponse) => {
  let isText = false;
  const body = await app(environ, (status, headers, error) => {
    isText = headers.some(([name, value]) => name.toLowerCase() === 'content-type' && value.startsWith('text/'));
    const write = startResponse(status, headers, error);
    return (chunk) => write(isText ? capitals(chunk) : chunk);
  });
  return wrap(body, (chunk) => (isText ? capitals(chunk) : chunk));
};

/**
 * A body that changes each chunk of another. An object with `close`, not a bare generator: a generator that was never
 * started runs no `finally`, and the body inside would stay open.
 */
function wrap(body: ApplicationBody, change: (chunk: Uint8Array) => Uint8Array): ApplicationBody {
  return {
    async *[Symbol.asyncIterator]() {
      for await (const chunk of body) yield change(chunk);
    },
    close: () => body.close?.(),
  };
}

function capitals(chunk: Uint8Array): Uint8Array {
  return chunk.map((byte) => (byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte));
}
