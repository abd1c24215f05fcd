// toNode behind middlewares that look at a response as it goes, or change it: loggers, live reload, cookies.

import connectLivereload from 'connect-livereload';
import morgan from 'morgan';
import onFinished from 'on-finished';
import onHeaders from 'on-headers';
import { pinoHttp } from 'pino-http';
import { describe, expect, it, vi } from 'vitest';
import { type Application, encode } from 'waygate';
import { behind, type NodeMiddleware, serving } from './serving.ts';

const HTML: [string, string][] = [['Content-Type', 'text/html; charset=utf-8']];

const html =
  (page: string): Application =>
  (_environ, startResponse) => {
    const bytes = encode(page);
    startResponse('200 OK', [...HTML, ['Content-Length', String(bytes.byteLength)]]);
    return [bytes];
  };

describe('behind connect-livereload', () => {
  it.each([
    ['a short page', 'ü'],
    ['a page of 20 KB', '<p>ü and more</p>\n'.repeat(1200)],
  ])('%s gets its script and the right length', async (_what, text) => {
    const page = `<!DOCTYPE html><html><body>${text}</body></html>`;
    await behind([connectLivereload({ port: 35729 }) as NodeMiddleware], html(page), async ({ ask }) => {
      const { body, headers } = await ask({ headers: { Accept: 'text/html' } });
      expect(body.toString().replace(/<script.*<\/script>/, '')).toBe(page);
      expect(body.toString()).toContain('livereload.js');
      if (headers['content-length'] !== undefined) expect(headers['content-length']).toBe(String(body.byteLength));
    });
  });
});

describe('behind pino-http', () => {
  it('logs the status and the headers of the response', async () => {
    const lines: string[] = [];
    const logger = pinoHttp({}, { write: (line: string) => void lines.push(line) });
    const app: Application = (_environ, startResponse) => {
      startResponse('418 Teapot', [...HTML, ['X-Thing', 'one'], ['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2']]);
      return [encode('short')];
    };
    await behind([logger as unknown as NodeMiddleware], app, async ({ ask }) => {
      expect((await ask()).headers['set-cookie']).toEqual(['a=1', 'b=2']);
      await vi.waitFor(() => expect(lines).toHaveLength(1));
      const { res } = JSON.parse(lines[0] as string);
      expect(res.statusCode).toBe(418);
      expect(res.headers).toMatchObject({ 'x-thing': 'one', 'set-cookie': ['a=1', 'b=2'] });
    });
  });
});

describe('behind morgan', () => {
  it('logs status, length and headers', async () => {
    const lines: string[] = [];
    const logger = morgan(':status :res[content-length] :res[x-thing]', {
      stream: { write: (line) => lines.push(line) },
    });
    const app: Application = (_environ, startResponse) => {
      startResponse('202 Fine', [['X-Thing', 'one']]);
      return [encode('12345')];
    };
    await behind([logger as NodeMiddleware], app, async ({ ask }) => {
      await ask();
      await vi.waitFor(() => expect(lines).toEqual(['202 5 one\n']));
    });
  });
});

describe('on-headers', () => {
  it('sees the status and the headers, and may change both', async () => {
    let seen: unknown;
    const changing: NodeMiddleware = (_request, response, next) => {
      onHeaders(response, () => {
        seen = [response.statusCode, response.getHeader('x-thing'), response.getHeader('set-cookie')];
        response.setHeader('X-Added', 'yes');
        response.setHeader('Set-Cookie', [...(response.getHeader('set-cookie') as string[]), 'c=3']);
        response.removeHeader('X-Thing');
        response.statusCode = 203;
      });
      next();
    };
    const app: Application = (_environ, startResponse) => {
      startResponse('200 OK', [
        ['X-Thing', 'one'],
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
      ]);
      return [encode('text')];
    };
    await behind([changing], app, async ({ ask }) => {
      const { status, headers } = await ask();
      expect(seen).toEqual([200, 'one', ['a=1', 'b=2']]);
      expect([status, headers['x-added'], headers['x-thing']]).toEqual([203, 'yes', undefined]);
      expect(headers['set-cookie']).toEqual(['a=1', 'b=2', 'c=3']);
    });
  });
});

describe('on-finished', () => {
  it('hears of the end of the request and of the response', async () => {
    const ends: string[] = [];
    const listening: NodeMiddleware = (request, response, next) => {
      onFinished(request, () => ends.push('request'));
      onFinished(response, () => ends.push('response'));
      next();
    };
    await behind([listening], html('<p>'), async ({ ask }) => {
      await ask({ method: 'POST' }, 'unread');
      await vi.waitFor(() => expect(ends.sort()).toEqual(['request', 'response']));
    });
  });
});

