// A page of 14 bytes, and JSON sent back, on an HTTP API: by hand, as an application, and behind the adapters that people use.

import { browserEvent, invoker, json } from '../lib/events.mjs';
import { load } from '../lib/waygate.mjs';

const PAGE = 'Hello, world!\n';

/** What somebody would write who wants nothing but this. */
async function byHand(request) {
  if (request.requestContext.http.method === 'POST') {
    const text = request.isBase64Encoded ? Buffer.from(request.body, 'base64').toString() : request.body;
    return {
      statusCode: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(JSON.parse(text)),
      isBase64Encoded: false,
    };
  }
  return { statusCode: 200, headers: { 'content-type': 'text/plain' }, body: PAGE, isBase64Encoded: false };
}

function listener(request, response) {
  if (request.method !== 'POST') {
    response.setHeader('content-type', 'text/plain');
    response.end(PAGE);
    return;
  }
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(JSON.parse(Buffer.concat(chunks).toString())));
  });
}

const HANDLERS = {
  'by hand': async () => byHand,
  waygate: async () => {
    const { encode } = await load('waygate');
    const { toLambda } = await load('waygate/aws-lambda');
    const page = encode(PAGE);
    const postJson = async (environ, startResponse) => {
      const value = await environ['wsgi.input'].json();
      startResponse('200 OK', [['content-type', 'application/json']]);
      return [encode(JSON.stringify(value))];
    };
    return toLambda((environ, startResponse) => {
      if (environ.REQUEST_METHOD === 'POST') return postJson(environ, startResponse);
      startResponse('200 OK', [['content-type', 'text/plain']]);
      return [page];
    });
  },
  'hono/aws-lambda': async () => {
    const { Hono } = await import('hono');
    const { handle } = await import('hono/aws-lambda');
    const app = new Hono();
    app.get('/hello', (c) => c.text(PAGE));
    app.post('/json', async (c) => c.json(await c.req.json()));
    return handle(app);
  },
  'srvx/aws-lambda': async () => {
    const { toLambdaHandler } = await import('srvx/aws-lambda');
    return toLambdaHandler({
      fetch: async (request) =>
        request.method !== 'POST'
          ? new Response(PAGE, { headers: { 'content-type': 'text/plain' } })
          : new Response(JSON.stringify(await request.json()), { headers: { 'content-type': 'application/json' } }),
    });
  },
  'serverless-http': async () => (await import('serverless-http')).default(listener),
  '@vendia/serverless-express': async () => (await import('@vendia/serverless-express')).default({ app: listener }),
  '@fastify/aws-lambda': async () => {
    const { default: Fastify } = await import('fastify');
    const { default: awsLambdaFastify } = await import('@fastify/aws-lambda');
    const app = Fastify();
    app.get('/hello', (_request, reply) => reply.type('text/plain').send(PAGE));
    app.post('/json', (request, reply) => reply.send(request.body));
    return awsLambdaFastify(app);
  },
};

export default async function prepare(adapter, method) {
  const event = method === 'POST' ? browserEvent('POST', '/json', json) : browserEvent('GET', '/hello');
  return invoker(await HANDLERS[adapter](), event);
}
