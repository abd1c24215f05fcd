// Programs that listen by themselves: their server is taken, and no port is opened.

import { symlinkSync } from 'node:fs';
import { connect, createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeNodeServers } from '../../cli/src/entry/node-servers.ts';
import { folderOf, run } from './harness.ts';

const PORT = 39_171;

beforeEach(() => {
  process.env.PORT = String(PORT);
});
afterEach(() => {
  delete process.env.PORT;
  delete process.env.WAYGATE_LISTEN_SECONDS;
});

/** A folder that finds the packages of this project. */
function projectOf(files: Record<string, string>): string {
  const folder = folderOf(files);
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'));
  return folder;
}

/** Whether something listens there. */
function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const over = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => over(true)).once('error', () => over(false));
  });
}

const answer = `(request, response) => response.end('listened: ' + request.url)`;

/** Programs that answer with `listened: ` and the path, each on port 39171. */
const programs: Record<string, string> = {
  'node:http': `import { createServer } from 'node:http';
    createServer(${answer}).listen(${PORT});`,
  'node:http, CommonJS, the port as text': `const http = require('node:http');
    const server = http.createServer(${answer});
    server.listen('${PORT}', '127.0.0.1');`,
  'node:http after a while': `import { createServer } from 'node:http';
    setTimeout(() => createServer(${answer}).listen({ port: ${PORT} }), 100);`,
  'node:http, whose module waits until it listens': `import { once } from 'node:events';
    import { createServer } from 'node:http';
    const server = createServer(${answer}).listen(${PORT});
    await once(server, 'listening');
    if (server.address().port !== ${PORT} || !server.listening) throw new Error('it does not listen');`,
  'node:http, on a Unix socket': `import { createServer } from 'node:http';
    createServer(${answer}).listen('/nowhere/app.sock');`,
  Express: `import express from 'express';
    const app = express();
    app.get('/{*path}', (request, response) => response.send('listened: ' + request.url));
    app.listen(process.env.PORT, (error) => { if (error) throw error; });`,
  Koa: `import Koa from 'koa';
    new Koa().use((context) => { context.body = 'listened: ' + context.url; }).listen(${PORT});`,
  'Fastify, on both addresses of localhost': `import Fastify from 'fastify';
    const fastify = Fastify();
    fastify.get('/*', async (request) => 'listened: ' + request.url);
    await fastify.listen({ port: ${PORT} });`,
  '@hono/node-server': `import { serve } from '@hono/node-server';
    import { Hono } from 'hono';
    const app = new Hono().get('*', (c) => c.text('listened: ' + c.req.path));
    serve({ fetch: app.fetch, port: ${PORT} });`,
  'Deno.serve': `Deno.serve({ port: ${PORT}, onListen() {} }, (request, info) => {
      if (info.remoteAddr.hostname !== '127.0.0.1') throw new Error('no client');
      return new Response('listened: ' + new URL(request.url).pathname);
    });`,
  'Deno.serve, whose module waits for its end': `
    const port = Number(Deno.env.get('PORT'));
    const handler = (request: Request): Response => new Response('listened: ' + new URL(request.url).pathname);
    await Deno.serve({ port, handler, onListen() {} }).finished;`,
  'Bun.serve': `const server = Bun.serve({ port: ${PORT}, fetch(request, server) {
      if (server.requestIP(request)?.address !== '127.0.0.1') throw new Error('no client');
      return new Response('listened: ' + new URL(request.url).pathname);
    } });
    if (server.port !== ${PORT}) throw new Error('another port');`,
};

describe('a program that listens', () => {
  it.each(Object.keys(programs))('%s', async (name) => {
    const file = programs[name]?.includes('require(') ? 'program.cjs' : 'program.ts';
    const cwd = projectOf({ [file]: programs[name] as string });
    const { code, stdout, stderr } = await run(cwd, ['fetch', file, '/a']);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'listened: /a', stderr: '' });
    expect(await isOpen(PORT)).toBe(false);
  });

  it('is invoked with an event, and checked', async () => {
    const cwd = projectOf({ 'program.ts': programs.Express as string });
    const event = (await run(cwd, ['event', 'lambda:http-api', 'GET', '/b'])).stdout;
    const invoked = await run(cwd, ['invoke', 'program.ts', '--event', '-'], { stdin: event });
    expect(JSON.parse(invoked.stdout)).toMatchObject({ statusCode: 200, body: 'listened: /b' });
    expect(await run(cwd, ['check', 'program.ts', '--platform', 'lambda:alb'])).toMatchObject({ code: 0 });
  });

  it('without an extension, as bin/www of Express has none', async () => {
    const cwd = folderOf({ 'bin/www': `#!/usr/bin/env node\n${programs['node:http, CommonJS, the port as text']}` });
    expect((await run(cwd, ['fetch', 'bin/www', '/a'])).stdout).toBe('listened: /a');
  });

  it('and exports its app besides: the export is served', async () => {
    const app = `import { createServer } from 'node:http';
      createServer(${answer}).listen(${PORT});
      export default { fetch: () => new Response('exported') };`;
    expect((await run(folderOf({ 'app.ts': app }), ['fetch', 'app.ts', '/'])).stdout).toBe('exported');
    expect(await isOpen(PORT)).toBe(false);
  });

  it('with a second server: the one on PORT is its app', async () => {
    const two = `import { createServer } from 'node:http';
      createServer((_request, response) => response.end('the other')).listen(${PORT + 1});
      createServer(${answer}).listen(process.env.PORT);`;
    expect((await run(folderOf({ 'two.ts': two }), ['fetch', 'two.ts', '/a'])).stdout).toBe('listened: /a');
  });
});

