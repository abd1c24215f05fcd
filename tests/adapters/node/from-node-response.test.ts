// fromNode: the response a listener makes arrives as Node would send it. Each test holds for Node itself first.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import type { HeaderList } from 'waygate';
import { run, setupTestingDefaults } from 'waygate';
import { fromNode, type NodeAppListener } from 'waygate/node';
import { byNode, ON_CONNECTIONS, type RawResponse, request, WAYS, type Way } from './hosting.ts';

type Answer = (res: ServerResponse, req: IncomingMessage) => unknown;

async function ask(way: Way, answer: Answer, options: { method?: string } = {}): Promise<RawResponse> {
  let response: RawResponse | undefined;
  await way(
    (req, res) => answer(res, req),
    async (_call, port) => {
      response = await request(port, options);
    },
  );
  return response as RawResponse;
}

describe.each(ON_CONNECTIONS)('the head of a response, %s', (_name, way) => {
  test.each<[string, Answer, number, string, [string, string][]]>([
    ['a status alone', (res) => res.writeHead(201), 201, 'Created', []],
    ['a reason', (res) => res.writeHead(200, 'Fine indeed'), 200, 'Fine indeed', []],
    [
      'an object',
      (res) => res.writeHead(200, { 'X-A': 1, 'x-b': ['2', '3'] }),
      200,
      'OK',
      [
        ['X-A', '1'],
        ['x-b', '2'],
        ['x-b', '3'],
      ],
    ],
    [
      'a reason and an object',
      (res) => res.writeHead(404, 'Gone Fishing', { b: 'x' }),
      404,
      'Gone Fishing',
      [['b', 'x']],
    ],
    [
      'an object without a prototype, as Node itself keeps headers in',
      (res) => res.writeHead(200, Object.assign(Object.create(null), { 'x-a': '12', 'x-b': ['2', '3'] })),
      200,
      'OK',
      [
        ['x-a', '12'],
        ['x-b', '2'],
        ['x-b', '3'],
      ],
    ],
    [
      'such an object, and a header set before',
      (res) => {
        res.setHeader('X-A', '1');
        res.writeHead(200, Object.assign(Object.create(null), { 'x-b': ['2', '3'] }));
      },
      200,
      'OK',
      [
        ['X-A', '1'],
        ['x-b', '2'],
        ['x-b', '3'],
      ],
    ],
    [
      'a flat array',
      (res) => res.writeHead(200, ['X-A', '1', 'Set-Cookie', 'a', 'X-a', '2', 'Set-Cookie', 'b']),
      200,
      'OK',
      [
        ['X-A', '1'],
        ['Set-Cookie', 'a'],
        ['X-a', '2'],
        ['Set-Cookie', 'b'],
      ],
    ],
    [
      'a nested array',
      (res) =>
        res.writeHead(200, [
          ['X-A', '1'],
          ['Set-Cookie', ['a', 'b']],
        ] as never),
      200,
      'OK',
      [
        ['X-A', '1'],
        ['Set-Cookie', 'a'],
        ['Set-Cookie', 'b'],
      ],
    ],
    [
      'headers set before, one of them again',
      (res) => {
        res.setHeader('X-A', '1');
        res.setHeader('X-B', ['2', '3']);
        res.writeHead(200, { 'x-a': 'new', 'x-c': '4' });
      },
      200,
      'OK',
      [
        ['x-a', 'new'],
        ['X-B', '2'],
        ['X-B', '3'],
        ['x-c', '4'],
      ],
    ],
    [
      'appended headers, and one removed',
      (res) => {
        res.appendHeader('Set-Cookie', 'a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT').appendHeader('Set-Cookie', 'b=2');
        res.setHeader('x-a', '1').removeHeader('X-A');
      },
      200,
      'OK',
      [
        ['Set-Cookie', 'a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT'],
        ['Set-Cookie', 'b=2'],
      ],
    ],
    [
      'statusCode and statusMessage',
      (res) => {
        res.statusCode = 299;
        res.statusMessage = 'Quite so';
      },
      299,
      'Quite so',
      [],
    ],
    [
      'a statusMessage that ends in the byte A0, which is no blank',
      (res) => {
        res.statusMessage = 'voil\xc3\xa0';
      },
      200,
      'voil\xc3\xa0',
      [],
    ],
    ['Latin-1 in a value', (res) => void res.setHeader('x-a', 'é\xff'), 200, 'OK', [['x-a', 'é\xff']]],
    [
      'cookies as one Cookie header',
      (res) => void res.setHeader('Cookie', ['a', 'b']),
      200,
      'OK',
      [['Cookie', 'a; b']],
    ],
  ])('from %s', async (_kind, answer, status, message, lines) => {
    const response = await ask(way, (res) => {
      answer(res, res.req);
      // A byte array: with a text Node would write head and text as UTF-8.
      res.end(Buffer.from('x'));
    });
    expect([response.status, response.message]).toEqual([status, message]);
    expect(response.lines.filter(([name]) => !/^content-length$/i.test(name))).toEqual(lines);
    expect(response.body.toString()).toBe('x');
  });

  test('has the length that Node adds, and none where Node adds none', async () => {
    const length = async (answer: Answer, method = 'GET') =>
      (await ask(way, answer, { method })).lines.find(([name]) => /^content-length$/i.test(name))?.[1];
    expect(await length((res) => res.end('Grüße'))).toBe('7');
    expect(await length((res) => res.end('fc', 'hex'))).toBe('1');
    expect(await length((res) => res.end())).toBe('0');
    expect(await length((res) => res.end(), 'HEAD')).toBeUndefined();
    expect(await length((res) => res.writeHead(200).end('x'))).toBeUndefined();
    expect(await length((res) => res.write('x') && res.end())).toBeUndefined();
    expect(await length((res) => res.writeHead(204).end())).toBeUndefined();
    expect(await length((res) => res.writeHead(200, { 'content-length': 5 }).end(), 'HEAD')).toBe('5');
    const removed: Answer = (res) => {
      res.removeHeader('content-length');
      res.end('x');
    };
    expect(await length(removed)).toBeUndefined();
  });

  test('lets a listener know that it is sent', async () => {
    const seen: unknown[] = [];
    await ask(way, (res) => {
      const note = () => seen.push(res.headersSent, res.writableEnded, res.finished);
      note();
      res.writeHead(200, { a: 'b' });
      note();
      expect(() => res.setHeader('late', '1')).toThrow(/ERR_HTTP_HEADERS_SENT|after they are sent/);
      expect(() => res.writeHead(201)).toThrow(/ERR_HTTP_HEADERS_SENT|after they are sent/);
      res.end();
      note();
    });
    expect(seen).toEqual([false, false, false, true, false, false, true, true, true]);
  });

  test('leaves out informational responses, and hands on early hints', async () => {
    const calls: string[] = [];
    const response = await ask(way, (res) => {
      res.writeProcessing();
      res.writeEarlyHints({ link: ['</a.css>; rel=preload', '</b.js>; rel=preload'], 'x-trace': '1' }, () =>
        calls.push('hints'),
      );
      res.writeContinue(() => calls.push('continue'));
      res.writeHead(200, { 'x-a': '1' });
      res.end('final');
    });
    expect(response.status).toBe(200);
    expect(response.body.toString()).toBe('final');
    expect(response.hints.at(way.name === 'behindMiddleware' ? 0 : 1)).toMatchObject({
      link: '</a.css>; rel=preload, </b.js>; rel=preload',
      'x-trace': '1',
    });
    expect(calls).toEqual(['hints', 'continue']);
  });
});