describe('a response whose methods somebody has replaced', () => {
  const streaming: Application = (_environ, startResponse) => {
    startResponse('200 OK', [['X-Thing', 'one']]);
    return (async function* () {
      for (let at = 0; at < 50; at++) yield encode('a line\n');
    })();
  };

  it.each([undefined, 0, null, Promise.resolve()])('is not waited for when write gives %s', async (given) => {
    const silencing: NodeMiddleware = (_request, response, next) => {
      const { write } = response;
      response.write = ((...args: Parameters<typeof write>) => {
        write.apply(response, args);
        return given;
      }) as unknown as typeof write;
      next();
    };
    await behind([silencing], streaming, async ({ ask }) => {
      expect((await ask()).body.toString()).toBe('a line\n'.repeat(50));
    });
  });

  it('is waited for all the same when write gives nothing and the client does not read', async () => {
    let made = 0;
    const app: Application = (_environ, startResponse) => {
      startResponse('200 OK', []);
      return (function* () {
        for (; made < 5000; made++) yield new Uint8Array(16_384).fill(97);
      })();
    };
    const silencing: NodeMiddleware = (_request, response, next) => {
      const { write } = response;
      response.write = ((chunk: Uint8Array) => void write.call(response, chunk, 'utf8')) as unknown as typeof write;
      next();
    };
    const { default: http } = await import('node:http');
    await behind([silencing], app, async ({ port }) => {
      const response = await new Promise<import('node:http').IncomingMessage>((resolve) =>
        http.get({ port, host: '127.0.0.1', agent: false }, resolve),
      );
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(made).toBeLessThan(5000);
      response.destroy();
    });
  });

  it.each(['write', 'end'] as const)('gets Buffers in %s', async (method) => {
    const kinds: unknown[] = [];
    const looking: NodeMiddleware = (_request, response, next) => {
      const real = response[method] as (...args: unknown[]) => boolean;
      response[method] = ((...args: unknown[]) => {
        const [chunk] = args;
        if (chunk !== undefined && chunk !== null) kinds.push(Buffer.isBuffer(chunk) ? 'Buffer' : typeof chunk);
        return real.apply(response, args);
      }) as never;
      next();
    };
    const app =
      (...sizes: number[]): Application =>
      (_environ, startResponse) => {
        startResponse('200 OK', []);
        return sizes.map((size) => new Uint8Array(size).fill(97));
      };
    for (const sizes of [[5], [20_000], [5, 20_000, 5]]) {
      await behind([looking], app(...sizes), async ({ ask }) => {
        expect((await ask()).body.byteLength).toBe(sizes.reduce((sum, each) => sum + each, 0));
      });
    }
    expect(new Set(kinds)).toEqual(new Set(['Buffer']));
  });

  it.each(['setHeader', 'appendHeader', 'flushHeaders', 'writeHead'] as const)(
    'gets its head through documented forms where %s is replaced',
    async (method) => {
      const given: unknown[][] = [];
      const looking: NodeMiddleware = (_request, response, next) => {
        const real = response[method] as (...args: unknown[]) => unknown;
        response[method] = ((...args: unknown[]) => {
          given.push(args);
          return real.apply(response, args);
        }) as never;
        next();
      };
      const app: Application = (_environ, startResponse) => {
        startResponse('200 Fine', [
          ['X-Thing', 'one'],
          ['X-Thing', 'two'],
        ]);
        return [encode('text')];
      };
      await behind([looking], app, async ({ ask }) => {
        const received = await ask();
        expect([received.message, received.headers['x-thing']]).toEqual(['Fine', 'one, two']);
      });
      // Two values of one header are a list; a head is none.
      if (method === 'writeHead') for (const each of given.flat()) expect(each).not.toBeInstanceOf(Array);
    },
  );

  it('keeps an empty reason', async () => {
    const wrapping: NodeMiddleware = (_request, response, next) => {
      const { end } = response;
      response.end = ((...args: Parameters<typeof end>) => end.apply(response, args)) as typeof end;
      next();
    };
    const app: Application = (_environ, startResponse) => {
      startResponse('200 ', []);
      return [encode('text')];
    };
    await behind([wrapping], app, async ({ ask }) => expect((await ask()).message).toBe(''));
  });
});

describe('headers that were set before', () => {
  it('cookies and Vary add up; of any other header the application’s own value goes out', async () => {
    const before: NodeMiddleware = (_request, response, next) => {
      response.setHeader('Set-Cookie', ['theirs=1', 'more=2']);
      response.setHeader('vary', 'Origin');
      response.setHeader('X-Thing', 'theirs');
      next();
    };
    const app: Application = (_environ, startResponse) => {
      startResponse('200 OK', [
        ['Set-Cookie', 'mine=1'],
        ['Vary', 'Accept'],
        ['X-Thing', 'mine'],
      ]);
      return [encode('text')];
    };
    await behind([before], app, async ({ ask }) => {
      const { headers } = await ask();
      expect(headers['set-cookie']).toEqual(['theirs=1', 'more=2', 'mine=1']);
      expect(headers.vary?.split(/, */).sort()).toEqual(['Accept', 'Origin']);
      expect(headers['x-thing']).toBe('mine');
    });
  });

  it('one cookie, set by Express', async () => {
    const { default: express } = await import('express');
    const { toNode } = await import('waygate/node');
    const outer = express();
    outer.use((_request, response, next) => {
      response.cookie('theirs', '1');
      next();
    });
    outer.use(
      toNode((_environ, startResponse) => {
        startResponse('200 OK', [['Set-Cookie', 'mine=1']]);
        return [encode('text')];
      }) as never,
    );
    await serving(outer, async ({ ask }) => {
      expect((await ask()).headers['set-cookie']).toEqual(['theirs=1; Path=/', 'mine=1']);
    });
  });
});
