// The server of the soak tests, on the built library, in a process of its own so that its memory is its own. Run with
// --expose-gc. `/stats` tells what it holds and what became of every body it opened.

import { encode } from 'waygate';
import { serve } from 'waygate/node';

const CHUNK = new Uint8Array(64 * 1024).fill(0x61);
const PAGE = encode('Hello, world!\n');

/** Bodies: how many were opened, closed for the first time, and closed again. */
const count = { opened: 0, closed: 0, closedAgain: 0, uploadsFailed: 0, failures: 0 };

let peakRss = 0;
setInterval(() => {
  peakRss = Math.max(peakRss, process.memoryUsage.rss());
}, 10).unref();

/** A body that is counted: `chunks` makes its iterator. */
function counted(chunks) {
  let closed = 0;
  count.opened += 1;
  return {
    [Symbol.asyncIterator]: chunks,
    close() {
      closed += 1;
      if (closed === 1) count.closed += 1;
      else count.closedAgain += 1;
    },
  };
}

async function* bytes(total) {
  for (let left = total; left > 0; left -= CHUNK.byteLength) yield CHUNK.subarray(0, Math.min(left, CHUNK.byteLength));
}

/** Nothing until the client has gone. */
async function* nothing(signal) {
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  yield PAGE;
}

async function upload(environ, startResponse) {
  const input = environ['wsgi.input'];
  let total = 0;
  try {
    for (let part = await input.read(65536); part.byteLength > 0; part = await input.read(65536))
      total += part.byteLength;
  } catch (error) {
    count.uploadsFailed += 1;
    throw error;
  }
  startResponse('200 OK', []);
  return [encode(String(total))];
}

function stats(startResponse) {
  globalThis.gc();
  globalThis.gc();
  const memory = process.memoryUsage();
  const answer = { ...count, ...memory, peakRss: Math.max(peakRss, memory.rss) };
  peakRss = memory.rss;
  startResponse('200 OK', [['Content-Type', 'application/json']]);
  return [encode(JSON.stringify(answer))];
}

async function echo(environ, startResponse) {
  const value = await environ['wsgi.input'].json();
  startResponse('200 OK', [['Content-Type', 'application/json']]);
  return [encode(JSON.stringify(value))];
}

function app(environ, startResponse) {
  switch (environ.PATH_INFO) {
    case '/hello':
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return [PAGE];
    case '/json':
      return echo(environ, startResponse);
    case '/signal':
      // Makes the signal, which has to be forgotten again.
      startResponse('200 OK', [['X-Aborted', String(environ['waygate.signal'].aborted)]]);
      return counted(() => bytes(3));
    case '/fail':
      throw new Error('planned');
    case '/bytes':
      startResponse('200 OK', []);
      return counted(() => bytes(Number(environ.QUERY_STRING)));
    case '/nothing':
      startResponse('200 OK', []);
      return counted(() => nothing(environ['waygate.signal']));
    case '/upload':
      return upload(environ, startResponse);
    default:
      return stats(startResponse);
  }
}

const onError = () => {
  count.failures += 1;
};
const { url } = await serve(app, { port: 0, host: '127.0.0.1', errors: () => {}, onError });
console.log(url);
