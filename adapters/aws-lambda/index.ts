// `waygate/aws-lambda`: applications as Lambda functions, and Lambda functions as applications.

import type { Context } from 'aws-lambda';

export type { FromLambdaOptions } from './emulator/options.ts';
export { type InvokeOptions, invokeLambda } from './emulator/runtime.ts';
export { FailedResponseError, UnsupportedEventError } from './event/errors.ts';
export { type EventOptions, type EventOrigin, type EventRequest, lambdaEvent } from './event-of.ts';
export type { BatchResult, EventHandler, EventTarget } from './event-route.ts';
export { fromLambda } from './from-lambda.ts';
export type { LambdaOptions } from './options.ts';
export { awslambda, type ResponseStream, type StreamHandler } from './streaming.ts';
export { toLambda } from './to-lambda.ts';
export { toLambdaStream } from './to-lambda-stream.ts';
export type { LambdaHandler, LambdaSource, LatticeRequestEvent, SourceName } from './types.ts';

declare module 'waygate' {
  interface EnvironKeys {
    /** The event as it came. Annotate it: `const event: APIGatewayProxyEventV2 = environ['aws.event']`. */
    // biome-ignore lint/suspicious/noExplicitAny: every event source has its own, and their union has no member in common.
    'aws.event'?: any;
    /** One record of it, where the option `events` serves records one by one. */
    // biome-ignore lint/suspicious/noExplicitAny: every event source has its own.
    'aws.record'?: any;
    /** The context of the invocation. */
    'aws.context'?: Context;
  }
}
