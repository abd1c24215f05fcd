// The access log: one line a request, written when its response is over, with status, size and time.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { performance } from 'node:perf_hooks';
import { formatDuration, formatSize } from './format.ts';
import type { Colors } from './output.ts';

/** What one line says. */
export interface AccessRecord {
  /** When the request came. */
  at: Date;
  method: string;
  /** The request target as it was sent. */
  target: string;
  status: number;
  /** Bytes of the response body. */
  size: number;
  /** From the request's head to the response's end, in milliseconds. */
  duration: number;
  /** The response was cut off: the client left, or the app broke. */
  cut: boolean;
}

/**
 * Watches one exchange and reports when it is over. Call it before anything is written.
 *
 * @param report called once
 */
export function watchAccess(
  request: IncomingMessage,
  response: ServerResponse,
  report: (record: AccessRecord) => void,
): void {
  const at = new Date();
  const start = performance.now();
  const size = countBody(request, response);
  // The stream of an HTTP/2 response is known only until it is closed.
  const { stream } = response as { stream?: ServerHttp2Stream };
  response.once('close', () => {
    report({
      at,
      method: request.method ?? '',
      target: request.url ?? '',
      status: response.headersSent ? response.statusCode : 0,
      size: size(),
      duration: performance.now() - start,
      cut: stream === undefined ? !response.writableFinished : stream.rstCode !== 0 || !response.writableEnded,
    });
  });
}

/** Counts what is given to `write` and `end`: the body without its framing. */
function countBody(request: IncomingMessage, response: ServerResponse): () => number {
  let size = 0;
  // end(chunk) may call write by itself: over HTTP/2 it calls this very method.
  let calls = 0;
  const counted = <Method extends 'write' | 'end'>(name: Method): void => {
    const original = response[name] as (...args: unknown[]) => unknown;
    response[name] = ((...args: unknown[]) => {
      if (calls === 0) size += byteLength(args[0], args[1]);
      calls += 1;
      try {
        return original.apply(response, args);
      } finally {
        calls -= 1;
      }
    }) as ServerResponse[Method];
  };
  counted('write');
  counted('end');
  return () => (request.method === 'HEAD' ? 0 : size);
}

function byteLength(chunk: unknown, encoding: unknown): number {
  if (typeof chunk === 'string') {
    return Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
  }
  return ArrayBuffer.isView(chunk) ? chunk.byteLength : 0;
}

/** A record as a line: `12:37:46 GET /users 200 1.2 KiB 3.41 ms`. */
export function formatAccess(record: AccessRecord, colors: Colors): string {
  const { method, status, cut } = record;
  const time = record.at.toTimeString().slice(0, 8);
  const code = status === 0 ? '---' : String(status);
  const paint = status >= 500 || cut ? colors.red : status >= 400 ? colors.yellow : colors.green;
  const end = cut ? colors.red(' cut off') : '';
  return (
    `${colors.dim(time)} ${method} ${printable(record.target)} ${paint(code)} ` +
    `${formatSize(record.size)} ${colors.dim(formatDuration(record.duration))}${end}`
  );
}

/** A target comes from the client: nothing in it may reach the terminal as a control sequence. */
function printable(target: string): string {
  return target.replace(
    /[^\x21-\x7e]/g,
    (unit) => `%${unit.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
