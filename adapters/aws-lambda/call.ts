// The story of one invocation whose result is returned in one piece. The event becomes an environ, and the response of the
// application becomes the result.

import { Exchange } from '../../core/exchange.ts';
import { plainResponse } from '../../core/plain-response.ts';
import type { GatewayResponse, Receiver, ResponseBody } from '../../core/response.ts';
import type { Environ } from '../../core/types.ts';
import { FailedResponseError } from './event/errors.ts';
import { oversizeBytes, tooLarge } from './event/limits.ts';
import type { LambdaGateway } from './gateway.ts';
import { Invocation } from './invocation.ts';
import { collect, firstOf, isAll, type Pulled, wholeOf } from './response.ts';
import type { Source } from './source.ts';

/**
 * The result for an event of any kind.
 *
 * @throws {UnsupportedEventError} also at once, as it does other errors that fail the invocation
 */
export function answerWhole(gateway: LambdaGateway, event: unknown, context: unknown): Promise<unknown> {
  const source = gateway.sourceOf(event);
  if (source === null) return gateway.handleEvent(event, context);
  return new LambdaCall(gateway, source, event, context).run();
}

/** An invocation whose result is returned in one piece. */
class LambdaCall extends Invocation implements Receiver {
  readonly #gateway: LambdaGateway;
  readonly #source: Source;
  #environ: Environ | null = null;
  /** What the handler returns, once it is known; before that, what gives it to the promise that {@link run} has returned. */
  #outcome: Promise<unknown> | ((result: unknown) => void) | null = null;

  constructor(gateway: LambdaGateway, source: Source, event: unknown, context: unknown) {
    super(gateway.settings.errors(), event, context);
    this.#gateway = gateway;
    this.#source = source;
  }

  /** Makes environ and calls the application. */
  run(): Promise<unknown> {
    const gateway = this.#gateway;
    let environ: Environ;
    try {
      environ = gateway.environOf(this.#source, this);
    } catch (error) {
      return Promise.resolve(this.#pageResult(gateway.refusal(error, this.#source, this)));
    }
    this.#environ = environ;
    this.begin(new Exchange(environ, gateway.settings.exchange)).runTo(gateway.app, this);
    const outcome = this.#outcome;
    if (outcome !== null && typeof outcome !== 'function') return outcome;
    return new Promise((resolve) => {
      this.#outcome = resolve;
    });
  }

  /** Lambda does not report that a client has left. */
  override get canAbort(): boolean {
    return this.#gateway.settings.abortBeforeTimeoutMs > 0;
  }

  /** Given the response by the exchange. */
  answer(response: GatewayResponse): void {
    const result = this.#finish(response);
    if (typeof this.#outcome === 'function') this.#outcome(result);
    else this.#outcome = result instanceof Promise ? result : Promise.resolve(result);
  }

  /** The result, or a promise of it that rejects for what fails the invocation. Never throws. */
  #finish(response: GatewayResponse): unknown | Promise<unknown> {
    let result: unknown;
    try {
      this.#check(response.statusCode);
      const { body } = response;
      if (Array.isArray(body)) {
        result = this.#toResult(response, wholeOf(body));
      } else {
        const first = firstOf(body);
        if (!isAll(first, response.headers)) return afterWork(this.#gather(response, body, first), this);
        // Made before the body is closed: the chunk is the application's. (BODY-08)
        result = this.#toResult(response, first);
      }
    } catch (error) {
      return afterWork(Promise.reject(error), this);
    }
    // All is over; the body may still have to be closed, and the log to be flushed. (LOG-04)
    return this.finish() instanceof Promise || this.hasWork ? afterWork(result, this) : result;
  }

  async #gather(response: GatewayResponse, body: ResponseBody, first: Pulled): Promise<unknown> {
    let whole: Uint8Array | null;
    try {
      whole = await collect(body, this.#source.limitBytes(this.event), first);
    } catch {
      // A body that fails halfway has been reported; as nothing went out, the client gets a plain 500.
      return this.#failed();
    }
    return this.#toResult(response, whole);
  }

  /** @param body all of it; null where it was not read to its end, being too long */
  #toResult(response: GatewayResponse, body: Uint8Array | null): unknown {
    const { event } = this;
    const source = this.#source;
    const limit = source.limitBytes(event);
    let result: unknown = null;
    try {
      if (body !== null) result = source.toResult(event, response, body);
    } catch (error) {
      // What this event source cannot express.
      this.exchange?.reportError(error);
      return this.#failed();
    }
    const size = body === null ? null : oversizeBytes(result, limit, response.headers, body.byteLength);
    if (size === 0) return result;
    this.exchange?.reportError(tooLarge(source.name, size, limit));
    return this.#failed();
  }

  #failed(): unknown {
    this.#check(500);
    return this.#pageResult(plainResponse(500, this.#environ?.REQUEST_METHOD));
  }

  /** A page of the gateway's own as a result. */
  #pageResult(page: GatewayResponse): unknown {
    return this.#source.toResult(this.event, page, wholeOf(page.body as Uint8Array[]));
  }

  /** @throws {FailedResponseError} for a status that fails the invocation */
  #check(status: number): void {
    if (this.#gateway.settings.fails?.(status)) throw new FailedResponseError(status, this.#environ as Environ);
  }
}

/** The result, once all is over that belongs to the invocation. */
async function afterWork(result: unknown, invocation: Invocation): Promise<unknown> {
  try {
    return await result;
  } finally {
    await invocation.end();
  }
}
