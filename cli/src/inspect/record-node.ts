// Records what goes through a server of this process: the request as it came, the platform's event, the app's steps, and
// the client's bytes.

import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import type { FetchHandler } from 'waygate/fetch';
import type { RunningServer } from 'waygate/node';
import { watchAccess } from '../access-log.ts';
import type { LambdaHandler, Layers } from '../platform.ts';
import type { HeaderLines, Reporter } from './messages.ts';
import { recordApp } from './record-app.ts';
import { keptJson, Recording } from './recording.ts';

/** The mark of `awslambda.streamifyResponse`, by which the runtime knows a handler that streams. */
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');

/** A recorder for one server. */
export class NodeRecorder {
  readonly #report: Reporter;
  readonly #current = new AsyncLocalStorage<Recording>();
  /** The requests of each connection whose responses are not over, oldest first: HTTP/1 answers in that order. */
  readonly #waiting = new WeakMap<Socket, Recording[]>();

  constructor(report: Reporter) {
    this.#report = report;
  }

  /** What looks at the steps of the conversion. */
  readonly layers: Layers = {
    app: (app) => recordApp({ recordingOf: () => this.#current.getStore(), errors: false })(app),
    handler: (handler) => this.#watchHandler(handler),
    fetch: (fetch) => this.#watchFetch(fetch),
  };

  /** The id of the request that is being answered. */
  get currentId(): string | undefined {
    return this.#current.getStore()?.id;
  }

  /** A text for `wsgi.errors` of whichever request is being answered. */
  readonly errors = (text: string): void => this.#current.getStore()?.errors(text);

  /**
   * Records every request of a server from now on.
   *
   * @param isNode whether the app is called with what Node has made of the request
   */
  attach(server: RunningServer['server'], isNode: boolean): void {
    const record = (request: IncomingMessage, response: ServerResponse): void => {
      const recording = new Recording(randomUUID(), this.#report);
      // All that this request causes belongs to it.
      this.#current.enterWith(recording);
      recordRequest(recording, request);
      if (isNode) recordNative(recording, request, response);
      if (request.httpVersionMajor < 2) this.#recordWire(recording, request, response);
      else recordFields(recording, response as unknown as Http2ServerResponse);
      watchAccess(request, response, ({ status, size, cut }) => {
        recording.flush();
        recording.step({ type: 'end', status, size, complete: !cut });
      });
    };
    (server as Server).prependListener('request', record);
    (server as Server).prependListener('checkContinue', record);
  }

  /** Records what is written to a connection while it is this response's turn. */
  #recordWire(recording: Recording, request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    let waiting = this.#waiting.get(socket);
    if (waiting === undefined) {
      waiting = [];
      this.#waiting.set(socket, waiting);
      watchSocket(socket, waiting);
    }
    const queue = waiting;
    queue.push(recording);
    const over = (): void => {
      const at = queue.indexOf(recording);
      if (at !== -1) queue.splice(at, 1);
    };
    // Ahead of Node's own listener, which sends what the next response has waiting.
    response.prependOnceListener('finish', over);
    response.once('close', over);
  }

  #watchFetch(fetch: FetchHandler): FetchHandler {
    return async (input, ...rest) => {
      const recording = this.#current.getStore();
      if (recording !== undefined && input instanceof Request) {
        const { method, url, headers } = input;
        recording.step({ type: 'event', what: 'Request', ...keptJson({ method, url, headers: [...headers] }) });
      }
      const response = await fetch(input, ...rest);
      const { status, statusText, headers } = response;
      recording?.step({ type: 'result', what: 'Response', ...keptJson({ status, statusText, headers: [...headers] }) });
      return response;
    };
  }

  #watchHandler(handler: LambdaHandler): LambdaHandler {
    const streams = Reflect.get(handler, STREAMING) === 'response';
    const watched: LambdaHandler = (event, second, third) => {
      const recording = this.#current.getStore();
      if (recording === undefined) return handler(event, second, third);
      recording.step({ type: 'event', what: 'event', ...keptJson(event) });
      // A handler that streams is called with the stream in the context's place.
      const isStream = typeof (second as { write?: unknown } | undefined)?.write === 'function';
      if (streams || isStream) {
        if (isStream) recordStream(recording, second);
        return handler(event, second, third);
      }
      return recordResult(recording, handler, event, second, third);
    };
    // The runtime looks at both.
    Object.defineProperty(watched, 'length', { value: handler.length });
    if (streams) Reflect.set(watched, STREAMING, 'response');
    return watched;
  }
}

function recordRequest(recording: Recording, request: IncomingMessage): void {
  const { method = '', url: target = '', httpVersion: version, socket } = request;
  recording.step({
    type: 'request',
    method,
    target,
    version,
    headers: linesOf(request.rawHeaders),
    remoteAddress: socket.remoteAddress,
    remotePort: socket.remotePort,
  });
  // The parser gives the stream the body as it comes, whether it is read or not.
  const { push } = request;
  request.push = (chunk: unknown, ...rest: [BufferEncoding?]) => {
    if (chunk instanceof Uint8Array) recording.bytes('received', chunk);
    return push.call(request, chunk, ...rest);
  };
}

