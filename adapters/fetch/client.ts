// The client of one request on a Fetch platform: what the gateway knows of it, keeps for it and carries on its environ.

import type { Settings } from '../../core/environ.ts';
import { StreamSource } from '../../core/input.ts';
import { RequestLifetime } from '../../core/lifetime.ts';
import type { ResponseBody } from '../../core/response.ts';
import type { Environ, InputStream } from '../../core/types.ts';
import type { WaitContext } from '../../core/work.ts';
import type { FetchCall, FetchPlatform, FetchRequestLine } from './environ.ts';
import { webStream } from './foreign-body.ts';
import type { ResponseCall } from './response.ts';

/** One request on a Fetch platform, and what goes on after its response. */
export class FetchRequestCall extends RequestLifetime implements ResponseCall {
  readonly head: boolean;
  /** The request as it came; native.ts tells by these four whether environ still shows it. */
  readonly call: FetchCall;
  line: FetchRequestLine | null = null;
  input: InputStream | null = null;
  waits: Environ['waygate.wait_until'] | null = null;
  readonly facts: FetchPlatform;
  readonly settings: Settings;
  /** Where the request body comes from; null for none. */
  source: StreamSource | null = null;
  #watched = false;
  /** Breaks the body off that is on its way. */
  #breakOff: ((reason: unknown) => void) | null = null;
  /** Tells a platform that would drop this request to wait no longer for its end. */
  #release: (() => void) | null = null;

  /** @param context the platform's own, for this request */
  constructor(call: FetchCall, facts: FetchPlatform, settings: Settings, context: WaitContext | undefined) {
    super(context ?? null);
    this.head = call.request.method === 'HEAD';
    this.call = call;
    this.facts = facts;
    this.settings = settings;
  }

  /** @throws {TypeError} for a Request of another make whose body cannot be read */
  openBody(): void {
    // Whoever makes a Request by hand may leave the body out.
    const body = this.call.request.body as unknown;
    if (body) this.source = new StreamSource(webStream(body, 'Request'));
  }

  /** From now on the application has something to close: it must hear when the client leaves. */
  watch(): void {
    this.listen();
    if (this.facts.cancelsOnDisconnect !== true || this.#release !== null) return;
    this.waitUntil(
      new Promise<void>((release) => {
        this.#release = release;
      }),
    );
  }

  protected override listen(): void {
    const signal = this.call.request.signal as AbortSignal | undefined;
    if (!signal || this.#watched) return;
    this.#watched = true;
    // Some platforms abort the request's signal also when all went well.
    if (signal.aborted) this.clientLeft(signal.reason);
    else signal.addEventListener('abort', () => this.clientLeft(signal.reason), { once: true });
  }

  override clientLeft(reason: unknown): void | Promise<void> {
    if (!this.isOver) this.#breakOff?.(reason);
    return super.clientLeft(reason);
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
    return this.facts.discardsUnreadBody === true ? this.source?.discard(this) : undefined;
  }

  onClientLeft(breakOff: (reason: unknown) => void): void {
    // A platform knows that its client has gone, and would tell of a body that fails for it.
    if (this.call.isLikeFetch !== true) return;
    if (this.hasLeft) breakOff(this.reason);
    else this.#breakOff = breakOff;
  }

  bodyOver(body: ResponseBody): void {
    // A native stream has yet to be sent, and may read the request.
    if (body.stream === null) this.finish();
    else this.close();
  }
}
