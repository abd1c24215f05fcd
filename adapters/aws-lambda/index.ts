// `waygate/aws-lambda`: applications as Lambda functions, and Lambda functions as applications.

export { FailedResponseError, UnsupportedEventError } from './errors.ts';
export type { BatchResult, EventHandler, EventTarget } from './event-route.ts';
export { type FromLambdaOptions, fromLambda } from './from-lambda.ts';
export type { LambdaOptions } from './options.ts';
export { type InvokeOptions, invokeLambda } from './runtime.ts';
export type { SourceName } from './source.ts';
export { awslambda, type ResponseStream, type StreamHandler } from './streaming.ts';
export { toLambda } from './to-lambda.ts';
export { toLambdaStream } from './to-lambda-stream.ts';
export type { LambdaHandler, LatticeRequestEvent } from './types.ts';
