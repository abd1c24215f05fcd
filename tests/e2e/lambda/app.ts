// An application for what the example does not do: gates, failures, work after the response, sizes.

import { type Application, encode } from 'waygate';
import { toLambda, toLambdaStream } from 'waygate/aws-lambda';

/** Asks the test, over HTTP, for leave to go on; so the test decides when, not a clock. */
async function ask(environ: { QUERY_STRING: string }, what: string): Promise<void> {
  await fetch(`${decodeURIComponent(environ.QUERY_STRING)}${what}`);
}

const app: Application = async (environ, startResponse) => {
  const text: [string, string][] = [['Content-Type', 'text/plain; charset=utf-8']];
  switch (environ.PATH_INFO) {
    case '/gate':
      startResponse('200 OK', text);
      return (async function* () {
        yield encode('before the gate\n');
        await ask(environ, 'gate');
        yield encode('after the gate\n');
      })();
    case '/fails-late':
      startResponse('200 OK', text);
      return (async function* () {
        yield encode('half of it');
        await ask(environ, 'gate');
        throw new Error('planted after the prelude');
      })();
    case '/fails':
      throw new Error('planted before the head');
    case '/empty':
      startResponse('202 Accepted', [['Set-Cookie', 'a=1']]);
      return [];
    case '/later':
      environ['waygate.wait_until'](
        (async () => {
          await new Promise((resolve) => setTimeout(resolve, 100));
          await ask(environ, 'later');
        })(),
      );
      startResponse('200 OK', text);
      return [encode('answered\n')];
    case '/large':
      startResponse('200 OK', text);
      return (function* () {
        for (let block = 0; block < 7 * 16; block++) yield new Uint8Array(64 * 1024).fill(0x61);
      })();
    case '/slow': {
      startResponse('200 OK', text);
      const own = environ.QUERY_STRING;
      return (async function* () {
        for (let turn = 0; turn < 5; turn++) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          yield encode(own);
        }
      })();
    }
    default:
      startResponse('404 Not Found', text);
      return [encode('nothing here\n')];
  }
};

export const handler = toLambda(app);
export const stream = toLambdaStream(app);
