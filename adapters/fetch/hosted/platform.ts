// What a Fetch handler is given besides the request, on each platform as its framework's own adapter for that platform
// gives it: Hono shows the first as `c.env`, the second as `c.executionCtx`.

import type { DirectRequest } from '../../../core/direct-app.ts';
import type { Environ } from '../../../core/types.ts';

/** Keeps work alive after the response: the part of Workers' `ExecutionContext` that every platform can give. */
export interface ExecutionContextLike {
  /** Keeps the platform running until `promise` has settled: `waygate.wait_until`. */
  waitUntil(promise: Promise<unknown>): void;
  /** On Workers it makes a failed Worker fall through to the origin; elsewhere there is no origin, and it does nothing. */
  passThroughOnException(): void;
  /** Always empty: only Workers know props, and hand over a context of their own. */
  readonly props: Record<string, never>;
}

/**
 * The arguments of a handler after the request. On Workers these are the bindings and the `ExecutionContext`. On any other
 * Fetch platform they are what it passed to `toFetch`'s function: Deno's connection info, Bun's server. On Lambda it is `{
 * event, requestContext, lambdaContext, context }`, at the edge `{ event, context, config, request }`. On Node it is `{
 * incoming, outgoing }`. Where the first is of our own making it holds `environ` too.
 */
export function platformArguments(environ: Environ): readonly unknown[] {
  const given = environ['fetch.arguments'];
  if (Array.isArray(given)) return given.length > 1 ? given : [given[0], new HostedContext(environ, null)];
  if ('cloudflare.ctx' in environ) return [environ['cloudflare.env'], environ['cloudflare.ctx']];
  return [bindings(environ), new HostedContext(environ, null)];
}

/** The same for a request on node that has no environ yet: it is made when somebody looks for it. */
export function directArguments(direct: DirectRequest): readonly [object, ExecutionContextLike] {
  const given = { incoming: direct.own('node.request'), outgoing: direct.own('node.response'), [DIRECT]: direct };
  return [Object.defineProperty(given, 'environ', ENVIRON), new HostedContext(null, direct)];
}

/** Under a symbol, and no private field: libraries give applications a Proxy of the bindings. */
const DIRECT: unique symbol = Symbol('waygate.direct');

const ENVIRON: PropertyDescriptor & ThisType<{ [DIRECT]: DirectRequest }> = {
  enumerable: true,
  configurable: true,
  get() {
    return this[DIRECT].environ;
  },
  set(value: unknown) {
    Object.defineProperty(this, 'environ', { value, writable: true, enumerable: true, configurable: true });
  },
};

function bindings(environ: Environ): object {
  if ('node.request' in environ) {
    return { incoming: environ['node.request'], outgoing: environ['node.response'], environ };
  }
  if ('aws.event' in environ) return lambdaBindings(environ);
  return { environ };
}

interface LambdaEvent {
  requestContext?: unknown;
  Records?: { cf: { config: unknown; request: unknown } }[];
}

function lambdaBindings(environ: Environ): object {
  const event = environ['aws.event'] as LambdaEvent | null;
  const context = environ['aws.context'];
  const cf = event?.Records?.[0]?.cf;
  if (cf) return { event, context, config: cf.config, request: cf.request, environ };
  // hono/aws-lambda names the context `lambdaContext` in `handle` and `context` in `streamHandle`.
  return { event, requestContext: event?.requestContext, lambdaContext: context, context, environ };
}

class HostedContext implements ExecutionContextLike {
  readonly #environ: Environ | null;
  readonly #direct: DirectRequest | null;
  readonly props: Record<string, never> = {};

  /** @param environ null where `direct` makes it */
  constructor(environ: Environ | null, direct: DirectRequest | null) {
    this.#environ = environ;
    this.#direct = direct;
  }

  waitUntil(promise: Promise<unknown>): void {
    const environ = this.#environ ?? (this.#direct as DirectRequest).environ;
    environ['waygate.wait_until'](promise);
  }

  passThroughOnException(): void {}
}
