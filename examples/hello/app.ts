// The simplest application: a page that shows the environ it got.

import { type Application, encode } from 'waygate';

const app: Application = (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain; charset=utf-8']]);
  const lines = Object.entries(environ)
    .filter(([, value]) => typeof value === 'string')
    .map(([key, value]) => `${key}: ${value}\n`);
  return [encode('Hello from Waygate!\n\n'), ...lines.map(encode)];
};

export default app;
