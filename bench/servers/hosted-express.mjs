// An Express app on node: as it is, or as an application of Waygate's.

import { createServer } from 'node:http';
import express from 'express';
import { fromNode, toNode } from '../../dist/adapters/node/index.js';
import { ready } from '../lib/contestant.mjs';

const app = express();
app.use(express.json());
app.get('/hello', (_request, response) => void response.send('Hello, world!\n'));
app.post('/json', (request, response) => void response.json(request.body));

const hosted = fromNode(app);
const LISTENERS = {
  itself: app,
  waygate: toNode(hosted),
  'waygate-copied': toNode((environ, startResponse) => hosted({ ...environ }, startResponse)),
};

const server = createServer(LISTENERS[process.argv[2]]).listen(0, '127.0.0.1', () => ready(server.address().port));
