// What a hosted http.Server has beside its listeners: its timeout; and a listener's late failures.

import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import fastify from 'fastify';
import { describe, expect, it, vi } from 'vitest';
import { toFetch } from 'waygate/fetch';
import { fromNode, toNode } from 'waygate/node';
import { byNode, copies, onNode, WAYS } from './hosting.ts';

const moment = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe.each(WAYS)('server.setTimeout, %s', (_name, way) => {
  const server = (listener: RequestListener, milliseconds: number, heard?: (socket: Socket) => void): http.Server =>
    http.createServer(listener).setTimeout(milliseconds, heard);

  it('calls its callback, which may end the request', async () => {
    const heard = vi.fn((socket: Socket) => socket.destroy());
    await way(
      server(() => {}, 100, heard),
      async (call) => {
        const outcome = await call('/').then(
          (response) => response.status,
          () => 'broken',
        );
        expect(heard).toHaveBeenCalledTimes(1);
        expect([500, 'broken']).toContain(outcome);
      },
    );
  });

  it('ends a request of which nobody hears', async () => {
    await way(
      server(() => {}, 100),
      async (call) => {
        const outcome = await call('/').then(
          (response) => response.status,
          () => 'broken',
        );
        expect([500, 'broken']).toContain(outcome);
      },
    );
  });

  it('leaves the answer to a listener on the response', async () => {
    const listener = (_request: IncomingMessage, response: ServerResponse): void => {
      response.on('timeout', () => response.writeHead(503).end('late'));
    };
    await way(server(listener, 100), async (call) => {
      const response = await call('/');
      expect([response.status, await response.text()]).toEqual([503, 'late']);
    });
  });

  it('does nothing to a response that comes in pieces faster', async () => {
    const heard = vi.fn();
    const listener = async (_request: IncomingMessage, response: ServerResponse): Promise<void> => {
      for (let at = 0; at < 6; at++) {
        response.write('piece ');
        await moment(60);
      }
      response.end();
    };
    await way(server(listener, 300, heard), async (call) => {
      expect(await (await call('/')).text()).toBe('piece '.repeat(6));
      expect(heard).not.toHaveBeenCalled();
    });
  });

  it('is over with its response', async () => {
    const heard = vi.fn((socket: Socket) => socket.destroy());
    await way(
      server((_request, response) => response.end('done'), 100, heard),
      async (call) => {
        await (await call('/')).text();
        await moment(250);
        if (_name !== 'by Node itself') expect(heard).not.toHaveBeenCalled();
        expect(await (await call('/')).text()).toBe('done');
      },
    );
  });
});

it('Fastify’s connectionTimeout reaches its onTimeout hook', async () => {
  const app = fastify({ connectionTimeout: 200 });
  const heard = vi.fn();
  app.addHook('onTimeout', async () => heard());
  app.get('/', () => new Promise(() => {}));
  await app.ready();
  for (const [, way] of WAYS.slice(1)) {
    heard.mockClear();
    await way(app.server, async (call) => {
      await call('/').catch(() => {});
      await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(1));
    });
  }
});

describe('a late rejection of a hosted listener', () => {
  const listener = async (_request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.end('done');
    await moment(30);
    throw new Error('too late');
  };

  it.each([
    [
      'throws',
      {
        write: () => {
          throw new Error('the log is full');
        },
      },
    ],
    [
      'rejects',
      {
        write: async () => {
          throw new Error('the log is full');
        },
      },
    ],
  ])('ends nothing where the log %s', async (_what, stream) => {
    const uncaught = vi.fn();
    process.on('uncaughtException', uncaught).on('unhandledRejection', uncaught);
    try {
      const broken = { ...stream, flush: stream.write, writelines: stream.write };
      const app = fromNode(listener);
      const handler = toFetch((environ, startResponse) =>
        app({ ...environ, 'wsgi.errors': broken as never }, startResponse),
      );
      expect(await (await handler('/')).text()).toBe('done');
      await moment(100);
      expect(uncaught).not.toHaveBeenCalled();
    } finally {
      process.off('uncaughtException', uncaught).off('unhandledRejection', uncaught);
    }
  });

  it('is logged', async () => {
    const log: string[] = [];
    const handler = toFetch(copies(fromNode(listener)), { errors: (line) => void log.push(line) });
    await (await handler('/')).text();
    await vi.waitFor(() => expect(log.join('')).toContain('too late'));
    expect(typeof toNode).toBe('function');
  });
});

describe.each(WAYS)('a timeout of one connection, %s', (_name, way) => {
  const answer = async (listener: RequestListener, heard?: (socket: Socket) => void): Promise<string> => {
    const server = http.createServer(listener);
    if (heard !== undefined) server.on('timeout', heard);
    let answered = '';
    await way(server, async (call) => {
      answered = await call('/').then(
        async (response) => `${response.status} ${await response.text()}`,
        () => 'broken',
      );
    });
    return answered;
  };
  const slow: RequestListener = (request, response) => {
    request.socket.setTimeout(20);
    setTimeout(() => response.end('late'), 80);
  };

  it('is heard by the hosted server, which decides', async () => {
    const heard = vi.fn();
    expect(await answer(slow, heard)).toBe('200 late');
    expect(heard).toHaveBeenCalled();
    expect(await answer(slow, (socket) => socket.destroy())).toMatch(/^500 |^broken$/);
  });

  it('ends the request where nobody hears', async () => {
    expect(await answer(slow)).toMatch(/^500 |^broken$/);
  });

  // On Node the connection is the outer server's by then.
  it.skipIf(way === byNode || way === onNode)('is heard by the hosted server after the response as well', async () => {
    const heard = vi.fn();
    let socket: Socket | undefined;
    const listener: RequestListener = (request, response) => {
      socket = request.socket;
      response.end('done');
    };
    expect(await answer(listener, heard)).toBe('200 done');
    socket?.setTimeout(20);
    await moment(60);
    expect([heard.mock.calls.length, socket?.destroyed]).toEqual([1, false]);
  });
});
