// The simplest application: a page that shows the environ it got.

import { type Application, decodeWsgi, encode } from 'waygate';

const app: Application = (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain; charset=utf-8']]);
  const lines = Object.entries(environ)
    .filter(([, value]) => typeof value === 'string')
    // The strings of an environ hold a byte in each character; decodeWsgi makes text of them.
    .map(([key, value]) => `${key}: ${decodeWsgi(String(value))}\n`);
  return [encode('Hello from Waygate!\n\n'), ...lines.map(encode)];
};

export default app;
