// A `Request` that is made only as far as it is looked at. Where `new Request` is costly, as in Node, most handlers never
// need one: they read the URL, a header, the body as text. Its prototype chain ends in `Request.prototype`, so that it is a
// Request to `instanceof`. Whatever it does not answer by itself, a real Request answers.

import type { DirectRequest } from '../../../core/direct-app.ts';
import type { Environ, InputStream } from '../../../core/types.ts';
import { LightHeaders } from './headers.ts';
import { lightMode } from './mode.ts';
import { real } from './real.ts';
import { standFor } from './stand-for.ts';

/** What a request is made of besides its environ. */
export interface RequestParts {
  /** As the URL standard writes it. */
  readonly url: string;
  /** As `Request` normalizes it. */
  readonly method: string;
  readonly hasBody: boolean;
}

/** Makes a real request; its headers are those of environ where none are given. */
type Make = (environ: Environ, parts: RequestParts, headers: Headers | undefined, signal: AbortSignal) => Request;

export class LazyRequest {
  /** Makes the environ, and answers for it as long as there is none. */
  readonly #direct: DirectRequest | null;
  #environ: Environ | null;
  readonly #parts: RequestParts;
  readonly #make: Make;
  #headers: LightHeaders | null = null;
  /** The body was read from `wsgi.input` without a real request. */
  #read = false;
  #real: Request | null = null;

  /**
   * @param environ null where `direct` makes it
   * @param make makes the real request, should it be needed
   */
  constructor(environ: Environ | null, direct: DirectRequest | null, parts: RequestParts, make: Make) {
    this.#environ = environ;
    this.#direct = direct;
    this.#parts = parts;
    this.#make = make;
  }

  /** The environ behind a light request, or undefined for anything else. */
  static environOf(request: object): Environ | undefined {
    return #environ in request ? request.#known() : undefined;
  }

  static is(request: object): request is LazyRequest {
    return #environ in request;
  }

  /** The real request behind a light one. */
  static real(light: LazyRequest): Request {
    return light.#materialize();
  }

  get url(): string {
    return this.#parts.url;
  }

  get method(): string {
    return this.#parts.method;
  }

  get headers(): Headers {
    this.#headers ??= new LightHeaders(this.#environ, this.#direct);
    return this.#headers as unknown as Headers;
  }

  get signal(): AbortSignal {
    return this.#environ === null ? (this.#direct as DirectRequest).signal : this.#environ['waygate.signal'];
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#parts.hasBody ? this.#materialize().body : null;
  }

  get bodyUsed(): boolean {
    return this.#read || (this.#real?.bodyUsed ?? false);
  }

  text(): Promise<string> {
    return this.#reads() ? this.#input().text() : this.#materialize().text();
  }

  json(): Promise<unknown> {
    return this.#reads() ? this.#input().json() : this.#materialize().json();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    if (!this.#reads()) return this.#materialize().arrayBuffer();
    const bytes = await this.#input().bytes();
    // A chunk may be a view of a larger buffer, which is nobody else's business.
    return bytes.slice().buffer as ArrayBuffer;
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.arrayBuffer());
  }

  blob(): Promise<Blob> {
    return this.#materialize().blob();
  }

  formData(): Promise<FormData> {
    return this.#materialize().formData();
  }

  clone(): Request {
    return this.#materialize().clone();
  }

  #known(): Environ {
    this.#environ ??= (this.#direct as DirectRequest).environ;
    return this.#environ;
  }

  #input(): InputStream {
    return (this.#environ === null ? this.#direct?.input : null) ?? this.#known()['wsgi.input'];
  }

  /** Whether a body can be read straight from `wsgi.input`; it then counts as used. */
  #reads(): boolean {
    if (!this.#parts.hasBody || this.#read || this.#real !== null) return false;
    this.#read = true;
    return true;
  }

  #materialize(): Request {
    if (this.#real !== null) return this.#real;
    const real = this.#make(this.#known(), this.#parts, this.#headers?.platform(), following(this.signal));
    this.#real = real;
    this.#headers?.become(real.headers);
    // What was read without it must be used for it too.
    if (this.#read) real.arrayBuffer().catch(() => {});
    return real;
  }
}

standFor(LazyRequest, {
  name: 'Request',
  real: LazyRequest.real,
  make: () => lightMode()?.classes.Request ?? real('Request'),
  probe: () => new (real('Request'))('http://localhost/'),
});

/** What else a request has, and a light one has no quicker answer to. */
for (const key of [
  ...['cache', 'credentials', 'destination', 'duplex', 'integrity', 'isHistoryNavigation', 'isReloadNavigation'],
  ...['keepalive', 'mode', 'redirect', 'referrer', 'referrerPolicy'],
]) {
  Object.defineProperty(LazyRequest.prototype, key, {
    enumerable: true,
    configurable: true,
    get(this: LazyRequest) {
      return Reflect.get(LazyRequest.real(this), key);
    },
  });
}

/**
 * A signal that aborts with another one. Node keeps the signal that a request was made with, and its listeners, as long as
 * the request is held. With our own signal there, a listener that holds the request would keep both for ever.
 */
function following(signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  if (signal.aborted) controller.abort(signal.reason);
  else signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true });
  return controller.signal;
}

/**
 * Whether a light request can stand in for a real one here. Whatever takes a request, above all `fetch` and `new Request`,
 * must find in it what a real one has. Where programs see light classes, these take it. Elsewhere it does where the
 * platform keeps that under symbols, as in Node 20 and 22; where it is kept in private fields, nothing can.
 */
export function isLightEnough(): boolean {
  if (lightMode() !== null) return true;
  lightEnough ??= supportsLazyRequest();
  return lightEnough;
}

let lightEnough: boolean | undefined;

function supportsLazyRequest(): boolean {
  try {
    const own = new (real('Request'))('http://localhost/', {
      method: 'POST',
      headers: { 'x-light': 'yes' },
      body: 'body',
    });
    const environ = { 'waygate.signal': own.signal } as Environ;
    const light = new LazyRequest(environ, null, { url: own.url, method: own.method, hasBody: true }, () => own);
    const copy = new (real('Request'))(light as unknown as Request);
    return (
      copy.url === own.url && copy.method === 'POST' && copy.headers.get('x-light') === 'yes' && copy.body !== null
    );
  } catch {
    return false;
  }
}
