// Lambda's Node.js runtime, as a handler sees it: the context, the callback, a promise, and what a failure is.
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html

import { Writable } from 'node:stream';
import { isThenable } from '../../../core/thenable.ts';
import { STREAMING } from '../streaming.ts';
import type { FunctionOptions } from './options.ts';
import { ACCOUNT_ID, REGION } from './request.ts';

/** The handler's third argument, or what the legacy methods of the context stand for. */
type Callback = (error?: unknown, result?: unknown) => void;

/** A handler in any of its forms. */
// biome-ignore lint/suspicious/noExplicitAny: handlers are typed by the events that they are written for.
export type AnyHandler = (event: any, context: any, callback: any) => unknown;

/** The context of one invocation. https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
export function makeContext(requestId: string, options: FunctionOptions, settle: Callback): object {
  const { functionName = 'function', timeoutMs = 30_000, memoryLimitInMB = 128 } = options;
  const deadline = performance.now() + timeoutMs;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: '$LATEST',
    functionName,
    memoryLimitInMB: String(memoryLimitInMB),
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: `${new Date().toISOString().slice(0, 10).replaceAll('-', '/')}/[$LATEST]${requestId.replaceAll('-', '')}`,
    invokedFunctionArn: `arn:aws:lambda:${REGION}:${ACCOUNT_ID}:function:${functionName}`,
    awsRequestId: requestId,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(deadline - performance.now())),
    done: settle,
    fail: (error: unknown) => settle(error ?? new Error('The function failed.')),
    succeed: (result: unknown) => settle(null, result),
  };
}

/**
 * Calls a handler that returns its result, and gives the result as the event source gets it: as JSON, read again.
 *
 * @returns a promise that rejects when the handler fails or its result is not JSON
 */
export function call(
  handler: AnyHandler,
  event: unknown,
  requestId: string,
  options: FunctionOptions,
): Promise<unknown> {
  let giveUp = (): void => {};
  const answered = new Promise((resolve, reject) => {
    const settle: Callback = (error, result) => {
      if (error !== null && error !== undefined) reject(error);
      else resolve(result);
    };
    const returned = handler(event, makeContext(requestId, options, settle), settle);
    if (isThenable(returned)) returned.then(resolve, reject);
    // The runtime ignores what a plain function returns. It waits for the callback, or for the legacy methods of the
    // context. Where none of them can come, the result is null.
    else if (handler.length < 2 || (handler.length < 3 && returned !== undefined)) resolve(null);
    // So it is when nothing is left to run that could call them.
    else giveUp = whenIdle(() => resolve(null));
  });
  return answered.finally(() => giveUp());
}

const idleCalls = new Set<() => void>();

/**
 * Has something done when the process has nothing left to do.
 *
 * @returns a function that takes it back
 */
function whenIdle(work: () => void): () => void {
  // One listener for all: there may be many calls at a time.
  if (idleCalls.size === 0) globalThis.process?.on?.('beforeExit', runIdle);
  idleCalls.add(work);
  return () => {
    if (idleCalls.delete(work) && idleCalls.size === 0) globalThis.process?.off?.('beforeExit', runIdle);
  };
}

function runIdle(): void {
  for (const work of [...idleCalls]) work();
}

/**
 * Calls a handler that streams.
 *
 * @returns a promise that rejects when the handler fails, and for one that is not asynchronous, which the runtime refuses
 */
export async function callStreaming(
  handler: AnyHandler,
  event: unknown,
  stream: Writable,
  requestId: string,
  options: FunctionOptions,
): Promise<void> {
  const returned = handler(
    event,
    stream,
    makeContext(requestId, options, () => {}),
  );
  if (!isThenable(returned)) throw new Error('Streaming does not support non-async handlers.');
  await returned;
}

/** Whether `awslambda.streamifyResponse` has marked a handler as one that streams. */
export function isStreaming(handler: AnyHandler): boolean {
  return (handler as { [STREAMING]?: unknown })[STREAMING] === 'response';
}

/** Options of {@link invokeLambda}. */
export interface InvokeOptions extends FunctionOptions {
  /** The id that the context has. @default a random UUID */
  requestId?: string;
  /** Where a handler that streams writes to. @default a stream whose bytes are dropped */
  stream?: Writable;
}

/**
 * Calls a handler with an event as Lambda's Node.js runtime would: with a context and a callback, or with a stream.
 *
 * @param handler the function; `awslambda.streamifyResponse` has marked it if it streams
 * @param event any JSON value
 * @returns the result as the service gets it: through JSON, and null where there is none. For a handler that streams it is
 *   undefined
 * @throws what the handler fails with
 * @example const result = await invokeLambda(handler, lambdaEvent('http-api', { path: '/' }));
 */
export async function invokeLambda(handler: AnyHandler, event: unknown, options: InvokeOptions = {}): Promise<unknown> {
  const { requestId = crypto.randomUUID(), stream = new Writable({ write: (_chunk, _encoding, done) => done() }) } =
    options;
  if (isStreaming(handler)) return callStreaming(handler, event, stream, requestId, options);
  return throughJson(await call(handler, event, requestId, options));
}

/** A value as it arrives on the other side. */
export function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value) ?? 'null');
}
