// The recorder as a middleware: it reports what an application is called with and what it does. It changes nothing of
// that, and runs on every platform. Without `--inspect` it is not loaded.

import {
  type Application,
  type ApplicationBody,
  type Environ,
  FileWrapper,
  type Middleware,
  type StartResponse,
} from 'waygate';
import { describeError, keptText, type Recording } from './recording.ts';
import { watchInput } from './watch-input.ts';

/** How the recorder is set up. */
export interface RecordAppOptions {
  /** The recording that a call belongs to; a call without one is not recorded. */
  recordingOf: (environ: Environ) => Recording | undefined;
  /** Whether it listens to `wsgi.errors`: where the gateway's `errors` reports each text, that knows more. */
  errors: boolean;
}

/**
 * Makes the recorder.
 *
 * @example app = recordApp({ recordingOf: () => current.getStore(), errors: false })(app);
 */
export function recordApp({ recordingOf, errors }: RecordAppOptions): Middleware {
  return (app) => (environ, startResponse) => {
    const recording = recordingOf(environ);
    if (recording === undefined) return app(environ, startResponse);
    recording.step({ type: 'environ', entries: environEntries(environ) });
    watchEnviron(environ, recording, errors);
    return call(app, environ, watchStart(startResponse, recording), recording);
  };
}

function call(
  app: Application,
  environ: Environ,
  startResponse: StartResponse,
  recording: Recording,
): ApplicationBody | Promise<ApplicationBody> {
  const accept = (body: ApplicationBody): ApplicationBody => {
    recording.step({ type: 'returned', what: describeBody(body) });
    return watchBody(body, recording);
  };
  const fail = (error: unknown): never => {
    recording.failed(error);
    throw error;
  };
  let returned: ApplicationBody | Promise<ApplicationBody>;
  try {
    returned = app(environ, startResponse);
  } catch (error) {
    return fail(error);
  }
  if (typeof (returned as Promise<ApplicationBody> | null)?.then === 'function') {
    return (returned as Promise<ApplicationBody>).then(accept, fail);
  }
  return accept(returned as ApplicationBody);
}

/** In place: the environ stays the same object, with what a gateway may have tied to it. */
function watchEnviron(environ: Environ, recording: Recording, errors: boolean): void {
  watchInput(environ, (bytes) => recording.bytes('read', bytes));
  const waitUntil = environ['waygate.wait_until'];
  environ['waygate.wait_until'] = (work) => {
    recording.waitUntil(work);
    waitUntil(work);
  };
  if (!errors) return;
  const stream = environ['wsgi.errors'];
  environ['wsgi.errors'] = {
    write: (text) => {
      recording.errors(String(text).replace(/\n$/, ''));
      stream.write(text);
    },
    writelines: (lines) => {
      const all = [...lines];
      recording.errors(all.join('').replace(/\n$/, ''));
      stream.writelines(all);
    },
    flush: () => stream.flush(),
  };
}

function watchStart(startResponse: StartResponse, recording: Recording): StartResponse {
  return (...args) => {
    const [status, headers, error] = args;
    recording.step({
      type: 'start',
      status: String(status),
      headers: headerLines(headers),
      error: error === undefined ? undefined : describeError(error),
    });
    const write = startResponse(...args);
    return (chunk) => {
      if (chunk instanceof Uint8Array) recording.bytes('chunk', chunk, 'write');
      return write(chunk);
    };
  };
}

/** As far as they are what they should be: they are checked later. */
function headerLines(headers: unknown): [string, string][] {
  if (!Array.isArray(headers)) return [];
  return headers.flatMap((each) =>
    Array.isArray(each) ? [[String(each[0]), String(each[1])] as [string, string]] : [],
  );
}

type Chunks = { next(): unknown; return?(): unknown };

/**
 * The same body, observed. Synchronous bodies stay synchronous, and an array stays an array, so that a gateway still finds
 * its length. What is not a body comes back as it is, and the gateway says so.
 */
function watchBody(body: ApplicationBody, recording: Recording): ApplicationBody {
  if (typeof body !== 'object' || body === null) return body;
  const isAsync = Symbol.asyncIterator in body;
  if (!isAsync && !(Symbol.iterator in body)) return body;
  const key = isAsync ? Symbol.asyncIterator : Symbol.iterator;
  const iterate = (body as unknown as Record<symbol, () => Chunks>)[key]?.bind(body) as () => Chunks;
  const { close } = body;
  const members = {
    [key]: () => watchChunks(iterate(), recording),
    close: () => {
      recording.step({ type: 'closed' });
      return close?.call(body);
    },
  };
  if (Array.isArray(body)) return withMembers([...(body as Uint8Array[])], members);
  // A file keeps its length, which a gateway finds by the very object. It is made for this one response.
  if (!(body instanceof ReadableStream) && FileWrapper.remaining(body) !== undefined) return withMembers(body, members);
  return members as unknown as ApplicationBody;
}

function withMembers<Body extends ApplicationBody>(body: Body, members: object): Body {
  for (const name of Reflect.ownKeys(members)) {
    // A file's own close may be fixed: then its end is not reported.
    if (Object.getOwnPropertyDescriptor(body, name)?.configurable === false) continue;
    Object.defineProperty(body, name, { value: Reflect.get(members, name), configurable: true, writable: true });
  }
  return body;
}

function watchChunks(chunks: Chunks, recording: Recording): Chunks {
  const arrived = (step: unknown): unknown => {
    const { done, value } = step as IteratorResult<unknown>;
    if (!done && value instanceof Uint8Array && value.byteLength > 0) recording.bytes('chunk', value);
    return step;
  };
  const failed = (error: unknown): never => {
    recording.failed(error);
    throw error;
  };
  return {
    next: () => {
      let step: unknown;
      try {
        step = chunks.next();
      } catch (error) {
        return failed(error);
      }
      return step instanceof Promise ? step.then(arrived, failed) : arrived(step);
    },
    return: () => chunks.return?.() ?? { done: true, value: undefined },
  };
}

function describeBody(body: unknown): string {
  if (Array.isArray(body)) return `an array of ${body.length} chunk${body.length === 1 ? '' : 's'}`;
  if (body instanceof ReadableStream) return 'a ReadableStream';
  if (typeof body !== 'object' || body === null) return `no body: ${body === null ? 'null' : typeof body}`;
  if (Symbol.asyncIterator in body) return 'an async iterable';
  return Symbol.iterator in body ? 'an iterable' : 'no body: an object that cannot be iterated';
}

/** An environ as it is shown, sorted as CGI's keys, `wsgi.*`, and the rest. Nothing in it is made because of that. */
function environEntries(environ: Environ): [string, string][] {
  return Reflect.ownKeys(environ).flatMap((key): [string, string][] => {
    if (typeof key !== 'string') return [];
    const { value, get } = Object.getOwnPropertyDescriptor(environ, key) as PropertyDescriptor;
    return [[key, get === undefined ? describeValue(value) : '(made when it is first used)']];
  });
}

function describeValue(value: unknown): string {
  if (typeof value === 'string') return keptText(value);
  if (typeof value === 'function') return '(a function)';
  if (Array.isArray(value)) return keptText(`(${value.map((each) => describeValue(each)).join(', ')})`);
  if (typeof value !== 'object' || value === null) return `(${String(value)})`;
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === 'string' && name !== 'Object' ? `(${name})` : '(an object)';
}
