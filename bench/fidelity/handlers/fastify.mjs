import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import awsLambdaFastify from '@fastify/aws-lambda';
import Fastify from 'fastify';
import { PROBE_PAUSE, probeAnswer } from 'waygate/testing';
import { isBinary } from './text.mjs';

export const title = '@fastify/aws-lambda';
export const packages = ['@fastify/aws-lambda', 'fastify'];
export const options = '`enforceBase64`: all but UTF-8 text; `albMultiValueHeaders` as the target group has it';
export const documented = 'https://github.com/fastify/aws-lambda-fastify';
export const sources = ['rest-api', 'http-api', 'function-url', 'alb'];

async function* inParts({ body, later }) {
  yield Buffer.from(body);
  await sleep(PROBE_PAUSE);
  yield Buffer.from(later);
}

export function makeApp() {
  const app = Fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.all('*', (request, reply) => {
    const { method, url: target, headers, body } = request;
    const made = probeAnswer({ method, target, headers, body: body ?? new Uint8Array() });
    if (made === undefined) return reply.code(404).send();
    reply.code(made.status);
    for (const [name, value] of made.headers) reply.header(name, value);
    if (made.later !== undefined) return reply.send(Readable.from(inParts(made)));
    return reply.send(made.body === null ? undefined : Buffer.from(made.body));
  });
  return app;
}

// The adapter changes the object that it is given.
const settings = () => ({
  enforceBase64: ({ headers }) => isBinary(headers['content-type'], headers['content-encoding']),
});
const single = awsLambdaFastify(makeApp(), settings());
const multi = awsLambdaFastify(makeApp(), { ...settings(), albMultiValueHeaders: true });
export const handler = async (event, context) =>
  event.requestContext?.elb && event.multiValueHeaders ? multi(event, context) : single(event, context);