describe.each(WAYS)('the body of a response, %s', (_name, way) => {
  async function body(answer: NodeAppListener, init?: RequestInit): Promise<Buffer> {
    let bytes = Buffer.alloc(0);
    await way(answer, async (call) => {
      bytes = Buffer.from(await (await call('/', init)).arrayBuffer());
    });
    return bytes;
  }

  test.each<[string, NodeAppListener, string | Buffer]>([
    ['UTF-8 by default', (_req, res) => res.end('Grüße'), 'Grüße'],
    ['Latin-1', (_req, res) => res.end('é', 'latin1'), Buffer.from([0xe9])],
    ['base64', (_req, res) => res.write('AAH/', 'base64') && res.end('/w==', 'base64'), Buffer.from([0, 1, 255, 255])],
    ['UTF-16', (_req, res) => res.end('hé', 'utf16le'), Buffer.from('hé', 'utf16le')],
    ['a Uint8Array', (_req, res) => res.end(new Uint8Array([1, 2])), Buffer.from([1, 2])],
    [
      'chunks of every kind',
      (_req, res) => {
        res.write('a');
        res.write('Yg==', 'base64', () => {});
        res.write(Buffer.from('c'), () => {});
        res.write('');
        res.end('d', () => {});
      },
      'abcd',
    ],
    [
      'corked chunks',
      (_req, res) => {
        res.cork();
        res.write('a');
        res.write('b');
        setTimeout(() => {
          res.uncork();
          res.end('c');
        }, 5);
      },
      'abc',
    ],
    ['a pipe', (_req, res) => void Readable.from(['a', 'b', Buffer.from('c')]).pipe(res), 'abc'],
    ['a pipeline', (_req, res) => pipeline(Readable.from(['a', 'b']), res), 'ab'],
    ['nothing', (_req, res) => res.end(), ''],
    ['a function as only argument of end', (_req, res) => res.end(() => {}), ''],
    [
      'chunks over time',
      async (_req, res) => {
        for (const text of ['a', 'b', 'c']) {
          res.write(text);
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        res.end();
      },
      'abc',
    ],
    [
      'an exact length',
      (_req, res) => {
        res.setHeader('Content-Length', 3);
        res.write('ab');
        setTimeout(() => res.end('c'), 2);
      },
      'abc',
    ],
    [
      'all of it right after a flushed head',
      (_req, res) => {
        res.writeHead(200, { 'content-length': 3 }).flushHeaders();
        res.end('abc');
      },
      'abc',
    ],
    [
      'its own chunked coding declared',
      (_req, res) => {
        res.setHeader('Transfer-Encoding', 'chunked');
        res.write('5\r\n');
        res.end('abc');
      },
      '5\r\nabc',
    ],
    [
      'trailers, which have no way',
      (_req, res) => {
        res.setHeader('Trailer', 'x-sum');
        res.write('abc');
        res.addTrailers({ 'x-sum': '1' });
        res.end();
      },
      'abc',
    ],
  ])('is %s', async (_kind, answer, expected) => {
    expect((await body(answer)).equals(Buffer.from(expected as string))).toBe(true);
  });

  test('comes after a head that was flushed, though there is nothing of it yet', async () => {
    let go: (() => void) | undefined;
    const listener: NodeAppListener = (_req, res) => {
      res.setHeader('x-a', '1');
      res.flushHeaders();
      go = () => res.end('at last');
    };
    await way(listener, async (call) => {
      const response = await call('/');
      expect([response.status, response.headers.get('x-a')]).toEqual([200, '1']);
      go?.();
      expect(await response.text()).toBe('at last');
    });
  });

  test('stays away after HEAD and with 204 and 304, and the listener hears the end of it', async () => {
    let finished = 0;
    const listener: NodeAppListener = (req, res) => {
      res.on('finish', () => finished++);
      res.statusCode = Number(req.url?.slice(1));
      res.setHeader('x-a', '1');
      res.write('dropped');
      setTimeout(() => res.end('dropped too'), 2);
    };
    await way(listener, async (call) => {
      for (const [path, method] of [
        ['/200', 'HEAD'],
        ['/204', 'GET'],
        ['/304', 'GET'],
      ] as const) {
        const response = await call(path, { method });
        expect(response.status).toBe(Number(path.slice(1)));
        expect(response.headers.get('x-a')).toBe('1');
        expect(await response.text()).toBe('');
      }
      await until(() => finished === 3);
    });
  });

  test('calls back and emits in Node’s order', async () => {
    const events = async (served: Way): Promise<string[]> => {
      const order: string[] = [];
      await served(
        (_req, res) => {
          res.on('prefinish', () => order.push('prefinish'));
          res.on('finish', () => order.push(`finish ${res.writableFinished} ${res.destroyed}`));
          res.on('close', () => order.push(`close ${res.destroyed} ${res.closed}`));
          res.write('a', () => order.push('write'));
          res.end('b', () => order.push('end'));
          order.push('returned');
        },
        async (call) => {
          await (await call('/')).text();
          await until(() => order.length === 6);
        },
      );
      return order;
    };
    // Node 24 has changed it.
    expect(await events(way)).toEqual(await events(byNode));
  });

  test('after its end takes nothing more, and says so', async () => {
    const seen: unknown[] = [];
    const listener: NodeAppListener = (_req, res) => {
      res.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code));
      res.end('all');
      res.write('more', (error: NodeJS.ErrnoException) => seen.push(`write ${error.code}`));
      res.end();
      res.end('again', (error: NodeJS.ErrnoException) => seen.push(`end ${error?.code}`));
    };
    expect((await body(listener)).toString()).toBe('all');
    await until(() => seen.length >= 4);
    expect(seen).toEqual([
      'write ERR_STREAM_WRITE_AFTER_END',
      'ERR_STREAM_WRITE_AFTER_END',
      'end ERR_STREAM_WRITE_AFTER_END',
      'ERR_STREAM_WRITE_AFTER_END',
    ]);
  });

  test('refuses a value that is not a chunk where it is given', async () => {
    const seen: string[] = [];
    const listener: NodeAppListener = (_req, res) => {
      for (const chunk of [1, {}, null]) {
        try {
          res.write(chunk as never);
        } catch (error) {
          seen.push((error as NodeJS.ErrnoException).code ?? '');
        }
      }
      res.end('x');
    };
    expect((await body(listener)).toString()).toBe('x');
    expect(seen).toEqual(['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_TYPE', 'ERR_STREAM_NULL_VALUES']);
  });
});

