// The application that every event source of this example serves: a page, a JSON echo, a stream, a file, cookies.

import { type Application, decodeWsgi, encode } from 'waygate';

const json = (value: unknown): Uint8Array => encode(`${JSON.stringify(value)}\n`);

const app: Application = async (environ, startResponse) => {
  const route = `${environ.REQUEST_METHOD} ${environ.PATH_INFO}`;
  switch (route) {
    case 'GET /':
      startResponse('200 OK', [['Content-Type', 'application/json']]);
      return [
        json({
          hello: 'from Waygate on Lambda',
          mountedAt: environ.SCRIPT_NAME,
          query: environ.QUERY_STRING,
          client: environ.REMOTE_ADDR,
        }),
      ];
    case 'POST /echo': {
      const body = await environ['wsgi.input'].bytes();
      startResponse('200 OK', [['Content-Type', environ.CONTENT_TYPE ?? 'application/octet-stream']]);
      return [body];
    }
    case 'GET /cookies':
      startResponse('200 OK', [
        ['Content-Type', 'application/json'],
        ['Set-Cookie', 'theme=dark; Path=/'],
        ['Set-Cookie', 'seen=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT; Path=/'],
      ]);
      return [json({ received: environ.HTTP_COOKIE ?? null })];
    case 'GET /events':
      startResponse('200 OK', [['Content-Type', 'text/event-stream']]);
      return events(environ['waygate.signal']);
    case 'GET /pixel.gif':
      startResponse('200 OK', [['Content-Type', 'image/gif']]);
      return [PIXEL];
    default:
      startResponse('404 Not Found', [['Content-Type', 'application/json']]);
      return [json({ error: `Nothing is at ${decodeWsgi(route)}.` })];
  }
};

/** Five server-sent events. Behind a buffered event source they arrive together, behind a streamed one as they happen. */
async function* events(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (let tick = 1; tick <= 5 && !signal.aborted; tick++) {
    yield encode(`data: ${JSON.stringify({ tick })}\n\n`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A transparent GIF of one pixel: bytes that are not text. */
const PIXEL = Uint8Array.from(atob('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'), (unit) =>
  unit.charCodeAt(0),
);

export default app;
