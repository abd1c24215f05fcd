// `waygate event`: the event that Lambda would get for a request.

import { fromLambda } from 'waygate/aws-lambda';
import { toFetch } from 'waygate/fetch';
import { CommandError } from './errors.ts';
import { requestInit } from './fetch.ts';
import type { Output } from './output.ts';
import { checkSourceOptions, parseSource } from './platform.ts';
import { type CommandRequest, commandRequest, type RequestOptions } from './request.ts';

/** Options of `waygate event`. */
export interface EventOptions extends RequestOptions {
  stage?: string;
  payload?: '1.0' | '2.0';
  multiValueHeaders: boolean;
  /** For `edge`: whether the function stands at the viewer request instead of the origin request. */
  viewerRequest: boolean;
}

/**
 * Prints the event as JSON.
 *
 * @throws {CommandError} for an unknown event source, and for a request that the source would answer by itself
 */
export async function eventCommand(
  source: string,
  method: string,
  target: string,
  options: EventOptions,
  output: Output,
): Promise<void> {
  const request = await commandRequest(method, target, options, output.io);
  output.print(JSON.stringify(await makeEvent(source, request, options), null, 2));
}

/**
 * The event that an event source makes of a request, through `fromLambda`.
 *
 * @param source as the command line spells it, such as `lambda:http-api`
 */
export async function makeEvent(source: string, request: CommandRequest, options: EventOptions): Promise<unknown> {
  const { stage, payload, multiValueHeaders, viewerRequest } = options;
  const name = parseSource(source);
  checkSourceOptions(name, {
    stage,
    payload,
    'multi-value-headers': multiValueHeaders,
    'viewer-request': viewerRequest,
  });
  let event: unknown;
  const emulated = fromLambda(
    async (given: unknown) => {
      event = given;
      return { statusCode: 204 };
    },
    {
      source: name,
      stage,
      payloadFormatVersion: payload,
      multiValueHeaders,
      eventType: viewerRequest ? 'viewer-request' : 'origin-request',
    },
  );
  const response = await toFetch(emulated, { errors: () => {} })(request.target, requestInit(request));
  if (event === undefined) {
    const reason = (await response.text()).trim().replace(/\s+/g, ' ');
    throw new CommandError(`${source} would answer this request by itself, with ${response.status}: ${reason}`);
  }
  return event;
}
