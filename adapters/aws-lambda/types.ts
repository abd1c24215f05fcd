// The handler's types, in the words of @types/aws-lambda, so that it can be annotated as the event source's own.

import type {
  ALBEvent,
  ALBResult,
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  APIGatewayProxyResult,
  APIGatewayProxyStructuredResultV2,
  CloudFrontRequestEvent,
  CloudFrontResultResponse,
  Context,
} from 'aws-lambda';
import type { LatticeResult } from './event/lattice.ts';

/**
 * A Lambda function behind any HTTP event source: it can be annotated as `APIGatewayProxyHandler`,
 * `APIGatewayProxyHandlerV2`, `LambdaFunctionURLHandler`, `ALBHandler` or `CloudFrontRequestHandler`.
 */
export interface LambdaHandler {
  (event: APIGatewayProxyEventV2, context?: Context): Promise<APIGatewayProxyStructuredResultV2>;
  (event: APIGatewayProxyEvent, context?: Context): Promise<APIGatewayProxyResult>;
  (event: ALBEvent, context?: Context): Promise<ALBResult>;
  (event: CloudFrontRequestEvent, context?: Context): Promise<CloudFrontResultResponse>;
  (event: LatticeRequestEvent, context?: Context): Promise<LatticeResult>;
  // biome-ignore lint/suspicious/noExplicitAny: any other event has whatever result its author says it has.
  (event: any, context?: any): Promise<any>;
}

/** What VPC Lattice sends, in event structure version 2; @types/aws-lambda has no type for it. */
export interface LatticeRequestEvent {
  /** The version of the event format. */
  version: '2.0';
  /** The path as the client sent it, encoded; with the query behind a `?` where there is one. */
  path: string;
  /** The request method. */
  method: string;
  /** The values of each header, by its name in lower case. */
  headers: Record<string, string[]>;
  /** The values of each query parameter. */
  queryStringParameters?: Record<string, string[]>;
  /** The request body: text, or base64 where `isBase64Encoded` is true. */
  body?: string | null;
  /** Whether `body` is base64. */
  isBase64Encoded?: boolean;
  /** Where the request came from: the service network, the service, the target group and the caller's identity. */
  requestContext: {
    serviceNetworkArn: string;
    serviceArn: string;
    targetGroupArn: string;
    region: string;
    timeEpoch: string;
    identity?: Record<string, string>;
  };
}

/** The event sources that are served. `lattice` is VPC Lattice's event version 2, `edge` is Lambda@Edge. */
export type SourceName = 'rest-api' | 'http-api' | 'function-url' | 'alb' | 'lattice' | 'lattice-v1' | 'edge';

/** An event source out of `waygate/aws-lambda/sources`, for the option `sources`. */
export interface LambdaSource {
  /** As `fromLambda` and the log name it. */
  readonly name: string;
}
