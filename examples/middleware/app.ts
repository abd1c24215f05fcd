// Three middlewares around an application that fails in every way there is.

import { type Application, encode } from 'waygate';
import { errorPage } from './error-page.ts';
import { timing } from './timing.ts';
import { upperCase } from './upper-case.ts';

const shop: Application = (environ, startResponse) => {
  if (environ.PATH_INFO === '/fail') throw new Error('failed before the response');
  startResponse('200 OK', [['Content-Type', 'text/plain; charset=utf-8']]);
  return shelves(environ.PATH_INFO);
};

function* shelves(path: string): Generator<Uint8Array> {
  if (path === '/late') throw new Error('failed before the first chunk');
  yield encode('apples\n');
  if (path === '/broken') throw new Error('failed after the first chunk');
  yield encode('pears\n');
}

const app: Application = timing(errorPage(upperCase(shop)));

export default app;
