// fromNode: whatever goes wrong with a listener settles its request once, and nobody waits for ever.

import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import net from 'node:net';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type GatewayResponse, run, setupTestingDefaults } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { validator } from 'waygate/middleware';
import { fromNode, type NodeAppListener, toNode } from 'waygate/node';
import { behindMiddleware, byNode, copies, listening, onNode, request, WAYS, type Way } from './hosting.ts';
import { Conversation } from './http-client.ts';

/** Runs a listener for one request in memory. */
async function answer(listener: NodeAppListener, keys = {}) {
  const messages: string[] = [];
  const errors: unknown[] = [];
  const environ = setupTestingDefaults(keys);
  environ['wsgi.errors'] = {
    write: (text) => void messages.push(text),
    writelines: () => {},
    flush: () => {},
  };
  const response = await run(fromNode(listener), environ, { onError: (error) => errors.push(error) });
  return { response, messages, errors, text: () => read(response) };
}

async function read({ body }: GatewayResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  if (Array.isArray(body)) chunks.push(...body);
  else for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function until(done: () => boolean): Promise<void> {
  for (let tries = 0; !done() && tries < 500; tries++) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(done()).toBe(true);
}

const secret = new Error('secret');
const later = () => new Promise((resolve) => setTimeout(resolve, 2));

describe('before the head is out, a plain 500 and one report', () => {
  test.each<[string, NodeAppListener, unknown]>([
    [
      'a throw',
      (_req, res) => {
        res.setHeader('x-mine', '1');
        throw secret;
      },
      secret,
    ],
    ['a rejection', async () => Promise.reject(secret), secret],
    ['a late rejection', () => later().then(() => Promise.reject(secret)), secret],
    ['res.destroy(error)', (_req, res) => void res.destroy(secret), secret],
    ['res.destroy(error), later', (_req, res) => void later().then(() => res.destroy(secret)), secret],
    [
      'res.destroy()',
      (_req, res) => void res.destroy(),
      expect.objectContaining({ message: expect.stringContaining('destroyed') }),
    ],
    ['req.destroy(error)', (req) => void req.destroy(secret), secret],
    ['req.socket.destroy()', (req) => void req.socket.destroy(), expect.any(Error)],
    ['req.socket.end()', (req) => void req.socket.end(), expect.any(Error)],
    [
      'a status that no application may send',
      (_req, res) => res.writeHead(999).end('x'),
      expect.objectContaining({ rule: 'SR-02' }),
    ],
    [
      'two lengths',
      (_req, res) =>
        res
          .writeHead(200, [
            ['Content-Length', '1'],
            ['content-length', '2'],
          ] as never)
          .end('x'),
      expect.objectContaining({ rule: 'L-48' }),
    ],
    [
      'raw bytes into the socket',
      (req) => void req.socket.write('HTTP/1.1 200 OK\r\n\r\n'),
      expect.objectContaining({ message: expect.stringContaining('socket') }),
    ],
  ])('%s', async (_what, listener, error) => {
    const { response, errors, messages, text } = await answer(listener);
    expect(response.statusCode).toBe(500);
    expect(response.headers.map(([name]) => name)).toEqual(['Content-Type', 'Content-Length']);
    expect(await text()).toBe('500 Internal Server Error\n');
    expect(errors).toEqual([error]);
    expect(messages).toHaveLength(1);
  });
});

describe('after the head is out, a broken response and one report', () => {
  test.each<[string, NodeAppListener]>([
    [
      'a throw',
      (_req, res) => {
        res.write('begun');
        throw secret;
      },
    ],
    [
      'a rejection',
      async (_req, res) => {
        res.write('begun');
        await later();
        throw secret;
      },
    ],
    [
      'res.destroy(error)',
      (_req, res) => {
        res.write('begun');
        setTimeout(() => res.destroy(secret), 2);
      },
    ],
    [
      'a pipeline whose source fails',
      (_req, res) => {
        const source = new Readable({ read() {} });
        source.on('error', (error) => res.destroy(error));
        source.pipe(res);
        source.push('begun');
        setTimeout(() => source.destroy(secret), 5);
      },
    ],
  ])('%s', async (_what, listener) => {
    const { response, errors } = await answer(listener);
    if (response.statusCode === 200) await expect(read(response)).rejects.toBe(secret);
    expect(errors).toEqual([secret]);
  });

  test('a body shorter than its length', async () => {
    const { response, errors } = await answer((_req, res) => res.writeHead(200, { 'content-length': 5 }).end('ab'));
    await expect(read(response)).rejects.toMatchObject({ rule: 'CL-02' });
    expect(errors).toHaveLength(1);
  });

  test('a body longer than its length is cut, and the listener goes on to its end', async () => {
    const events: string[] = [];
    const { text, errors } = await answer((_req, res) => {
      res.on('finish', () => events.push('finish'));
      res.on('close', () => events.push(`close ${res.writableFinished}`));
      res.writeHead(200, { 'content-length': 2 });
      res.write('abc');
      setTimeout(() => res.end('def'), 2);
    });
    expect(await text()).toBe('ab');
    await until(() => events.length === 2);
    expect(events).toEqual(['finish', 'close true']);
    expect(errors).toEqual([expect.objectContaining({ rule: 'CL-01' })]);
  });
});

describe('once the response is complete', () => {
  test.each<[string, NodeAppListener]>([
    [
      'a throw',
      (_req, res) => {
        res.end('all');
        throw secret;
      },
    ],
    [
      'a rejection',
      async (_req, res) => {
        res.end('all');
        await later();
        throw secret;
      },
    ],
  ])('%s is only reported', async (_what, listener) => {
    const { response, text, messages } = await answer(listener);
    expect(response.statusCode).toBe(200);
    expect(await text()).toBe('all');
    await until(() => messages.length === 1);
    expect(messages[0]).toContain('secret');
  });

  test('a destroyed socket loses nothing', async () => {
    const { text, errors, messages } = await answer((req, res) => {
      res.end('all');
      req.socket.destroy();
    });
    expect(await text()).toBe('all');
    expect([...errors, ...messages]).toEqual([]);
  });
});

describe('when the client goes', () => {
  const GONE: [string, Way][] = [
    ['by Node itself', byNode],
    ['on node', onNode],
    ['on node, behind a middleware', behindMiddleware],
  ];

  test.each(GONE)('request and response close, and the listener can stop, %s', async (_name, way) => {
    const events: string[] = [];
    const listener = (req: IncomingMessage, res: ServerResponse) => {
      req.on('aborted', () => events.push('req aborted'));
      req.on('error', (error: NodeJS.ErrnoException) => events.push(`req error ${error.code}`));
      req.on('close', () => events.push(`req close ${req.aborted} ${req.destroyed}`));
      res.on('finish', () => events.push('finish'));
      res.on('close', () => events.push(`res close ${res.writableFinished} ${res.destroyed} ${res.writableEnded}`));
      res.write('begun');
    };
    await way(listener, async (_call, port) => {
      const client = net.connect(port, '127.0.0.1', () => client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
      await new Promise((resolve) => client.once('data', resolve));
      client.destroy();
      await until(() => events.length >= 4);
      expect([...events].sort()).toEqual(
        ['req aborted', 'req close true true', 'req error ECONNRESET', 'res close false true false'].sort(),
      );
    });
  });

  test.each(GONE)('ahead of any answer too, %s', async (_name, way) => {
    const events: string[] = [];
    let began = false;
    const listener = (_req: IncomingMessage, res: ServerResponse) => {
      began = true;
      res.on('close', () => events.push(`close ${res.headersSent} ${res.writableFinished}`));
    };
    await way(listener, async (_call, port) => {
      const client = net.connect(port, '127.0.0.1', () => client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
      await until(() => began);
      client.destroy();
      await until(() => events.length === 1);
      expect(events).toEqual(['close false false']);
    });
  });

  test.each(GONE)('in the middle of its body, %s', async (_name, way) => {
    const events: string[] = [];
    const listener = async (req: IncomingMessage, _res: ServerResponse) => {
      try {
        for await (const _chunk of req) events.push('chunk');
        events.push('end');
      } catch (error) {
        events.push(`${(error as NodeJS.ErrnoException).code} ${req.complete}`);
      }
    };
    await way(listener, async (_call, port) => {
      const client = net.connect(port, '127.0.0.1', () =>
        client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc'),
      );
      await until(() => events.length === 1);
      client.destroy();
      await until(() => events.length === 2);
      expect(events).toEqual(['chunk', 'ECONNRESET false']);
    });
  });

  test.each<[string, NodeAppListener]>([
    ['before it answers', () => {}],
    ['while it reads', (req) => void req.on('data', () => {})],
  ])('nothing of it is told as a fault of the listener: %s', async (_when, listener) => {
    const told: unknown[] = [];
    const options = { errors: (text: string) => void told.push(text), onError: (error: unknown) => told.push(error) };
    for (const app of [copies(fromNode(listener)), validator(fromNode(listener))]) {
      let over = false;
      const outer = http.createServer((req, res) => {
        toNode(app, options)(req, res);
        res.on('close', () => {
          over = true;
        });
      });
      await listening(outer, async (_call, port) => {
        const client = net.connect(port, '127.0.0.1', () =>
          client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc'),
        );
        await later();
        setTimeout(() => client.destroy(), 20);
        await until(() => over);
        await later();
      });
    }
    expect(told).toEqual([]);
  });

  test.each<[string, NodeAppListener]>([
    ['before it answers', (req) => void req.resume()],
    [
      'after it has begun to',
      (req, res) => {
        req.resume();
        res.write('begun');
      },
    ],
  ])('nor where only the request body tells of it: %s', async (_when, listener) => {
    const told: unknown[] = [];
    const options = { errors: (text: string) => void told.push(text), onError: (error: unknown) => told.push(error) };
    let closed = false;
    const app = fromNode((req, res) => {
      res.on('close', () => {
        closed = true;
      });
      listener(req, res);
    });
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from('abc'));
        setTimeout(() => controller.error(new Error('The network is gone.')), 5);
      },
    });
    const response = await toFetch(app, options)('/', { method: 'POST', body });
    await response.text().catch(() => {});
    await until(() => closed);
    expect(told).toEqual([]);
  });

  test('a body that fails for another reason is reported with that reason', async () => {
    const input = {
      ...setupTestingDefaults()['wsgi.input'],
      stream: () => new ReadableStream({ pull: () => Promise.reject(secret) }),
    };
    const keys = { CONTENT_LENGTH: '3', REQUEST_METHOD: 'POST', 'wsgi.input': input };
    const { response, errors } = await answer((req) => void req.resume(), keys);
    expect([response.statusCode, errors]).toEqual([500, [secret]]);
  });

  test('a response that goes on writing gets nowhere, and nothing fails', async () => {
    let wrote: boolean | undefined;
    const { response, errors, messages } = await answer(async (_req, res) => {
      res.write('begun');
      await later();
      wrote = res.write('more');
      res.end('end');
      throw secret;
    });
    if (Array.isArray(response.body)) throw new Error('The body is whole.');
    await response.body.next();
    await response.body.close();
    await until(() => wrote !== undefined);
    expect(wrote).toBe(false);
    await later();
    expect(errors).toEqual([]);
    expect(messages).toEqual([]);
  });
});

