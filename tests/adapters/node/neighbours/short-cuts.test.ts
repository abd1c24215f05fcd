// The short ways that toNode takes past Node's streams: other code on the way sees what it would see without them. Each
// method and each event in turn, beside a listener that uses node:http as its documentation has it.

import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it, test, vi } from 'vitest';
import { type Application, encode } from 'waygate';
import { toNode } from 'waygate/node';
import { hasAgent, serving } from './serving.ts';

const PAGE = 'a short page, f\u00fcr dich';
const SENT = '{"one":1}';

const page: Application = (_environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [encode(PAGE)];
};

const echo: Application = async (environ, startResponse) => {
  const text = await environ['wsgi.input'].text();
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [encode(text)];
};

/** The same pages by node:http alone. */
const plainPage: http.RequestListener = (_request, response) => {
  const bytes = Buffer.from(PAGE);
  response.writeHead(200, 'OK', { 'Content-Type': 'text/plain', 'Content-Length': bytes.byteLength });
  response.end(bytes.toString('latin1'), 'latin1');
};

const plainEcho: http.RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const bytes = Buffer.concat(chunks);
    response.writeHead(200, 'OK', { 'Content-Type': 'text/plain', 'Content-Length': bytes.byteLength });
    response.end(bytes.toString('latin1'), 'latin1');
  });
};

type Wrap = (request: IncomingMessage, response: ServerResponse, seen: unknown[]) => void;

