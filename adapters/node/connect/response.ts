// Diverts what handlers do to a response into a response in memory, which they take for the one they have. The methods are
// put on the object itself, as middleware for connect does it. What others have wrapped around it before stays around it,
// and what they wrap around it later is called.

import type { ServerResponse } from 'node:http';
import type { ConnectOutput } from './output.ts';

/** What makes the head. Once the response's own head is out, it is what everybody sees: loggers look at it in the end. */
const OF_THE_HEAD = [
  'setHeader',
  'setHeaders',
  'appendHeader',
  'getHeader',
  'getHeaders',
  'getHeaderNames',
  'getRawHeaderNames',
  'hasHeader',
  'removeHeader',
  'statusCode',
  'statusMessage',
  'headersSent',
  'sendDate',
  '_header',
  '_headerSent',
];

/**
 * What makes the body. Left out are `finished`, `writableFinished`, `writableLength` and `cork`: Node asks for them in
 * turns of its own, and so does code that wraps the response further out. What it writes is past the handlers by then.
 */
const OF_THE_BODY = [
  'writeHead',
  'flushHeaders',
  'write',
  'end',
  'addTrailers',
  'writeContinue',
  'writeProcessing',
  'writeEarlyHints',
  'writableEnded',
  'writableNeedDrain',
];

/** The innermost way out of each response that is diverted. */
const OUTPUTS = new WeakMap<ServerResponse, ConnectOutput>();

type Members = Record<string, unknown>;
type Method = (...args: unknown[]) => unknown;

/**
 * @param response the framework's response
 * @param into the response in memory, which gets the head as it is so far
 * @param output knows when the response is again what it was
 */
export function divert(response: ServerResponse, into: ServerResponse, output: ConnectOutput): void {
  output.outer = OUTPUTS.get(response) ?? null;
  OUTPUTS.set(response, output);
  for (const name of response.getHeaderNames()) into.setHeader(name, response.getHeader(name) as string);
  into.statusCode = response.statusCode;
  if (response.statusMessage) into.statusMessage = response.statusMessage;
  for (const name of OF_THE_HEAD) divertMember(response, into, name, () => output.isOut || output.isHeadOut);
  // Those who wrap writeHead from now on are further in: on the way out Node makes the head past them.
  const { writeHead } = response;
  const implicitHeader = (response as unknown as Members)._implicitHeader as Method | undefined;
  for (const name of OF_THE_BODY) divertMember(response, into, name, () => output.isOut);
  if (implicitHeader !== undefined) {
    define(response, '_implicitHeader', {
      value() {
        if (output.isOut) writeHead.call(response, response.statusCode);
        else (into as unknown as { _implicitHeader: Method })._implicitHeader();
      },
      writable: true,
    });
  }
  // A wrapper around writeHead from now on, as on-headers makes one, is called also when Node makes the head by itself.
  define(into, 'writeHead', {
    value: (...args: unknown[]) => {
      (response.writeHead as Method)(...args);
      return into;
    },
    writable: true,
  });
  divertDrain(response, into, output);
}

/** The handlers hear of room in memory; the way out, and what is around it, hear of room on the connection. */
function divertDrain(response: ServerResponse, into: ServerResponse, output: ConnectOutput): void {
  const { emit } = response;
  const around = new Set(response.rawListeners('drain'));
  const callListeners = (isAround: boolean): void => {
    for (const listener of response.rawListeners('drain'))
      if (around.has(listener) === isAround) listener.call(response);
  };
  define(response, 'emit', {
    value(event: string, ...args: unknown[]): boolean {
      if (event !== 'drain') return (emit as Method).call(response, event, ...args) as boolean;
      output.drained();
      callListeners(true);
      return true;
    },
    writable: true,
  });
  into.on('drain', () => callListeners(false));
}

/** A member is what it is in memory to the handlers, and what it was to the way out. */
function divertMember(response: ServerResponse, into: ServerResponse, name: string, isOut: () => boolean): void {
  const inner = into as unknown as Members;
  const method = inner[name];
  const before = descriptorOf(response, name);
  if (typeof method === 'function') {
    define(response, name, {
      value(...args: unknown[]): unknown {
        if (isOut()) return ((before as PropertyDescriptor).value as Method).apply(response, args);
        const result = (method as Method).apply(into, args);
        // Those that can be chained return the response.
        return result === into ? response : result;
      },
      writable: true,
    });
    return;
  }
  let value: unknown = before?.value;
  const { get = () => value, set = (given: unknown) => (value = given) } = before ?? {};
  define(response, name, {
    get: () => (isOut() ? get.call(response) : inner[name]),
    set: (given: unknown) => {
      if (isOut()) set.call(response, given);
      else inner[name] = given;
    },
  });
}

function descriptorOf(object: object, name: string): PropertyDescriptor | undefined {
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at)) {
    const descriptor = Object.getOwnPropertyDescriptor(at, name);
    if (descriptor !== undefined) return descriptor;
  }
  return undefined;
}

function define(object: object, name: string, descriptor: PropertyDescriptor): void {
  Object.defineProperty(object, name, { ...descriptor, configurable: true, enumerable: false });
}
