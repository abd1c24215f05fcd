// `waygate/fetch`: applications on Fetch platforms, and Fetch apps as applications.

export { type FetchApp, type FetchHandlerFunction, fromFetch } from './from-fetch.ts';
export { type FetchMiddleware, type FetchNext, fromFetchMiddleware } from './from-fetch-middleware.ts';
export type { ExecutionContextLike } from './hosted/platform.ts';
export { environOf } from './hosted/request.ts';
export { type FetchHandler, type FetchOptions, type RemoteAddr, toFetch } from './to-fetch.ts';
export { type HonoContextLike, toFetchMiddleware, type WaygateFetchMiddleware } from './to-fetch-middleware.ts';

declare module 'waygate' {
  interface EnvironKeys {
    /** The request as the platform has it. An application that reads its body takes it away from `wsgi.input`. */
    'fetch.request'?: Request;
    /** What the platform gave besides the request: Deno's connection info, Bun's server. */
    'fetch.arguments'?: readonly unknown[];
  }
}
