// Some platforms end with the response: they are held for one more turn of the event loop, in which late errors are logged.
// Express, for example, logs an error in setImmediate.

import type { Environ } from '../../../core/types.ts';

/** Holds the platform until the turn after a response. */
export class LateTurn {
  readonly #environ: Environ;
  /** Lets the platform go; null on Lambda. */
  #release: (() => void) | null = null;

  private constructor(environ: Environ) {
    this.#environ = environ;
    if (environ['waygate.gateway'] === 'aws-lambda') return;
    environ['waygate.wait_until'](
      new Promise<void>((resolve) => {
        this.#release = resolve;
      }),
    );
  }

  /** Begins to hold the platform of a request; null on Node, whose process goes on by itself. */
  static of(environ: Environ): LateTurn | null {
    return environ['waygate.gateway'] === 'node' ? null : new LateTurn(environ);
  }

  /**
   * The response is over.
   *
   * @param hasFailed whether it is one of an error. Lambda's runtime takes some turns by itself to send the answer; it is held
   *   only after an error.
   */
  end(hasFailed: boolean): void {
    if (this.#release !== null) setImmediate(this.#release);
    else if (hasFailed) this.#environ['waygate.wait_until'](new Promise((resolve) => setImmediate(resolve)));
  }
}
