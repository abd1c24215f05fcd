// For platforms that may freeze or end a process once its response is over. The response ends when the work that was given
// to `waygate.wait_until` has ended.

import { iterate } from './body.ts';
import { FileWrapper } from './file-wrapper.ts';
import { isThenable } from './thenable.ts';
import type { Application, ApplicationBody } from './types.ts';
import { logRejection, PendingWork } from './work.ts';

/**
 * Makes a response wait, at its end, for the work of its request. An array goes out once all the work is done that was
 * given to `waygate.wait_until` before it was returned. Any other body ends once all the work is done that was given by its
 * last chunk.
 *
 * @param app the application
 * @example
 * const served = holdForWork(app);
 */
export function holdForWork(app: Application): Application {
  return (environ, startResponse) => {
    const work = new PendingWork();
    const waitUntil = environ['waygate.wait_until'];
    const holdAndWait: typeof waitUntil = (promise) => {
      const done = logRejection(promise, environ['wsgi.errors']);
      waitUntil(done);
      work.waitUntil(done);
    };
    environ['waygate.wait_until'] = holdAndWait;
    const body = app(environ, startResponse);
    const noBody = environ.REQUEST_METHOD === 'HEAD';
    return isThenable(body) ? Promise.resolve(body).then((each) => held(each, work, noBody)) : held(body, work, noBody);
  };
}

/** @param noBody whether nobody will ask for the body, as with HEAD */
function held(body: ApplicationBody, work: PendingWork, noBody: boolean): ApplicationBody | Promise<ApplicationBody> {
  // The gateway takes the length of an array and of a file.
  const isWhole = noBody || Array.isArray(body) || body instanceof FileWrapper;
  if (!isWhole) return new HeldBody(body, work);
  return work.size === 0 ? body : work.settled().then(() => body);
}

class HeldBody implements AsyncIterable<Uint8Array> {
  readonly #body: ApplicationBody;
  readonly #work: PendingWork;

  constructor(body: ApplicationBody, work: PendingWork) {
    this.#body = body;
    this.#work = work;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const iteration = iterate(this.#body);
    return {
      next: async () => {
        const step = await iteration.next();
        if (step.done) await this.#work.settled();
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
