// A listener that says what its request, its response and their socket have, and what each method gives when it is called.
// It runs on Node, hosted on Node (members.test.ts) and hosted in workerd (tests/e2e/members-workers.test.ts).

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';

/** The objects that a listener has, each with the type of each of its public members. */
export type Members = Record<'request' | 'response' | 'socket', Record<string, string>>;

/** Members that only a real connection has, with the reason. */
const OF_A_CONNECTION: Record<string, string> = {
  'socket.connect': 'opens a connection; the one of a request is open',
  'socket.parser': 'the parser of HTTP/1.1, which is not documented',
  'socket.server': 'a listener that was given without its server has none',
};

/** Members whose type depends on the request, with the reason. */
const VARIES: Record<string, string> = {
  'request.upgrade': 'null or false by the version of Node; both say no',
  'request.joinDuplicateHeaders': 'undefined, null or false by the version of Node; all say no',
  'socket.readableFlowing': 'the parser reads the real one',
  'socket.remotePort': 'Workers do not tell it',
};

/** Methods that end the connection, so that nothing could be said of them; other tests have them. */
const ENDS = new Set(['destroy', 'destroySoon', 'resetAndDestroy', 'end', 'detachSocket', 'assignSocket', 'iterator']);

/** Methods of streams that are called as well. */
const OF_STREAMS = new Set(
  'cork uncork pause resume isPaused read unshift setEncoding setDefaultEncoding write pipe'.split(' '),
);

/** Arguments for methods that want some; any other is called without. */
const ARGUMENTS: Record<string, () => unknown[]> = {
  'response.setTimeout': () => [5000, () => {}],
  'response.addTrailers': () => [{ 'x-sum': '1' }],
  'response.appendHeader': () => ['x-a', 'b'],
  'response.getHeader': () => ['x-a'],
  'response.hasHeader': () => ['x-a'],
  'response.removeHeader': () => ['x-a'],
  'response.setHeader': () => ['x-a', 'b'],
  'response.setHeaders': () => [new Map([['x-a', 'b']])],
  'response.write': () => [''],
  'response.writeHead': () => [200, { 'x-a': 'b' }],
  'response.writeHeader': () => [200, { 'x-a': 'b' }],
  'response.writeEarlyHints': () => [{ link: '</a>; rel=preload' }],
  'response.writeInformation': () => [103, { link: '</a>; rel=preload' }],
  'request.setTimeout': () => [5000, () => {}],
  'request.setEncoding': () => ['utf8'],
  'request.unshift': () => [new Uint8Array([120])],
  'request.pipe': () => [new PassThrough()],
  'response.pipe': () => [new PassThrough()],
  'socket.pipe': () => [new PassThrough()],
  'socket.write': () => [''],
  'socket.unshift': () => [new Uint8Array(0)],
  'socket.setTimeout': () => [5000, () => {}],
  'socket.setKeepAlive': () => [true, 1000],
  'socket.setNoDelay': () => [true],
  'socket.setTypeOfService': () => [0],
  'socket.setEncoding': () => ['utf8'],
  'socket.setDefaultEncoding': () => ['utf8'],
};

/**
 * `/members` gives {@link Members}; `/call/OBJECT.NAME` calls one method and says what it gave; `/timeout` answers from
 * the callback of `setTimeout`.
 */
export function lookAtMembers(request: IncomingMessage, response: ServerResponse): void {
  const objects = { request, response, socket: response.socket as Socket };
  const [, what, call = ''] = (request.url ?? '').split('/');
  if (what === 'timeout') {
    response.setTimeout(50, () => response.end('"late"'));
    return;
  }
  if (what !== 'call') {
    const found = Object.entries(objects).map(([name, object]) => [name, membersOf(object)]);
    response.end(JSON.stringify(Object.fromEntries(found)));
    return;
  }
  const [object, name] = call.split('.') as [keyof typeof objects, string];
  for (const each of Object.values(objects)) each.on('error', () => {});
  response.end(JSON.stringify(outcome(objects[object], name, ARGUMENTS[call]?.() ?? [])));
}

function outcome(object: object, name: string, given: unknown[]): string {
  try {
    const result = (object as Record<string, (...given: unknown[]) => unknown>)[name]?.(...given);
    if (result === object) return 'itself';
    return result === null ? 'null' : typeof result;
  } catch (error) {
    return `throws ${(error as { code?: string }).code ?? error}`;
  }
}

/** All public members, own and inherited, except for those of `Object`. */
function membersOf(object: object): Record<string, string> {
  const found: Record<string, string> = {};
  for (let each = object; each !== null && each !== Object.prototype; each = Object.getPrototypeOf(each)) {
    for (const name of Object.getOwnPropertyNames(each))
      if (!name.startsWith('_')) found[name] ??= typeAt(object, name);
  }
  return found;
}

function typeAt(object: object, name: string): string {
  try {
    const value = (object as Record<string, unknown>)[name];
    return value === null ? 'null' : typeof value;
  } catch (error) {
    return `throws ${error}`;
  }
}

/** What a hosted listener lacks of a real one, one line for each member. */
export function missing(real: Members, hosted: Members): string[] {
  const lines: string[] = [];
  for (const object of ['request', 'response', 'socket'] as const) {
    for (const [name, type] of Object.entries(real[object])) {
      const member = `${object}.${name}`;
      const given = hosted[object][name] ?? 'undefined';
      if (given !== type && !(member in OF_A_CONNECTION) && !(member in VARIES))
        lines.push(`${member} is ${given} where Node has ${type}`);
    }
  }
  return lines;
}

/** The methods to call: all but those that end the connection, and those that any stream has and that are not about HTTP. */
export function methods(real: Members): string[] {
  return (['request', 'response', 'socket'] as const).flatMap((object) =>
    Object.entries(real[object])
      .filter(([name, type]) => type === 'function' && !ENDS.has(name))
      .filter(([name]) => !(name in Duplex.prototype) || OF_STREAMS.has(name))
      .map(([name]) => `${object}.${name}`)
      .filter((member) => !(member in OF_A_CONNECTION)),
  );
}
