// `waygate/fetch`: applications on Fetch platforms, and Fetch apps as applications.

export { type FetchApp, type FetchHandlerFunction, fromFetch } from './from-fetch.ts';
export type { ExecutionContextLike } from './hosted-platform.ts';
export { environOf } from './hosted-request.ts';
export { type FetchHandler, type FetchOptions, toFetch } from './to-fetch.ts';
