// The options of toLambda and toLambdaStream, checked once when the handler is made.

import { prepareOptions, type Settings } from '../../core/environ.ts';
import { describe } from '../../core/errors.ts';
import type { ExchangeOptions } from '../../core/response.ts';
import type { Application, GatewayOptions } from '../../core/types.ts';
import { type EventRoute, type EventTarget, eventRoute } from './event-route.ts';
import type { LambdaSource } from './types.ts';

/** Options of {@link toLambda} and {@link toLambdaStream}. */
export interface LambdaOptions extends GatewayOptions {
  /**
   * The event sources to serve, out of `waygate/aws-lambda/sources`: an event of another one is not an HTTP request then. With
   * `lambdaHandler` of that entry a bundle holds these and no others.
   *
   * @default all of them
   * @example toLambda(app, { sources: [httpApi, functionUrl] })
   */
  sources?: readonly LambdaSource[];
  /**
   * What becomes of an event that is not an HTTP request. It may come from a queue, a topic, a stream, a bucket, a
   * schedule, EventBridge, a WebSocket, an authorizer or a warm-up ping. A function is called with `(event, context)`, and
   * what it returns is the result. A path, for example `/events`, gets the event as the JSON body of a POST. Its status and
   * body make the result. No client can reach that path. `{ record }` takes either, for each record of a batch by itself,
   * and reports those that failed as `batchItemFailures`. See docs/platforms.md, "Events that are not HTTP".
   *
   * @default such an event rejects with an {@link UnsupportedEventError} that names it
   */
  events?: EventTarget;
  /**
   * Statuses that fail the invocation in place of being its result, as a list or a function: Lambda then counts an error and
   * logs it, and the client gets the event source's own error page.
   *
   * @default none
   * @example toLambda(app, { errorStatuses: (status) => status >= 500 })
   */
  errorStatuses?: readonly number[] | ((status: number) => boolean);
  /**
   * How long before the function's timeout `waygate.signal` aborts, in milliseconds, so that an endless response can come
   * to an end of its own: Lambda does not report a client that has left. (`context.getRemainingTimeInMillis`)
   *
   * @default 0: never
   */
  abortBeforeTimeoutMs?: number;
  /**
   * The mutual TLS mode of the load balancer's listener, for the `SSL_*` keys: `verify` reads the `X-Amzn-Mtls-Clientcert-*`
   * headers, `passthrough` the chain in `X-Amzn-Mtls-Clientcert`, which nobody has verified. Say it only where the listener
   * has that mode: without it the headers are a client's own words.
   * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html
   *
   * @default no `SSL_*` keys behind a load balancer
   */
  mutualTls?: 'verify' | 'passthrough';
}

/** The options, made ready. */
export interface LambdaSettings extends Settings {
  /** The same for every request. */
  readonly exchange: ExchangeOptions;
  readonly events: EventRoute | null;
  /** Whether a response with this status fails the invocation; null for none. */
  readonly fails: ((status: number) => boolean) | null;
  readonly abortBeforeTimeoutMs: number;
  readonly mutualTls: LambdaOptions['mutualTls'];
}

/** @throws {TypeError} for an application that is not a function or an option of the wrong type */
export function lambdaSettings(app: Application, options: LambdaOptions): LambdaSettings {
  const common = prepareOptions(app, options);
  const { events, errorStatuses, abortBeforeTimeoutMs = 0, mutualTls } = options;
  if (typeof abortBeforeTimeoutMs !== 'number' || !(abortBeforeTimeoutMs >= 0)) {
    throw new TypeError(
      `The option "abortBeforeTimeoutMs" is ${describe(abortBeforeTimeoutMs)}; expected a number of milliseconds.`,
    );
  }
  if (mutualTls !== undefined && mutualTls !== 'verify' && mutualTls !== 'passthrough') {
    throw new TypeError(`The option "mutualTls" is ${describe(mutualTls)}; expected "verify" or "passthrough".`);
  }
  return {
    ...common,
    exchange: { onError: common.onError },
    events: events === undefined ? null : eventRoute(events, common),
    fails: failing(errorStatuses),
    abortBeforeTimeoutMs,
    mutualTls,
  };
}

function failing(statuses: LambdaOptions['errorStatuses']): LambdaSettings['fails'] {
  if (statuses === undefined || typeof statuses === 'function') return statuses ?? null;
  const list: unknown = statuses;
  if (!Array.isArray(list) || !list.every((status) => Number.isInteger(status) && status >= 200 && status <= 599)) {
    throw new TypeError(
      `The option "errorStatuses" is ${describe(list)}; expected a list of statuses from 200 to 599, or a function (status).`,
    );
  }
  return (status) => statuses.includes(status);
}
