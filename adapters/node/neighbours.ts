// What other code has done to a response before it came here: middleware replaces its methods, loggers and tracing agents
// listen to it. Node's faster forms, which its documentation does not list, are for responses that nobody else looks at.

import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { ServerResponse } from 'node:http';

const { writeHead, setHeader, write, end } = ServerResponse.prototype;

/** An agent that was loaded first may have replaced the methods of the class: only Node's own begin with these words. */
const CLASS_IS_UNTOUCHED = Object.entries({ writeHead, setHeader, write, end }).every(([name, method]) =>
  Function.prototype.toString.call(method).startsWith(`function ${name}(`),
);

/** Agents read the headers of responses that are told of here. */
const FINISHED = channel('http.server.response.finish');

/** Node's server listens once for `finish`. */
const NODES_LISTENERS = 1;

/**
 * Whether Node's undocumented forms may be used on a response: its methods are Node's own, it has no headers yet, and
 * nobody listens to it who might ask for its headers later.
 *
 * @param watched whether the gateway itself listens for `close`
 */
export function isUntouched(response: ServerResponse, watched: boolean): boolean {
  return (
    CLASS_IS_UNTOUCHED &&
    response.writeHead === writeHead &&
    response.setHeader === setHeader &&
    response.write === write &&
    response.end === end &&
    response.listenerCount('finish') <= NODES_LISTENERS &&
    response.listenerCount('close') <= (watched ? 1 : 0) &&
    !FINISHED.hasSubscribers &&
    response.getHeaderNames().length === 0
  );
}

/**
 * Listens for the end of a response itself. Middleware that compresses passes the listeners of a response on to a stream of
 * its own, which knows nothing of a client that leaves.
 */
export function onClose(response: ServerResponse, listener: () => void): void {
  if (response instanceof EventEmitter) EventEmitter.prototype.on.call(response, 'close', listener);
  else (response as ServerResponse).on('close', listener);
}
