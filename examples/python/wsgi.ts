// A Python WSGI application as an application of Waygate's. The two contracts are one: what is left to do is to hand strings,
// bytes and calls across the border between JavaScript and Python.

import type { PyCallable, PyProxy } from 'pyodide/ffi';
import type { Application, ApplicationBody, Environ, HeaderList, StartResponse, Write } from 'waygate';
import { python, suspends } from './python.ts';

/** `Request` of bridge.py. */
interface PythonRequest extends PyProxy {
  start: PyCallable;
  next: PyCallable;
  whole: PyCallable;
  close: PyCallable;
}

const makeRequest = (python.pyimport('bridge') as PyProxy).Request as PyCallable;

/**
 * Makes an application of a Python WSGI callable.
 *
 * The request body is read ahead where the engine cannot suspend Python (before Node 24), else each `read` waits for the
 * client. Chunks of the response are pulled one at a time, as the client takes them. (PEP 3333)
 *
 * @param callable `application(environ, start_response)`
 * @example
 * const app = fromWsgi(importFrom('simple_app:simple_app'));
 * export default app;
 */
export function fromWsgi(callable: PyCallable): Application {
  return async (environ, startResponse) => {
    const body = suspends ? undefined : await environ['wsgi.input'].bytes();
    const request = makeRequest(callable, cgiOf(environ), gatewayOf(environ, startResponse, body)) as PythonRequest;
    try {
      await call(request.start);
      const whole = request.whole() as Uint8Array[] | undefined;
      return whole === undefined ? chunksOf(request) : Object.assign(whole, { close: () => finish(request) });
    } catch (error) {
      await finish(request);
      throw error;
    }
  };
}

/** Python may wait for a promise only in a call that lets the engine suspend it. */
function call(method: PyCallable): unknown {
  return suspends ? method.callPromising() : method();
}

/** Everything that is text or a flag: Python gets its own streams and functions. */
function cgiOf(environ: Environ): string {
  const isData = ([key, value]: [string, unknown]) =>
    typeof value === 'string' || (key.startsWith('wsgi.') && typeof value === 'boolean');
  return JSON.stringify(Object.fromEntries(Object.entries(environ).filter(isData)));
}

/** What bridge.py calls. */
function gatewayOf(environ: Environ, startResponse: StartResponse, body: Uint8Array | undefined): object {
  let write: Write;
  return {
    body,
    suspends,
    input: environ['wsgi.input'],
    errors: environ['wsgi.errors'],
    /** Whether the head could be stored: with an error, it is too late once the head has gone out. */
    startResponse(status: string, headers: string, hasError: boolean): boolean {
      const list = JSON.parse(headers) as HeaderList;
      const tooLate = hasError ? new Error('The head has gone out.') : undefined;
      try {
        write = startResponse(status, list, tooLate);
        return true;
      } catch (error) {
        if (error === tooLate) return false;
        throw error;
      }
    },
    write: (chunk: Uint8Array) => write(chunk),
  };
}

/** The chunks of a Python iterable, one step of it at a time. */
function chunksOf(request: PythonRequest): ApplicationBody {
  return {
    [Symbol.asyncIterator]: () => ({
      async next(): Promise<IteratorResult<Uint8Array>> {
        const value = (await call(request.next)) as Uint8Array | undefined;
        return value === undefined ? { done: true, value } : { done: false, value };
      },
    }),
    close: () => finish(request),
  };
}

/** Lets the application end, and Python's garbage collector take the request. (PEP 3333 CLOSE-01) */
async function finish(request: PythonRequest): Promise<void> {
  try {
    await call(request.close);
  } finally {
    request.destroy();
  }
}