describe('what cannot be taken', () => {
  it.each([
    [
      'a program that never listens',
      'console.assert(true);',
      /^waygate: bad\.ts has no app: it exports nothing; expected .* or a program that calls listen\(\)\. It did not listen within 0\.2 s; WAYGATE_LISTEN_SECONDS sets another limit\.\n$/,
    ],
    [
      'a program that listens twice',
      `import { createServer } from 'node:http';
        createServer(() => {}).listen(3000);
        await null;
        createServer(() => {}).listen(3001);`,
      /^waygate: bad\.ts listens twice, on port 3000 and on port 3001; expected one server\. Let the one to serve listen on process\.env\.PORT, or export it as default\.\n$/,
    ],
    [
      'a server that listens twice',
      `import { createServer } from 'node:http';
        const server = createServer(() => {}).listen(3000);
        server.listen(3001);`,
      /^waygate: bad\.ts failed while it was loaded: Error: Listen method has been called more than once without closing\. \(bad\.ts:3:16\)\n$/,
    ],
    [
      'routes of Bun',
      `Bun.serve({ routes: { '/': new Response('a') } });`,
      /^waygate: .* TypeError: Bun\.serve was given `routes`, which only Bun has; expected `fetch` alone\. Run .*\n$/,
    ],
    [
      'other parts of Deno',
      `Deno.serve(async () => new Response(''));\nawait Deno.readTextFile('a');`,
      /^waygate: .* ReferenceError: Deno is not defined \(bad\.ts:2:1\)\. Of Deno a program has only serve and env here; run the rest with Deno\n$/,
    ],
  ])('%s', async (_what, source, expected) => {
    process.env.WAYGATE_LISTEN_SECONDS = '0.2';
    const { code, stderr } = await run(folderOf({ 'bad.ts': source }), ['fetch', 'bad.ts', '/']);
    expect(code).toBe(1);
    expect(stderr).toMatch(expected);
  });

  it('a Fastify program in workerd', async () => {
    const cwd = projectOf({ 'program.ts': programs['Fastify, on both addresses of localhost'] as string });
    const { code, stderr } = await run(cwd, ['build', 'program.ts', '--target', 'workers']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^waygate: program\.ts cannot run in workerd: Fastify makes code of its routes, /);
  });

  it('a limit that is none', async () => {
    process.env.WAYGATE_LISTEN_SECONDS = 'soon';
    const { code, stderr } = await run(folderOf({ 'bad.ts': '' }), ['fetch', 'bad.ts', '/']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'waygate: WAYGATE_LISTEN_SECONDS is "soon"; expected a number of seconds, such as 30.\n',
    });
  });
});

describe('a server that was taken', () => {
  it('closes once what serves it has closed, and may listen again', async () => {
    const { createServer } = await import('node:http');
    const taking = takeNodeServers();
    const server = createServer(() => {}).listen(0);
    taking.end();
    let served = (): void => {};
    (taking.servers[0] as { onClose: unknown }).onClose = () =>
      new Promise<void>((resolve) => {
        served = resolve;
      });
    const events: string[] = [];
    server.on('close', () => events.push('close'));
    server.close(() => events.push('callback'));
    await new Promise(setImmediate);
    expect(events).toEqual([]);
    served();
    await new Promise(setImmediate);
    expect(events).toEqual(['close', 'callback']);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    expect(await isOpen((server.address() as { port: number }).port)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
  });

  it('is one that speaks HTTP: any other listens', async () => {
    const taking = takeNodeServers();
    const server = createNetServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    taking.end();
    expect(taking.servers).toEqual([]);
    expect(await isOpen((server.address() as { port: number }).port)).toBe(true);
    server.close();
  });
});
