// The process that is judged: four servers of one transport, each with other applications, and beside them a server of
// plain `node:http` that says how the process is. Bundled by fuzz.test.ts, since Node 20 runs no TypeScript; needs --expose-gc.
//
// usage: server.mjs TRANSPORT FOLDER [KEY CERTIFICATE]; sockets go into FOLDER

import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Application } from 'waygate';
import { fromFetch } from 'waygate/fetch';
import { fromNode, type ServeOptions, serve } from 'waygate/node';
import { app } from './apps.ts';
import { type Bodies, bodies } from './bodies.ts';
import { handler, listener } from './hosted.ts';

/** What `/stats` of the plain server answers with. Memory in bytes, after garbage collections. */
export interface Stats {
  heapUsed: number;
  external: number;
  /** Open file descriptors. */
  descriptors: number;
  bodies: Bodies;
  /** Where each server listens: a port, or the path of a socket. */
  targets: Record<Target, string | number>;
}
export type Target = 'app' | 'node' | 'fetch' | 'logs';
export type Transport = 'tcp' | 'unix' | 'tls' | 'http2';

const [transport, folder, key, certificate] = process.argv.slice(2) as [Transport, string, string?, string?];

const hosted: Record<string, Application> = { node: fromNode(listener), fetch: fromFetch(handler), app };
let turn = 0;

/** One of the three, behind a function that copies environ, so that no short cut is taken. */
const any: Application = (environ, startResponse) => {
  const chosen = Object.values(hosted)[turn++ % 3] as Application;
  return chosen({ ...environ }, startResponse);
};

const silent: ServeOptions = { errors: () => {} };
const failingLogs: ServeOptions = {
  maxBodyBytes: 2000,
  errors: () => {
    throw new Error('a log that fails');
  },
  onError: (() => {
    if (turn % 2 === 0) throw new Error('an onError that throws');
    return Promise.reject(new Error('an onError that rejects'));
  }) as () => void,
};
/** Clients here wait for the server to end what they began: that is to take a moment, not a minute. */
const LIMITS: ServeOptions = {
  keepAliveTimeout: 500,
  headersTimeout: 2000,
  requestTimeout: 3000,
  sessionTimeout: 2000,
  writeTimeout: 3000,
};
const SERVED: [Target, Application, ServeOptions][] = [
  ['app', app, silent],
  ['node', hosted.node as Application, silent],
  ['fetch', hosted.fetch as Application, silent],
  ['logs', any, failingLogs],
];

const targets = {} as Stats['targets'];
const transportOptions: ServeOptions =
  transport === 'tls'
    ? { tls: { key: readFileSync(key as string), cert: readFileSync(certificate as string) } }
    : { http2: transport === 'http2' };
for (const [name, application, options] of SERVED) {
  const path = transport === 'unix' ? `${folder}/${name}.sock` : undefined;
  const given: ServeOptions = { ...options, ...transportOptions, path, port: 0, host: '127.0.0.1', signals: false };
  const { port } = await serve(application, { ...given, ...LIMITS });
  targets[name] = path ?? port;
}

const control = http.createServer((_request, response) => {
  const gc = (globalThis as unknown as { gc(): void }).gc;
  gc();
  // What waited for a collection to be let go of, as ends of promises do, is gone after a second one.
  setTimeout(() => {
    gc();
    const { heapUsed, external } = process.memoryUsage();
    const descriptors = readdirSync('/proc/self/fd').length;
    const stats: Stats = { heapUsed, external, descriptors, bodies, targets };
    response.end(JSON.stringify(stats));
  }, 50);
});
control.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(control.address() as AddressInfo).port}`);
});
