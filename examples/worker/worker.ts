// The Worker: what Cloudflare runs. wrangler.toml in the top folder names this file.

import { toWorker, type WorkerContext } from 'waygate/cloudflare-workers';
import app, { type Bindings, visits } from './app.ts';

export default toWorker<Bindings>(app);

const counter = toWorker(visits);

/** A Durable Object serves requests as a Worker does; its state stands where a Worker has its context. */
export class Visits {
  readonly #state: WorkerContext;
  readonly #env: unknown;

  constructor(state: WorkerContext, env: unknown) {
    this.#state = state;
    this.#env = env;
  }

  fetch(request: Request): Response | Promise<Response> {
    return counter.fetch(request, this.#env, this.#state);
  }
}
