// What lives as long as a request: `waygate.signal`, `waygate.wait_until`, whether the client is still there, and what has
// to be done before the platform may stop. Every adapter stands on it. (CLOSE-01, CLOSE-03, ERR-05)

import { attachState, keptKey, stateOf } from './private-state.ts';
import type { Environ, ErrorStream } from './types.ts';
import { logRejection, PendingWork, type WaitContext } from './work.ts';

/** Work that nobody but its lifetime waits for. */
class OwnWork extends PendingWork {}

/** What a lifetime has of an `Exchange`. */
export interface Running {
  /** Ends the response, and closes the application's body once. Never throws. */
  close(): void | Promise<void>;
  /** Reports a failure of the application. Never throws. */
  reportError(error: unknown): void;
}

/**
 * The lifetime of one request.
 *
 * An adapter makes one for each request, or derives its own call from it. It makes four calls:
 *
 * 1. {@link attachTo} once the environ has its request line: adds `waygate.signal` and `waygate.wait_until`.
 * 2. {@link begin} with the exchange, before that runs the application.
 * 3. {@link clientLeft} when the client disconnects, at any moment and as often as the platform says so.
 * 4. {@link finish} when the response is over; or {@link end}, which also waits for the work that goes on after it.
 *
 * It costs a request nothing but itself: the signal is made when somebody asks for it, and no list of work before there is
 * some.
 *
 * @example
 * const lifetime = new RequestLifetime();
 * lifetime.attachTo(environ);
 * socket.once('close', () => lifetime.clientLeft());
 * const response = await lifetime.begin(new Exchange(environ, { onError, context: lifetime })).run(app);
 * await send(response);
 * await lifetime.end();
 */
export class RequestLifetime implements WaitContext {
  /** Who waits for work: the platform, or from the first work on this lifetime itself. */
  #context: WaitContext | null;
  #exchange: Running | null = null;
  /** Made when somebody asks for the signal, or when that is aborted. */
  #controller: AbortController | null = null;
  #phase: 'open' | 'left' | 'finished' = 'open';

  /**
   * @param context who waits for work that goes on after the response: the platform, or the server for all its requests.
   *   Without one the lifetime keeps it itself, see {@link workDone}
   */
  constructor(context: WaitContext | null = null) {
    this.#context = context;
  }

  /**
   * Adds `waygate.signal` and `waygate.wait_until`. Call it before the headers are added, while all environs are of one
   * shape: later it takes longer.
   *
   * @param environ a fresh one, with its `wsgi.errors`
   */
  attachTo(environ: Environ): void {
    attachState(environ, this);
    Object.defineProperty(environ, 'waygate.signal', SIGNAL);
    environ['waygate.wait_until'] = waitUntil(this.#context ?? this, environ['wsgi.errors']);
  }

  /**
   * The application is about to run: from here on its exchange is closed with the request.
   *
   * @returns the exchange
   */
  begin<Started extends Running>(exchange: Started): Started {
    this.#exchange = exchange;
    if (this.#phase === 'left') this.close();
    return exchange;
  }

  /** What {@link begin} was given; null before. */
  protected get exchange(): Running | null {
    return this.#exchange;
  }

  /** The client has left, or has its whole response. */
  get isOver(): boolean {
    return this.#phase !== 'open';
  }

  /** The client has left before it had the whole response. */
  get hasLeft(): boolean {
    return this.#phase === 'left';
  }

  /** Why the signal is aborted; undefined while it is not. */
  get reason(): unknown {
    return this.#controller?.signal.reason;
  }

  /** `waygate.signal`, made on first use. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#phase === 'open') this.listen();
    }
    return this.#controller.signal;
  }

  /** Whether the signal can abort. A platform may show neither that a client leaves nor that the request is about to end. */
  get canAbort(): boolean {
    return true;
  }

  /** Somebody has the signal: an adapter that has not listened for the client's leaving yet does now. */
  protected listen(): void {}

  /**
   * Aborts the signal, and nothing else: the platform will soon end the request.
   *
   * @param reason the signal's; left out, the usual `AbortError`
   */
  abort(reason?: unknown): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }

  /**
   * The client has left before it had the whole response: aborts the signal and closes the exchange, once. After
   * {@link finish} it changes nothing: some platforms say so also of a client that has everything.
   *
   * @returns a promise where closing takes time
   */
  clientLeft(reason?: unknown): void | Promise<void> {
    if (this.#phase === 'open') {
      this.#phase = 'left';
      this.abort(reason);
    }
    return this.close();
  }

  /**
   * The response is over: closes the exchange.
   *
   * @returns a promise where closing takes time
   */
  finish(): void | Promise<void> {
    if (this.#phase === 'open') this.#phase = 'finished';
    return this.close();
  }

  /**
   * Closes the exchange, and has the platform wait for that. The client may still be there: nothing is left that the
   * application could send it.
   */
  close(): void | Promise<void> {
    const closing = this.#exchange?.close();
    if (closing instanceof Promise) this.waitUntil(closing);
    return closing;
  }

  /** Has the platform wait for something of the adapter's that never rejects. */
  waitUntil(work: Promise<unknown>): void {
    this.#context ??= new OwnWork();
    this.#context.waitUntil(work);
  }

  /** Whether there is work to wait for that no other context waits for. */
  get hasWork(): boolean {
    return this.#context instanceof OwnWork && this.#context.size > 0;
  }

  /** Resolves when all this work is done, also what is added meanwhile. Never rejects. */
  async workDone(): Promise<void> {
    if (this.#context instanceof OwnWork) await this.#context.settled();
  }

  /** The response is over; resolves when the application is closed and all work is done. Never rejects. */
  async end(): Promise<void> {
    await this.finish();
    await this.workDone();
  }
}

/** `waygate.wait_until`. A function that holds no more of the request than it needs: applications keep it. */
function waitUntil(context: WaitContext, errors: ErrorStream): Environ['waygate.wait_until'] {
  return (work) => context.waitUntil(logRejection(work, errors));
}

/** `waygate.signal` as a key of environ. */
export const SIGNAL: PropertyDescriptor = /* @__PURE__ */ keptKey(
  'waygate.signal',
  (lifetime: RequestLifetime) => lifetime.signal,
);

/**
 * `waygate.signal` for who only waits for it to abort.
 *
 * @returns null where it is the gateway's own and never aborts: a listener would cost more than the rest of a request
 */
export function signalToHear(environ: Environ): AbortSignal | null {
  const isOwn = Object.getOwnPropertyDescriptor(environ, 'waygate.signal')?.get === SIGNAL.get;
  const lifetime = isOwn ? stateOf(environ) : undefined;
  return lifetime instanceof RequestLifetime && !lifetime.canAbort ? null : environ['waygate.signal'];
}
