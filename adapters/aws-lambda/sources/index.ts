// `waygate/aws-lambda/sources`: each event source by itself, and what serves no other ones. A bundle holds what it names here.

import type { Application } from '../../../core/types.ts';
import { servedSources } from '../gateway.ts';
import type { LambdaOptions } from '../options.ts';
import type { Source } from '../source.ts';
import type { StreamHandler } from '../streaming.ts';
import { handlerFor } from '../to-lambda.ts';
import { streamHandlerFor } from '../to-lambda-stream.ts';
import type { LambdaHandler, LambdaSource } from '../types.ts';

export type { LambdaSource } from '../types.ts';
export { alb, albEmulator } from './alb.ts';
export { edge, edgeEmulator } from './edge.ts';
export { functionUrl, functionUrlEmulator } from './function-url.ts';
export { httpApi, httpApiEmulator } from './http-api.ts';
export { lattice, latticeEmulator } from './lattice.ts';
export { latticeV1, latticeV1Emulator } from './lattice-v1.ts';
export { restApi, restApiEmulator } from './rest-api.ts';

/** Options of {@link lambdaHandler} and {@link lambdaStreamHandler}: the event sources have to be named. */
export interface SelectedSourcesOptions extends LambdaOptions {
  /** The event sources to serve. */
  sources: readonly LambdaSource[];
}

/**
 * `toLambda` for the event sources that are named, and no code of any other.
 *
 * @param app the application
 * @param options those of `toLambda` in `waygate/aws-lambda`, and `sources`
 * @returns the handler, as that of `toLambda` in `waygate/aws-lambda`
 * @throws {TypeError} for an application that is not a function or an option of the wrong type
 * @example export const handler = lambdaHandler(app, { sources: [httpApi] });
 */
export function lambdaHandler(app: Application, options: SelectedSourcesOptions): LambdaHandler {
  return handlerFor(app, options, selected(options));
}

/**
 * `toLambdaStream` for the event sources that are named, and no code of any other: `functionUrl` and `restApi` stream.
 *
 * @param app the application
 * @param options those of `toLambdaStream` in `waygate/aws-lambda`, and `sources`
 * @returns the handler, as that of `toLambdaStream` in `waygate/aws-lambda`
 * @throws {TypeError} for an application that is not a function or an option of the wrong type
 * @example export const handler = lambdaStreamHandler(app, { sources: [functionUrl] });
 */
export function lambdaStreamHandler(app: Application, options: SelectedSourcesOptions): StreamHandler {
  return streamHandlerFor(app, options, selected(options));
}

/** @throws {TypeError} where none are named: here nothing is served by default */
function selected(options: SelectedSourcesOptions | undefined): readonly Source[] {
  return servedSources(options?.sources ?? []) as readonly Source[];
}
