// biome-ignore-all lint/complexity/noArguments: the platform's functions count theirs.
// A `Response` that is made only as far as it is looked at. In Node a `Response` of a text makes a stream of it, which costs
// more than all the rest of a small request. This one keeps a text or bytes in memory, and has the platform's own answer
// for whatever else there is.

import { isNullBodyStatus } from '../../../core/status.ts';
import { bytesOf, ownBytes, readAs, reasonOf, statusOf } from './body.ts';
import { ListHeaders } from './list-headers.ts';
import type { LightParts } from './mode.ts';
import { markAsUncloneable, real } from './real.ts';
import { instanceCheck, likePlatform, standFor } from './stand-for.ts';

/** The type of a body that is a text. (Fetch standard §6.2, "extract") */
const TEXT = 'text/plain;charset=UTF-8';

type Way = 'arrayBuffer' | 'blob' | 'bytes' | 'formData' | 'json' | 'text' | 'textStream';

export class LightResponse {
  #status = 200;
  #statusText = '';
  /** The body while it is in memory; null for none, and for one that #real has. */
  #body: string | Uint8Array | null = null;
  /** What a header of the type says where the caller has none. */
  #type: string | null = null;
  /** Made when they are first needed; from then on what they say counts. */
  #headers: ListHeaders | null = null;
  #isUsed = false;
  #real: Response | null = null;

