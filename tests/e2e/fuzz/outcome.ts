// What one client sees of one failing application.

import http2 from 'node:http2';
import { parseResponse } from '../../../testing/raw-response.ts';
import type { Outcome } from './bodies.ts';
import { send } from './drive.ts';
import type { Target, Transport } from './server.ts';

/**
 * Asks for a page on a connection of its own.
 *
 * @param place where the server listens
 * @returns the status of a whole response, or `cut`
 */
export function outcomeOf(
  place: string | number,
  transport: Transport,
  target: Target,
  name: string,
): Promise<Outcome | number> {
  return transport === 'http2' ? overHttp2(place as number, name) : overHttp1(place, transport, target, name);
}

async function overHttp1(
  place: string | number,
  transport: Transport,
  target: Target,
  name: string,
): Promise<number | 'cut'> {
  const request = `GET /${name} HTTP/1.1\r\nHost: a.test\r\n\r\n`;
  const pieces = [Buffer.from(request)];
  const { received } = await send(
    { kind: 'one', target, pieces, pause: 0, end: 'waits', patience: 0 },
    place,
    transport,
  );
  const [response, ...more] = parseResponse(received, request);
  if (more.length > 0) throw new Error(`more than one response to ${name}: ${received}`);
  return response?.complete ? response.status : 'cut';
}

function overHttp2(port: number, name: string): Promise<number | 'cut'> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  return new Promise((resolve) => {
    const stream = session.request({ ':path': `/${name}` });
    let status = 0;
    session.on('error', () => {});
    stream.on('error', () => {}).resume();
    stream.on('response', (head) => {
      status = Number(head[':status']);
    });
    stream.on('close', () => {
      session.destroy();
      resolve(stream.rstCode === http2.constants.NGHTTP2_NO_ERROR && stream.readableEnded ? status : 'cut');
    });
  });
}
