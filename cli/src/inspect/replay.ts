// Sends recorded requests once more.

import type { Socket } from 'node:net';
import { CommandError } from '../errors.ts';
import { type SentRequest, sendRequest } from '../everywhere/client.ts';
import { formatSize } from '../format.ts';
import { bytesOf, type Exchange, type Store } from './store.ts';
import type { InspectedApp } from './target.ts';

/** How long a replay may go on, in milliseconds: some responses never end. */
const REPLAY_LIMIT = 60_000;

/**
 * A recorded request, to be sent again.
 *
 * @throws {CommandError} when not all of its body is kept
 */
export function sentRequest(exchange: Exchange): SentRequest {
  const { method, target, headers, received } = exchange;
  if (received.kept < received.size) {
    throw new CommandError(
      `Of this request's body ${formatSize(received.kept)} of ${formatSize(received.size)} are kept: it cannot be repeated.`,
    );
  }
  const body = received.size === 0 ? undefined : bytesOf(received);
  return { method, target, headers: lengthFixed(headers, body), body };
}

/** With the length of this body: the client may have left before it had sent all that it announced. */
export function lengthFixed(headers: SentRequest['headers'], body: Uint8Array | undefined): SentRequest['headers'] {
  return headers.flatMap(([name, value]): [string, string][] => {
    if (/^:/.test(name)) return name === ':authority' ? [['Host', value]] : [];
    if (name.toLowerCase() === 'transfer-encoding' && body === undefined) return [];
    if (name.toLowerCase() !== 'content-length') return [[name, value]];
    return body === undefined && value !== '0' ? [] : [[name, String(body?.byteLength ?? 0)]];
  });
}

/**
 * Sends a request to the app.
 *
 * @param of the id of the request that it repeats
 * @returns the id of the new request as soon as it is recorded; its response goes on
 * @throws {CommandError} when the app does not serve, or the request does not reach it
 */
export async function replay(app: InspectedApp, store: Store, of: string, request: SentRequest): Promise<string> {
  const { origin, http2Only } = app;
  if (origin === undefined) throw new CommandError('The app does not serve yet; try again when it does.');
  return new Promise((resolve, reject) => {
    let forget = (): void => {};
    let socket: Socket | undefined;
    const limit = setTimeout(() => socket?.destroy(), REPLAY_LIMIT);
    const connected = (given: Socket): void => {
      socket = given;
      if (given.localPort !== undefined) forget = store.expectReplay(given.localPort, of, resolve);
    };
    sendRequest(request, { origin, http2: http2Only, keep: 0, timeout: REPLAY_LIMIT, connected })
      .then(
        ({ status }) => reject(new CommandError(`The server answered ${status} by itself: nothing was recorded.`)),
        reject,
      )
      .finally(() => {
        clearTimeout(limit);
        forget();
      });
  });
}
