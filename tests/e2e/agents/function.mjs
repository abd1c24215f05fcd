// A function of Google's Functions Framework that is a Waygate application: it sends back what it was sent.

import { http } from '@google-cloud/functions-framework';
import { toNode } from '../../../dist/adapters/node/index.js';

http(
  'echo',
  toNode(async (environ, startResponse) => {
    const body = await environ['wsgi.input'].bytes();
    startResponse('201 Made', [
      ['Content-Type', 'text/plain'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ]);
    return [body];
  }),
);
