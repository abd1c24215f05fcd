import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import { handle as handleEdge } from 'hono/lambda-edge';
import { probeFetch } from 'waygate/testing';
import { isBinary } from './text.mjs';

export const title = 'hono';
export const packages = ['hono'];
export const options = '`isContentTypeBinary`: all but UTF-8 text; `hono/lambda-edge` for Lambda@Edge';
export const documented = 'https://hono.dev/docs/getting-started/aws-lambda';
export const sources = ['rest-api', 'http-api', 'function-url', 'alb', 'lattice', 'edge'];

const app = new Hono().all('*', (c) => probeFetch(c.req.raw));
const onLambda = handle(app, { isContentTypeBinary: isBinary });
const onEdge = handleEdge(app);
export const handler = async (event, context) =>
  event.Records === undefined ? onLambda(event, context) : onEdge(event, context);
