// `waygate/netlify`: applications as Netlify Functions and Edge Functions.

import type { NetlifyContext } from './to-netlify.ts';

export {
  type NetlifyContext,
  type NetlifyFunction,
  type NetlifyGeo,
  type NetlifyOptions,
  toNetlify,
} from './to-netlify.ts';

declare module 'waygate' {
  interface EnvironKeys {
    /** Netlify's context of the request. Cast it to `Context` of `@netlify/functions` for all of its members. */
    'netlify.context'?: NetlifyContext;
  }
}
