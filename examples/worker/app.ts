// Notes in a KV namespace, and a count of visits in a Durable Object. An application finds both in `cloudflare.env`, the
// bindings that wrangler.toml declares; everything else is as on any platform.

import type { DurableObjectNamespace, DurableObjectState, KVNamespace } from '@cloudflare/workers-types';
import { type Application, decodeWsgi, type Environ, encode, type StartResponse } from 'waygate';

/** What wrangler.toml binds. */
export interface Bindings {
  NOTES: KVNamespace;
  VISITS: DurableObjectNamespace;
}

const bindings = (environ: Environ): Bindings => environ['cloudflare.env'] as Bindings;

function text(startResponse: StartResponse, status: string, body: string): Uint8Array[] {
  startResponse(status, [['Content-Type', 'text/plain; charset=utf-8']]);
  return [encode(body)];
}

/** `/notes` lists the notes; `/notes/NAME` is one: GET, PUT, DELETE. */
const notes: Application = async (environ, startResponse) => {
  const { NOTES } = bindings(environ);
  const name = decodeWsgi(environ.PATH_INFO.slice('/notes/'.length));
  if (name === '') {
    const { keys } = await NOTES.list();
    return text(startResponse, '200 OK', keys.map((key) => `${key.name}\n`).join(''));
  }
  switch (environ.REQUEST_METHOD) {
    case 'GET': {
      const note = await NOTES.get(name);
      return note === null
        ? text(startResponse, '404 Not Found', `There is no note "${name}".\n`)
        : text(startResponse, '200 OK', note);
    }
    case 'PUT':
      await NOTES.put(name, await environ['wsgi.input'].text());
      startResponse('204 No Content', []);
      return [];
    case 'DELETE':
      await NOTES.delete(name);
      startResponse('204 No Content', []);
      return [];
    default:
      startResponse('405 Method Not Allowed', [['Allow', 'GET, PUT, DELETE']]);
      return [];
  }
};

/** Every page counts its visits in the one Durable Object of its path. */
const page: Application = async (environ, startResponse) => {
  const { VISITS } = bindings(environ);
  const counter = VISITS.get(VISITS.idFromName(environ.PATH_INFO));
  const visits = await (await counter.fetch('http://visits/')).text();
  const path = decodeWsgi(environ.PATH_INFO);
  environ['wsgi.errors'].write(`visit ${visits} of ${path} from ${environ.REMOTE_ADDR}\n`);
  return text(startResponse, '200 OK', `Visit number ${visits} of ${path}.\n`);
};

const app: Application = (environ, startResponse) => {
  const isNotes = /^\/notes(?:\/|$)/.test(environ.PATH_INFO);
  return isNotes ? notes(environ, startResponse) : page(environ, startResponse);
};

export default app;

/** The application inside a Durable Object: its `cloudflare.ctx` is the object's state, with the storage. */
export const visits: Application = async (environ, startResponse) => {
  const { storage } = environ['cloudflare.ctx'] as DurableObjectState;
  const count = ((await storage.get<number>('visits')) ?? 0) + 1;
  await storage.put('visits', count);
  return text(startResponse, '200 OK', String(count));
};
