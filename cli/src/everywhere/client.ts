// Sends one request over a socket exactly as it is described, and reads the response as it comes. No header is added or
// joined, and no redirect is followed.

import http, { type IncomingMessage } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { CommandError } from '../errors.ts';

/** A request as a client sends it. */
export interface SentRequest {
  method: string;
  /** The request target, exactly as it is sent. */
  target: string;
  /** In order; values as native strings, a character for each byte. */
  headers: readonly (readonly [name: string, value: string])[];
  body?: Uint8Array;
}

/** A response as a client got it. */
export interface ReceivedResponse {
  status: number;
  reason: string;
  /** In order, in the case and the number in which they came; values as native strings. */
  headers: [name: string, value: string][];
  body: Uint8Array;
  /** The size of the whole body in bytes, also of what was not kept. */
  size: number;
  /** Whether the body came to its end. */
  complete: boolean;
  /** From the request to the end of the response, in milliseconds. */
  duration: number;
}

/** How a request is sent. */
export interface SendOptions {
  /** Where to. Its path is not used. */
  origin: string;
  /** Whether the server speaks HTTP/2 without TLS, and nothing else. */
  http2?: boolean;
  /** How much of the response's body is kept, in bytes. @default 1 MiB */
  keep?: number;
  /** How long the response may take, in milliseconds. @default 30 s */
  timeout?: number;
  /** Called with the connection, before anything is sent on it. */
  connected?: (socket: Socket) => void;
}

/** Headers about one connection; the new one has its own. (RFC 9110 §7.6.1) */
const CONNECTION_HEADERS = /^(?:connection|keep-alive|proxy-connection|te|trailer|upgrade|expect|http2-settings)$/i;

const KEEP = 1024 ** 2;
const TIMEOUT = 30_000;

/**
 * Sends a request.
 *
 * @returns the response, once it is over; its `complete` says whether it broke off
 * @throws {CommandError} when there is no response at all, or no client could send this request
 */
export async function sendRequest(request: SentRequest, options: SendOptions): Promise<ReceivedResponse> {
  const start = performance.now();
  try {
    const response = options.http2 ? await overHttp2(request, options) : await overHttp1(request, options);
    return { ...response, duration: performance.now() - start };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${request.method} ${request.target} got no response: ${message}.`, { cause: error });
  }
}

type Received = Omit<ReceivedResponse, 'duration'>;

function overHttp1(request: SentRequest, options: SendOptions): Promise<Received> {
  const { origin, timeout = TIMEOUT } = options;
  const { protocol, hostname, port } = new URL(origin);
  const { method, target: path, headers, body } = request;
  const make = protocol === 'https:' ? https.request : http.request;
  return new Promise((resolve, reject) => {
    const outgoing = make({
      host: hostname.replace(/^\[|\]$/g, ''),
      port,
      method,
      path,
      setHost: false,
      agent: false,
      // The certificate of this machine's own server is made for this run.
      rejectUnauthorized: false,
    });
    for (const [name, value] of headers) {
      if (!CONNECTION_HEADERS.test(name)) outgoing.appendHeader(name, value);
    }
    if (!outgoing.hasHeader('host')) outgoing.setHeader('Host', new URL(origin).host);
    if (body !== undefined && !outgoing.hasHeader('content-length') && !outgoing.hasHeader('transfer-encoding')) {
      outgoing.setHeader('Content-Length', body.byteLength);
    }
    outgoing.setHeader('Connection', 'close');
    outgoing.setTimeout(timeout, () => outgoing.destroy(new Error(`it took longer than ${timeout / 1000} s`)));
    outgoing.once('socket', (socket) => {
      if (options.connected === undefined) return;
      if (socket.connecting) socket.once('connect', () => options.connected?.(socket));
      else options.connected(socket);
    });
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => readBody(incoming, options).then(resolve, reject));
    outgoing.end(body);
  });
}

async function readBody(incoming: IncomingMessage, options: SendOptions): Promise<Received> {
  const raw = incoming.rawHeaders;
  const headers = Array.from({ length: raw.length / 2 }, (_, at): [string, string] => [
    raw[2 * at] as string,
    raw[2 * at + 1] as string,
  ]);
  const { statusCode: status = 0, statusMessage: reason = '' } = incoming;
  return { status, reason, headers, ...(await keepSome(incoming, options.keep)) };
}

/** Reads a stream to its end, or to where it breaks off, and keeps its beginning. */
async function keepSome(
  stream: AsyncIterable<Uint8Array>,
  keep = KEEP,
): Promise<{ body: Uint8Array; size: number; complete: boolean }> {
  const kept: Uint8Array[] = [];
  let size = 0;
  let complete = true;
  try {
    for await (const chunk of stream) {
      if (size < keep) kept.push(chunk.subarray(0, keep - size));
      size += chunk.byteLength;
    }
  } catch {
    complete = false;
  }
  return { body: Buffer.concat(kept), size, complete };
}

async function overHttp2(request: SentRequest, options: SendOptions): Promise<Received> {
  const { origin, timeout = TIMEOUT } = options;
  const { method, target, headers, body } = request;
  const session = http2.connect(origin, { rejectUnauthorized: false });
  try {
    await new Promise<void>((resolve, reject) => session.once('connect', () => resolve()).once('error', reject));
    options.connected?.(session.socket as Socket);
    const host = headers.find(([name]) => /^(?:host|:authority)$/i.test(name))?.[1];
    const fields: Record<string, string | string[]> = {
      ':method': method,
      ':path': target,
      ':authority': host ?? new URL(origin).host,
    };
    for (const [name, value] of headers) {
      const key = name.toLowerCase();
      if (key.startsWith(':') || key === 'host' || key === 'transfer-encoding' || CONNECTION_HEADERS.test(key))
        continue;
      fields[key] = fields[key] === undefined ? value : [fields[key], value].flat();
    }
    const stream = session.request(fields, { endStream: body === undefined });
    stream.setTimeout(timeout, () => stream.destroy(new Error(`it took longer than ${timeout / 1000} s`)));
    const head = new Promise<[Record<string, unknown>, string[]]>((resolve, reject) => {
      stream.once('response', (fields, _flags, raw?: unknown) =>
        resolve([fields, (raw as string[] | undefined) ?? []]),
      );
      stream.once('error', reject).once('close', () => reject(new Error('the stream was closed')));
    });
    if (body !== undefined) stream.end(body);
    const [received] = await head;
    const pairs = Object.entries(received).flatMap(([name, value]): [string, string][] =>
      name.startsWith(':') ? [] : [value].flat().map((each) => [name, String(each)]),
    );
    const content = await keepSome(stream, options.keep);
    return { status: Number(received[':status']), reason: '', headers: pairs, ...content };
  } finally {
    session.destroy();
  }
}
