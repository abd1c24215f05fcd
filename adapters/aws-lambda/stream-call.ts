// The story of one invocation that streams its response: from the event to environ, through the application, into the stream.

import { Exchange } from '../../core/exchange.ts';
import { plainResponse } from '../../core/plain-response.ts';
import type { Environ } from '../../core/types.ts';
import { describeEvent, FailedResponseError, UnsupportedEventError } from './event/errors.ts';
import { headTooLarge, oversizeBytes } from './event/limits.ts';
import type { LambdaGateway } from './gateway.ts';
import { Invocation } from './invocation.ts';
import type { Source } from './source.ts';
import { ResponseWriter, send, sendJson } from './stream-response.ts';
import { DELIMITER_BYTES, PRELUDE_LIMIT_BYTES, type ResponseStream } from './streaming.ts';

type StreamingSource = Source & Required<Pick<Source, 'toPrelude'>>;

const HEAD_LIMIT_BYTES = PRELUDE_LIMIT_BYTES - DELIMITER_BYTES;

/**
 * Answers an event of any kind into a stream.
 *
 * @throws {UnsupportedEventError} for an event that is not an HTTP request, and for one whose event source does not stream
 * @throws {FailedResponseError} for a status that fails the invocation
 */
export async function answerStreamed(
  gateway: LambdaGateway,
  event: unknown,
  stream: ResponseStream,
  context: unknown,
): Promise<void> {
  const source = gateway.sourceOf(event);
  if (source === null) return sendJson(await gateway.handleEvent(event, context), stream);
  if (source.toPrelude === undefined) {
    throw new UnsupportedEventError(
      `${describeEvent(event)}: a request from ${source.name}, which does not stream (toLambda serves it)`,
      'function URLs and REST APIs',
    );
  }
  const { settings } = gateway;
  const invocation = new Invocation(settings.errors(), event, context);
  await answerRequest(gateway, source as StreamingSource, invocation, stream);
}

async function answerRequest(
  gateway: LambdaGateway,
  source: StreamingSource,
  invocation: Invocation,
  stream: ResponseStream,
): Promise<void> {
  const { settings } = gateway;
  let environ: Environ;
  try {
    environ = gateway.environOf(source, invocation);
  } catch (error) {
    const page = gateway.refusal(error, source, invocation);
    return send(source.toPrelude(page), page.body, new ResponseWriter(stream));
  }
  const exchange = invocation.begin(new Exchange(environ, settings.exchange));
  const writer = new ResponseWriter(stream, () => void invocation.clientLeft());
  try {
    let response = await exchange.run(gateway.app);
    let prelude = source.toPrelude(response);
    const size = oversizeBytes(prelude, HEAD_LIMIT_BYTES, response.headers, 0);
    if (size > 0) {
      exchange.reportError(headTooLarge(size, HEAD_LIMIT_BYTES));
      response = plainResponse(500, environ.REQUEST_METHOD);
      prelude = source.toPrelude(response);
    }
    if (settings.fails?.(response.statusCode)) throw new FailedResponseError(response.statusCode, environ);
    await send(prelude, response.body, writer);
  } finally {
    await invocation.end();
  }
}
