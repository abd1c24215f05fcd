// `waygate/vercel`: applications as Vercel Functions.

import type { VercelContext } from './to-vercel.ts';

export { toVercel, type VercelContext, type VercelFunction, type VercelOptions } from './to-vercel.ts';

declare module 'waygate' {
  interface EnvironKeys {
    /** What Vercel keeps of the request under way: `waitUntil`, and more where the platform adds it. */
    'vercel.context'?: VercelContext;
  }
}
