// A Waygate application through toNode.

import http from 'node:http';
import { ready } from '../lib/contestant.mjs';
import { load } from '../lib/waygate.mjs';

const { encode } = await load('waygate');
const { toNode } = await load('waygate/node');

const page = encode('Hello, world!\n');

const echo = async (environ, startResponse) => {
  const value = await environ['wsgi.input'].json();
  startResponse('200 OK', [['Content-Type', 'application/json']]);
  return [encode(JSON.stringify(value))];
};

const app = (environ, startResponse) => {
  if (environ.REQUEST_METHOD === 'POST') return echo(environ, startResponse);
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [page];
};

const server = http.createServer(toNode(app));
server.listen(0, '127.0.0.1', () => ready(server.address().port));
