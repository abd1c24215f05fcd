// Traces and metrics of an application, by the semantic conventions of OpenTelemetry for HTTP servers. Nothing is patched,
// and `@opentelemetry/api` is given by the deployer, so that it works in any bundle and on any platform.

import { closeBody, iterate } from '../core/body.ts';
import { checkApplication, checkOptions } from '../core/check.ts';
import { ClientDisconnectedError, describe, isA, statusOf } from '../core/errors.ts';
import { isThenable } from '../core/thenable.ts';
import { markTransparent } from '../core/transparent.ts';
import type { Application, ApplicationBody, Environ, StartResponse } from '../core/types.ts';
import {
  type OpenTelemetryApi,
  type OtelContext,
  type OtelSpan,
  requestAttributes,
  spanName,
} from './opentelemetry-facts.ts';

export type { OpenTelemetryApi, OtelContext, OtelHistogram, OtelSpan } from './opentelemetry-facts.ts';

/** Options of {@link opentelemetry}. */
export interface OpenTelemetryOptions {
  /** The module `@opentelemetry/api`, version 1.3 or later: `import * as api from '@opentelemetry/api'`. */
  api: OpenTelemetryApi;
  /**
   * Sends out what the exporters hold back, such as `() => provider.forceFlush()`. The platform is kept running until it has
   * settled, once for each request (`waygate.wait_until`). Give it on Lambda and on Workers, where nothing runs between requests.
   *
   * @default nothing is flushed: exporters send at their own pace
   */
  flush?: () => Promise<unknown>;
  /**
   * The route that a request has taken, such as `/users/:id`: `http.route` and a part of the span's name. It is asked when
   * the response has begun, and must be one of few, never the path itself.
   *
   * @default what the application has put into `environ['otel.route']`
   */
  route?: (environ: Environ) => string | undefined;
  /**
   * Which requests are left out: no span, no metric, such as those of a health check.
   *
   * @default none
   */
  ignore?: (environ: Environ) => boolean;
}

/** Upper bounds in seconds, as the semantic conventions give them for this metric. */
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** `SpanKind.SERVER` and `SpanStatusCode.ERROR` of the API. */
const SERVER = 1;
const ERROR = 2;

/**
 * Gives each request a server span and a measurement of `http.server.request.duration`, by the semantic conventions of
 * OpenTelemetry for HTTP (stable, 1.23 and later). The request's headers say which trace goes on; the propagator that is
 * registered with the API reads them. A span that is active already, for example of an agent, is the parent instead. The
 * span is the active one while the application runs and while its body is read, and ends when the response does.
 *
 * An error of the application is recorded on its span and thrown on. A status of 500 or more makes the span one of an error.
 *
 * @param app the application
 * @param options see {@link OpenTelemetryOptions}
 * @throws {TypeError} for an application that is not a function (L-21), and for options without the API
 * @example
 * import * as api from '@opentelemetry/api';
 * export const handler = toLambda(opentelemetry(app, { api, flush: () => provider.forceFlush() }));
 */
export function opentelemetry(app: Application, options: OpenTelemetryOptions): Application {
  checkApplication(app);
  checkOptions(options);
  const { api } = options;
  if (typeof api?.trace?.getTracer !== 'function' || typeof api.context?.with !== 'function') {
    throw new TypeError(
      `The option "api" of opentelemetry is ${describe(api)}; expected the module @opentelemetry/api: import * as api from '@opentelemetry/api'.`,
    );
  }
  const { ignore } = options;
  const recorder = new Recorder(api);
  return (environ, startResponse) => {
    if (ignore?.(environ)) return app(environ, startResponse);
    return new TracedCall(recorder, options, environ).run(app, startResponse);
  };
}

/** Reads the headers of a request from its environ. */
const HEADERS = {
  keys: (environ: Environ): string[] =>
    Object.keys(environ)
      .filter((key) => key.startsWith('HTTP_'))
      .map((key) => key.slice(5).toLowerCase().replaceAll('_', '-')),
  get: (environ: Environ, name: string): string | undefined =>
    environ[`HTTP_${name.toUpperCase().replaceAll('-', '_')}`],
};

/** Where spans and measurements go: what is registered with the API, whenever that was. */
class Recorder {
  readonly api: OpenTelemetryApi;
  #provider: unknown;
  #duration: ReturnType<ReturnType<OpenTelemetryApi['metrics']['getMeter']>['createHistogram']> | null = null;

  constructor(api: OpenTelemetryApi) {
    this.api = api;
  }

  measure(seconds: number, attributes: Record<string, string | number>, context: OtelContext): void {
    const { metrics } = this.api;
    const provider = metrics.getMeterProvider();
    // A meter of the API stays what it was when it was asked for, which may be ahead of the registration.
    if (this.#duration === null || provider !== this.#provider) {
      this.#provider = provider;
      this.#duration = metrics.getMeter('waygate').createHistogram('http.server.request.duration', {
        description: 'Duration of HTTP server requests.',
        unit: 's',
        advice: { explicitBucketBoundaries: BOUNDARIES },
      });
    }
    this.#duration.record(seconds, attributes, context);
  }
}

/** One request and its span. */
class TracedCall {
  readonly #recorder: Recorder;
  readonly #options: OpenTelemetryOptions;
  readonly #environ: Environ;
  readonly #span: OtelSpan;
  readonly context: OtelContext;
  readonly #began: number = performance.now();
  readonly #attributes: ReturnType<typeof requestAttributes>;
  #status = 0;
  #failure: unknown;
  #hasFailed = false;
  #isOver = false;
  /** Lets the platform go. */
  #release: (() => void) | null = null;

