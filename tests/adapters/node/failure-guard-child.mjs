// Servers in a process of their own, whose every step of a failure can be made to fail as well. Prints its ports as JSON.
// A request's path says how it fails and what is broken: `/app/late/destroySoon`.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const load = async (path) => (await runnerImport(fileURLToPath(new URL(path, import.meta.url)))).module;
const { serve, fromNode } = await load('../../../adapters/node/index.ts');
const [folder] = process.argv.slice(2);
const bytes = new TextEncoder().encode('begun');

/** Makes a method fail when it is Waygate that calls it: Node relies on its own methods. */
function breakMethod(object, name) {
  const own = object[name];
  if (typeof own !== 'function') return;
  object[name] = function (...args) {
    const caller = new Error().stack.split('\n')[2];
    if (/adapters.node/.test(caller)) throw new Error('broken on purpose');
    return Reflect.apply(own, this, args);
  };
}

/** Makes one step fail. */
function breakStep(step, request, response) {
  const { socket } = request;
  const all = ['destroy', 'setHeader', 'end', 'write', 'getHeaderNames', 'removeHeader'];
  for (const name of step === 'everything' ? all : [step]) breakMethod(response, name);
  try {
    for (const name of ['resetAndDestroy', 'destroySoon']) {
      if (step === name || step === 'everything') breakMethod(socket, name);
    }
  } catch {
    // The socket of HTTP/2 is a guarded one.
  }
  if (['read', 'off', 'resume'].includes(step)) breakMethod(request, step);
  if (step === 'rawHeaders') request.rawHeaders = null;
}

/** An application. */
function app(environ, startResponse) {
  const [, , how, step, status = '200'] = environ.PATH_INFO.split('/');
  const response = environ['node.response'];
  breakStep(step, environ['node.request'], response);
  if (how === 'early') throw new Error('early');
  if (how === 'refused') throw Object.assign(new Error('refused'), { name: 'RequestError', status: 400 });
  const write = startResponse(`${status} Some`, how === 'short' ? [['Content-Length', '50']] : []);
  if (how === 'well') return [bytes];
  if (how === 'write') {
    write(bytes);
    throw new Error('after write()');
  }
  if (how === 'writeLater') {
    return (async () => {
      write(bytes);
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw new Error('after write()');
    })();
  }
  if (how === 'sync') {
    return (function* () {
      yield bytes;
      throw new Error('late');
    })();
  }
  return (async function* () {
    yield bytes;
    await new Promise((resolve) => setTimeout(resolve, 20));
    throw new Error('late');
  })();
}

/** A hosted listener. */
async function listener(request, response) {
  const [, , how, step, status = '200'] = request.url.split('/');
  breakStep(step, request, response);
  if (how === 'early') throw new Error('early');
  response.statusCode = Number(status);
  if (how === 'well') return response.end('begun');
  if (how === 'short') response.setHeader('Content-Length', '50');
  response.write('begun');
  if (how === 'late') await new Promise((resolve) => setTimeout(resolve, 20));
  throw new Error('late');
}

const hosted = fromNode(listener);
const options = {
  signals: false,
  errors: () => {
    throw new Error('the log is full');
  },
  onError: () => {
    throw new Error('so is this one');
  },
};
const tls = { key: readFileSync(`${folder}/key.pem`), cert: readFileSync(`${folder}/cert.pem`) };
const where = {
  tcp: { port: 0, host: '127.0.0.1' },
  unix: { path: `${folder}/failing` },
  tls: { port: 0, host: '127.0.0.1', tls },
  tlsUnix: { path: `${folder}/secure`, tls },
  http2: { port: 0, host: '127.0.0.1', http2: true },
};
const ports = {};
for (const [name, place] of Object.entries(where)) {
  for (const [kind, served] of [
    ['app', app],
    ['hosted', hosted],
  ]) {
    const path = place.path && `${place.path}-${kind}`;
    const { port } = await serve(served, { ...options, ...place, ...(path ? { path } : {}) });
    ports[`${name}-${kind}`] = path ?? port;
  }
}
console.log(JSON.stringify(ports));
