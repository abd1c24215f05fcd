// `waygate/fetch`: applications on Fetch platforms.

export { type FetchHandler, type FetchOptions, toFetch } from './to-fetch.ts';
