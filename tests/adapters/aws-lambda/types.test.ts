// The handler under the names of @types/aws-lambda: this file is checked by `npm run types`.

import type {
  ALBHandler,
  APIGatewayProxyHandler,
  APIGatewayProxyHandlerV2,
  APIGatewayProxyHandlerV2WithIAMAuthorizer,
  APIGatewayProxyHandlerV2WithJWTAuthorizer,
  APIGatewayProxyHandlerV2WithLambdaAuthorizer,
  APIGatewayProxyWithCognitoAuthorizerHandler,
  APIGatewayProxyWithLambdaAuthorizerHandler,
  CloudFrontRequestHandler,
  Handler,
  LambdaFunctionURLHandler,
  LambdaFunctionURLHandlerWithIAMAuthorizer,
  StreamifyHandler,
} from 'aws-lambda';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Application } from 'waygate';
import { type LambdaHandler, type LatticeRequestEvent, toLambda, toLambdaStream } from 'waygate/aws-lambda';

const app: Application = (_environ, startResponse) => {
  startResponse('204 No Content', []);
  return [];
};

describe('the handler', () => {
  it('can be annotated as the handler of every event source', () => {
    const handlers: [
      APIGatewayProxyHandler,
      APIGatewayProxyWithCognitoAuthorizerHandler,
      APIGatewayProxyWithLambdaAuthorizerHandler<{ tenant: string }>,
      APIGatewayProxyHandlerV2,
      APIGatewayProxyHandlerV2WithIAMAuthorizer,
      APIGatewayProxyHandlerV2WithJWTAuthorizer,
      APIGatewayProxyHandlerV2WithLambdaAuthorizer<{ tenant: string }>,
      LambdaFunctionURLHandler,
      LambdaFunctionURLHandlerWithIAMAuthorizer,
      ALBHandler,
      CloudFrontRequestHandler,
      Handler<LatticeRequestEvent>,
      Handler,
    ] = [
      toLambda(app),
      toLambda(app),
      toLambda(app),
      toLambda(app),
      toLambda(app),
      toLambda(app),
      toLambda(app),
      toLambda(app),
      toLambda(app),
      toLambda(app),
      toLambda(app),
      toLambda(app),
      toLambda(app),
    ];
    // A handler with three parameters is one that calls back, and current runtimes refuse it.
    for (const handler of handlers) expect(handler).toHaveLength(2);
  });

  it('is not a handler of events without an HTTP request', () => {
    expectTypeOf<LambdaHandler>().not.toExtend<(event: string) => string>();
  });

  it('that streams is one too', () => {
    const handler: StreamifyHandler = toLambdaStream(app);
    expect(handler).toHaveLength(3);
  });
});
