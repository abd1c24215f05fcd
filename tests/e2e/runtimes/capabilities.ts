// What each runtime lacks, with the reason; the suite holds every lack to be real. docs/platforms.md says the same in words.

import type { Capabilities } from '../../../testing/index.ts';

/** workerd behind `wrangler dev`, asked with workerd's own `fetch`. */
export const workerd: Partial<Capabilities> = { raw: false };

/** `Bun.serve`, asked with Bun's own `fetch`. */
export const bun: Partial<Capabilities> = {
  // Whatever the Response says, the status line has the reason that Bun knows for the code.
  reason: false,
};

/** `Deno.serve`, asked with Deno's own `fetch`. */
export const deno: Partial<Capabilities> = {
  // Whatever the Response says, the status line has the reason that hyper, Deno's server, knows for the code.
  reason: false,
};

/** The ways to serve on Node, which lack nothing but what a `Request` cannot say. */
export const NODE_WAYS: Record<'toNode' | 'serve' | 'toFetch', Partial<Capabilities>> = {
  toNode: {},
  serve: {},
  toFetch: { raw: false },
};
