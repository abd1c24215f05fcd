// The same application on every platform that runs in this process, asked without anything in between that would change
// what it answers: no client that decodes, follows or adds headers of its own.

import http from 'node:http';
import { type Application, encode, type Middleware } from 'waygate';
import { fromLambda, type SourceName, toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { toWorker } from 'waygate/cloudflare-workers';
import { toFetch } from 'waygate/fetch';
import { validator } from 'waygate/middleware';
import { serve } from 'waygate/node';

/** What a platform answered. */
export interface Answer {
  status: number;
  /** By name in lower case; repeats joined. */
  headers: Record<string, string>;
  bytes: Uint8Array;
}

export interface Question {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

export type Ask = (path: string, question?: Question) => Promise<Answer>;

const SOURCES: SourceName[] = ['rest-api', 'http-api', 'function-url', 'alb', 'lattice', 'lattice-v1', 'edge'];

export const PLATFORMS: string[] = ['node', 'fetch', 'worker', 'function-url, streamed', ...SOURCES];

/**
 * Runs an application on one of {@link PLATFORMS} while `work` asks it.
 *
 * @returns what was written to the log
 */
export async function on(platform: string, app: Application, work: (ask: Ask) => Promise<void>): Promise<string[]> {
  const log: string[] = [];
  const errors = (text: string): void => void log.push(text);
  if (platform === 'node') {
    const server = await serve(app, { port: 0, host: '127.0.0.1', signals: false, errors });
    try {
      await work((path, question) => overHttp(server.url, path, question));
    } finally {
      await server.close();
    }
    return log;
  }
  const [source, streamed] = platform.split(', ') as [SourceName, string?];
  const make = (): ((path: string, init: RequestInit) => Promise<Response>) => {
    if (platform === 'fetch') return toFetch(app, { errors });
    if (platform === 'worker') {
      const worker = toWorker(app, { errors });
      const context = { waitUntil() {}, passThroughOnException() {}, props: {} };
      return async (path, init) =>
        (await worker.fetch?.(
          new Request(`http://localhost${path}`, init) as never,
          {} as never,
          context as never,
        )) as never;
    }
    const handler = streamed === undefined ? toLambda(app, { errors }) : toLambdaStream(app, { errors });
    return toFetch(fromLambda(handler as never, { source }), { errors });
  };
  const send = make();
  await work(async (path, question = {}) => {
    const response = await send(path, question);
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      bytes: new Uint8Array(await response.arrayBuffer()),
    };
  });
  return log;
}

function overHttp(url: string, path: string, { method, headers, body }: Question = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const answered: Record<string, string> = {};
        for (const [name, value] of Object.entries(response.headers)) answered[name] = String(value);
        resolve({ status: response.statusCode ?? 0, headers: answered, bytes: new Uint8Array(Buffer.concat(chunks)) });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** A middleware between two validators: whatever it breaks towards either side is an error. */
export const sandwiched =
  (middleware: Middleware): Middleware =>
  (app) =>
    validator(middleware(validator(app)));

/** An application that answers everything with this. */
export const answering =
  (headers: [string, string][], body: string | Uint8Array = '', status = '200 OK'): Application =>
  (_environ, startResponse) => {
    startResponse(status, headers);
    return [typeof body === 'string' ? encode(body) : body];
  };
