// Request bodies that are read after their client has gone: what came in whole is there, what did not is an error.

import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Application, InputStream } from 'waygate';
import { toNode } from 'waygate/node';

const READS: [name: string, read: (input: InputStream) => Promise<unknown>][] = [
  ['read()', (input) => input.read()],
  ['bytes()', (input) => input.bytes()],
  ['text()', (input) => input.text()],
  ['stream()', (input) => new Response(input.stream()).arrayBuffer()],
];

async function readAll(input: InputStream): Promise<string> {
  let text = '';
  for await (const line of input) text += new TextDecoder().decode(line);
  return text;
}

const sizeOf = (value: unknown): number =>
  typeof value === 'string' ? value.length : (value as Uint8Array).byteLength;

/** Serves an application that reads once its client has gone; what it gets. */
async function afterwards(
  read: (input: InputStream) => Promise<unknown>,
  run: (port: number) => Promise<void>,
  options: { first?: number; http2?: boolean } = {},
): Promise<string> {
  let settle = (_outcome: string): void => {};
  const outcome = new Promise<string>((resolve) => {
    settle = resolve;
  });
  const app: Application = async (environ, startResponse) => {
    const input = environ['wsgi.input'];
    if (options.first !== undefined) await input.read(options.first);
    // A server that holds a client back does not see it leave: then the first read does.
    const gone = once(environ['waygate.signal'], 'abort');
    await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 400))]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await read(input).then(
      (value) => settle(`${sizeOf(value)} bytes`),
      (error) => settle(`${error.name}: ${error.message}`),
    );
    startResponse('200 OK', []);
    return [];
  };
  const listener = toNode(app, { errors: () => {} });
  const server = options.http2 ? http2.createServer(listener) : http.createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await run((server.address() as AddressInfo).port);
    return await outcome;
  } finally {
    server.close();
  }
}

/** Sends bytes, and leaves a moment later. */
const sending =
  (text: string) =>
  async (port: number): Promise<void> => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(text);
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
  };

const head = (header: string): string => `POST / HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`;
const chunk = (size: number): string => `${size.toString(16)}\r\n${'a'.repeat(size)}\r\n`;

describe.each(READS)('%s after the client has left', (_name, read) => {
  it.each([
    ['of a short body', `${head('Content-Length: 5')}hello`, '5 bytes'],
    ['of 30 KB', head('Content-Length: 30000') + 'a'.repeat(30_000), '30000 bytes'],
    ['of chunks', `${head('Transfer-Encoding: chunked') + chunk(7) + chunk(9)}0\r\n\r\n`, '16 bytes'],
  ])('%s that came in whole gives it', async (_what, text, expected) => {
    expect(await afterwards(read, sending(text))).toBe(expected);
  });

  it('gives what is left of a body that came in whole', async () => {
    const text = `${head('Transfer-Encoding: chunked') + chunk(7) + chunk(9) + chunk(4)}0\r\n\r\n`;
    expect(await afterwards(read, sending(text), { first: 2 })).toBe('18 bytes');
  });

  it.each([
    ['a short body', `${head('Content-Length: 50')}hello`],
    ['chunks', head('Transfer-Encoding: chunked') + chunk(7)],
    ['a large body', head('Content-Length: 900000') + 'a'.repeat(300_000)],
  ])('is an error where %s did not come in whole', async (_what, text) => {
    expect(await afterwards(read, sending(text))).toMatch(/^ClientDisconnectedError: The client left before/);
  });

  it.each([0, 5])('is an error over HTTP/2 where the stream was reset after %d of 10 bytes', async (sent) => {
    const reset = async (port: number): Promise<void> => {
      const session = http2.connect(`http://127.0.0.1:${port}`);
      session.on('error', () => {});
      const stream = session.request({ ':method': 'POST', ':path': '/', 'content-length': 10 });
      stream.on('error', () => {});
      if (sent > 0) stream.write('a'.repeat(sent));
      await new Promise((resolve) => setTimeout(resolve, 100));
      stream.close(http2.constants.NGHTTP2_CANCEL);
      setTimeout(() => session.destroy(), 500);
    };
    expect(await afterwards(read, reset, { http2: true })).toMatch(/^ClientDisconnectedError: /);
  });
});

