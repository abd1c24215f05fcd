// Streaming both ways: server-sent events until the client leaves, and an upload that comes back while it arrives.

import { type Application, type Environ, encode } from 'waygate';

/** How many clients listen to the events right now. */
let listeners = 0;

const app: Application = (environ, startResponse) => {
  switch (`${environ.REQUEST_METHOD} ${environ.PATH_INFO}`) {
    case 'GET /':
      startResponse('200 OK', [['Content-Type', 'text/html; charset=utf-8']]);
      return [encode(page())];
    case 'GET /events':
      startResponse('200 OK', [
        ['Content-Type', 'text/event-stream'],
        ['Cache-Control', 'no-store'],
      ]);
      return ticks(environ);
    case 'POST /echo':
      startResponse('200 OK', [['Content-Type', environ.CONTENT_TYPE ?? 'application/octet-stream']]);
      // Asked for chunk by chunk, so that never more than one is in memory, however large the upload.
      return environ['wsgi.input'].stream();
    default:
      startResponse('404 Not Found', [['Content-Type', 'text/plain']]);
      return [encode('Try GET /, GET /events or POST /echo.\n')];
  }
};

/** One event a second, or every `?every=` milliseconds. The gateway ends the generator when the client leaves. */
async function* ticks(environ: Environ): AsyncGenerator<Uint8Array> {
  const every = Number(/(?:^|&)every=([0-9]{1,5})(?:&|$)/.exec(environ.QUERY_STRING)?.[1] ?? 1000);
  const signal = environ['waygate.signal'];
  listeners += 1;
  try {
    for (let tick = 1; !signal.aborted; tick++) {
      yield encode(`id: ${tick}\ndata: ${new Date().toISOString()}\n\n`);
      await pause(every, signal);
    }
  } finally {
    listeners -= 1;
  }
}

/** Waits some milliseconds, or until the signal aborts. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, milliseconds);
    signal.addEventListener('abort', over);
  });
}

function page(): string {
  return `<!doctype html>
<title>Streaming</title>
<p>Listening: ${listeners}</p>
<pre></pre>
<script>
  const pre = document.querySelector('pre');
  new EventSource('/events').onmessage = ({ data }) => pre.append(data, '\\n');
</script>
`;
}

export default app;