/** What `wrap` saw of one request to a listener, once the request and the response are over. */
async function seenBy(wrap: Wrap, listener: http.RequestListener, body?: string): Promise<unknown[]> {
  const seen: unknown[] = [];
  const wrapped: http.RequestListener = (request, response) => {
    wrap(request, response, seen);
    listener(request, response);
  };
  await serving(wrapped, async ({ ask }) => {
    const received = await ask({ method: body === undefined ? 'GET' : 'POST', agent: false }, body);
    expect(received.status).toBe(200);
    expect(received.body.toString()).toBe(body ?? PAGE);
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
  return seen;
}

/** Arguments as they can be compared: the date goes, functions are one like another. */
function shown(value: unknown): unknown {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'string') return value.replace(/Date: [^\r]+/, 'Date: now');
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : typeof value;
}

type Methods = Record<string, (...args: unknown[]) => unknown>;

const wrapping =
  (of: 'request' | 'response', name: string): Wrap =>
  (request, response, seen) => {
    const target = (of === 'request' ? request : response) as unknown as Methods;
    const original = target[name] as Methods[string];
    target[name] = function (this: unknown, ...args: unknown[]) {
      seen.push(args.map(shown));
      return original.apply(this, args);
    };
  };

const listening =
  (of: 'request' | 'response', event: string): Wrap =>
  (request, response, seen) => {
    (of === 'request' ? request : response).on(event, (chunk?: unknown) => seen.push([event, shown(chunk)]));
  };

describe('a method of the response that somebody has wrapped', () => {
  it
    .skipIf(hasAgent)
    .each(['_send', '_writeRaw', '_finish', '_implicitHeader', '_storeHeader', '_flushOutput', 'destroy'])(
    '%s is called as a listener of node:http has it called',
    async (name) => {
      const seen = await seenBy(wrapping('response', name), toNode(page));
      const expected = await seenBy(wrapping('response', name), plainPage);
      if (name === '_storeHeader') expect(seen).toHaveLength(expected.length);
      else expect(seen).toEqual(expected);
    },
  );

  it.each(['end', 'write', 'writeHead', 'setHeader'])('%s is given what is documented', async (name) => {
    const seen = await seenBy(wrapping('response', name), toNode(page));
    const latin1 = Buffer.from(PAGE).toString('latin1');
    const headers = [
      ['Content-Type', 'text/plain'],
      ['Content-Length', String(latin1.length)],
    ];
    expect(seen).toEqual({ end: [[latin1]], write: [], writeHead: [['number']], setHeader: headers }[name]);
  });
});

describe('a method of the request that somebody has wrapped', () => {
  it.each(['push', '_dump', 'destroy', 'emit', 'resume', 'read', '_read'])(
    '%s is called as ever for a request that nobody reads',
    async (name) => {
      const seen = await seenBy(wrapping('request', name), toNode(page));
      expect(seen).toEqual(await seenBy(wrapping('request', name), plainPage));
    },
  );

  it.each(['push', 'emit', '_dump', 'destroy', '_read'])('%s is called as ever for a body', async (name) => {
    const seen = await seenBy(wrapping('request', name), toNode(echo), SENT);
    const expected = await seenBy(wrapping('request', name), plainEcho, SENT);
    const sorted = (calls: unknown[]) => calls.map((call) => JSON.stringify(call)).sort();
    expect(sorted(seen)).toEqual(sorted(expected));
  });

  it.each(['on', 'read', 'resume'])('%s is used for a body, which then comes through it', async (name) => {
    const seen = await seenBy(wrapping('request', name), toNode(echo), SENT);
    expect(seen.length).toBeGreaterThan(0);
  });
});

it('what somebody puts back in the middle of a body is a part of it', async () => {
  const app: Application = async (environ, startResponse) => {
    const request = environ['node.request'] as IncomingMessage;
    const text = environ['wsgi.input'].text();
    setTimeout(() => request.unshift(Buffer.from('-')), 20);
    startResponse('200 OK', []);
    return [encode(await text)];
  };
  const server = http.createServer(toNode(app)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nConnection: close\r\n\r\nabc');
  await new Promise((go) => setTimeout(go, 60));
  socket.end('def');
  const received: Buffer[] = [];
  for await (const chunk of socket) received.push(chunk);
  server.close();
  expect(Buffer.concat(received).toString()).toMatch(/abc-def?$/);
});

describe('who listens', () => {
  it.each(['finish', 'close', 'prefinish', 'drain', 'error', 'pipe'])('hears %s of the response', async (event) => {
    const seen = await seenBy(listening('response', event), toNode(page));
    expect(seen).toEqual(await seenBy(listening('response', event), plainPage));
  });

  it.each(['end', 'close', 'data', 'readable', 'error', 'aborted', 'resume', 'pause'])(
    'hears %s of a request that nobody reads',
    async (event) => {
      const seen = await seenBy(listening('request', event), toNode(page));
      expect(seen).toEqual(await seenBy(listening('request', event), plainPage));
    },
  );

  it.each(['end', 'close', 'data', 'error', 'aborted', 'resume', 'pause'])(
    'hears %s of a request with a body',
    async (event) => {
      const seen = await seenBy(listening('request', event), toNode(echo), SENT);
      expect(seen).toEqual(await seenBy(listening('request', event), plainEcho, SENT));
    },
  );

  it('finds the headers of a response on the channel that announces its end', async () => {
    const seen: unknown[] = [];
    const told = (message: unknown): void => {
      const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
      seen.push([response.getHeader('content-type'), request.destroyed]);
    };
    diagnostics.subscribe('http.server.response.finish', told);
    try {
      await serving(toNode(page), async ({ ask }) => {
        expect((await ask()).body.toString()).toBe(PAGE);
      });
    } finally {
      diagnostics.unsubscribe('http.server.response.finish', told);
    }
    expect(seen).toEqual([['text/plain', false]]);
  });

  it('finds the head of the response alone where it is kept, once it was sent', async () => {
    let response: ServerResponse | undefined;
    const app: Application = (environ, startResponse) => {
      response = environ['node.response'] as ServerResponse;
      return page(environ, startResponse);
    };
    await serving(toNode(app), async ({ ask }) => {
      await ask();
      expect((response as unknown as { _header: string })._header).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n$/s);
    });
  });
});

describe('who comes while a body is under way', () => {
  it.each(['data', 'end', 'close'])('hears %s of what is left', async (event) => {
    const heard: unknown[] = [];
    const app: Application = async (environ, startResponse) => {
      const text = environ['wsgi.input'].text();
      const request = environ['node.request'] as IncomingMessage;
      setTimeout(() => request.on(event, (chunk?: Buffer) => heard.push(chunk?.toString())), 20);
      startResponse('200 OK', []);
      return [encode(await text)];
    };
    await serving(toNode(app), async ({ port }) => {
      const socket = connect(port, '127.0.0.1');
      socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nConnection: close\r\n\r\none');
      setTimeout(() => socket.write('two'), 60);
      expect(await all(socket)).toMatch(/\r\n\r\nonetwo$/);
      await vi.waitFor(() => expect(heard).toEqual([event === 'data' ? 'two' : undefined]), 5000);
    });
  });

  it('a wrapper of push is given what is left', async () => {
    const seen: unknown[] = [];
    const app: Application = async (environ, startResponse) => {
      const text = environ['wsgi.input'].text();
      const request = environ['node.request'] as IncomingMessage;
      setTimeout(() => wrapping('request', 'push')(request, {} as ServerResponse, seen), 20);
      startResponse('200 OK', []);
      return [encode(await text)];
    };
    await serving(toNode(app), async ({ port }) => {
      const socket = connect(port, '127.0.0.1');
      socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nConnection: close\r\n\r\none');
      setTimeout(() => socket.write('two'), 60);
      expect(await all(socket)).toMatch(/\r\n\r\nonetwo$/);
      expect(seen[0]).toEqual(['two']);
    });
  });
});

test('a small body that is awaited goes on to come after the response', async () => {
  const read = vi.fn();
  const app: Application = (environ, startResponse) => {
    environ['wsgi.input'].text().then(read, read);
    return page(environ, startResponse);
  };
  await serving(toNode(app), async ({ port }) => {
    const socket = connect(port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\none');
    await once(socket, 'data');
    setTimeout(() => socket.write('two'), 30);
    await vi.waitFor(() => expect(read).toHaveBeenCalledWith('onetwo'), 5000);
    socket.destroy();
  });
});

describe.skipIf(hasAgent)('the short ways are taken', () => {
  it('a small response goes out in one write, head and body', async () => {
    const writes: unknown[] = [];
    await serving(
      (request, response) => {
        const { socket } = request;
        const { write } = socket;
        socket.write = function (this: unknown, ...args: unknown[]) {
          writes.push(shown(args[0]));
          return Reflect.apply(write, this, args);
        } as typeof write;
        toNode(page)(request, response);
      },
      async ({ ask }) => {
        await ask();
        expect(writes).toHaveLength(1);
        expect(writes[0]).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\na short page/s);
      },
    );
  });

  it('a request without a body is over with its response, and says so', async () => {
    let state: unknown;
    await serving(
      (request, response) => {
        toNode(page)(request, response);
        state = [request.readableEnded, request.destroyed, request.aborted, response.writableEnded];
      },
      async ({ ask }) => {
        await ask();
        expect(state).toEqual([true, true, false, true]);
      },
    );
  });

  // Node 22 and later: its stream costs less than the garbage of the short way.
  it.skipIf(Number.parseInt(process.versions.node, 10) >= 22)(
    'a small body does not go through the stream, and the request says what it would have said',
    async () => {
      let state: unknown;
      const data = vi.fn();
      const app: Application = async (environ, startResponse) => {
        const request = environ['node.request'] as IncomingMessage;
        const reading = environ['wsgi.input'].text();
        request.listeners('data').forEach(data);
        const text = await reading;
        state = [request.complete, request.readableEnded, request.readableDidRead, request.aborted];
        startResponse('200 OK', []);
        return [encode(text)];
      };
      await serving(toNode(app), async ({ ask }) => {
        expect((await ask({ method: 'POST' }, SENT)).body.toString()).toBe(SENT);
        expect(data).not.toHaveBeenCalled();
        expect(state).toEqual([true, true, true, false]);
      });
    },
  );
});

describe('on the wire', () => {
  const CASES = [
    ['GET / HTTP/1.1', 'Host: a'],
    ['GET / HTTP/1.1', 'Host: a\r\nConnection: close'],
    ['HEAD / HTTP/1.1', 'Host: a\r\nConnection: close'],
    ['GET / HTTP/1.0', 'X-A: b'],
    ['GET / HTTP/1.0', 'Connection: keep-alive'],
    ['HEAD / HTTP/1.0', 'X-A: b'],
    ['POST / HTTP/1.1', `Host: a\r\nContent-Length: 0`],
  ];

  it.each(CASES)('%s with %s is answered as by node:http', async (line, headers) => {
    const asked = `${line}\r\n${headers}\r\n\r\n`;
    expect(await raw(toNode(page), asked)).toBe(await raw(plainPage, asked));
  });

  it('three requests in one go are answered in turn, and a fourth on the same connection', async () => {
    const asked = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3);
    const last = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    expect(await raw(toNode(page), asked, last)).toBe(await raw(plainPage, asked, last));
  });

  it('bodies in one go with what follows them', async () => {
    const asked = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${SENT.length}\r\n\r\n${SENT}`.repeat(2);
    const last = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nend';
    expect(await raw(toNode(echo), asked + last)).toBe(await raw(plainEcho, asked + last));
  });

  it('a server that is strict about lengths', async () => {
    const strict: http.RequestListener = (request, response) => {
      response.strictContentLength = true;
      toNode(page)(request, response);
    };
    await serving(strict, async ({ ask }) => expect((await ask()).body.toString()).toBe(PAGE));
  });

  it('a client that leaves in the middle of a small body', async () => {
    const failed = vi.fn();
    const begun = vi.fn();
    const app: Application = async (environ, startResponse) => {
      begun();
      await environ['wsgi.input'].text().catch((error) => failed((error as Error).name));
      startResponse('200 OK', []);
      return [];
    };
    await serving(toNode(app), async ({ port }) => {
      const socket = connect(port, '127.0.0.1');
      socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\none');
      await vi.waitFor(() => expect(begun).toHaveBeenCalled(), 5000);
      socket.destroy();
      await vi.waitFor(() => expect(failed).toHaveBeenCalledWith('ClientDisconnectedError'), 5000);
    });
  });
});

function all(socket: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}

/** What comes back for bytes that are sent in one go, until the connection ends or the answer is there. */
async function raw(listener: http.RequestListener, ...sent: string[]): Promise<string> {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  for (const each of sent) {
    socket.write(each, 'latin1');
    await once(socket, 'data');
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  socket.destroy();
  server.close();
  server.closeAllConnections();
  return text.replaceAll(/Date: [^\r]+/g, 'Date: now');
}
