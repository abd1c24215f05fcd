// The story of one request to a Lambda function in the emulator. The event source turns it into an event, and turns the
// function's result into a response.

import type { ApplicationBody, Environ, StartResponse } from '../../../core/types.ts';
import { answerOf, send } from './answer.ts';
import { clientRequest } from './client-request.ts';
import type { Emulator } from './emulator.ts';
import type { FromLambdaOptions } from './options.ts';
import { isPassedOn, originEnviron } from './origin.ts';
import type { JsonObject } from './response.ts';
import { type AnyHandler, call, isStreaming, throughJson } from './runtime.ts';
import { StreamedCall } from './streamed-call.ts';

/** Answers one request by the function. */
export async function answerRequest(
  handler: AnyHandler,
  emulator: Emulator,
  options: FromLambdaOptions,
  environ: Environ,
  startResponse: StartResponse,
): Promise<ApplicationBody> {
  const request = await clientRequest(environ);
  const event = throughJson(emulator.toEvent(request, options));
  if (options.streaming ?? isStreaming(handler))
    return new StreamedCall(emulator, request, options, environ).run(handler, event, startResponse);
  let passed: JsonObject | null = null;
  const answer = await answerOf(emulator, request, options, environ, async () => {
    const result = throughJson(await call(handler, event, request.id, options));
    if (options.origin === undefined || emulator.name !== 'edge' || !isPassedOn(result)) return result;
    passed = result;
    return { status: '200' };
  });
  if (passed !== null && options.origin) return options.origin(originEnviron(environ, passed, request), startResponse);
  return send(answer, startResponse);
}
