// An application for a container: it says which instance answers.

import { hostname } from 'node:os';
import { type Application, encode } from 'waygate';

export const app: Application = (_environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain; charset=utf-8']]);
  return [encode(`Hello from ${hostname()}\n`)];
};
