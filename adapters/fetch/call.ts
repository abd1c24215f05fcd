// The story of one request on a Fetch platform: its environ, the application, the response, and how it ends.

import { addDeployerKeys, type Settings } from '../../core/environ.ts';
import { statusOf } from '../../core/errors.ts';
import { Exchange } from '../../core/exchange.ts';
import { RequestLifetime } from '../../core/lifetime.ts';
import { plainResponse, refuse } from '../../core/plain-response.ts';
import type { Answer, ExchangeOptions, Receiver, ResponseBody } from '../../core/response.ts';
import { isNullBodyStatus } from '../../core/status.ts';
import { StreamSource } from '../../core/stream-source.ts';
import { isThenable } from '../../core/thenable.ts';
import type { Application, Environ, ErrorStream } from '../../core/types.ts';
import type { WaitContext } from '../../core/work.ts';
import { type EnvironState, fetchEnviron, requestLine } from './environ.ts';
import { webStream } from './foreign-body.ts';
import { callBehind, type DirectCall, type ReceivedRequest } from './passthrough.ts';
import type { FetchPlatform, FetchRequest, RequestRecord } from './platform.ts';
import { type ResponseCall, toResponse } from './response.ts';

/** What a call needs of its gateway. */
export interface CallGateway {
  readonly app: Application;
  readonly settings: Settings;
  readonly platform: FetchPlatform;
}

