// What each runtime lacks, with the reason; the suite holds every lack to be real. docs/platforms.md says the same in words.

import type { Capabilities } from '../../../testing/index.ts';

/** What no `fetch` can show: its URLs are normalized ones, and what a server makes of HTTP/1.1 is the runtime's affair. */
const ASKED_WITH_FETCH: Partial<Capabilities> = { raw: false, rawPath: false, rawQuery: false };

/** workerd behind `wrangler dev`, asked with workerd's own `fetch`. */
export const workerd: Partial<Capabilities> = {
  ...ASKED_WITH_FETCH,
  // Header text is UTF-8 in workerd, both ways.
  headerBytes: false,
  // workerd knows the methods it serves by name.
  anyMethod: false,
  // workerd sends the last chunk also when the body has failed.
  brokenConnection: 'complete',
  // Behind wrangler dev a chunked upload that breaks off looks whole. (One with a length does not: workers-facts.test.ts.)
  abortedUpload: false,
  // workerd sees that a client has gone when it writes to it, and tells a native stream nothing at all.
  promptDisconnect: false,
};

/** A Worker's `fetch` called in workerd with a `Request` made there. */
export const calledInWorkerd: Partial<Capabilities> = {
  ...workerd,
  brokenConnection: 'reject',
  abortedUpload: true,
  // Content-Length comes into being when a request is sent.
  requestLength: false,
};

/** `Bun.serve`, asked with Bun's own `fetch`. */
export const bun: Partial<Capabilities> = {
  ...ASKED_WITH_FETCH,
  // Whatever the Response says, the status line has the reason that Bun knows for the code.
  reason: false,
  // Bun counts a body that is over soon, and says its length.
  unknownLength: false,
  // Bun's fetch writes methods in upper case.
  anyMethod: false,
};

/** `Deno.serve`, asked with Deno's own `fetch`. */
export const deno: Partial<Capabilities> = {
  ...ASKED_WITH_FETCH,
  // Whatever the Response says, the status line has the reason that Deno's server knows for the code.
  reason: false,
};

/** The ways to serve on Node, which lack nothing but what a `Request` or HTTP/2 cannot say. */
export const NODE_WAYS: Record<'toNode' | 'http2' | 'serve' | 'toFetch', Partial<Capabilities>> = {
  toNode: {},
  // HTTP/2 has neither bytes to write by hand nor a reason phrase.
  http2: { raw: false, reason: false },
  serve: {},
  toFetch: { raw: false },
};
