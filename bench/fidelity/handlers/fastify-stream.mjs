import { pipeline } from 'node:stream/promises';
import awsLambdaFastify from '@fastify/aws-lambda';
import { makeApp } from './fastify.mjs';

export const title = '@fastify/aws-lambda, streamed';
export const packages = ['@fastify/aws-lambda', 'fastify'];
export const options = '`payloadAsStream`, in a handler as its documents show it';
export const documented = 'https://github.com/fastify/aws-lambda-fastify';
export const sources = ['function-url'];

const proxy = awsLambdaFastify(makeApp(), { payloadAsStream: true });
export const handler = awslambda.streamifyResponse(async (event, responseStream, context) => {
  const { meta, stream } = await proxy(event, context);
  await pipeline(stream, awslambda.HttpResponseStream.from(responseStream, meta));
});
