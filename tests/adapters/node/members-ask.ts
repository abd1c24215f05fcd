// Asks the listener of members.ts, with a client that takes informational responses.

import http from 'node:http';
import { text } from 'node:stream/consumers';
import { lookAtMembers, type Members, methods } from './members.ts';

/** @returns the JSON of a page; its text where that is not JSON */
export async function ask(url: string): Promise<unknown> {
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http.get(url, { agent: false }, resolve).on('error', reject);
  });
  const page = await text(response);
  try {
    return JSON.parse(page);
  } catch {
    return page;
  }
}

export const askMembers = (url: string): Promise<Members> => ask(`${url}/members`) as Promise<Members>;

/** What each method of a real listener's objects gives at this server. */
export async function askOutcomes(url: string, real: Members): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const call of methods(real)) found[call] = await ask(`${url}/call/${call}`);
  return found;
}

/** A server of Node with the listener itself. */
export const realServer = (): http.Server => http.createServer(lookAtMembers).listen(0, '127.0.0.1');
