// The light classes under the names of the platform's: what `waygate build` has a bundle use for `Response`, `Request`,
// `Headers` and `fetch`. No global is changed.

import { ListHeaders } from './list-headers.ts';
import { lightMode, useLight } from './mode.ts';
import { type FetchGlobals, real } from './real.ts';
import { LazyRequest } from './request.ts';
import { LightResponse } from './response.ts';
import { instanceCheck } from './stand-for.ts';

/** Arguments as the platform takes them; the first may be a light request. */
function withReal(given: readonly unknown[]): readonly unknown[] {
  const [input, ...rest] = given;
  return typeof input === 'object' && input !== null && LazyRequest.is(input)
    ? [LazyRequest.real(input), ...rest]
    : given;
}

/** `fetch`, which takes light requests too. */
function lightFetch(...given: [input: RequestInfo | URL, init?: RequestInit]): Promise<Response> {
  return real('fetch')(...(withReal(given) as typeof given));
}
Object.defineProperties(lightFetch, {
  name: { value: 'fetch', configurable: true },
  length: { value: 1, configurable: true },
});

/** What requests that programs make inherit from: the platform's own, except for their class. */
let prototype: object | undefined;

function requestPrototype(): object {
  prototype ??= Object.create(real('Request').prototype, {
    constructor: { value: LightRequestClass, writable: true, configurable: true },
  }) as object;
  return prototype;
}

const isRequest = instanceCheck(() => LightRequestClass, 'Request', LazyRequest.is);

/**
 * `Request` for programs. What they make with it is the platform's own, since hardly any does for each request; and what
 * is hosted is an instance of it.
 */
const LightRequestClass: typeof Request = new Proxy(class Request {}.bind(null) as unknown as typeof Request, {
  construct(_target, given, made): object {
    const request: object = Reflect.construct(real('Request'), withReal(given), made);
    return request;
  },
  get(_target, key, receiver) {
    if (key === Symbol.hasInstance) return isRequest;
    if (key === 'prototype') return requestPrototype();
    return Reflect.get(real('Request'), key, receiver === LightRequestClass ? real('Request') : receiver);
  },
  has: (_target, key) => Reflect.has(real('Request'), key),
  getOwnPropertyDescriptor(target, key) {
    const own = Object.getOwnPropertyDescriptor(target, key);
    return own === undefined ? undefined : { ...own, value: Reflect.get(real('Request'), key) };
  },
});

const classes: FetchGlobals = {
  Response: LightResponse as unknown as typeof Response,
  Request: LightRequestClass,
  Headers: ListHeaders as unknown as typeof Headers,
  fetch: lightFetch,
};

if (lightMode() === null) {
  useLight({
    classes,
    isUnread: LightResponse.isUnread,
    parts: LightResponse.parts,
    inner: LightResponse.inner,
    headers: ListHeaders.real,
  });
}

const OwnResponse: typeof Response = classes.Response;
const OwnHeaders: typeof Headers = classes.Headers;

export { LightRequestClass as Request, lightFetch as fetch, OwnHeaders as Headers, OwnResponse as Response };
