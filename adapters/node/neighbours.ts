// What other code has done to a response before the gateway gets it: middleware replaces its methods, loggers and tracing
// agents listen to it. Node has faster forms that its documentation does not list; they are for untouched responses.

import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { IncomingMessage, ServerResponse } from './http.ts';

const { writeHead, setHeader, write, end } = ServerResponse.prototype;

/** An agent that was loaded first may have replaced the methods of the class: only Node's own begin with these words. */
const CLASS_IS_UNTOUCHED = Object.entries({ writeHead, setHeader, write, end }).every(([name, method]) =>
  isOwn(method, `function ${name}(`),
);

/**
 * Whether a method is Node's, and no wrapper of it.
 *
 * @param words stand in the source of Node's method
 */
export function isOwn(method: unknown, words: string): boolean {
  return typeof method === 'function' && Function.prototype.toString.call(method).includes(words);
}

/** Agents that subscribe to this channel read the headers of each response. */
const FINISHED = channel('http.server.response.finish');

/** Node's server listens once for `finish`. */
const NODES_LISTENERS = 1;

/** Whether the methods of a response are Node's own: only then may they be used in ways that are not documented. */
export function hasNodesMethods(response: ServerResponse): boolean {
  return (
    CLASS_IS_UNTOUCHED &&
    response.writeHead === writeHead &&
    response.setHeader === setHeader &&
    response.write === write &&
    response.end === end
  );
}

/**
 * Whether somebody listens to a response, who may ask it for its headers when it is over, as loggers do.
 *
 * @param watched whether the gateway itself listens for `close`
 */
export function isObserved(response: ServerResponse, watched: boolean): boolean {
  return (
    response.listenerCount('finish') > NODES_LISTENERS ||
    response.listenerCount('close') > (watched ? 1 : 0) ||
    FINISHED.hasSubscribers
  );
}

/**
 * Listens for the end of a response itself. Middleware that compresses passes the listeners of a response on to a stream of
 * its own, which knows nothing of a client that leaves.
 */
export function onClose(response: ServerResponse, listener: () => void): void {
  listen(response, 'close', listener);
}

/** Listens for `drain` of Node's own response, past what wraps it. */
export function onDrain(response: ServerResponse, listener: () => void): void {
  listen(response, 'drain', listener);
}

function listen(response: ServerResponse, event: string, listener: () => void): void {
  const on = response instanceof EventEmitter ? EventEmitter.prototype.on : (response as ServerResponse).on;
  on.call(response, event, listener);
}

/** Names and values in turn, as the client sent them; of a request that no server made, those that it has joined. */
export function headerLines(request: IncomingMessage): string[] {
  const { rawHeaders } = request;
  if (rawHeaders !== undefined && rawHeaders.length > 0) return rawHeaders;
  if ((request.headers as unknown) instanceof Headers) {
    throw new TypeError(
      'toNode was called with a Request of fetch; expected the request of a Node server. See toFetch.',
    );
  }
  const lines: string[] = [];
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    if (typeof value === 'function') continue;
    for (const each of [value ?? []].flat()) lines.push(name, String(each));
  }
  return lines;
}

/** Whether a request that no server made may have a body that no header announces: only its stream knows. */
export function isUnframed(request: IncomingMessage): boolean {
  if (request.method === 'GET' || request.method === 'HEAD' || !(request instanceof IncomingMessage)) return false;
  if (request.headers['transfer-encoding'] !== undefined) return true;
  return request.rawHeaders.length === 0 && Object.keys(request.headers).length > 0;
}
