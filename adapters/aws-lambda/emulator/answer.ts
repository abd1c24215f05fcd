// What the client of an event source gets: the answer to a result, or the event source's own error page.

import { ClientDisconnectedError, report } from '../../../core/errors.ts';
import { reasonPhrase } from '../../../core/status.ts';
import { encode } from '../../../core/strings.ts';
import type { ApplicationBody, Environ, HeaderList, StartResponse } from '../../../core/types.ts';
import { type Answer, type ClientRequest, type Emulator, MalformedResultError } from './emulator.ts';
import type { EmulatorOptions } from './options.ts';

/** The answer to a request, whatever the function does. */
export async function answerOf(
  emulator: Emulator,
  request: ClientRequest,
  options: EmulatorOptions,
  environ: Environ,
  invoke: () => Promise<unknown>,
): Promise<Answer> {
  try {
    const result = await invoke();
    const size = Buffer.byteLength(JSON.stringify(result));
    const limit = emulator.resultLimitBytes(options);
    if (size > limit) {
      throw new MalformedResultError(`The result has ${size} bytes of JSON; ${emulator.name} takes at most ${limit}.`);
    }
    return emulator.toResponse(result, request, options);
  } catch (error) {
    return failed(emulator, environ, error);
  }
}

/**
 * The event source's own error page; the log says why.
 *
 * @throws {ClientDisconnectedError} where nobody is left to get it (ERR-05)
 */
export function failed(emulator: Emulator, environ: Environ, error: unknown): Answer {
  if (error instanceof ClientDisconnectedError) throw error;
  const text = error instanceof MalformedResultError ? error.message : report(error);
  const { type, text: page } = emulator.failure;
  const status = (error instanceof MalformedResultError ? error.status : undefined) ?? emulator.failure.status;
  environ['wsgi.errors'].write(`${emulator.name} answers ${status}: ${text}\n`);
  return { status, headers: [['content-type', type]], body: encode(page) };
}

/** Sends an answer as the response of an application. */
export function send(answer: Answer, startResponse: StartResponse): ApplicationBody {
  begin(answer.status, answer.reason, answer.headers, startResponse);
  return [answer.body];
}

/** Sends its status and headers. */
export function begin(
  status: number,
  reason: string | undefined,
  headers: HeaderList,
  startResponse: StartResponse,
): void {
  startResponse(`${status} ${reason ?? reasonPhrase(status)}`, headers);
}
