// The body of a Fetch app's response that has not started: the app is at work, and has not answered yet.

import { ClientDisconnectedError } from '../../../core/errors.ts';
import { isThenable } from '../../../core/thenable.ts';
import type { ApplicationBody, StartResponse } from '../../../core/types.ts';
import { cancelBody } from '../foreign-body.ts';
import { type DirectCall, PassthroughBody } from '../passthrough.ts';
import { checkResponse } from './response.ts';

const ignore = (): void => {};

/**
 * Handed back to the gateway as it is, the handler's response becomes the platform's; iterated by anything else, it starts
 * the response then. The handler is at work from the beginning, inside whatever a middleware has put around it: a try block,
 * a context of `AsyncLocalStorage`.
 */
export class HostedBody extends PassthroughBody {
  readonly #answer: Response | Promise<Response>;
  readonly #respond: (response: Response) => ApplicationBody | Promise<ApplicationBody>;
  readonly #isDirect: boolean;

  /**
   * @param answer what the handler returned
   * @param respond starts the response and returns its body
   * @param isDirect whether the handler has got the platform's own request
   * @throws {TypeError} for an answer that cannot be sent
   */
  constructor(
    answer: unknown,
    respond: (response: Response) => ApplicationBody | Promise<ApplicationBody>,
    startResponse: StartResponse,
    isDirect = true,
  ) {
    super(startResponse);
    this.#isDirect = isDirect;
    if (isThenable(answer)) {
      const checked = Promise.resolve(answer).then(checkResponse);
      // Code that asks for the answer hears of a failure; until then it must not count as unhandled.
      checked.catch(ignore);
      this.#answer = checked;
    } else {
      this.#answer = checkResponse(answer);
    }
    this.#respond = respond;
  }

  override directCall(): DirectCall | null {
    return this.#isDirect ? () => this.#answer : null;
  }

  protected override begin(): ApplicationBody | Promise<ApplicationBody> {
    const answer = this.#answer;
    return answer instanceof Promise ? answer.then((response) => this.#start(response)) : this.#start(answer);
  }

  #start(response: Response): ApplicationBody | Promise<ApplicationBody> {
    if (!this.isClosed) return this.#respond(response);
    cancelBody(response);
    throw new ClientDisconnectedError('The client left while the handler was working.');
  }

  /** Ends the handler's stream, which may be still to come. */
  protected override abandon(): void {
    Promise.resolve(this.#answer).then(cancelBody).catch(ignore);
  }
}
