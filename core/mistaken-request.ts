// What a handler was called with that serves another platform: for messages that name both.

import { describe, quote } from './errors.ts';

/** A member by which a platform's object is known, and how that object is called. Asked in this order. */
const KNOWN: readonly [has: (value: Anything) => boolean, name: string][] = Object.freeze([
  [
    ({ respondWith, request }) => typeof respondWith === 'function' && isObject(request),
    'a FetchEvent (Fastly Compute)',
  ],
  [
    ({ functionPath, request }) => typeof functionPath === 'string' && isObject(request),
    'the context of a Cloudflare Pages Function',
  ],
  [
    ({ httpVersion, socket }) => typeof httpVersion === 'string' && isObject(socket),
    'a request of node:http (Node, Google Cloud Functions, Vercel with (req, res))',
  ],
  [({ schedule, scheduleStatus }) => isObject(schedule) || isObject(scheduleStatus), 'a timer of Azure Functions'],
  [
    ({ specversion, type }) => typeof specversion === 'string' && typeof type === 'string',
    'a CloudEvent (Google Cloud)',
  ],
  [({ Records }) => Array.isArray(Records), 'an event of AWS Lambda with records'],
  [
    ({ requestContext, httpMethod, rawPath }) =>
      isObject(requestContext) || typeof httpMethod === 'string' || typeof rawPath === 'string',
    'an HTTP event of AWS Lambda (also Netlify with handler(event, context))',
  ],
  [
    ({ cron, scheduledTime }) => typeof cron === 'string' && scheduledTime !== undefined,
    'a cron event of Cloudflare Workers',
  ],
  [
    ({ method, url, headers }) => typeof method === 'string' && typeof url === 'string' && isHeaders(headers),
    'a Request (Fetch platforms)',
  ],
]);

interface Anything {
  readonly [member: string]: unknown;
}

function isObject(value: unknown): value is Anything {
  return typeof value === 'object' && value !== null;
}

function isHeaders(value: unknown): boolean {
  return isObject(value) && typeof value.forEach === 'function' && typeof value.get === 'function';
}

/**
 * Whether a value can be read as a `Request`, of whatever make.
 *
 * @example isRequestLike(new Request('https://example.com/')); // true
 */
export function isRequestLike(value: unknown): value is Request {
  return (
    isObject(value) && typeof value.url === 'string' && typeof value.method === 'string' && isHeaders(value.headers)
  );
}

/** Names what a handler was called with. Never throws. */
export function describeRequest(value: unknown): string {
  try {
    if (!isObject(value)) return describe(value);
    for (const [has, name] of KNOWN) if (has(value)) return name;
    const keys = Object.keys(value).slice(0, 8);
    if (keys.length > 0) return `${describe(value)} with the keys ${keys.map((key) => quote(key, 30)).join(', ')}`;
  } catch {
    // An object that refuses to be looked at is described without that.
  }
  return describe(value);
}

/**
 * The error of a handler that was called with what another platform, or another kind of trigger, calls its handlers with.
 *
 * @param made the function that made the handler: `toVercel`
 * @param given what the handler was called with
 * @param expected what this platform calls it with, and how the handler is registered there
 * @example
 * throw mistakenRequest('toVercel', request, 'a Request; export it as default: export default toVercel(app)');
 */
export function mistakenRequest(made: string, given: unknown, expected: string): TypeError {
  return new TypeError(
    `The handler that ${made} made was called with ${describeRequest(given)}; expected ${expected}.`,
  );
}
