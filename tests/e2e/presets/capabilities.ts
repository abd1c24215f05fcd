// What each preset lacks under its platform's own tool, with the reason; the suite holds every lack to be real.
// docs/platforms.md says the same in words.

import type { Capabilities } from '../../../testing/index.ts';

/** Asked with a `fetch`, whose URLs are normalized ones; what arrives has been parsed and made anew by the platform's server. */
const ASKED_WITH_FETCH: Partial<Capabilities> = { raw: false, rawPath: false, rawQuery: false };

/** Google's Functions Framework, which is an Express app. */
export const googleCloud: Partial<Capabilities> = {
  ...ASKED_WITH_FETCH,
  // Node's parser knows the methods it serves by name.
  anyMethod: false,
  // Express answers a path that is not UTF-8 with a 400.
  pathBytes: false,
};

/** `@azure/functions`: request and response are whole before they go on. */
export const azureBuffered: Partial<Capabilities> = {
  ...ASKED_WITH_FETCH,
  streaming: false,
  earlyHead: false,
  requestStreaming: false,
  // The host does not call a function for half a request, and never says that a client has gone.
  abortedUpload: false,
  disconnect: false,
  promptDisconnect: false,
  brokenConnection: 'status-500',
  // A function names the methods that it takes, of those that Azure knows.
  anyMethod: false,
  // Several cookies stay apart, but ASP.NET spells their attributes its own way.
  setCookies: false,
  // Azure's response has no reason phrase.
  reason: false,
  // A body in one piece has a length.
  unknownLength: false,
};

/** The same with `enableHttpStream`. */
export const azureStreamed: Partial<Capabilities> = {
  ...ASKED_WITH_FETCH,
  anyMethod: false,
  reason: false,
  disconnect: false,
  promptDisconnect: false,
};

/** Vercel's `edge-runtime`: a function called with a `Request` made there. */
export const vercelEdge: Partial<Capabilities> = {
  ...ASKED_WITH_FETCH,
  // Content-Length comes into being when a request is sent.
  requestLength: false,
  // Its Request writes the usual methods in upper case, as the standard has it for all but PATCH.
  anyMethod: false,
};

/** `@vercel/node`: its own server, which makes a `Request` for a function. */
export const vercelNode: Partial<Capabilities> = {
  ...ASKED_WITH_FETCH,
  // It serves seven methods.
  anyMethod: false,
  // A body that failed would end its process: toVercel ends the body early.
  brokenConnection: 'complete',
  // Nothing reaches the function when its client leaves.
  disconnect: false,
  promptDisconnect: false,
};

/** `@netlify/dev`: a function called with a `Request` made in the worker that Netlify runs it in. */
export const netlify: Partial<Capabilities> = {
  ...ASKED_WITH_FETCH,
  // Content-Length comes into being when a request is sent.
  requestLength: false,
};

/** bunny.net's SDK on Deno, which serves with `Deno.serve`. */
export const bunny: Partial<Capabilities> = {
  ...ASKED_WITH_FETCH,
  // Deno's server has reasons of its own.
  reason: false,
};
