// What the tests use of Cloudflare's pool. Its own types bring the Worker's globals along, which clash with the DOM's.

declare module 'cloudflare:test' {
  interface ExecutionContext {
    waitUntil(promise: Promise<unknown>): void;
    passThroughOnException(): void;
  }
  /** A context as workerd makes it. */
  export function createExecutionContext(): ExecutionContext;
  /** Resolves when all that was given to `waitUntil` has settled. */
  export function waitOnExecutionContext(ctx: ExecutionContext): Promise<void>;
}

declare module 'cloudflare:workers' {
  /** The base of class Workers. */
  export class WorkerEntrypoint<Env> {
    constructor(ctx: unknown, env: Env);
    protected readonly ctx: { waitUntil(promise: Promise<unknown>): void };
    protected readonly env: Env;
  }
}
