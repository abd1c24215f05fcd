// `waygate/fastly`: applications on Fastly Compute.

import type { FastlyEvent } from './to-fastly.ts';

export {
  type FastlyClient,
  type FastlyEvent,
  type FastlyGeo,
  type FastlyListener,
  type FastlyOptions,
  toFastly,
} from './to-fastly.ts';

declare module 'waygate' {
  interface EnvironKeys {
    /** The event. Cast it to Fastly's `FetchEvent` for all of its members. */
    'fastly.event'?: FastlyEvent;
  }
}
