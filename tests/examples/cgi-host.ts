// The server's side of CGI without a server: the same variables and streams that a process would get, in this process, so
// that the conformance suite can hand in applications and look at what they did.

import { PassThrough, Readable } from 'node:stream';
import type { Application, GatewayOptions } from 'waygate';
import { prepareOptions } from 'waygate/adapter';
import type { ServedApp } from 'waygate/testing';
import { serveCgi } from '../../examples/adapter-cgi/cgi.ts';

/** Where the script stands. */
export const SCRIPT = '/app.cgi';

/** Serves an application as a web server serves a CGI script at `/app.cgi`. */
export function cgiHost(app: Application, options?: GatewayOptions): ServedApp {
  // A script would fail at each request; here a wrong option shows at once.
  prepareOptions(app, options ?? {});
  return { fetch: (path, init) => request(app, options, path, init) };
}

async function request(app: Application, options: GatewayOptions | undefined, path: string, init: RequestInit = {}) {
  const [target = '', query = ''] = path.replace(/#.*$/s, '').split(/\?(.*)/s);
  const message = new Request('http://localhost/', { ...init, signal: null });
  const body = new Uint8Array(await message.arrayBuffer());
  const env: Record<string, string> = {
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: 'localhost',
    SERVER_PORT: '80',
    REMOTE_ADDR: '127.0.0.1',
    REQUEST_METHOD: message.method,
    REQUEST_URI: SCRIPT + path,
    SCRIPT_NAME: SCRIPT,
    PATH_INFO: variable(
      target.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    ),
    QUERY_STRING: query,
  };
  // No variable can hold a NUL.
  if (env.PATH_INFO?.includes('\0')) return new Response('Bad Request', { status: 400 });
  for (const [name, value] of message.headers) {
    if (!name.includes('_')) env[`HTTP_${name.toUpperCase().replaceAll('-', '_')}`] = variable(value);
  }
  const type = message.headers.get('content-type');
  if (type !== null) env.CONTENT_TYPE = variable(type);
  if (init.body !== undefined || env.HTTP_CONTENT_LENGTH !== undefined) env.CONTENT_LENGTH = String(body.byteLength);
  const stdout = new PassThrough({ readableHighWaterMark: 0 });
  const signal = init.signal;
  signal?.addEventListener('abort', () => stdout.destroy());
  if (signal?.aborted) stdout.destroy();
  const done = serveCgi(app, options, { env, stdin: Readable.from([body]), stdout });
  done.catch((error) => stdout.destroy(error));
  return respond(stdout, message.method === 'HEAD', signal);
}

/** Bytes as a process finds them in a variable: Node decodes them as UTF-8. */
function variable(native: string): string {
  return Buffer.from(native, 'latin1').toString();
}

/** Reads the head that the script wrote; the body is what follows. */
async function respond(stdout: PassThrough, head: boolean, signal: AbortSignal | null | undefined): Promise<Response> {
  const chunks = stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let text = '';
  while (!text.includes('\r\n\r\n')) {
    const { done, value } = await chunks.next();
    if (done) throw signal?.reason ?? new TypeError('the script ended without a head');
    text += value.toString('latin1');
  }
  const [status = '', ...lines] = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n');
  const headers = lines.map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.replace(/^.*?: /, '')]);
  const code = Number(status.slice(8, 11));
  let rest = Uint8Array.from(text.slice(text.indexOf('\r\n\r\n') + 4), (unit) => unit.charCodeAt(0));
  const init = { status: code, statusText: status.slice(12), headers };
  if (head || [204, 205, 304].includes(code)) {
    stdout.resume();
    return new Response(null, init);
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (rest.byteLength > 0) {
          controller.enqueue(rest);
          rest = new Uint8Array(0);
          return;
        }
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(new Uint8Array(value));
      },
      cancel: () => void stdout.destroy(),
    },
    { highWaterMark: 0 },
  );
  return new Response(stream, init);
}
