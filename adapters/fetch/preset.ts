// What the platforms share whose functions are called with a `Request`: each is a `FetchPlatform` and a few lines of its own.

import { isRequestLike, mistakenRequest } from '../../core/mistaken-request.ts';
import type { FetchRequest } from './platform.ts';

/** What stands in `wsgi.input` and URL of a request of a function: nothing is known beyond the `Request`. */
export interface PresetCall extends FetchRequest {
  /** What the platform passed besides the request. */
  readonly platform: readonly unknown[];
}

/**
 * A request of a function as the gateway takes it.
 *
 * @param made the function that made the handler, for the error
 * @param expected what the platform calls the handler with, for the error
 * @param platform what the platform passed besides the request
 * @throws {TypeError} for anything but a request: a handler of another platform was registered here
 */
export function presetCall(made: string, expected: string, request: unknown, platform: readonly unknown[]): PresetCall {
  if (!isRequestLike(request)) throw mistakenRequest(made, request, expected);
  return { request, target: null, length: -1, platform };
}
