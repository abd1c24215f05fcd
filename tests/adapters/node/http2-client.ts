// A client of HTTP/2 with the face of `fetch`: cleartext, one connection for all requests to a server.

import http2 from 'node:http2';
import type { ServedApp } from 'waygate/testing';

/** A server of HTTP/2 on a port, as the conformance suite uses it. */
export function overHttp2(port: number, close: () => void | Promise<void>): ServedApp {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  return {
    fetch: (path, init) => ask(session, path, init),
    close: async () => {
      session.destroy();
      await close();
    },
  };
}

function ask(session: http2.ClientHttp2Session, path: string, init: RequestInit = {}): Promise<Response> {
  // Only a Request knows what type and length a body has.
  const request = new Request('http://localhost/', { ...init, duplex: 'half' } as RequestInit);
  const method = init.method ?? 'GET';
  const headers: http2.OutgoingHttpHeaders = { ':path': path.replace(/#.*/s, ''), ':method': method };
  for (const [name, value] of request.headers) headers[name] = value;
  if (typeof init.body === 'string') headers['content-length'] = Buffer.byteLength(init.body);
  else if (init.body instanceof Uint8Array) headers['content-length'] = init.body.byteLength;
  const stream = session.request(headers, { endStream: request.body === null });
  return new Promise((resolve, reject) => {
    // A reset without an end: `close` would end the upload before it resets.
    const leave = (): void => void stream.destroy(request.signal.reason);
    stream.on('error', reject);
    stream.on('close', () => request.signal.removeEventListener('abort', leave));
    stream.on('response', (head) => resolve(responseOf(stream, head, method)));
    if (request.signal.aborted) leave();
    request.signal.addEventListener('abort', leave);
    if (request.body !== null) send(request.body, stream);
  });
}

async function send(body: ReadableStream<Uint8Array>, stream: http2.ClientHttp2Stream): Promise<void> {
  try {
    for await (const chunk of body) {
      if (stream.destroyed) return;
      if (!stream.write(chunk)) await new Promise((resolve) => stream.once('drain', resolve).once('close', resolve));
    }
    stream.end();
  } catch (error) {
    stream.destroy(error as Error);
  }
}

function responseOf(
  stream: http2.ClientHttp2Stream,
  head: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader,
  method: string,
): Response {
  const status = head[':status'] ?? 0;
  const headers = new Headers();
  for (const [name, value] of Object.entries(head)) {
    if (name.startsWith(':')) continue;
    for (const each of [value ?? []].flat()) headers.append(name, each);
  }
  if (method === 'HEAD' || status === 204 || status === 205 || status === 304) {
    stream.resume();
    return new Response(null, { status, headers });
  }
  return new Response(bodyOf(stream), { status, headers });
}

/** What `Readable.toWeb` does not see: a stream that was closed is whole if the server said so, read or not. */
function bodyOf(stream: http2.ClientHttp2Stream): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      start(controller) {
        stream.on('data', (chunk: Uint8Array) => {
          controller.enqueue(new Uint8Array(chunk));
          stream.pause();
        });
        stream.on('end', () => {
          if (stream.rstCode === http2.constants.NGHTTP2_NO_ERROR) controller.close();
        });
        stream.on('error', (error) => controller.error(error));
        stream.pause();
      },
      pull: () => void stream.resume(),
      // Without an error Node would tell the server nothing.
      cancel: () => void stream.destroy(new Error('The response was cancelled.')),
    },
    { highWaterMark: 0 },
  );
}
