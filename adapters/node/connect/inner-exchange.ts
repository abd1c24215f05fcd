// An exchange inside another one: of an application among connect functions, or of a middleware among a framework's handlers.
// Its failures go to error handlers first. Those that no handler got are logged when it is over.

import { report } from '../../../core/errors.ts';
import { Exchange } from '../../../core/exchange.ts';
import { log } from '../../../core/log.ts';
import type { Answer } from '../../../core/response.ts';
import type { Application, Environ } from '../../../core/types.ts';
import type { WaitContext } from '../../../core/work.ts';
import type { DirectCall } from '../hosted/registry.ts';
import { PassthroughBody } from '../passthrough.ts';

export class InnerExchange {
  readonly #environ: Environ;
  readonly #context: WaitContext;
  readonly #exchange: Exchange<DirectCall>;
  /** What the application has failed with that no error handler has got. */
  #failures: unknown[] = [];

  /** @param context waits for what goes on after the response */
  constructor(environ: Environ, context: WaitContext) {
    this.#environ = environ;
    this.#context = context;
    this.#exchange = new Exchange(environ, {
      onFailure: (error) => this.#failures.push(error),
      passthrough: PassthroughBody.callBehind,
      context,
    });
  }

  /** Runs the application; see `Exchange.run`. */
  run(app: Application): Answer<DirectCall> | Promise<Answer<DirectCall>> {
    return this.#exchange.run(app);
  }

  /** An error handler, or the host, has got this failure: it is not logged here. */
  settle(error: unknown): void {
    this.#failures = this.#failures.filter((each) => each !== error);
  }

  /** The response is over: closes the exchange, and logs the failures that are left. Never throws. */
  readonly close = (): void | Promise<void> => {
    const closing = this.#exchange.close();
    if (!(closing instanceof Promise)) {
      this.#logFailures();
      return;
    }
    const closed = closing.then(() => this.#logFailures());
    this.#context.waitUntil(closed);
    return closed;
  };

  #logFailures(): void {
    for (const error of this.#failures) log(this.#environ['wsgi.errors'], report(error));
    this.#failures = [];
  }
}
