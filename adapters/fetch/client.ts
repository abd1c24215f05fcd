// The client of one request on a Fetch platform: what the gateway knows of it, keeps for it and carries on its environ.

import type { Settings } from '../../core/environ.ts';
import type { Exchange } from '../../core/gateway.ts';
import { StreamSource } from '../../core/input.ts';
import { lazyKey } from '../../core/private-state.ts';
import type { ResponseBody } from '../../core/response.ts';
import type { ErrorStream, InputStream } from '../../core/types.ts';
import { logRejection } from '../../core/work.ts';
import type { FetchCall, FetchPlatform, FetchRequestLine } from './environ.ts';
import { webStream } from './foreign-body.ts';
import type { ResponseCall } from './response.ts';

/** Keeps the platform running until a promise has settled: the part of an `ExecutionContext` that a gateway needs. */
export interface WaitContext {
  waitUntil(work: Promise<unknown>): void;
}

/** Whether the client of one request is still there, and what goes on after its response. */
export class FetchRequestCall implements ResponseCall {
  readonly head: boolean;
  exchange: Exchange | null = null;
  /** The request as it came; native.ts tells by these three whether environ still shows it. */
  readonly call: FetchCall;
  line: FetchRequestLine | null = null;
  input: InputStream | null = null;
  readonly facts: FetchPlatform;
  readonly settings: Settings;
  /** Where the request body comes from; null for none. */
  source: StreamSource | null = null;
  readonly #errors: ErrorStream;
  readonly #context: WaitContext | undefined;
  #controller: AbortController | null = null;
  #watched = false;
  #gone = false;
  #finished = false;
  #reason: unknown;
  /** Breaks the body off that is on its way. */
  #breakOff: ((reason: unknown) => void) | null = null;
  /** Tells a platform that would drop this request to wait no longer for its end. */
  #release: (() => void) | null = null;

  /** @param context the platform's own, for this request */
  constructor(
    call: FetchCall,
    facts: FetchPlatform,
    settings: Settings,
    errors: ErrorStream,
    context: WaitContext | undefined,
  ) {
    this.head = call.request.method === 'HEAD';
    this.call = call;
    this.facts = facts;
    this.settings = settings;
    this.#errors = errors;
    this.#context = context;
  }

  /** @throws {TypeError} for a Request of another make whose body cannot be read */
  openBody(): void {
    // Whoever makes a Request by hand may leave the body out.
    const body = this.call.request.body as unknown;
    if (body) this.source = new StreamSource(webStream(body, 'Request'));
  }

  /** `waygate.wait_until`. */
  readonly waitUntil = (work: Promise<unknown>): void => {
    const done = logRejection(work, this.#errors);
    this.#context?.waitUntil(done);
  };

  /** `waygate.signal`, made on first use. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#gone) this.#controller.abort(this.#reason);
      else this.#listen();
    }
    return this.#controller.signal;
  }

  /** From now on the application has something to close: it must hear when the client leaves. */
  watch(): void {
    this.#listen();
    if (this.facts.cancelsOnDisconnect !== true || this.#release !== null) return;
    this.#context?.waitUntil(
      new Promise<void>((release) => {
        this.#release = release;
      }),
    );
  }

  gone(reason: unknown): void | Promise<void> {
    // Some platforms abort the request's signal also when all went well.
    if (!this.#gone && !this.#finished) {
      this.#gone = true;
      this.#reason = reason;
      this.#controller?.abort(reason);
      this.#breakOff?.(reason);
    }
    return this.#closed(this.exchange?.close(), true);
  }

  drain(): Promise<void> | undefined {
    return this.facts.discardsUnreadBody === true ? this.source?.discard(this.waitUntil) : undefined;
  }

  onGone(breakOff: (reason: unknown) => void): void {
    // A platform knows that its client has gone, and would tell of a body that fails for it.
    if (this.call.isLikeFetch !== true) return;
    if (this.#gone) breakOff(this.#reason);
    else this.#breakOff = breakOff;
  }

  finish(body: ResponseBody): void {
    this.#finished = body.stream === null;
    // A native stream has yet to be sent, and may read the request.
    this.#closed(body.close(), this.#finished);
  }

  /**
   * Nothing is left to send that the application could hear of.
   *
   * @param closing what is left to do all the same: to flush the log
   */
  over(closing?: void | Promise<void>): void {
    this.#finished = true;
    this.#closed(closing, true);
  }

  #closed(closing: void | Promise<void>, isOver: boolean): void | Promise<void> {
    if (closing instanceof Promise) this.waitUntil(isOver ? closing.then(() => this.#discard()) : closing);
    else if (isOver) this.#discard();
    this.#release?.();
    return closing;
  }

  #discard(): void {
    this.drain();
  }

  #listen(): void {
    const signal = this.call.request.signal as AbortSignal | undefined;
    if (!signal || this.#watched) return;
    this.#watched = true;
    if (signal.aborted) this.gone(signal.reason);
    else signal.addEventListener('abort', () => this.gone(signal.reason), { once: true });
  }
}

/** `waygate.signal` as a key of environ. */
export const SIGNAL: PropertyDescriptor = /* @__PURE__ */ lazyKey(
  'waygate.signal',
  (client: FetchRequestCall) => client.signal,
);
