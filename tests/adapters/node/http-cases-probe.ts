// What the tests of raw requests share: an application that answers with the environ it got, a server around it, and a
// client that sends bytes and reads one response.

import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { type NodeOptions, toNode } from '../../../adapters/node/index.ts';
import { type Application, encode } from '../../../core/index.ts';
import { parseResponse, type RawResponse } from '../../../testing/raw-response.ts';

/** What the probe application answers with, as JSON. */
export interface Seen {
  /** Every environ key that holds a string or a boolean. */
  environ: Record<string, string | boolean>;
  /** The request body, one character per byte. */
  body: string;
}

/** Answers with its environ and the request body as JSON, in a header as well, so that a HEAD tells it too. */
export const probe: Application = async (environ, startResponse) => {
  const body = Buffer.from(await environ['wsgi.input'].read()).toString('latin1');
  const plain = Object.entries(environ).filter(([, value]) => typeof value === 'string' || typeof value === 'boolean');
  const seen = JSON.stringify({ environ: Object.fromEntries(plain), body });
  const header = seen.length < 4000 ? Buffer.from(seen).toString('base64') : '';
  startResponse('200 OK', [
    ['Content-Type', 'application/json'],
    ['X-Seen', header],
  ]);
  return [encode(seen)];
};

/** What the probe saw of the request that this is the response to. */
export function seenIn(response: RawResponse): Seen {
  const header = response.headers.find(([name]) => name === 'X-Seen')?.[1];
  return JSON.parse(
    Buffer.from(header || Buffer.from(response.body, 'latin1').toString('base64'), 'base64').toString(),
  );
}

/** A server on a free port of 127.0.0.1. */
export interface ProbeServer {
  port: number;
  /** What went to `wsgi.errors`. */
  log: string[];
  close(): void;
}

/** Serves an application through `toNode` as a plain `http.createServer` listener. */
export async function startProbe(app: Application = probe, options: NodeOptions = {}): Promise<ProbeServer> {
  const log: string[] = [];
  const server = http.createServer(toNode(app, { errors: (text) => log.push(text), ...options }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, log, close };
}

/** How long a response may take before it counts as never coming, in milliseconds. */
const DEADLINE = 4000;

/**
 * Sends bytes on a connection of their own.
 *
 * @param count how many final responses to wait for; then the connection is closed
 * @param thenEnd whether the client closes its side after sending
 * @returns the responses that came until then, or until the server closed the connection
 */
export function exchange(port: number, bytes: Uint8Array, count = 1, thenEnd = false): Promise<RawResponse[]> {
  const request = Buffer.from(bytes).toString('latin1');
  return new Promise((resolve, reject) => {
    let received = '';
    const responses = (): RawResponse[] => (received === '' ? [] : parseResponse(received, request));
    const socket = net.connect(port, '127.0.0.1', () => (thenEnd ? socket.end(bytes) : socket.write(bytes)));
    const late = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no complete response in ${DEADLINE} ms, but ${JSON.stringify(received.slice(0, 500))}`));
    }, DEADLINE);
    const finish = () => {
      clearTimeout(late);
      socket.destroy();
      try {
        resolve(responses());
      } catch (error) {
        reject(error);
      }
    };
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (hasResponses(received, request, count)) finish();
    });
    socket.on('error', () => {}); // a connection that was cut has been received as far as it came
    socket.on('close', finish);
  });
}

function hasResponses(received: string, request: string, count: number): boolean {
  if (!received.endsWith('\r\n') && !/content-length|\r\n\r\n/i.test(received)) return false;
  try {
    const all = parseResponse(received, request);
    // A response without framing ends with its connection.
    const last = all.at(-1);
    const framed = last?.headers.some(([name]) => /^(?:content-length|transfer-encoding)$/i.test(name));
    return all.length >= count && last?.complete === true && framed === true;
  } catch {
    return false; // a head that has not come in whole
  }
}
