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
  if (!suspends) {
    return async (environ, startResponse) =>
      callInMemory(callable, environ, startResponse, await environ['wsgi.input'].bytes());
  }
  return async (environ, startResponse) => {
    const request = makeRequest(callable, cgiOf(environ), gatewayOf(environ, startResponse)) as PythonRequest;
    try {
      await request.start.callPromising();
      return bodyOf(request, true);
    } catch (error) {
      await finish(request, true);
      throw error;
    }
  };
}

/**
 * Calls a Python WSGI callable with a request body that is in memory. Nothing is awaited, on any engine.
 *
 * @param body all of `wsgi.input`
 * @throws {Error} with Python's traceback, when the application fails
 * @example
 * const app = (environ, startResponse) => callInMemory(callable, environ, startResponse, new Uint8Array());
 */
export function callInMemory(
  callable: PyCallable,
  environ: Environ,
  startResponse: StartResponse,
  body: Uint8Array,
): ApplicationBody {
  const request = makeRequest(callable, cgiOf(environ), gatewayOf(environ, startResponse, body)) as PythonRequest;
  try {
    request.start();
    return bodyOf(request, false);
  } catch (error) {
    finish(request, false);
    throw error;
  }
}

/** Everything that is text or a flag: Python gets its own streams and functions. */
function cgiOf(environ: Environ): string {
  const isData = ([key, value]: [string, unknown]) =>
    typeof value === 'string' || (key.startsWith('wsgi.') && typeof value === 'boolean');
  return JSON.stringify(Object.fromEntries(Object.entries(environ).filter(isData)));
}

/** What bridge.py calls. */
function gatewayOf(environ: Environ, startResponse: StartResponse, body?: Uint8Array): object {
  let write: Write;
  return {
    body,
    suspends: body === undefined,
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

/** The chunks of a list or a tuple, which are in memory; else those of the iterable, one step of it at a time. */
function bodyOf(request: PythonRequest, waits: boolean): ApplicationBody {
  const next = waits ? async () => step(await request.next.callPromising()) : () => step(request.next());
  const whole = request.whole() as Uint8Array[] | undefined;
  const chunks = whole ?? { [waits ? Symbol.asyncIterator : Symbol.iterator]: () => ({ next }) };
  return Object.assign(chunks, { close: () => finish(request, waits) }) as ApplicationBody;
}

function step(value: Uint8Array | undefined): IteratorResult<Uint8Array> {
  return value === undefined ? { done: true, value } : { done: false, value };
}

/** Lets the application end, and Python's garbage collector take the request. (PEP 3333 CLOSE-01) */
function finish(request: PythonRequest, waits: boolean): void | Promise<void> {
  if (waits) return request.close.callPromising().finally(() => request.destroy());
  try {
    request.close();
  } finally {
    request.destroy();
  }
}
