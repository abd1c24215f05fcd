// The options of fromLambda: how the event source is set up, and what the function's context says.

import type { Application } from '../../../core/types.ts';
import type { LambdaSource, SourceName } from '../types.ts';

/** Options of {@link fromLambda}. */
export interface FromLambdaOptions extends EmulatorOptions, FunctionOptions {
  /** The event source to imitate, by name; or an emulator out of `waygate/aws-lambda/sources`. */
  source: SourceName | LambdaSource;
  /**
   * Whether the handler is a streaming one, `(event, responseStream, context)`.
   *
   * @default whether awslambda.streamifyResponse has marked it
   */
  streaming?: boolean;
}

/** How an event source is set up. */
export interface EmulatorOptions {
  /**
   * `rest-api` and `http-api`: the named stage that the API is called under, as part of the URL: the API answers under its
   * own name then.
   *
   * @default a domain of the API's own, where no stage is in the URL
   */
  stage?: string;
  /**
   * `http-api`: the format of events and results that the integration is set to.
   *
   * @default '2.0'
   */
  payloadFormatVersion?: '1.0' | '2.0';
  /**
   * `rest-api`: the types that the API treats as binary, such as `image/*`.
   *
   * @default all of them
   */
  binaryMediaTypes?: readonly string[];
  /**
   * `alb`: whether the target group has multi-value headers enabled.
   *
   * @default false
   */
  multiValueHeaders?: boolean;
  /**
   * `edge`: at which event the function stands.
   *
   * @default 'origin-request'
   */
  eventType?: 'viewer-request' | 'origin-request';
  /**
   * `edge`: what answers a request that the function lets pass on: the cache and the origin.
   *
   * @default such a request is a 502, as there is none
   */
  origin?: Application;
}

/** The function's name and how long it may run, as its context says. */
export interface FunctionOptions {
  /**
   * The name of the function, for `context.functionName`.
   *
   * @default 'function'
   */
  functionName?: string;
  /**
   * How long an invocation may run, for `context.getRemainingTimeInMillis()`. Nothing is cut off.
   *
   * @default 30_000
   */
  timeoutMs?: number;
  /**
   * The memory of the function in MB, for `context.memoryLimitInMB`.
   *
   * @default 128
   */
  memoryLimitInMB?: number;
}
