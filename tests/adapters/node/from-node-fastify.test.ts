// Fastify behaves the same wherever it is hosted, by Node itself first: as a server that never listens, and as a listener.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import Fastify, { type FastifyInstance } from 'fastify';
import { describe, expect, test } from 'vitest';
import type { NodeApp } from 'waygate/node';
import { byNode, WAYS } from './hosting.ts';

const AS: [string, (app: FastifyInstance) => NodeApp][] = [
  ['as its server', (app) => app.server],
  ['as its routing', (app) => (req: IncomingMessage, res: ServerResponse) => app.routing(req, res)],
];
const EACH = WAYS.flatMap(([name, way]) =>
  AS.filter(([, as]) => way !== byNode || as !== AS[0]?.[1]).map(
    ([kind, as]) => [`${kind}, ${name}`, as, way] as const,
  ),
);

describe.each(EACH)('Fastify %s', (_name, as, way) => {
  async function ready(define: (app: FastifyInstance) => void): Promise<NodeApp> {
    const app = Fastify();
    define(app);
    await app.ready();
    return as(app);
  }

  test('routes, parses, validates and answers', async () => {
    const app = await ready((fastify) => {
      fastify.get('/users/:id', (request) => ({ params: request.params, query: request.query }));
      fastify.post('/json', async (request, reply) => {
        reply.code(201).header('x-many', ['a', 'b']);
        return request.body;
      });
      const schema = { body: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } } };
      fastify.post('/checked', { schema }, () => 'checked');
      fastify.get('/text', (_request, reply) => reply.send('Grüße'));
      fastify.get('/bytes', (_request, reply) => reply.send(Buffer.from([0, 255])));
      fastify.get('/redirect', (_request, reply) => reply.redirect('/text'));
    });
    const json = (body: string) => ({ method: 'POST', body, headers: { 'content-type': 'application/json' } });
    await way(app, async (call) => {
      expect(await (await call('/users/a%20b?c=d')).json()).toEqual({ params: { id: 'a b' }, query: { c: 'd' } });
      const created = await call('/json', json('{"a":"ü"}'));
      expect([created.status, created.headers.get('x-many'), await created.json()]).toEqual([201, 'a, b', { a: 'ü' }]);
      expect((await call('/json', json('{"a":'))).status).toBe(400);
      expect((await call('/json', { ...json('x'), headers: { 'content-type': 'x/y' } })).status).toBe(415);
      expect((await call('/checked', json('{}'))).status).toBe(400);
      expect((await call('/json', json(`{"a":"${'x'.repeat(1_100_000)}"}`))).status).toBe(413);
      const text = await call('/text');
      expect([text.headers.get('content-length'), await text.text()]).toEqual(['7', 'Grüße']);
      expect(Buffer.from(await (await call('/bytes')).arrayBuffer())).toEqual(Buffer.from([0, 255]));
      expect([(await call('/redirect')).status, (await call('/none')).status]).toEqual([302, 404]);
      const head = await call('/text', { method: 'HEAD' });
      expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '7', '']);
    });
  });

  test('streams, hijacks, fails, and calls its hooks to the end', async () => {
    const hooks: string[] = [];
    const app = await ready((fastify) => {
      fastify.addHook('onRequest', async () => void hooks.push('request'));
      fastify.addHook('onResponse', async (_request, reply) => void hooks.push(`response ${reply.statusCode}`));
      fastify.get('/stream', (_request, reply) => reply.type('text/plain').send(Readable.from(['a', 'b'])));
      fastify.get('/broken', (_request, reply) => {
        const source = new Readable({ read() {} });
        source.push('begun');
        setTimeout(() => source.destroy(new Error('too late')), 5);
        return reply.send(source);
      });
      fastify.get('/hijack', (_request, reply) => {
        reply.hijack();
        reply.raw.writeHead(202, { 'x-raw': '1' });
        reply.raw.end('raw');
      });
      fastify.get('/fails', async () => {
        throw Object.assign(new Error('no'), { statusCode: 409 });
      });
      fastify.get('/ip', (request) => ({ ip: request.ip, host: request.host, protocol: request.protocol }));
    });
    await way(app, async (call, port) => {
      expect(await (await call('/stream')).text()).toBe('ab');
      const raw = await call('/hijack');
      expect([raw.status, raw.headers.get('x-raw'), await raw.text()]).toEqual([202, '1', 'raw']);
      expect((await call('/fails')).status).toBe(409);
      const seen = await (await call('/ip')).json();
      if (port !== 0) expect(seen).toEqual({ ip: '127.0.0.1', host: `127.0.0.1:${port}`, protocol: 'http' });
      await expect(call('/broken').then((response) => response.text())).rejects.toThrow();
    });
    expect(hooks.slice(0, 4)).toEqual(['request', 'response 200', 'request', 'response 202']);
  });
});
