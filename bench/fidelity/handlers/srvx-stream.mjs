import { handleLambdaEventWithStream } from 'srvx/aws-lambda';
import { probeFetch } from 'waygate/testing';

export const title = 'srvx, streamed';
export const packages = ['srvx'];
export const options = '`handleLambdaEventWithStream`';
export const documented = 'https://srvx.h3.dev/guide/handler';
export const sources = ['function-url'];
export const handler = awslambda.streamifyResponse((event, stream, context) =>
  handleLambdaEventWithStream(probeFetch, event, stream, context),
);