/** On Node the platform's event is the request itself, and its result what the response was told. */
function recordNative(recording: Recording, request: IncomingMessage, response: ServerResponse): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const value = { method, url, httpVersion, rawHeaders: linesOf(rawHeaders) };
  recording.step({ type: 'event', what: 'IncomingMessage', ...keptJson(value) });
  response.once('close', () => {
    if (!response.headersSent) return;
    const { statusCode } = response;
    // HTTP/2 has no reason phrase, and Node warns who asks for one.
    const statusMessage = request.httpVersionMajor < 2 ? response.statusMessage : undefined;
    recording.step({ type: 'result', what: 'ServerResponse', ...keptJson({ statusCode, statusMessage }) });
  });
}

/** Reports what is written to a socket, as a part of the oldest response that is not over. */
function watchSocket(socket: Socket, waiting: readonly Recording[]): void {
  const { write } = socket;
  socket.write = ((data: unknown, ...rest: unknown[]) => {
    const [recording] = waiting;
    if (recording !== undefined) {
      const bytes = bytesOf(data, rest[0]);
      if (bytes !== undefined && bytes.byteLength > 0) recording.bytes('sent', bytes);
    }
    return (write as (...args: unknown[]) => boolean).call(socket, data, ...rest);
  }) as typeof write;
}

/** An HTTP/2 response as fields and content: its bytes are frames, of all streams of the connection. */
function recordFields(recording: Recording, response: Http2ServerResponse): void {
  const own = response as unknown as { write: (...args: unknown[]) => boolean; end: (...args: unknown[]) => unknown };
  const { write, end } = own;
  let isHeadOut = false;
  let depth = 0;
  const written = (data: unknown, encoding: unknown): void => {
    if (depth > 0) return;
    const bytes = bytesOf(data, encoding);
    if (bytes !== undefined && bytes.byteLength > 0) recording.bytes('sent', bytes);
  };
  const head = (): void => {
    if (isHeadOut || !response.headersSent) return;
    isHeadOut = true;
    const headers = Object.entries(response.getHeaders()).flatMap(
      ([name, value]): HeaderLines => [value].flat().map((each) => [name, String(each)]),
    );
    recording.step({ type: 'head', status: response.statusCode, headers });
  };
  const call = <Result>(method: (...args: unknown[]) => Result, args: unknown[]): Result => {
    depth += 1;
    try {
      return method.apply(response, args);
    } finally {
      depth -= 1;
      head();
    }
  };
  own.write = (...args) => {
    written(args[0], args[1]);
    return call(write, args);
  };
  own.end = (...args) => {
    written(args[0], args[1]);
    return call(end, args);
  };
}

/** Calls a handler and reports what it returns or calls back with. */
function recordResult(
  recording: Recording,
  handler: LambdaHandler,
  event: unknown,
  context: unknown,
  callback: unknown,
): unknown {
  const settled = (result: unknown): void => recording.step({ type: 'result', what: 'result', ...keptJson(result) });
  const watched = (error: unknown, result: unknown): unknown => {
    if (error === null || error === undefined) settled(result);
    return (callback as (error: unknown, result: unknown) => unknown)(error, result);
  };
  const returned = handler(event, context, typeof callback === 'function' ? watched : callback);
  if (typeof (returned as Promise<unknown> | undefined)?.then === 'function') {
    (returned as Promise<unknown>).then(settled, () => {});
  }
  return returned;
}

/** Reports what is written to the stream of a Lambda response: a prelude of JSON, eight zeros, and the body. */
function recordStream(recording: Recording, stream: Record<'write' | 'end', (...args: unknown[]) => unknown>): void {
  recording.step({ type: 'result', what: 'stream', value: null, truncated: false });
  const written = (data: unknown, encoding?: unknown): void => {
    const bytes = bytesOf(data, encoding);
    if (bytes !== undefined && bytes.byteLength > 0) recording.bytes('streamed', bytes);
  };
  for (const name of ['write', 'end'] as const) {
    const method = stream[name];
    stream[name] = (...args) => {
      // The first write sends the prelude ahead of itself.
      const result = method.apply(stream, args);
      written(args[0], args[1]);
      return result;
    };
  }
  // By this the runtime's stream is told how to send it.
  if ('_onBeforeFirstWrite' in stream) watchPrelude(stream, written);
}

type WritePrelude = (write: (chunk: unknown) => unknown) => void;

function watchPrelude(stream: object, written: (data: unknown) => void): void {
  let prelude: WritePrelude | undefined;
  Object.defineProperty(stream, '_onBeforeFirstWrite', {
    configurable: true,
    enumerable: true,
    get: () => prelude,
    set: (given: WritePrelude | undefined) => {
      prelude =
        given &&
        ((write) =>
          given((chunk) => {
            written(chunk);
            return write(chunk);
          }));
    },
  });
}

function bytesOf(data: unknown, encoding: unknown): Uint8Array | undefined {
  if (data instanceof Uint8Array) return data;
  if (typeof data !== 'string') return undefined;
  return Buffer.from(data, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
}

function linesOf(raw: readonly string[]): HeaderLines {
  return Array.from({ length: raw.length / 2 }, (_, at) => [raw[2 * at] as string, raw[2 * at + 1] as string]);
}
