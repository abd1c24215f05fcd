// A hosted listener's request, response and socket have what Node's own have, and their methods can be called as on Node.

import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Application, Environ } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { fromNode, toNode } from 'waygate/node';
import { lookAtMembers, missing } from './members.ts';
import { ask, askMembers, askOutcomes, realServer } from './members-ask.ts';

describe('what a hosted listener has', () => {
  const app = fromNode(lookAtMembers);
  // A copy of environ: the listener gets a request and a response in memory.
  const hosting = http.createServer(toNode((environ, startResponse) => app({ ...environ }, startResponse)));
  const servers = [realServer(), hosting.listen(0, '127.0.0.1')];
  let real: string;
  let hosted: string;
  beforeAll(async () => {
    await Promise.all(servers.map((server) => server.listening || once(server, 'listening')));
    [real, hosted] = servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`) as [
      string,
      string,
    ];
  });
  afterAll(() => {
    for (const server of servers) server.close();
  });

  it('is all that a listener of Node has', async () => {
    expect(missing(await askMembers(real), await askMembers(hosted))).toEqual([]);
  });

  it('can be called as on Node', async () => {
    const members = await askMembers(real);
    const expected = await askOutcomes(real, members);
    expect(expected).toMatchObject({ 'response.addTrailers': 'undefined', 'response.setTimeout': 'itself' });
    expect(await askOutcomes(hosted, members)).toEqual(expected);
  });

  it('hears of a timeout', async () => {
    expect(await ask(`${hosted}/timeout`)).toBe('late');
  });

  it('has what the platform says about TLS', async () => {
    const tls = fromNode((request, response) => {
      const socket = request.socket as TLSSocket;
      response.end(JSON.stringify([socket.authorized, socket.getProtocol(), socket.getCipher()]));
    });
    const known = { SSL_PROTOCOL: 'TLSv1.3', SSL_CIPHER: 'AEAD-AES128-GCM-SHA256', SSL_CLIENT_VERIFY: 'SUCCESS' };
    const told = async (keys: Partial<Environ>) => {
      const app: Application = (given, startResponse) => tls(Object.assign(given, keys), startResponse);
      return (await toFetch(app)('https://localhost/')).json();
    };
    expect(await told(known)).toEqual([true, 'TLSv1.3', { name: 'AEAD-AES128-GCM-SHA256', version: 'TLSv1.3' }]);
    expect(await told({})).toEqual([false, null, {}]);
  });
});