/** One request, which rides on its environ. */
export class FetchCall
  extends RequestLifetime
  implements Receiver<DirectCall>, EnvironState, ReceivedRequest, ResponseCall
{
  readonly received: FetchRequest;
  readonly #gateway: CallGateway;
  #source: StreamSource | null = null;
  #record: RequestRecord | null = null;
  #isListening = false;
  /** Breaks off the body that is on its way. */
  #breakOff: ((reason: unknown) => void) | null = null;
  /** Ends the wait of a platform that would otherwise drop this request. */
  #release: (() => void) | null = null;
  /** The response once it is known; before that, what gives it to the promise that {@link run} has returned. */
  #outcome: Response | Promise<Response> | ((response: Response | Promise<Response>) => void) | null = null;

  /** @param context the platform's own, for this request, where it has one */
  constructor(gateway: CallGateway, received: FetchRequest, context: WaitContext | undefined) {
    super(context ?? null);
    this.#gateway = gateway;
    this.received = received;
  }

  /** Answers the request: a promise only where the application, or the first step of its body, is asynchronous. */
  run(): Response | Promise<Response> {
    const { app, platform, settings } = this.#gateway;
    const errors = settings.errors();
    let environ: Environ;
    try {
      environ = this.#makeEnviron(errors);
    } catch (error) {
      return toResponse(refuse(error, errors, this.method), platform, this);
    }
    this.begin(new Exchange(environ, this.#options())).runTo(app, this);
    const outcome = this.#outcome;
    if (outcome !== null && typeof outcome !== 'function') return outcome;
    this.#watch();
    return new Promise((resolve) => {
      this.#outcome = resolve;
    });
  }

  // The request.

  /**
   * @throws {RequestError} for a request that cannot be served
   * @throws {TypeError} for a Request of another make whose body cannot be read
   */
  #makeEnviron(errors: ErrorStream): Environ {
    const { platform, settings } = this.#gateway;
    const { received } = this;
    // A Request that was made by hand may lack the body.
    const body = received.request.body as unknown;
    if (body) this.#source = new StreamSource(webStream(body, 'Request'));
    const record = requestLine(received, platform, settings.basePath);
    const environ = fetchEnviron(received, record, platform, errors, this);
    record.input = environ['wsgi.input'];
    record.waitUntil = environ['waygate.wait_until'];
    this.#record = record;
    addDeployerKeys(environ, settings.deployerKeys);
    platform.addKeys(environ, received);
    return environ;
  }

  get source(): StreamSource | null {
    return this.#source;
  }

  get maxBodyBytes(): number {
    return this.#gateway.settings.maxBodyBytes;
  }

  // What passthrough.ts compares an environ with.

  get record(): RequestRecord | null {
    return this.#record;
  }

  get platform(): FetchPlatform {
    return this.#gateway.platform;
  }

  // The response.

  #options(): ExchangeOptions<DirectCall> {
    const { platform, settings } = this.#gateway;
    // The end of a native stream is not seen: then it is unknown when a body that was begun has to be dropped.
    const takesStreams = this.#source === null || platform.discardsUnreadBody !== true;
    return { onError: settings.onError, takesStreams, passthrough: callBehind, context: this };
  }

  get method(): string {
    return this.received.request.method;
  }

  answer(answer: Answer<DirectCall>): void {
    let response: Response | Promise<Response>;
    try {
      response = answer.passthrough === undefined ? this.#respond(answer) : this.#pass(answer.passthrough);
    } catch (error) {
      response = Promise.reject(error);
    }
    if (typeof this.#outcome === 'function') this.#outcome(response);
    else this.#outcome = response;
  }

  #respond(answer: Answer): Response | Promise<Response> {
    const { platform } = this.#gateway;
    const isWhole = Array.isArray(answer.body);
    if (isWhole || this.method === 'HEAD' || isNullBodyStatus(answer.statusCode)) {
      // What was begun of the request body has to be gone before the response is.
      const drained = this.drain();
      if (isWhole) this.finish();
      else this.#watch();
      if (drained !== undefined) return drained.then(() => toResponse(answer, platform, this));
    } else {
      this.#watch();
      // The body may still be read while the response is sent.
      if (platform.discardsUnreadBody === true) this.#source?.begin();
    }
    return toResponse(answer, platform, this);
  }

  /** The response of a Fetch app goes to the platform as it is. A failure is the same 500 as everywhere. */
  #pass(call: DirectCall): Response | Promise<Response> {
    this.finish();
    const fail = (error: unknown): Response => {
      this.exchange?.reportError(error);
      return toResponse(plainResponse(statusOf(error), this.method), this.#gateway.platform, this);
    };
    try {
      const answer = call();
      return isThenable(answer) ? answer.catch(fail) : answer;
    } catch (error) {
      return fail(error);
    }
  }

  // The end.

  /** From now on the application has something to close: it must hear when the client leaves. */
  #watch(): void {
    this.listen();
    if (this.#gateway.platform.cancelsOnDisconnect !== true || this.#release !== null) return;
    this.waitUntil(
      new Promise<void>((release) => {
        this.#release = release;
      }),
    );
  }

  protected override listen(): void {
    const signal = this.received.request.signal as AbortSignal | undefined;
    if (!signal || this.#isListening) return;
    this.#isListening = true;
    // Some platforms abort the request's signal also when all went well.
    if (signal.aborted) this.clientLeft(signal.reason);
    else signal.addEventListener('abort', () => this.clientLeft(signal.reason), { once: true });
  }

  override clientLeft(reason: unknown): void | Promise<void> {
    if (!this.isOver) this.#breakOff?.(reason);
    return super.clientLeft(reason);
  }

  onClientLeft(breakOff: (reason: unknown) => void): void {
    // A platform knows that its client has gone, and would report a body that fails for it.
    if (this.received.isLikeFetch !== true) return;
    if (this.hasLeft) breakOff(this.reason);
    else this.#breakOff = breakOff;
  }

  bodyOver(body: ResponseBody): void {
    // A native stream has yet to be sent, and may read the request.
    if (body.stream === null) this.finish();
    else this.close();
  }

  override close(): void | Promise<void> {
    const closing = super.close();
    if (this.isOver) {
      if (closing instanceof Promise) this.waitUntil(closing.then(() => void this.drain()));
      else this.drain();
    }
    this.#release?.();
    return closing;
  }

  drain(): Promise<void> | undefined {
    return this.#gateway.platform.discardsUnreadBody === true ? this.#source?.discard(this) : undefined;
  }
}
