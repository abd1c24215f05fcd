// Python applications that know nothing of Waygate, mounted beside a Hono app:
// `waygate serve examples/python/app.ts`, then `curl localhost:8000/flask/`.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Hono } from 'hono';
import type { Application } from 'waygate';
import { fromFetch } from 'waygate/fetch';
import { accessLog, compress, conditional, mount } from 'waygate/middleware';
import { nodeEncoders } from 'waygate/node';
import { addFolder, importFrom } from './python.ts';
import { fromWsgi } from './wsgi.ts';

addFolder(fileURLToPath(new URL('programs', import.meta.url)));

const hono = new Hono();
hono.get('/', (context) =>
  context.text('Try /simple, /hello/you, /class, /demo, and /flask/ where Flask is installed.\n'),
);

/** Where Debian installs python3-flask. It runs as it is: all of it is Python. */
const DEBIAN = '/usr/lib/python3/dist-packages';

const mounts: Record<string, Application> = {
  '/simple': fromWsgi(importFrom('simple_app:simple_app')),
  '/hello': fromWsgi(importFrom('simple_app:application')),
  '/class': fromWsgi(importFrom('simple_app:AppClass')),
  '/demo': fromWsgi(importFrom('wsgiref.simple_server:demo_app')),
};
if (existsSync(`${DEBIAN}/flask`)) {
  addFolder(DEBIAN);
  mounts['/flask'] = fromWsgi(importFrom('site_app:app'));
}

// The same middleware stands around applications of any kind.
const app: Application = accessLog(compress(conditional(mount(mounts, fromFetch(hono))), { encoders: nodeEncoders }));

export default app;
