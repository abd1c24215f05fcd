// Makes the requests and responses that a hosted listener gets. Those of an Express app have the app's own prototypes from
// the start. Express sets them first of all. On Node 20 and 22, V8 then gives an object that has members a hidden class of
// its own for each later one. Nothing that V8 has learned of one request then holds for the next: Express takes several
// times as long. Set again, a prototype changes nothing.

import { IncomingMessage, ServerResponse } from '../http.ts';

/** Makes requests and responses. */
export interface Messages {
  /** A request on a connection. */
  request(socket: unknown): IncomingMessage;
  /** @param options what Node's servers give to their responses */
  response(request: IncomingMessage, options?: unknown): ServerResponse;
}

/** Makes them of classes: Node's own, or those of a server. */
export class PlainMessages implements Messages {
  readonly #Message: typeof IncomingMessage;
  readonly #Response: typeof ServerResponse;

  constructor(Message: typeof IncomingMessage = IncomingMessage, Response: typeof ServerResponse = ServerResponse) {
    this.#Message = Message;
    this.#Response = Response;
  }

  request(socket: unknown): IncomingMessage {
    return new this.#Message(socket as never);
  }

  response(request: IncomingMessage, options?: unknown): ServerResponse {
    // Node takes a second argument, which its types leave out.
    return new (this.#Response as new (request: IncomingMessage, options?: unknown) => ServerResponse)(
      request,
      options,
    );
  }
}

/** What an Express app has: the prototypes that it sets. */
interface ExpressApp {
  readonly request: object;
  readonly response: object;
}

type Initialize = (this: object, ...given: unknown[]) => void;

/**
 * What makes the requests and responses of a listener that is an Express app, 4 or 5.
 *
 * @returns null for any other listener, and where Node's classes cannot work on an object that is there already
 */
export function expressMessages(listener: unknown): ExpressMessages | null {
  if (typeof listener !== 'function') return null;
  const isOwn = (name: string): boolean => Object.hasOwn(listener, name);
  if (!isOwn('handle') || !isOwn('request') || !isOwn('response')) return null;
  const app = listener as unknown as ExpressApp & { readonly handle: unknown };
  if (typeof app.handle !== 'function') return null;
  if (!(app.request instanceof IncomingMessage) || !(app.response instanceof ServerResponse)) return null;
  return canInitialize() ? new ExpressMessages(app) : null;
}

let initializes: boolean | undefined;

/** Whether the constructors can be called on an object: they are functions in Node, and classes elsewhere. */
function canInitialize(): boolean {
  try {
    if (initializes !== undefined) return initializes;
    const request = Object.create(IncomingMessage.prototype);
    (IncomingMessage as unknown as Initialize).call(request, null);
    (ServerResponse as unknown as Initialize).call(Object.create(ServerResponse.prototype), request);
    initializes = true;
  } catch {
    initializes = false;
  }
  return initializes;
}

type Empty = new (fills: boolean) => Record<string, unknown>;

/** A constructor of empty objects with room for as many members as a message has: V8 counts what is assigned in it. */
function emptyObjects(): Empty {
  return function (this: Record<string, unknown>, fills: boolean) {
    if (!fills) return;
    this.a = this.b = this.c = this.d = this.e = this.f = this.g = this.h = this.i = this.j = 0;
    this.k = this.l = this.m = this.n = this.o = this.p = this.q = this.r = this.s = this.t = 0;
    this.A = this.B = this.C = this.D = this.E = this.F = this.G = this.H = this.I = this.J = 0;
    this.K = this.L = this.M = this.N = this.O = this.P = this.Q = this.R = this.S = this.T = 0;
  } as unknown as Empty;
}

/** Makes the objects of one class, with a prototype that stands below the class's own. */
class Maker<T extends object> {
  readonly #Class: new (
    ...given: never[]
  ) => T;
  readonly #Empty = emptyObjects();
  /** The prototype that was looked at last. */
  #known: object | null = null;
  #isSafe = false;

  constructor(Class: new (...given: never[]) => T) {
    this.#Class = Class;
  }

  make(prototype: object, first: unknown, second: unknown): T {
    if (prototype !== this.#known) this.#learn(prototype);
    if (this.#isSafe) {
      const made = new this.#Empty(false);
      try {
        (this.#Class as unknown as Initialize).call(made, first, second);
        return made as unknown as T;
      } catch {
        // Something on the prototype is read-only.
        this.#isSafe = false;
      }
    }
    return new this.#Class(...([first, second] as never[]));
  }

  #learn(prototype: object): void {
    this.#known = prototype;
    this.#isSafe = hidesNothing(prototype, this.#Class);
    this.#Empty.prototype = prototype;
  }
}

/**
 * Whether a prototype below that of a class hides nothing of it. Node writes and calls members before Express has set that
 * prototype: they must not be another's.
 */
function hidesNothing(prototype: object, Class: new (...given: never[]) => object): boolean {
  const own = new Class(...([new PlainMessages().request(null)] as never[]));
  for (let at: object | null = prototype; at !== Class.prototype; at = Object.getPrototypeOf(at)) {
    if (at === null) return false;
    for (const name of Reflect.ownKeys(at)) if (name in own || LATER.has(name)) return false;
  }
  return true;
}

/** What servers, Node's and those of this adapter, write before a listener is called, and constructors do not. */
const LATER: ReadonlySet<string | symbol> = new Set([
  '_maxRequestsPerSocket',
  '_read',
  '_storeHeader',
  'baseUrl',
  'complete',
  'environ',
  'originalUrl',
]);

/** Makes the requests and responses of one Express app. */
export class ExpressMessages implements Messages {
  // Its members may be replaced: they are looked up for each request.
  readonly #app: ExpressApp;
  readonly #requests = new Maker<IncomingMessage>(IncomingMessage);
  readonly #responses = new Maker<ServerResponse>(ServerResponse);

  constructor(app: ExpressApp) {
    this.#app = app;
  }

  request(socket: unknown): IncomingMessage {
    return this.#requests.make(this.#app.request, socket, undefined);
  }

  response(request: IncomingMessage, options?: unknown): ServerResponse {
    return this.#responses.make(this.#app.response, request, options);
  }
}
