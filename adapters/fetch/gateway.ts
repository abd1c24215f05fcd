// Runs an application for the requests of one Fetch platform. What a platform adds, it adds through its `FetchFacts`.

import type { Settings } from '../../core/environ.ts';
import { statusOf } from '../../core/errors.ts';
import { Exchange } from '../../core/exchange.ts';
import { plainResponse, refuse } from '../../core/plain-response.ts';
import type { Answer } from '../../core/response.ts';
import { isNullBodyStatus } from '../../core/status.ts';
import { isThenable } from '../../core/thenable.ts';
import type { Application, Environ, StartResponse } from '../../core/types.ts';
import type { WaitContext } from '../../core/work.ts';
import { FetchRequestCall } from './client.ts';
import { type FetchCall, type FetchPlatform, fetchEnviron, requestLine } from './environ.ts';
import { toResponse } from './response.ts';

/** Calls a Fetch app; throws or rejects with what kept it from answering. */
export type DirectCall = () => Response | Promise<Response>;

/** A body behind which stands a Fetch app that has not been called yet. */
export abstract class PassthroughBody {
  /**
   * Gives the call of the app to a gateway that gets the body untouched; null where something lies between. (EXT-02)
   *
   * @param startResponse the gateway's own
   */
  abstract native(startResponse: StartResponse): DirectCall | null;
}

/** One application on one Fetch platform. */
export class FetchGateway {
  readonly #app: Application;
  readonly #settings: Settings;
  readonly #facts: FetchPlatform;

  constructor(app: Application, prepared: Settings, facts: FetchPlatform) {
    this.#app = app;
    this.#settings = prepared;
    this.#facts = facts;
  }

  /**
   * Answers one request.
   *
   * @param context the platform's own, for this request, where it has one
   */
  handle(call: FetchCall, context: WaitContext | undefined): Response | Promise<Response> {
    const errors = this.#settings.errors();
    const facts = this.#facts;
    const client = new FetchRequestCall(call, facts, this.#settings, context);
    let environ: Environ;
    try {
      client.openBody();
      const line = requestLine(call, facts, this.#settings);
      environ = fetchEnviron(client, line, errors);
      client.line = line;
      client.input = environ['wsgi.input'];
      client.waits = environ['waygate.wait_until'];
      facts.addKeys(environ, call);
    } catch (error) {
      return toResponse(refuse(error, errors, client.head), facts, client);
    }
    const { onError } = this.#settings;
    // The end of a native stream is not seen, and with it not when a body that was begun is to be dropped.
    const takesStreams = client.source === null || facts.discardsUnreadBody !== true;
    const exchange = client.begin(
      new Exchange(environ, { onError, takesStreams, passthrough: nativeCall, context: client }),
    );
    const answer = (response: Answer<DirectCall>): Response | Promise<Response> => {
      if (response.passthrough !== undefined) return this.#answerNatively(response.passthrough, client, exchange);
      const isWhole = Array.isArray(response.body);
      if (isWhole || client.head || isNullBodyStatus(response.statusCode)) {
        // What was begun of the request body has to be gone before the response is.
        const drained = client.drain();
        if (isWhole) client.finish();
        else client.watch();
        if (drained !== undefined) return drained.then(() => toResponse(response, facts, client));
      } else {
        client.watch();
        // The body may still be read while the response is sent.
        if (facts.discardsUnreadBody === true) client.source?.begin();
      }
      return toResponse(response, facts, client);
    };
    const response = exchange.run(this.#app);
    if (!(response instanceof Promise)) return answer(response);
    client.watch();
    return response.then(answer);
  }

  /** The response of a Fetch app goes to the platform as it is. A failure is the same 500 as everywhere. */
  #answerNatively(
    call: DirectCall,
    client: FetchRequestCall,
    exchange: Exchange<DirectCall>,
  ): Response | Promise<Response> {
    client.finish();
    const fail = (error: unknown): Response => {
      exchange.reportError(error);
      return toResponse(plainResponse(statusOf(error), client.head), this.#facts, client);
    };
    try {
      const answer = call();
      return isThenable(answer) ? answer.catch(fail) : answer;
    } catch (error) {
      return fail(error);
    }
  }
}

/** The call of the Fetch app behind a body; null where there is none, or something lies between. */
export function nativeCall(body: unknown, startResponse: StartResponse): DirectCall | null {
  return body instanceof PassthroughBody ? body.native(startResponse) : null;
}
