// `waygate event`: the event that a Lambda front door would send for a request.

import { fromLambda } from 'waygate/aws-lambda';
import { toFetch } from 'waygate/fetch';
import { CommandError } from './errors.ts';
import { requestInit } from './fetch.ts';
import type { Output } from './output.ts';
import { checkDoor, parseSource } from './platform.ts';
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
 * @throws {CommandError} for an unknown source, and for a request that the front door would not pass on
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

/** The event that a front door makes of a request, through `fromLambda`: what its handler is given. */
export async function makeEvent(source: string, request: CommandRequest, options: EventOptions): Promise<unknown> {
  const { stage, payload, multiValueHeaders, viewerRequest } = options;
  const name = parseSource(source);
  checkDoor(name, { stage, payload, 'multi-value-headers': multiValueHeaders, 'viewer-request': viewerRequest });
  let event: unknown;
  const door = fromLambda(
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
  const response = await toFetch(door, { errors: () => {} })(request.target, requestInit(request));
  if (event === undefined) {
    const reason = (await response.text()).trim().replace(/\s+/g, ' ');
    throw new CommandError(`${source} would answer this request by itself, with ${response.status}: ${reason}`);
  }
  return event;
}
