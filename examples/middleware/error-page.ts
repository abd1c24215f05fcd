// A middleware that answers for an application that fails, as far as that is still possible.

import { type ApplicationBody, encode, type Middleware, type StartResponse } from 'waygate';

/**
 * Puts a page in the place of a response that failed before it went out. The error is passed to `startResponse`: when
 * the head is out already, that throws it again, and the gateway breaks the connection.
 */
export const errorPage: Middleware = (app) => async (environ, startResponse) => {
  let body: ApplicationBody;
  try {
    body = await app(environ, startResponse);
  } catch (error) {
    return [page(startResponse, error)];
  }
  return {
    async *[Symbol.asyncIterator]() {
      try {
        yield* body;
      } catch (error) {
        yield page(startResponse, error);
      }
    },
    close: () => body.close?.(),
  };
};

function page(startResponse: StartResponse, error: unknown): Uint8Array {
  startResponse('500 Internal Server Error', [['Content-Type', 'text/plain; charset=utf-8']], error);
  console.error(error);
  return encode('Sorry, this did not work.\n');
}
