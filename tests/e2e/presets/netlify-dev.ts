// `@netlify/dev` behind a server of Node, as Netlify's plugins for development servers put it there.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import type { Running } from '../runtimes/process.ts';
import { bundle } from './bundle.ts';
import { packages } from './tools.ts';

interface Dev {
  start(): Promise<unknown>;
  stop(): Promise<void>;
  handle(request: Request): Promise<Response | undefined>;
}

/** What is not about functions, and what asks Netlify's servers. */
const OFF = [
  'aiGateway',
  'blobs',
  'database',
  'db',
  'edgeFunctions',
  'environmentVariables',
  'headers',
  'images',
  'redirects',
  'staticFiles',
];

/** Serves a program of these tests as the function of a site. */
export async function startNetlify(program: string): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'waygate-netlify-'));
  mkdirSync(join(folder, 'netlify/functions'), { recursive: true });
  await bundle(`./${program}.ts`, join(folder, 'netlify/functions/app.mjs'));
  const file = packages('large')
    .resolve('@netlify/dev')
    .replace(/\.cjs$/, '.js');
  const { NetlifyDev } = (await import(pathToFileURL(file).href)) as { NetlifyDev: new (options: object) => Dev };
  const server = http.createServer(async (request, response) => {
    try {
      const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
      const answer = await dev.handle(
        new Request(`http://${request.headers.host}${request.url}`, {
          method: request.method,
          headers: Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
          body: hasBody ? (Readable.toWeb(request) as ReadableStream) : undefined,
          duplex: 'half',
        } as RequestInit),
      );
      response.statusCode = answer?.status ?? 404;
      for (const [name, value] of answer?.headers ?? []) response.appendHeader(name, value);
      if (answer?.body) await pipeline(Readable.fromWeb(answer.body as never), response);
      else response.end();
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const off = Object.fromEntries(OFF.map((name) => [name, { enabled: false }]));
  const dev = new NetlifyDev({ projectRoot: folder, serverAddress: url, ...off });
  await dev.start();
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await dev.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, pid: process.pid, hasEnded: () => false, output: () => '', stop };
}
