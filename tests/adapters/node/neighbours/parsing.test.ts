// Body parsers beside toNode: in front of it, where they read the body first, and inside a hosted listener.

import type { IncomingMessage, ServerResponse } from 'node:http';
import zlib from 'node:zlib';
import bodyParser from 'body-parser';
import express, { type Request } from 'express';
import { describe, expect, it } from 'vitest';
import { type Application, encode } from 'waygate';
import { fromNode, toNode } from 'waygate/node';
import { serving } from './serving.ts';

const echoing: Application = async (environ, startResponse) => {
  const text = await environ['wsgi.input'].text().catch((error) => `${error.name}: ${error.message}`);
  startResponse('200 OK', []);
  return [encode(text)];
};

const json = (more: object = {}) => ({ method: 'POST', headers: { 'Content-Type': 'application/json', ...more } });
const chunked = json({ 'Transfer-Encoding': 'chunked' });
const keeping = {
  verify: (request: object, _response: unknown, buffer: Buffer) => void Object.assign(request, { rawBody: buffer }),
};

const PARSERS: [name: string, parser: (options?: object) => express.RequestHandler][] = [
  ['express.json()', (options) => express.json(options)],
  ['body-parser', (options) => bodyParser.json(options) as express.RequestHandler],
];

describe('behind request.setEncoding()', () => {
  const bytes = Buffer.from('h\u00e9y'.repeat(30_000));
  const reading =
    (encoding: BufferEncoding) =>
    (request: IncomingMessage, response: ServerResponse): void => {
      request.setEncoding(encoding);
      toNode(echoing)(request, response);
    };

  it.each(['utf8', 'hex', 'base64', 'latin1'] as const)('%s: the body is what was sent', async (encoding) => {
    await serving(reading(encoding), async ({ ask }) => {
      for (const headers of [{ 'Transfer-Encoding': 'chunked' }, { 'Content-Length': String(bytes.byteLength) }]) {
        const { body } = await ask({ method: 'POST', headers }, bytes);
        expect(body.equals(bytes), JSON.stringify(headers)).toBe(true);
      }
    });
  });

  it('bytes that the text has lost are an error that says so', async () => {
    await serving(reading('utf8'), async ({ ask }) => {
      const chunked = { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } };
      const { body } = await ask(chunked, Buffer.from([0x68, 0xff, 0x68]));
      expect(body.toString()).toMatch(/^Error: .*request\.setEncoding\("utf8"\)/);
    });
  });
});

describe.each(PARSERS)('behind %s', (_name, parser) => {
  it('a body that was read is an error that says so, never an empty body', async () => {
    await serving(express().use(parser(), toNode(echoing) as never), async ({ ask }) => {
      for (const options of [json(), chunked]) {
        expect((await ask(options, '{"a":1}')).body.toString()).toMatch(/^Error: The request body was read before/);
      }
    });
  });

  it('a body that the parser keeps in rawBody is the body', async () => {
    await serving(express().use(parser(keeping), toNode(echoing) as never), async ({ ask }) => {
      for (const options of [json(), chunked]) {
        expect((await ask(options, '{"a": "ü"}')).body.toString()).toBe('{"a": "ü"}');
      }
    });
  });

  it('a body that the parser has decoded is not taken for the one that was sent', async () => {
    await serving(express().use(parser(keeping), toNode(echoing) as never), async ({ ask }) => {
      for (const options of [
        json({ 'Content-Encoding': 'gzip' }),
        { ...chunked, headers: { ...chunked.headers, 'Content-Encoding': 'gzip' } },
      ]) {
        expect((await ask(options, zlib.gzipSync('{"a":1}'))).body.toString()).toMatch(
          /^Error: The request body was read/,
        );
      }
    });
  });

  it('what the parser leaves alone is the application’s', async () => {
    await serving(express().use(parser(), toNode(echoing) as never), async ({ ask }) => {
      expect((await ask({ method: 'POST' }, 'plain')).body.toString()).toBe('plain');
      expect((await ask({ method: 'GET' })).body.toString()).toBe('');
    });
  });

  it('the parser of a hosted listener finds what one in front has left', async () => {
    const inner = express()
      .use(parser())
      .use((request: Request, response) => void response.json(request.body));
    for (const front of [parser(), parser(keeping)]) {
      await serving(express().use(front, toNode(fromNode(inner)) as never), async ({ ask }) => {
        expect(JSON.parse((await ask(json(), '{"a":1}')).body.toString())).toEqual({ a: 1 });
      });
    }
  });
});

describe('behind a listener that takes the beginning', () => {
  const taking: express.RequestHandler = (request, _response, next) => {
    request.on('data', () => {});
    setTimeout(next, 50);
  };
  const log: string[] = [];
  const failing: Application = async (environ, startResponse) => {
    startResponse('200 OK', []);
    return [await environ['wsgi.input'].read()];
  };

  it.each([
    ['with a length', json()],
    ['in chunks', chunked],
  ])('a body %s is a logged error, never its end alone', async (_what, options) => {
    log.length = 0;
    const app = toNode(failing, { errors: (line) => void log.push(line) });
    await serving(express().use(taking, app as never), async ({ port }) => {
      const http = await import('node:http');
      const status = await new Promise((resolve, reject) => {
        const headers = options === chunked ? chunked.headers : { ...options.headers, 'Content-Length': '10' };
        const sent = http.request({ port, host: '127.0.0.1', agent: false, method: 'POST', headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sent.on('error', reject);
        sent.write('hello');
        setTimeout(() => sent.end('world'), 150);
      });
      expect(status).toBe(500);
      expect(log.join('')).toContain('The request body was read before the application saw the request');
    });
  });

  it('a beginning that was put back is there', async () => {
    const peeking: express.RequestHandler = (request, _response, next) => {
      request.once('readable', () => {
        const first = request.read() as Buffer | null;
        if (first !== null) request.unshift(first);
        next();
      });
    };
    await serving(express().use(peeking, toNode(echoing) as never), async ({ ask }) => {
      expect((await ask(json({ 'Content-Length': '5' }), 'hello')).body.toString()).toBe('hello');
    });
  });
});
