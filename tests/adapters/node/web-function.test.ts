// serve() as the server of an AWS Lambda Web Function: where it listens, who its client is, and how fast it ends.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Application } from 'waygate';
import { fromNode, type RunningServer, type ServeOptions, serve } from 'waygate/node';

const running: RunningServer[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const served of running.splice(0)) await served.close();
});

/** Answers with the environ, as far as it is text. */
const shown: Application = (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'application/json']]);
  const text = Object.entries(environ).filter(([, value]) => typeof value === 'string');
  return [Buffer.from(JSON.stringify(Object.fromEntries(text)))];
};

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Serves where a variable says, and returns what the server answers. */
async function start(app: Application, options: ServeOptions = {}, host = '127.0.0.1'): Promise<RunningServer> {
  vi.stubEnv('AWS_LAMBDA_HTTP_ENDPOINT', `${host}:${await freePort()}`);
  const served = await serve(app, { signals: false, ...options });
  running.push(served);
  return served;
}

async function get(port: number, headers: Record<string, string | string[]>): Promise<Record<string, string>> {
  const request = http.get({ host: '127.0.0.1', port, path: '/a?b', headers, agent: false });
  const [response] = await once(request, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return JSON.parse(text);
}

/** What Lambda sends, after a client has tried to be somebody else. */
const FORWARDED = {
  host: 'abc.x7y.lambda-web.us-east-1.on.aws',
  'x-forwarded-for': ['198.51.100.7, 10.0.0.1', '203.0.113.9'],
};

describe('serve() with AWS_LAMBDA_HTTP_ENDPOINT', () => {
  test('listens there, whatever port and host are', async () => {
    const { port } = await start(shown, { port: 1, host: 'nowhere.invalid' });
    expect(process.env.AWS_LAMBDA_HTTP_ENDPOINT).toBe(`127.0.0.1:${port}`);
    expect((await get(port, { host: 'x' })).PATH_INFO).toBe('/a');
  });

  test('listens on an IPv6 address in brackets', async () => {
    const { port, server } = await start(shown, {}, '[::1]');
    expect(server.address()).toMatchObject({ address: '::1', port });
  });

  test('shows the client that Lambda has appended, and scheme and name of the endpoint', async () => {
    const { port } = await start(shown);
    const environ = await get(port, FORWARDED);
    expect(environ).toMatchObject({
      REMOTE_ADDR: '203.0.113.9',
      'wsgi.url_scheme': 'https',
      HTTPS: 'on',
      SERVER_NAME: 'abc.x7y.lambda-web.us-east-1.on.aws',
      SERVER_PORT: '443',
      HTTP_HOST: 'abc.x7y.lambda-web.us-east-1.on.aws',
      HTTP_X_FORWARDED_FOR: '198.51.100.7, 10.0.0.1, 203.0.113.9',
    });
    expect(environ).not.toHaveProperty('REMOTE_PORT');
  });

  test('shows the connection where a request has not come through Lambda', async () => {
    const { port } = await start(shown);
    const environ = await get(port, { host: `127.0.0.1:${port}` });
    expect(environ).toMatchObject({ REMOTE_ADDR: '127.0.0.1', 'wsgi.url_scheme': 'http', SERVER_PORT: String(port) });
    expect(environ.REMOTE_PORT).toMatch(/^\d+$/);
  });

  test('shows a hosted Express app the same client', async () => {
    const app = express();
    app.get('/a', ({ ip, protocol, hostname, socket: { remoteAddress } }, response) => {
      response.json({ ip, protocol, hostname, remoteAddress });
    });
    const { port } = await start(fromNode(app));
    expect(await get(port, FORWARDED)).toEqual({
      ip: '203.0.113.9',
      protocol: 'https',
      hostname: 'abc.x7y.lambda-web.us-east-1.on.aws',
      remoteAddress: '203.0.113.9',
    });
  });

  test('leaves idle connections open, and a request as long as Lambda lets it run', async () => {
    const { server } = await start(shown);
    expect(server).toMatchObject({ keepAliveTimeout: 0, requestTimeout: 900_000 });
    await running.pop()?.close();
    expect((await start(shown, { keepAliveTimeout: 7000 })).server).toMatchObject({ keepAliveTimeout: 7000 });
  });

  test('has no effect with webFunction: false', async () => {
    const { port } = await start(shown, { webFunction: false, port: 0, host: '127.0.0.1' });
    expect(process.env.AWS_LAMBDA_HTTP_ENDPOINT).not.toBe(`127.0.0.1:${port}`);
    expect(await get(port, FORWARDED)).toMatchObject({ REMOTE_ADDR: '127.0.0.1', 'wsgi.url_scheme': 'http' });
  });

  test.each([
    [{ path: '/tmp/socket' }, 'The option "path" excludes a Web Function, where Lambda speaks plain HTTP/1.1'],
    [{ fd: 3 }, 'The option "fd" excludes'],
    [{ tls: {} }, 'The option "tls" excludes'],
    [{ http2: true }, 'The option "http2" excludes'],
    [{ webFunction: 'yes' as unknown as boolean }, 'The option "webFunction" is the string "yes"; expected a boolean.'],
    [null as unknown as ServeOptions, 'The options are null; expected an object.'],
  ])('refuses %o', async (options, message) => {
    vi.stubEnv('AWS_LAMBDA_HTTP_ENDPOINT', '127.0.0.1:0');
    await expect(serve(shown, options)).rejects.toThrow(message);
  });

  test.each(['3000', 'localhost', ':3000', 'a:99999', 'a b:80', '::1:80', 'http://localhost:3000'])(
    'refuses the variable %j with what it should be',
    async (text) => {
      vi.stubEnv('AWS_LAMBDA_HTTP_ENDPOINT', text);
      await expect(serve(shown)).rejects.toThrow(
        `AWS_LAMBDA_HTTP_ENDPOINT of the environment is "${text}"; expected a host and a port, such as 0.0.0.0:3000.`,
      );
    },
  );

  test('says that the variable is missing where webFunction: true needs it', async () => {
    vi.stubEnv('AWS_LAMBDA_HTTP_ENDPOINT', undefined);
    await expect(serve(shown, { webFunction: true })).rejects.toThrow('is not set; expected a host and a port');
  });

  test('refuses a value that is not an application, as everywhere', async () => {
    vi.stubEnv('AWS_LAMBDA_HTTP_ENDPOINT', '127.0.0.1:0');
    await expect(serve({} as unknown as Application)).rejects.toThrow(
      'The application is an Object; expected a function',
    );
  });

  test.each(['endless', 'abort', 'timer', 'cleanup'])(
    'ends soon after SIGTERM while its app is busy for five seconds: %s',
    async (mode) => {
      const endpoint = `127.0.0.1:${await freePort()}`;
      const child = spawn(
        process.execPath,
        [fileURLToPath(new URL('serve-child.mjs', import.meta.url)), mode, '5000'],
        {
          env: { ...process.env, AWS_LAMBDA_HTTP_ENDPOINT: endpoint },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      try {
        await once(child.stdout, 'data');
        const request = http.get(`http://${endpoint}/`, { agent: false });
        request.on('error', () => {});
        const [response] = await once(request, 'response');
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk;
        });
        response.on('error', () => {});
        await once(response, 'data');
        const closed = new Promise((resolve) => response.once('close', resolve));
        const began = performance.now();
        child.kill('SIGTERM');
        const [code] = await once(child, 'exit');
        expect(performance.now() - began).toBeLessThan(3000);
        expect(code).toBe(0);
        await closed;
        expect(body).toBe(mode === 'endless' ? 'begun,' : 'begun,finished');
      } finally {
        child.kill('SIGKILL');
      }
    },
    20_000,
  );
});