describe('a request after its response', () => {
  const sized = { method: 'POST', body: 'x'.repeat(300_000) };
  const bodies = [sized, { ...sized, body: new Blob([sized.body]).stream(), duplex: 'half' }] as RequestInit[];
  const streamed = (init: RequestInit): RequestInit =>
    typeof init.body === 'string' ? init : { ...init, body: new Blob([sized.body]).stream() };

  test.each(WAYS)('is read to its end by a listener that reads, %s', async (_name, way) => {
    const listeners: ((done: (bytes: number) => void) => NodeAppListener)[] = [
      (done) => (req, res) => {
        let bytes = 0;
        req.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        req.on('end', () => done(bytes));
        res.end('first');
      },
      (done) => async (req, res) => {
        res.end('first');
        let bytes = 0;
        for await (const chunk of req) bytes += chunk.length;
        done(bytes);
      },
    ];
    for (const listener of listeners) {
      for (const init of bodies) {
        let read = -1;
        await way(
          listener((bytes) => {
            read = bytes;
          }),
          async (call) => {
            expect(await (await call('/', streamed(init))).text()).toBe('first');
            await until(() => read >= 0);
          },
        );
        expect(read).toBe(300_000);
      }
    }
  });

  test.each(WAYS)('ends and closes where nobody reads it, %s', async (_name, way) => {
    for (const init of bodies) {
      const events: string[] = [];
      const listener = (req: IncomingMessage, res: ServerResponse) => {
        for (const event of ['aborted', 'end', 'error', 'close']) req.on(event, () => events.push(event));
        res.end('first');
      };
      await way(listener, async (call) => {
        expect(await (await call('/', streamed(init))).text()).toBe('first');
        await until(() => events.includes('close'));
      });
      expect(events).toEqual(['end', 'close']);
    }
  });
});