describe.each([...READS, ['for await', readAll] as const])('%s after the response', (_name, read) => {
  /** Answers before it has read; what the read comes to. */
  async function late(begun: number, run: (socket: net.Socket) => void): Promise<string> {
    const server = http.createServer();
    const outcome = new Promise<string>((settle) => {
      const app: Application = (environ, startResponse) => {
        const begin = (): void =>
          void read(environ['wsgi.input']).then(
            (value) => settle(`${sizeOf(value)} bytes`),
            (error) => settle(`${error.name}: ${error.message}`),
          );
        if (begun === 0) begin();
        else setTimeout(begin, begun);
        startResponse('200 OK', []);
        return [];
      };
      server.on('request', toNode(app, { errors: () => {} }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => {});
    try {
      run(socket);
      return await outcome;
    } finally {
      socket.destroy();
      server.close();
    }
  }

  it.each([10, 70_000])('is an error where the client leaves in the middle of %d bytes', async (length) => {
    const outcome = await late(0, (socket) => {
      socket.write(`${head(`Content-Length: ${length}`)}hello`);
      setTimeout(() => socket.destroy(), 150);
    });
    expect(outcome).toMatch(/^ClientDisconnectedError: The client left before/);
  });

  it('gives the body where the rest comes in time', async () => {
    const outcome = await late(0, (socket) => {
      socket.write(`${head('Content-Length: 10')}hello`);
      setTimeout(() => socket.write('world'), 150);
    });
    expect(outcome).toBe('10 bytes');
  });

  it('that begins too late says that the rest was dropped', async () => {
    const outcome = await late(100, (socket) => {
      socket.write(head('Content-Length: 10'));
      setTimeout(() => socket.write('helloworld'), 200);
    });
    expect(outcome).toMatch(/^Error: What was left of the request body was dropped/);
  });
});

it('a connection whose requests are read after their responses keeps no listener of them', async () => {
  const server = http.createServer();
  const counts: number[] = [];
  const app: Application = (environ, startResponse) => {
    const { socket } = environ['node.request'] as http.IncomingMessage;
    counts.push(socket.listenerCount('close'));
    void environ['wsgi.input'].text();
    startResponse('200 OK', []);
    return [];
  };
  server.on('request', toNode(app));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  for (let count = 0; count < 4; count++) {
    socket.write(`${head('Content-Length: 4')}ab`);
    await once(socket, 'data');
    // After the response the read has begun to listen to the connection.
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.write('cd');
  }
  socket.destroy();
  server.close();
  expect(counts).toEqual([counts[0], counts[0], counts[0], counts[0]]);
});

it.each([
  ['has no off()', { on: () => {}, removeListener: () => {} }],
  ['fails at on()', { on: () => expect.unreachable('on() was called'), off: () => {} }],
  ['has neither', {}],
])('a read goes on after the response where a socket that others made %s', async (_what, members) => {
  const socket = { remoteAddress: '192.0.2.1', end: () => {}, destroy: () => {}, ...members };
  const request = new http.IncomingMessage(socket as unknown as net.Socket);
  Object.assign(request, { method: 'POST', url: '/', httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1 });
  Object.assign(request, { headers: { host: 'x', 'content-length': '5' }, _read: () => {} });
  request.rawHeaders = ['host', 'x', 'content-length', '5'];
  const response = new http.ServerResponse(request);
  response.assignSocket(new Writable({ write: (_chunk, _encoding, done) => done() }) as unknown as net.Socket);
  let read: Promise<Uint8Array> | undefined;
  toNode((environ, startResponse) => {
    read = environ['wsgi.input'].read();
    startResponse('200 OK', []);
    return [];
  })(request, response);
  await new Promise((resolve) => setTimeout(resolve, 20));
  request.complete = true;
  request.push('hello');
  request.push(null);
  expect((await read)?.byteLength).toBe(5);
});