async function until(done: () => boolean): Promise<void> {
  for (let tries = 0; !done() && tries < 500; tries++) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(done()).toBe(true);
}

describe('what the gateway gets', () => {
  async function headers(answer: Answer): Promise<HeaderList> {
    const response = await run(
      fromNode((req, res) => answer(res, req)),
      setupTestingDefaults({}),
    );
    return response.headers;
  }

  test('no header of the connection, however it was set, and no date of Node’s', async () => {
    const hop = {
      Connection: 'close, X-Private',
      'Keep-Alive': 'timeout=5',
      Upgrade: 'h2c',
      'Transfer-Encoding': 'chunked',
    };
    expect(await headers((res) => res.writeHead(200, { ...hop, 'X-Private': '1', 'X-A': '1' }).end('x'))).toEqual([
      ['X-A', '1'],
    ]);
    expect(
      await headers((res) => {
        for (const [name, value] of Object.entries(hop)) res.setHeader(name, value);
        res.setHeader('Status', '200 OK');
        res.setHeader('Date', 'Thu, 01 Jan 1970 00:00:00 GMT');
        res.end('x');
      }),
    ).toEqual([['Date', 'Thu, 01 Jan 1970 00:00:00 GMT']]);
  });

  test('the whole body at once, where the listener answered at once', async () => {
    const response = run(
      fromNode((_req, res) => {
        res.write('a');
        res.end('b');
      }),
      setupTestingDefaults({}),
    );
    expect(response).not.toBeInstanceOf(Promise);
    const whole = run(
      fromNode((_req, res) => res.end('ab')),
      setupTestingDefaults({}),
    );
    expect(whole).toMatchObject({ headers: [['Content-Length', '2']], body: [Buffer.from('ab')] });
  });

  test('a reason without what a status line cannot hold', async () => {
    const response = await run(
      fromNode((_req, res) => res.writeHead(200, ' a\tb ').end()),
      setupTestingDefaults({}),
    );
    expect(response.status).toBe('200 a b');
  });

  test('one chunk at a time, at its own pace', async () => {
    const written: string[] = [];
    const response = await run(
      fromNode(async (_req, res) => {
        for (const name of ['1', '2', '3']) {
          const more = res.write(Buffer.alloc(80_000));
          written.push(`${name} ${more}`);
          if (!more) await new Promise((resolve) => res.once('drain', resolve));
        }
        res.end();
      }),
      setupTestingDefaults({}),
    );
    if (Array.isArray(response.body)) throw new Error('The body is whole.');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(written).toEqual(['1 false']);
    expect((await response.body.next())?.byteLength).toBe(80_000);
    expect(written).toEqual(['1 false']);
    expect((await response.body.next())?.byteLength).toBe(80_000);
    expect(written).toEqual(['1 false', '2 false']);
    expect((await response.body.next())?.byteLength).toBe(80_000);
    expect(await response.body.next()).toBeNull();
    await response.body.close();
  });
});