describe('timeouts', () => {
  test.each<[string, Way]>([
    ['by Node itself', byNode],
    ['on node', onNode],
    ['on node, behind a middleware', behindMiddleware],
  ])('are heard by the response, or end the connection, %s', async (_name, way) => {
    const events: string[] = [];
    const listener = (req: IncomingMessage, res: ServerResponse) => {
      if (req.url === '/heard') {
        res.setTimeout(10, () => {
          events.push('timeout');
          res.writeHead(503).end('late');
        });
      } else {
        req.setTimeout(10);
        res.on('close', () => events.push('close'));
      }
    };
    await way(listener, async (call, port) => {
      expect(await (await call('/heard')).text()).toBe('late');
      const unheard = request(port, { path: '/unheard' }).then(
        ({ status }) => status,
        () => 'broken',
      );
      // A gateway has an answer where Node just hangs up.
      expect([500, 'broken']).toContain(await unheard);
      await until(() => events.length === 2);
      expect(events).toEqual(['timeout', 'close']);
    });
  });
});

describe('an http.Server', () => {
  const serve = async (server: http.Server, options: http.RequestOptions, body?: string) => {
    let response: Awaited<ReturnType<typeof request>> | undefined;
    const app = copies(fromNode(server));
    const outer = http.createServer(toNode(app, { errors: () => {} }));
    outer.on('checkContinue', (req, res) => outer.emit('request', req, res));
    outer.on('checkExpectation', (req, res) => outer.emit('request', req, res));
    await listening(outer, async (_call, port) => {
      response = await request(port, options, body);
    });
    expect(server.listening).toBe(false);
    return response;
  };

  test('is served without listening, its sockets naming it, its classes used', async () => {
    class Message extends http.IncomingMessage {}
    class Response extends http.ServerResponse {}
    const server = http.createServer({ IncomingMessage: Message, ServerResponse: Response } as never, (req, res) => {
      const { server: named } = req.socket as unknown as { server: unknown };
      res.end(`${req instanceof Message} ${res instanceof Response} ${named === server}`);
    });
    expect((await serve(server, {}))?.body.toString()).toBe('true true true');
  });

  test('hears what its listeners hear from Node: expectations, and none for upgrades', async () => {
    const server = http.createServer((req, res) => res.end(`request ${req.headers.expect}`));
    const expects = (expect: string) => ({ method: 'POST', headers: { Expect: expect, 'Content-Length': 1 } });
    expect((await serve(server, expects('100-continue'), 'x'))?.body.toString()).toBe('request 100-continue');
    expect((await serve(server, expects('magic'), 'x'))?.status).toBe(417);
    server.on('checkContinue', (_req, res) => res.writeHead(403).end());
    server.on('checkExpectation', (_req, res) => res.end('expectation'));
    expect((await serve(server, expects('100-continue'), 'x'))?.status).toBe(403);
    expect((await serve(server, expects('magic'), 'x'))?.body.toString()).toBe('expectation');
    server.on('upgrade', () => {});
    const upgrade = { headers: { Connection: 'Upgrade', Upgrade: 'websocket' } };
    expect((await serve(server, upgrade))?.status).toBe(501);
    expect((await serve(new http.Server(), {}))?.status).toBe(500);
  });

  test('that lets clients go on itself lets none go on twice', async () => {
    const server = http.createServer((req, res) => req.pipe(res));
    server.on('checkContinue', (req, res) => res.writeContinue(() => server.emit('request', req, res)));
    for (const app of [fromNode(server), copies(fromNode(server))]) {
      for (const asks of [false, true]) {
        const outer = http.createServer(toNode(app, { errors: () => {} }));
        if (asks) outer.on('checkContinue', (req, res) => outer.emit('request', req, res));
        await listening(outer, async (_call, port) => {
          const client = new Conversation(port);
          client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
          await client.until('100 Continue');
          client.send('body');
          await client.until('body');
          expect(client.received.match(/^HTTP\/1\.1 .*/gm)).toEqual(['HTTP/1.1 100 Continue', 'HTTP/1.1 200 OK']);
          client.socket.destroy();
        });
      }
    }
  });
});
