// Sends one request to two servers and says in what their responses differ.

import type { RawResponse } from '../../../testing/raw-response.ts';
import { exchange } from '../../adapters/node/http-cases-probe.ts';

/** What a client can tell of a response, but for what two responses never have in common. */
export interface Comparable {
  status: number;
  headers: string[];
  body: unknown;
}

/** Headers of one connection, of one moment, and those that AWS adds or renames. */
const OWN = /^(?:date|connection|keep-alive|transfer-encoding|content-length|x-amzn-remapped-.*|lambda-web-.*)$/i;

/** Sends bytes on a connection of their own; null where it closes without a response. */
export async function ask(port: number, bytes: Uint8Array): Promise<Comparable | null> {
  const [response] = await exchange(port, bytes);
  return response === undefined ? null : comparable(response);
}

function comparable({ status, headers, body }: RawResponse): Comparable {
  const lines = headers.filter(([name]) => !OWN.test(name)).map(([name, value]) => `${name.toLowerCase()}: ${value}`);
  let content: unknown = body;
  try {
    content = JSON.parse(Buffer.from(body, 'latin1').toString());
  } catch {
    // It is compared as it is.
  }
  return { status, headers: lines.sort(), body: content };
}
