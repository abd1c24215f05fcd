// Connect-style functions in their order, and the application at its place among them. What `next` means, and to whom an
// error goes, is what connect and Express have made usual.

import { describe } from '../../../core/errors.ts';

/** Goes on to the next function, or with an error to the next one that takes errors. */
export type ConnectNext = (error?: unknown) => void;

/** A connect-style middleware: `helmet()`, `cors()`, `morgan('tiny')`, `express.static('public')`, an Express router. */
export type ConnectMiddleware = (
  // biome-ignore lint/suspicious/noExplicitAny: each framework has its own types for these.
  request: any,
  // biome-ignore lint/suspicious/noExplicitAny: each framework has its own types for these.
  response: any,
  next: ConnectNext,
) => unknown;

/** A connect-style error handler: a function that declares exactly four parameters. */
export type ConnectErrorHandler = (
  // biome-ignore lint/suspicious/noExplicitAny: anything can be thrown.
  error: any,
  // biome-ignore lint/suspicious/noExplicitAny: each framework has its own types for these.
  request: any,
  // biome-ignore lint/suspicious/noExplicitAny: each framework has its own types for these.
  response: any,
  next: ConnectNext,
) => unknown;

/** One connect-style function, or several. */
export type ConnectHandler = ConnectMiddleware | ConnectErrorHandler | readonly ConnectHandler[];

/** The functions in their order, the application among them. */
export interface ConnectChain {
  readonly layers: readonly (ConnectMiddleware | ConnectErrorHandler)[];
  /** The application stands in front of the layer with this index. */
  readonly place: number;
}

/**
 * Finds the application's place: behind the last function that takes no errors, so that the error handlers at the end get
 * the application's errors too.
 *
 * @throws {TypeError} for anything but functions and arrays of them
 */
export function toChain(handlers: readonly unknown[]): ConnectChain {
  const layers = handlers.flat(Number.POSITIVE_INFINITY) as ConnectChain['layers'];
  if (layers.length === 0) {
    throw new TypeError('fromConnect was given no middleware; expected functions (request, response, next).');
  }
  layers.forEach((layer: unknown, index) => {
    if (typeof layer === 'function') return;
    throw new TypeError(
      `fromConnect was given ${describe(layer)} as middleware ${index}; expected a function (request, response, next). Most middleware is made by a call: fromConnect(cors()).`,
    );
  });
  let place = layers.length;
  while (place > 0 && layers[place - 1]?.length === 4) place--;
  return { layers, place };
}

/** What a walk through a chain is for. */
export interface ConnectWalk {
  readonly request: unknown;
  readonly response: unknown;
  /** Runs the application, the first time; later calls do nothing. */
  runApp(next: ConnectNext): void;
  /** Nobody in the chain has taken this error, or none of them has answered: then it is undefined. */
  fail(error: unknown): void;
}

/**
 * Walks through a chain from one of its layers on.
 *
 * @param error what the layers before have failed with; undefined for none
 */
export function walk(chain: ConnectChain, to: ConnectWalk, index = 0, error: unknown = undefined): void {
  const { layers, place } = chain;
  for (let at = index; ; at++) {
    if (at === place && error === undefined) {
      to.runApp(once((failure) => walkPast(chain, to, failure)));
      return;
    }
    const layer = layers[at];
    if (layer === undefined) break;
    const takesErrors = layer.length === 4;
    if (takesErrors !== (error !== undefined)) continue;
    call(
      layer,
      to,
      error,
      once((failure) => walk(chain, to, at + 1, failure)),
    );
    return;
  }
  to.fail(error);
}

/** Behind the application stand error handlers only. */
function walkPast({ layers, place }: ConnectChain, to: ConnectWalk, error: unknown): void {
  walk({ layers, place: -1 }, to, place, error);
}

function call(
  layer: ConnectMiddleware | ConnectErrorHandler,
  { request, response }: ConnectWalk,
  error: unknown,
  next: ConnectNext,
): void {
  try {
    const result =
      error === undefined
        ? (layer as ConnectMiddleware)(request, response, next)
        : (layer as ConnectErrorHandler)(error, request, response, next);
    // As in Express 5, what an async function throws goes to the next error handler.
    if (typeof (result as PromiseLike<unknown> | null | undefined)?.then === 'function') {
      Promise.resolve(result).then(undefined, (thrown) => next(thrown ?? new Error(`A middleware threw ${thrown}.`)));
    }
  } catch (thrown) {
    next(thrown ?? new Error(`A middleware threw ${thrown}.`));
  }
}

/** Each layer goes on once; an error that it has later goes to the error handlers all the same, as in Express. */
function once(go: (error: unknown) => void): ConnectNext {
  let isCalled = false;
  return (given) => {
    // Express gives these to `next` to leave a route; they are not errors.
    const error = !given || given === 'route' || given === 'router' ? undefined : given;
    if (isCalled && error === undefined) return;
    isCalled = true;
    go(error);
  };
}
