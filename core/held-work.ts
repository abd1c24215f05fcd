// For platforms that may freeze or end a process once its response is over: the response ends when the work that was given
// to `waygate.wait_until` has.

import { isThenable, iterate } from './body.ts';
import { FileWrapper } from './file-wrapper.ts';
import type { Application, ApplicationBody } from './types.ts';
import { logRejection } from './work.ts';

/**
 * Makes a response wait, at its end, for the work of its request. What was given to `waygate.wait_until` before an array was
 * returned is waited for before the array goes out; otherwise all that was given by the last chunk, after that chunk.
 *
 * @param app the application
 * @example
 * const served = holdForWork(app);
 */
export function holdForWork(app: Application): Application {
  return (environ, startResponse) => {
    const work: Promise<void>[] = [];
    const waitUntil = environ['waygate.wait_until'];
    environ['waygate.wait_until'] = (promise) => {
      const done = logRejection(promise, environ['wsgi.errors']);
      waitUntil(done);
      work.push(done);
    };
    const body = app(environ, startResponse);
    const noBody = environ.REQUEST_METHOD === 'HEAD';
    return isThenable(body) ? Promise.resolve(body).then((each) => held(each, work, noBody)) : held(body, work, noBody);
  };
}

/** @param noBody whether nobody will ask for the body, as with HEAD */
function held(
  body: ApplicationBody,
  work: Promise<void>[],
  noBody: boolean,
): ApplicationBody | Promise<ApplicationBody> {
  // The gateway takes the length of an array and of a file.
  const isWhole = noBody || Array.isArray(body) || body instanceof FileWrapper;
  if (!isWhole) return new HeldBody(body, work);
  return work.length === 0 ? body : all(work).then(() => body);
}

/** Work may bring more work. */
async function all(work: Promise<void>[]): Promise<void> {
  for (let one = work.pop(); one !== undefined; one = work.pop()) await one;
}

class HeldBody implements AsyncIterable<Uint8Array> {
  readonly #body: ApplicationBody;
  readonly #work: Promise<void>[];

  constructor(body: ApplicationBody, work: Promise<void>[]) {
    this.#body = body;
    this.#work = work;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const iteration = iterate(this.#body);
    return {
      next: async () => {
        const step = await iteration.next();
        if (step.done) await all(this.#work);
        return step as IteratorResult<Uint8Array>;
      },
      return: async () => {
        await iteration.return?.();
        return { done: true, value: undefined };
      },
    };
  }

  close(): void | Promise<void> {
    return this.#body?.close?.();
  }
}