  /**
   * @throws {TypeError} for headers, a reason or a body that no response has
   * @throws {RangeError} for a status outside 200 to 599
   */
  constructor(body: BodyInit | null = null, init?: ResponseInit) {
    markAsUncloneable(this);
    const own = body === null || typeof body === 'string' ? body : ownBytes(body);
    if (init !== undefined && init !== null) this.#init(init);
    if (own === undefined) this.#have(body as BodyInit);
    else if (own !== null) {
      this.#body = own;
      if (typeof own === 'string') this.#setType(TEXT);
    }
    if (body !== null && isNullBodyStatus(this.#status)) {
      throw new TypeError(`A response with status ${this.#status} has no body; expected null.`);
    }
  }

  static is(value: object): boolean {
    return #real in value;
  }

  static error(): Response {
    return LightResponse.#around(real('Response').error(), true);
  }

  static json(data: unknown, init?: ResponseInit): Response {
    if (arguments.length === 0) throw new TypeError('Response.json was given no data; expected some.');
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError(`Response.json was given ${typeof data}, which is not valid JSON.`);
    const response = new LightResponse(null, init);
    if (isNullBodyStatus(response.#status)) {
      throw new TypeError(`A response with status ${response.#status} has no body; expected another status.`);
    }
    response.#body = text;
    response.#setType('application/json');
    return response as unknown as Response;
  }

  static redirect(url: string | URL, status = 302): Response {
    if (arguments.length === 0) throw new TypeError('Response.redirect was given no URL; expected one.');
    const location = new URL(`${url}`).href;
    const code = statusOf(status);
    if (code !== 301 && code !== 302 && code !== 303 && code !== 307 && code !== 308) {
      throw new RangeError(`The status of the redirect is ${code}; expected 301, 302, 303, 307 or 308.`);
    }
    const response = new LightResponse();
    response.#status = code;
    response.#headers = ListHeaders.immutable({ location });
    return response as unknown as Response;
  }

  /** See `LightMode`. */
  static isUnread(response: object): boolean {
    return #real in response && response.#real === null && !response.#isUsed && isUntouched(response);
  }

  /** See `LightMode`. */
  static parts(response: object): LightParts | null {
    if (!(#real in response) || response.#real !== null || response.#isUsed || !isUntouched(response)) return null;
    return {
      status: response.#status,
      statusText: response.#statusText,
      headers: response.#headers === null ? typeOnly(response.#type) : ListHeaders.pairs(response.#headers),
      body: response.#body,
    };
  }

  /** See `LightMode`. */
  static inner(response: object): Response {
    return #real in response && isUntouched(response) ? response.#inner() : (response as Response);
  }

  /** The platform's own response that is the same in everything. */
  static real(response: LightResponse): Response {
    return response.#materialize();
  }

  /** A light response around one of the platform's. */
  static #around(inner: Response, isImmutable: boolean, headers?: ListHeaders): Response {
    const response = new LightResponse();
    response.#real = inner;
    response.#status = inner.status;
    response.#statusText = inner.statusText;
    response.#headers = headers ?? null;
    if (isImmutable) response.#headers = ListHeaders.immutable(inner.headers);
    return response as unknown as Response;
  }

  get headers(): Headers {
    if (!(#real in this)) return ofReal(this, 'headers');
    if (this.#headers === null) {
      this.#headers = new ListHeaders(this.#real?.headers);
      if (this.#type !== null) ListHeaders.complete(this.#headers, 'content-type', this.#type);
    }
    return this.#headers as unknown as Headers;
  }

  get status(): number {
    return #real in this ? this.#status : ofReal(this, 'status');
  }

  get statusText(): string {
    return #real in this ? this.#statusText : ofReal(this, 'statusText');
  }

  get ok(): boolean {
    return #real in this ? this.#status >= 200 && this.#status <= 299 : ofReal(this, 'ok');
  }

  get bodyUsed(): boolean {
    if (!(#real in this)) return ofReal(this, 'bodyUsed');
    return this.#isUsed || (this.#real?.bodyUsed ?? false);
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (!(#real in this)) return ofReal(this, 'body');
    return this.#real === null && this.#body === null ? null : this.#inner().body;
  }

  get url(): string {
    return #real in this ? (this.#real?.url ?? '') : ofReal(this, 'url');
  }

  get redirected(): boolean {
    return #real in this ? (this.#real?.redirected ?? false) : ofReal(this, 'redirected');
  }

  get type(): ResponseType {
    return #real in this ? (this.#real?.type ?? 'default') : ofReal(this, 'type');
  }

  text(): Promise<string> {
    return LightResponse.#read(this, 'text') as Promise<string>;
  }

  json(): Promise<unknown> {
    return LightResponse.#read(this, 'json');
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return LightResponse.#read(this, 'arrayBuffer') as Promise<ArrayBuffer>;
  }

  bytes(): Promise<Uint8Array> {
    return LightResponse.#read(this, 'bytes') as Promise<Uint8Array>;
  }

  blob(): Promise<Blob> {
    return LightResponse.#read(this, 'blob') as Promise<Blob>;
  }

  formData(): Promise<FormData> {
    return LightResponse.#read(this, 'formData') as Promise<FormData>;
  }

  /** A copy with headers of its own; a body in memory needs no second stream. */
  clone(): Response {
    if (!(#real in this)) return callReal(this, 'clone');
    const headers = this.#headers === null ? undefined : ListHeaders.copy(this.#headers);
    if (this.#isUsed) throw new TypeError('The body of the response is used already; clone it before it is read.');
    if (this.#real !== null) return LightResponse.#around(this.#real.clone(), false, headers);
    const copy = new LightResponse();
    copy.#status = this.#status;
    copy.#statusText = this.#statusText;
    copy.#body = this.#body;
    copy.#type = this.#type;
    copy.#headers = headers ?? null;
    return copy as unknown as Response;
  }

  #init(init: ResponseInit): void {
    if (typeof init !== 'object' && typeof init !== 'function') {
      throw new TypeError(`The init of the response is of type ${typeof init}; expected an object.`);
    }
    const { headers, status, statusText } = init;
    if (headers !== undefined) this.#headers = new ListHeaders(headers);
    if (status !== undefined) this.#status = statusOf(status);
    if (this.#status < 200 || this.#status > 599) {
      throw new RangeError(`The status of the response is ${this.#status}; expected 200 to 599.`);
    }
    if (statusText !== undefined) this.#statusText = reasonOf(statusText);
  }

  /** Has the platform make what is not text and no bytes. */
  #have(body: BodyInit): void {
    // It has the platform's error for a null-body status.
    this.#real = new (real('Response'))(body, { status: this.#status, statusText: this.#statusText });
    const type = this.#real.headers.get('content-type');
    if (type !== null) this.#setType(type);
  }

  #setType(type: string): void {
    if (this.#headers === null) this.#type = type;
    else ListHeaders.complete(this.#headers, 'content-type', type);
  }

  /** The platform's own response, for its body: its headers may say something else. */
  #inner(): Response {
    if (this.#real === null) {
      // From bytes, since a text would bring a type of its own.
      const body = this.#body === null ? null : bytesOf(this.#body);
      const init = { status: this.#status, statusText: this.#statusText };
      this.#real = new (real('Response'))(body as BodyInit | null, init);
      // What was read without it must be used in it too.
      if (this.#isUsed) this.#real.arrayBuffer().catch(() => {});
    }
    return this.#real;
  }

  /** The same, and its headers say what these say now. */
  #materialize(): Response {
    const inner = this.#inner();
    // Those of an error cannot be changed.
    if (inner.type !== 'default') return inner;
    const { headers } = inner;
    for (const name of [...headers.keys()]) headers.delete(name);
    ListHeaders.fill(headers, this.headers as unknown as ListHeaders);
    return inner;
  }

  static #read(response: object, way: Way): Promise<unknown> {
    if (!(#real in response)) return callReal(response, way);
    if (response.#real !== null) return callReal(response.#materialize(), way);
    if (response.#isUsed) return Promise.reject(new TypeError('The body of the response is used already.'));
    const body = response.#body;
    if (body === null && (way === 'text' || way === 'arrayBuffer' || way === 'bytes')) return readAs('', way);
    if (body === null || way === 'blob' || way === 'formData' || way === 'textStream') {
      return callReal(response.#materialize(), way);
    }
    response.#isUsed = true;
    return readAs(body, way);
  }
}

standFor(LightResponse, {
  name: 'Response',
  real: LightResponse.real,
  probe: () => new (real('Response'))(),
});
Object.defineProperty(LightResponse, Symbol.hasInstance, {
  value: instanceCheck(() => LightResponse, 'Response', LightResponse.is),
  configurable: true,
});
Object.defineProperty(LightResponse, 'name', { value: 'Response', configurable: true });
Object.defineProperty(LightResponse.json, 'length', { value: 1, configurable: true });
likePlatform(LightResponse, ['error', 'json', 'redirect']);
likePlatform(LightResponse.prototype, [
  ...['headers', 'status', 'statusText', 'ok', 'bodyUsed', 'body', 'url', 'redirected', 'type'],
  ...['text', 'json', 'arrayBuffer', 'bytes', 'blob', 'formData', 'clone'],
]);

/** What a gateway looks at. */
const SHOWN = ['body', 'bodyUsed', 'headers', 'status', 'statusText', 'url'] as const;

/** A subclass may make its own body, and somebody may have put another one on a response. */
function isUntouched(response: object): boolean {
  return (
    Object.getPrototypeOf(response) === LightResponse.prototype && !SHOWN.some((key) => Object.hasOwn(response, key))
  );
}

function typeOnly(type: string | null): [name: string, value: string][] {
  return type === null ? [] : [['content-type', type]];
}

/** A member of what is not a light response: the platform has it, or says what is wrong. */
function ofReal<Key extends keyof Response>(value: never, key: Key): Response[Key] {
  return Reflect.get(real('Response').prototype, key, value);
}

function callReal<Key extends 'clone' | Way>(value: unknown, key: Key): never {
  const method = (real('Response').prototype as unknown as Record<string, (this: unknown) => unknown>)[key];
  return (method as () => unknown).call(value) as never;
}