  constructor(recorder: Recorder, options: OpenTelemetryOptions, environ: Environ) {
    this.#recorder = recorder;
    this.#options = options;
    this.#environ = environ;
    const { trace, context, propagation } = recorder.api;
    const active = context.active();
    const parent = trace.getSpan(active) === undefined ? propagation.extract(active, environ, HEADERS) : active;
    this.#attributes = requestAttributes(environ);
    const { span: attributes, method } = this.#attributes;
    this.#span = trace.getTracer('waygate').startSpan(spanName(method), { kind: SERVER, attributes }, parent);
    this.context = trace.setSpan(parent, this.#span);
    // It is asked for now: when the response is over, a platform may take no more work.
    if (options.flush !== undefined) {
      environ['waygate.wait_until'](
        new Promise<void>((resolve) => {
          this.#release = resolve;
        }).then(() => options.flush?.()),
      );
    }
  }

  run(app: Application, startResponse: StartResponse): ApplicationBody | Promise<ApplicationBody> {
    const started: StartResponse = (status, headers, ...error) => {
      const write = startResponse(status, headers, ...error);
      this.#status = Number(status.slice(0, 3));
      return write;
    };
    try {
      const body = this.within(() => app(this.#environ, started));
      if (!isThenable(body)) return this.#follow(body);
      return Promise.resolve(body).then(
        (each) => this.#follow(each),
        (error) => this.#abort(error),
      );
    } catch (error) {
      return this.#abort(error);
    }
  }

  /** Runs a step of the application with its span as the active one. */
  within<Result>(step: () => Result): Result {
    return this.#recorder.api.context.with(this.context, step) as Result;
  }

  #follow(body: ApplicationBody): ApplicationBody {
    // A body in memory is sent by the platform; nothing of the application is left to be seen.
    if (Array.isArray(body) && typeof (body as ApplicationBody).close !== 'function') {
      this.end();
      return body;
    }
    return traced(body, this);
  }

  #abort(error: unknown): never {
    this.fail(error);
    this.end();
    throw error;
  }

  /** The application has failed. A client that has left is not a failure. */
  fail(error: unknown): void {
    if (isA(error, ClientDisconnectedError)) return;
    this.#hasFailed = true;
    this.#failure = error;
    if (this.#status === 0) this.#status = statusOf(error);
  }

  /** The response is over. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { metric, method } = this.#attributes;
    const attributes: Record<string, string | number> = {};
    if (this.#status > 0) attributes['http.response.status_code'] = this.#status;
    const type = this.#hasFailed ? typeOf(this.#failure) : this.#status >= 500 ? String(this.#status) : null;
    if (type !== null) attributes['error.type'] = type;
    const span = this.#span;
    const route = this.#options.route === undefined ? this.#environ['otel.route'] : this.#options.route(this.#environ);
    if (typeof route === 'string' && route !== '') {
      attributes['http.route'] = route;
      span.updateName(spanName(method, route));
    }
    span.setAttributes(attributes);
    if (this.#hasFailed && isA(this.#failure, Error)) span.recordException(this.#failure);
    if (type !== null) span.setStatus({ code: ERROR });
    span.end();
    const seconds = (performance.now() - this.#began) / 1000;
    this.#recorder.measure(seconds, { ...metric, ...attributes }, this.context);
    this.#release?.();
  }
}

/** The type of what was thrown: few values, never a message. */
function typeOf(error: unknown): string {
  if (!isA(error, Error)) return '_OTHER';
  const { code, name } = error as Error & { code?: unknown };
  return typeof code === 'string' && code !== '' ? code : name;
}

/** The same body. The span is active in each of its steps, and ends with it. */
function traced(body: ApplicationBody, call: TracedCall): ApplicationBody {
  const steps = new TracedSteps(body, call);
  // Not every runtime's streams are iterable.
  const isAsync =
    body instanceof ReadableStream || typeof (body as AsyncIterable<Uint8Array>)?.[Symbol.asyncIterator] === 'function';
  const front = {
    [isAsync ? Symbol.asyncIterator : Symbol.iterator]: () => steps,
    close: () => steps.close(),
  } as unknown as ApplicationBody;
  return typeof body === 'object' && body !== null ? markTransparent(front, body) : front;
}

class TracedSteps {
  readonly #body: ApplicationBody;
  readonly #call: TracedCall;
  #iteration: ReturnType<typeof iterate> | null = null;

  constructor(body: ApplicationBody, call: TracedCall) {
    this.#body = body;
    this.#call = call;
  }

  next(): IteratorResult<Uint8Array> | Promise<IteratorResult<Uint8Array>> {
    const call = this.#call;
    try {
      const step = call.within(() => {
        this.#iteration ??= iterate(this.#body);
        return this.#iteration.next();
      }) as IteratorResult<Uint8Array> | Promise<IteratorResult<Uint8Array>>;
      if (!isThenable(step)) return step;
      return Promise.resolve(step).catch((error) => {
        call.fail(error);
        throw error;
      });
    } catch (error) {
      call.fail(error);
      throw error;
    }
  }

  return(): IteratorResult<unknown> | Promise<IteratorResult<unknown>> {
    const done = { done: true as const, value: undefined };
    const iteration = this.#iteration;
    if (iteration === null) return done;
    return (this.#call.within(() => iteration.return?.()) as IteratorResult<unknown>) ?? done;
  }

  close(): void | Promise<void> {
    const call = this.#call;
    let failure: { error: unknown } | null = null;
    const closing = call.within(() =>
      closeBody(this.#body, (error) => {
        failure = { error };
        call.fail(error);
      }),
    );
    const over = (): void => {
      call.end();
      if (failure !== null) throw failure.error;
    };
    return isThenable(closing) ? closing.then(over) : over();
  }
}
