// `node:http`, for all of this adapter. An import as an ES module reads each of its exports. Since version 22 one of them
// makes Node load its client of fetch: 30 milliseconds at the start of a function that never needs it. The process gives
// the module as it is.

import type * as Http from 'node:http';

const http: typeof Http = /* @__PURE__ */ process.getBuiltinModule('node:http');

/** Node's requests. */
export type IncomingMessage = Http.IncomingMessage;
export const IncomingMessage: typeof Http.IncomingMessage = http.IncomingMessage;

/** Node's responses. */
export type ServerResponse = Http.ServerResponse;
export const ServerResponse: typeof Http.ServerResponse = http.ServerResponse;

/** Makes a server. */
export const createServer: typeof Http.createServer = http.createServer;

/** Throw for a header that Node would not send. */
export const validateHeaderName: typeof Http.validateHeaderName = http.validateHeaderName;
export const validateHeaderValue: typeof Http.validateHeaderValue = http.validateHeaderValue;
