// fromLambda: the events it makes against events that AWS sent, how it calls handlers, and what it makes of bad results.

import type { Context } from 'aws-lambda';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Application, setupTestingDefaults } from 'waygate';
import {
  awslambda,
  type FromLambdaOptions,
  fromLambda,
  lambdaEvent,
  type SourceName,
  toLambda,
} from 'waygate/aws-lambda';
import { toFetch } from 'waygate/fetch';
import { readEvent } from './cases.ts';

const SOURCES: SourceName[] = ['rest-api', 'http-api', 'function-url', 'alb', 'lattice', 'lattice-v1', 'edge'];

// biome-ignore lint/suspicious/noExplicitAny: handlers of every kind.
type Handler = (event: any, ...rest: any[]) => unknown;

function serve(handler: Handler, options: FromLambdaOptions, log: string[] = []) {
  return toFetch(fromLambda(handler, options), { errors: (text) => log.push(text) });
}

/** The event that a handler gets. */
async function eventOf(options: FromLambdaOptions, path: string, init?: RequestInit) {
  const handler = vi.fn((_event, _context, callback) => callback(null, { statusCode: 200, status: '200' }));
  await serve(handler, options)(path, init);
  return handler.mock.calls[0]?.[0];
}

/** The shape of JSON: its members and the types of what is in them, lists and maps of names left aside. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return 'a list';
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, /headers|parameters|identity/i.test(key) ? 'any' : shape(each)]),
  );
}

describe('events have the shape of those that AWS sends', () => {
  const post = { method: 'POST', headers: { 'content-type': 'application/json', cookie: 'a=1; b=2' }, body: '{"a":1}' };

  it('REST API', async () => {
    const event = await eventOf({ source: 'rest-api', stage: 'prod' }, '/users', { ...post, headers: {} });
    expect(shape({ ...event, body: null })).toEqual(
      shape({ ...readEvent('events/apigw-v1-multi-value.json'), pathParameters: {}, body: null }),
    );
  });

  it('HTTP API', async () => {
    const sample = readEvent('events/apigw-v2-base64-body.json');
    const event = await eventOf({ source: 'http-api' }, '/img', { method: 'POST', body: new Uint8Array([1]) });
    expect(shape(event)).toEqual(shape(sample));
  });

  it('function URL', async () => {
    const sample = readEvent('events/function-url-go-cookies-twice.json');
    const event = await eventOf({ source: 'function-url' }, '/hello?hello=world&foo=bar', post);
    expect(Object.keys(event).sort()).toEqual(
      Object.keys(sample)
        .filter((key) => sample[key] !== null)
        .sort(),
    );
    expect(event.cookies).toEqual(['a=1', 'b=2']);
    expect(event.headers.cookie).toBe('a=1; b=2');
  });

  it('Application Load Balancer, in both modes', async () => {
    expect(shape(await eventOf({ source: 'alb' }, '/?key=hello'))).toEqual(
      shape(readEvent('events/alb-go-headers-only.json')),
    );
    expect(shape(await eventOf({ source: 'alb', multiValueHeaders: true }, '/?key=hello'))).toEqual(
      shape(readEvent('events/alb-multi-go.json')),
    );
  });

  it('VPC Lattice, in both versions', async () => {
    const v2 = await eventOf({ source: 'lattice' }, '/?query1=value1&query2=value2&query1=again');
    expect(shape(v2)).toEqual(shape(readEvent('events/lattice-v2-docs.json')));
    expect(v2.queryStringParameters).toEqual({ query1: ['value1', 'again'], query2: ['value2'] });
    const v1 = await eventOf({ source: 'lattice-v1' }, '/upload', { method: 'PUT', body: new Uint8Array([0xff]) });
    expect(shape(v1)).toEqual(shape(readEvent('events/lattice-v1-base64.json')));
  });

  it('Lambda@Edge', async () => {
    const sample = readEvent('events/edge-viewer-request-post-base64.json').Records[0].cf;
    const event = await eventOf({ source: 'edge', eventType: 'viewer-request' }, '/form', post);
    expect(shape(event.Records[0].cf)).toEqual(shape(sample));
  });
});

describe('what each event source does to a request', () => {
  it('decodes, joins and gathers as AWS does', async () => {
    const path = '/a%20b?x=1&x=%C3%A9&y';
    const rest = await eventOf({ source: 'rest-api' }, path);
    expect([rest.path, rest.pathParameters]).toEqual(['/a%20b', { proxy: 'a%20b' }]);
    expect(rest.multiValueQueryStringParameters).toEqual({ x: ['1', 'é'], y: [''] });
    expect(rest.queryStringParameters).toEqual({ x: 'é', y: '' });
    const http = await eventOf({ source: 'http-api' }, path);
    expect([http.rawPath, http.requestContext.http.path]).toEqual(['/a b', '/a b']);
    expect([http.rawQueryString, http.queryStringParameters]).toEqual(['x=1&x=%C3%A9&y', { x: '1,é', y: '' }]);
    const url = await eventOf({ source: 'function-url' }, path);
    expect([url.rawPath, url.requestContext.http.path]).toEqual(['/a%20b', '/a b']);
    const alb = await eventOf({ source: 'alb' }, path);
    expect([alb.path, alb.queryStringParameters]).toEqual(['/a%20b', { x: '%C3%A9', y: '' }]);
    const edge = (await eventOf({ source: 'edge' }, path)).Records[0].cf.request;
    expect([edge.uri, edge.querystring]).toEqual(['/a%20b', 'x=1&x=%C3%A9&y']);
  });

  it('cookies of an HTTP API are in the list only; a GET has a length', async () => {
    const event = await eventOf({ source: 'http-api' }, '/', { headers: { cookie: 'a=1; b=2' } });
    expect(event.cookies).toEqual(['a=1', 'b=2']);
    expect(event.headers.cookie).toBeUndefined();
    expect(event.headers['content-length']).toBe('0');
  });

  it.each([
    ['/space%20value', '/space value'],
    ['/question%3Fvalue', '/question'],
    ['/hash%23value', '/hash#value'],
    ['/slash%2Fvalue', '/slash/value'],
    ['/%CE%BB', '/\u03bb'],
    ['/literal%252Fvalue', '/literal/value'],
    ['/literal%253Fvalue', '/literal?value'],
    ['/literal%2525value', '/literal%value'],
  ])('an HTTP API decodes %s to %s, as live ones do', async (sent, rawPath) => {
    expect((await eventOf({ source: 'http-api' }, sent)).rawPath).toBe(rawPath);
  });

  it.each<[SourceName, string, boolean]>([
    ['http-api', 'application/json', false],
    ['http-api', 'text/csv; charset=utf-8', false],
    ['http-api', 'application/x-www-form-urlencoded', true],
    ['http-api', 'image/png', true],
    ['function-url', 'application/json', false],
    ['alb', 'application/javascript', false],
    ['alb', 'application/x-www-form-urlencoded', true],
    ['rest-api', 'application/json', true],
  ])('%s has a body of type %s in base64: %s', async (source, type, base64) => {
    const event = await eventOf({ source }, '/', { method: 'POST', headers: { 'content-type': type }, body: 'a=1' });
    expect([event.isBase64Encoded, event.body]).toEqual([base64, base64 ? 'YT0x' : 'a=1']);
  });

  it('binaryMediaTypes of a REST API decide by Content-Type on the way in and by Accept on the way out', async () => {
    const options: FromLambdaOptions = { source: 'rest-api', binaryMediaTypes: ['image/*'] };
    const send = (type: string) =>
      eventOf(options, '/', { method: 'POST', headers: { 'content-type': type }, body: 'x' });
    expect((await send('image/png')).isBase64Encoded).toBe(true);
    expect((await send('application/json')).isBase64Encoded).toBe(false);
    const handler = async () => ({ statusCode: 200, body: 'AP8=', isBase64Encoded: true });
    const get = async (accept: string) => (await serve(handler, options)('/', { headers: { accept } })).arrayBuffer();
    expect(Buffer.from(await get('image/webp,*/*'))).toEqual(Buffer.from([0, 255]));
    expect(Buffer.from(await get('text/html')).toString()).toBe('AP8=');
  });

  it('a client cannot claim where it comes from', async () => {
    const headers = { 'x-forwarded-for': '6.6.6.6', 'x-forwarded-proto': 'gopher', 'x-forwarded-port': '1' };
    for (const source of ['rest-api', 'http-api', 'function-url', 'alb'] as const) {
      const seen: unknown[] = [];
      const app: Application = (environ, startResponse) => {
        seen.push(environ.REMOTE_ADDR, environ['wsgi.url_scheme'], environ.SERVER_PORT, environ.HTTP_X_FORWARDED_FOR);
        startResponse('200 OK', []);
        return [];
      };
      await serve(toLambda(app), { source })('/', { headers });
      expect(seen).toEqual(['127.0.0.1', 'http', '80', '6.6.6.6, 127.0.0.1']);
    }
  });

  it('payload 1.0 of an HTTP API is that of a REST API in form, with the path of an HTTP API', async () => {
    const emulated = { source: 'http-api', payloadFormatVersion: '1.0' } as const;
    const init = {
      method: 'POST',
      headers: { 'content-type': 'text/plain', cookie: 'a=1; b=2', 'x-tag': 'c' },
      body: 'caf\u00e9',
    };
    const event = await eventOf({ ...emulated, stage: 'prod' }, '/caf%C3%A9%2Fx?q=1&q=2', init);
    expect(event).toMatchObject({
      version: '1.0',
      resource: '$default',
      path: '/prod/caf%C3%A9%2Fx',
      httpMethod: 'POST',
      headers: { Cookie: 'a=1; b=2', 'X-Tag': 'c' },
      multiValueHeaders: { Cookie: ['a=1; b=2'] },
      queryStringParameters: { q: '2' },
      multiValueQueryStringParameters: { q: ['1', '2'] },
      pathParameters: null,
      requestContext: { path: '/prod/caf\u00e9/x', stage: 'prod', resourceId: null, httpMethod: 'POST' },
      body: 'caf\u00e9',
      isBase64Encoded: false,
    });
    expect(event.cookies).toBeUndefined();
    const sample = readEvent('events/apigw-v1-httpapi10-named-stage.json').requestContext;
    expect(shape(event.requestContext)).toEqual(shape(sample));
    expect(await eventOf(emulated, '/')).toMatchObject({
      path: '/',
      requestContext: { stage: '$default' },
      headers: { 'Content-Length': '0' },
      queryStringParameters: null,
      body: null,
    });
    const answer = async (result: unknown) => {
      const response = await serve(async () => result, emulated)('/');
      return [response.status, response.headers.getSetCookie(), await response.text()];
    };
    const multiValueHeaders = { 'Set-Cookie': ['a=1', 'b=2'] };
    expect(await answer({ statusCode: 201, multiValueHeaders, body: 'b2s=', isBase64Encoded: true, more: 1 })).toEqual([
      201,
      ['a=1', 'b=2'],
      'ok',
    ]);
    expect(await answer({ message: 'no status' })).toEqual([500, [], '{"message":"Internal Server Error"}']);
  });

  it('a body that is too large gets no further', async () => {
    const handler = vi.fn(async () => ({ statusCode: 200 }));
    const body = new Uint8Array(1024 * 1024 + 1);
    expect((await serve(handler, { source: 'alb' })('/', { method: 'POST', body })).status).toBe(413);
    expect(handler).not.toHaveBeenCalled();
    const event = await eventOf({ source: 'edge', eventType: 'viewer-request' }, '/', {
      method: 'POST',
      body: new Uint8Array(40 * 1024 + 1),
    });
    expect(event.Records[0].cf.request.body.inputTruncated).toBe(true);
  });
});

describe('how the handler is called', () => {
  const options: FromLambdaOptions = { source: 'function-url', functionName: 'greeter', timeoutMs: 5000 };

  it('with a context as Lambda makes it', async () => {
    let context: Context | undefined;
    const handler = async (_event: unknown, given: Context) => {
      context = given;
      return { statusCode: 204 };
    };
    await serve(handler, options)('/');
    expect(context).toMatchObject({
      functionName: 'greeter',
      functionVersion: '$LATEST',
      memoryLimitInMB: '128',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:greeter',
      logGroupName: '/aws/lambda/greeter',
      callbackWaitsForEmptyEventLoop: true,
    });
    expect(context?.awsRequestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(context?.getRemainingTimeInMillis()).toBeLessThanOrEqual(5000);
    expect(context?.getRemainingTimeInMillis()).toBeGreaterThan(0);
  });

  it.each<[string, Handler]>([
    ['a promise', async () => ({ statusCode: 201, body: 'ok' })],
    ['the callback', (_event, _context, callback) => setTimeout(callback, 1, null, { statusCode: 201, body: 'ok' })],
    ['context.succeed', (_event, context) => void setTimeout(context.succeed, 1, { statusCode: 201, body: 'ok' })],
    ['context.done', (_event, context) => context.done(null, { statusCode: 201, body: 'ok' })],
  ])('and answers by %s', async (_name, handler) => {
    const response = await serve(handler, options)('/');
    expect([response.status, await response.text()]).toEqual([201, 'ok']);
  });

  it.each<[string, Handler]>([
    [
      'it throws',
      () => {
        throw new Error('secret');
      },
    ],
    ['its promise rejects', async () => Promise.reject(new Error('secret'))],
    ['it calls back with an error', (_event, _context, callback) => callback(new Error('secret'))],
    ['it calls context.fail', (_event, context) => context.fail(new Error('secret'))],
    ['its result is not JSON', async () => ({ statusCode: 200, body: 1n, secret: true })],
  ])('and when %s the event source answers', async (_name, handler) => {
    for (const [source, status] of Object.entries({
      'rest-api': 502,
      'http-api': 500,
      'function-url': 502,
      alb: 502,
    })) {
      const log: string[] = [];
      const response = await serve(handler, { source: source as SourceName }, log)('/');
      expect(response.status).toBe(status);
      expect(await response.text()).not.toContain('secret');
      expect(log.join('\n')).toMatch(new RegExp(`^${source} answers ${status}: `));
    }
  });

  it('a plain function that returns a value has no result, as in Lambda', async () => {
    const response = await serve(() => ({ statusCode: 201 }), { source: 'http-api' })('/');
    expect(await response.text()).toBe('null');
  });

  it('refuses a value that is not a handler, and an unknown source', () => {
    expect(() => fromLambda(undefined as never, options)).toThrow('expected a function (event, context)');
    expect(() => fromLambda(() => {}, { source: 'sqs' as never })).toThrow('expected one of rest-api, http-api');
    expect(() => fromLambda(() => {}, undefined as never)).toThrow('expected one of rest-api');
    expect(() => lambdaEvent('sqs' as never)).toThrow('expected one of rest-api');
  });

  it('the event is JSON: what the handler does to it is nobody else’s', async () => {
    const event = await eventOf({ source: 'http-api' }, '/');
    expect(JSON.parse(JSON.stringify(event))).toEqual(event);
    expect(Object.values(event)).not.toContain(undefined);
  });
});

describe('what becomes of a result', () => {
  const answer = async (source: SourceName, result: unknown, options: Partial<FromLambdaOptions> = {}) => {
    const response = await serve(async () => result, { source, ...options })('/');
    return [response.status, response.headers.get('content-type'), await response.text()];
  };

  it.each(['http-api', 'function-url'] as const)(
    '%s infers a response from a result without a statusCode',
    async (source) => {
      expect(await answer(source, { hello: 'world' })).toEqual([200, 'application/json', '{"hello":"world"}']);
      expect(await answer(source, 'text')).toEqual([200, 'application/json', 'text']);
      expect(await answer(source, undefined)).toEqual([200, 'application/json', 'null']);
      expect(await answer(source, [1])).toEqual([200, 'application/json', '[1]']);
      const type = source === 'http-api' ? 'text/plain; charset=utf-8' : 'application/json';
      expect(await answer(source, { statusCode: '201', headers: { a: 1, b: true } })).toEqual([201, type, '']);
    },
  );

  it.each<[SourceName, number, object]>([
    ['rest-api', 500, { statusCode: 200 }],
    ['http-api', 500, { statusCode: 200 }],
    ['function-url', 502, { statusCode: 200 }],
    ['alb', 502, { statusCode: 200, statusDescription: '200 OK', headers: {} }],
    ['lattice', 500, { statusCode: 200 }],
    ['lattice-v1', 500, { statusCode: 200 }],
    ['edge', 502, { status: '200' }],
  ])('A11: %s answers %i where a body says that it is base64 and is none', async (source, status, result) => {
    const coded = source === 'edge' ? { bodyEncoding: 'base64' } : { isBase64Encoded: true };
    for (const body of ['not base64!', 'aGk', 'a-b_', 'aGk=\n', ' aGk=', 'a===', '=', 'aGk=aGk=']) {
      const log: string[] = [];
      const response = await serve(async () => ({ ...result, ...coded, body }), { source }, log)('/');
      expect(log.join('')).toContain(`The result says that its body is base64, but it is ${JSON.stringify(body)}.`);
      expect([body, response.status]).toEqual([body, status]);
    }
    for (const body of ['aGk=', '', '+/+/']) {
      const response = await serve(async () => ({ ...result, ...coded, body }), { source })('/');
      expect([response.status, Buffer.from(await response.arrayBuffer()).toString('base64')]).toEqual([200, body]);
    }
  });

  it('A11: a REST API leaves base64 as it is where it decodes none', async () => {
    const emulated = { source: 'rest-api', binaryMediaTypes: ['image/*'] } as const;
    const response = await serve(async () => ({ isBase64Encoded: true, body: 'not base64!' }), emulated)('/');
    expect([response.status, await response.text()]).toEqual([200, 'not base64!']);
  });

  it.each<SourceName>(['rest-api', 'http-api', 'function-url'])(
    'A10: %s renames what it sets itself, however it is spelled',
    async (source) => {
      const headers = {
        'WWW-Authenticate': 'Basic',
        server: 's',
        Date: 'd',
        Connection: 'close',
        'content-length': '2',
        'X-Other': 'o',
      };
      const response = await serve(async () => ({ statusCode: 401, headers, body: 'no' }), { source })('/');
      const renamed = Object.fromEntries([...response.headers].filter(([name]) => name !== 'content-type'));
      expect(renamed).toEqual({
        'content-length': '2',
        'x-amzn-remapped-connection': 'close',
        'x-amzn-remapped-content-length': '2',
        'x-amzn-remapped-date': 'd',
        'x-amzn-remapped-server': 's',
        'x-amzn-remapped-www-authenticate': 'Basic',
        'x-other': 'o',
      });
    },
  );

  it('rest-api takes a status that is missing for 200', async () => {
    expect(await answer('rest-api', {})).toEqual([200, 'application/json', '']);
    expect(await answer('rest-api', { body: 'x' })).toEqual([200, 'application/json', 'x']);
  });

  it.each<[SourceName, string, unknown]>([
    ['rest-api', 'no object', 'text'],
    ['rest-api', 'a member that it does not know', { statusCode: 200, cookies: ['a=1'] }],
    ['rest-api', 'a body that is not a string', { statusCode: 200, body: { a: 1 } }],
    ['rest-api', 'a header with a line break', { statusCode: 200, headers: { a: 'b\r\nc: d' } }],
    ['rest-api', 'a status that is none', { statusCode: 99 }],
    ['http-api', 'a body that is not a string', { statusCode: 200, body: { a: 1 } }],
    ['rest-api', 'a list that is none', { statusCode: 200, multiValueHeaders: { a: 'b' } }],
    ['http-api', 'a status that is none', { statusCode: 'ok' }],
    ['http-api', 'cookies that are no list', { statusCode: 200, cookies: { a: '1' } }],
    ['function-url', 'a cookie that is no text', { statusCode: 200, cookies: [1] }],
    ['function-url', 'cookies that are no list', { statusCode: 200, cookies: 'a=1' }],
    ['function-url', 'a name that is none', { statusCode: 200, headers: { 'a b': 'c' } }],
    ['alb', 'a number as header', { statusCode: 200, headers: { 'content-length': 5 } }],
    ['alb', 'a status that is a string', { statusCode: '200' }],
    ['alb', 'the other map', { statusCode: 200, multiValueHeaders: { a: ['b'] } }],
    ['lattice', 'no object', null],
    ['edge', 'a number as status', { status: 200 }],
    ['edge', 'a forbidden header', { status: '200', headers: { 'x-cache': [{ key: 'X-Cache', value: 'a' }] } }],
    ['edge', 'a length', { status: '200', headers: { 'content-length': [{ value: '1' }] } }],
    ['edge', 'a header that is not a list', { status: '200', headers: { a: 'b' } }],
    ['edge', 'a header without a record', { status: '200', headers: { a: [null] } }],
    ['edge', 'a header without a value', { status: '200', headers: { a: [{ key: 'A' }] } }],
    ['edge', 'a number as header', { status: '200', headers: { a: [{ key: 'A', value: 5 }] } }],
    ['edge', 'a forbidden header under another name', { status: '200', headers: { a: [{ key: 'Via', value: 'b' }] } }],
    ['edge', 'a coding of the body that is none', { status: '200', body: 'x', bodyEncoding: 'hex' }],
    ['edge', 'a body in a 204', { status: '204', body: '' }],
    ['edge', 'the request, to be passed on', { uri: '/', method: 'GET', headers: {} }],
  ])('%s answers with its own error for %s', async (source, _what, result) => {
    const log: string[] = [];
    const response = await serve(async () => result, { source }, log)('/');
    expect(response.status).toBe(source === 'http-api' || source === 'lattice' ? 500 : 502);
    expect(log).toHaveLength(1);
    expect(log[0]).toMatch(/answers 50[02]: (?:The|A) /);
  });

  it.each<[SourceName, number]>([
    ['http-api', 6_291_556],
    ['alb', 1024 * 1024],
  ])('%s takes no result of more than %i bytes', async (source, limit) => {
    const [status] = await answer(source, { statusCode: 200, body: 'x'.repeat(limit) });
    expect(status).toBeGreaterThanOrEqual(500);
  });

  it('REST API merges both maps, and what is in both counts once', async () => {
    const handler = async () => ({
      statusCode: 200,
      headers: { a: '1', b: '2' },
      multiValueHeaders: { a: ['1', '3'], 'set-cookie': ['x=1', 'y=2'] },
    });
    const response = await serve(handler, { source: 'rest-api' })('/');
    expect([response.headers.get('a'), response.headers.get('b')]).toEqual(['1, 3', '2']);
    expect(response.headers.getSetCookie()).toEqual(['x=1', 'y=2']);
  });
});

describe('streaming handlers', () => {
  const stream = (
    handler: (stream: NodeJS.WritableStream & { setContentType(type: string): void }) => Promise<void> | void,
  ) => awslambda.streamifyResponse(async (_event, responseStream, _context) => handler(responseStream));
  const url: FromLambdaOptions = { source: 'function-url' };
  const from = awslambda.HttpResponseStream.from as (stream: unknown, metadata: object) => NodeJS.WritableStream;

  afterEach(() => vi.unstubAllGlobals());

  it('are known by the mark, or by the option', async () => {
    const raw: Handler = async (_event, responseStream) => {
      responseStream.write('hi');
      responseStream.end();
    };
    expect(await (await serve(raw, { ...url, streaming: true })('/')).text()).toBe('hi');
    expect(
      await (
        await serve(
          stream((to) => void to.end('hi')),
          url,
        )('/')
      ).text(),
    ).toBe('hi');
  });

  it('send status, headers and cookies ahead of the body', async () => {
    const handler = stream((to) => {
      const body = from(to, { statusCode: 201, headers: { 'x-a': 'b' }, cookies: ['a=1', 'b=2'] });
      body.write('one ');
      body.write('two');
      body.end();
    });
    const response = await serve(handler, url)('/');
    expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([201, 'b', 'one two']);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
  });

  it('without metadata are a 200 of the type that was set, but no answer behind a REST API', async () => {
    const handler = stream((to) => {
      to.setContentType('text/plain');
      to.write('plain');
      to.end();
    });
    const response = await serve(handler, url)('/');
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'text/plain',
      'plain',
    ]);
    expect((await serve(handler, { source: 'rest-api' })('/')).status).toBe(502);
  });

  it('with cookies that are not a list are not a response', async () => {
    const handler = stream((to) => {
      from(to, { statusCode: 200, cookies: 'a=1' }).write('x');
      to.end();
    });
    expect((await serve(handler, url)('/')).status).toBe(502);
  });

  it('that end with a first chunk have sent no metadata: 502', async () => {
    expect(
      (
        await serve(
          stream((to) => void from(to, { statusCode: 201 }).end('x')),
          url,
        )('/')
      ).status,
    ).toBe(502);
    expect(
      (
        await serve(
          stream((to) => void from(to, { statusCode: 201 }).end()),
          url,
        )('/')
      ).status,
    ).toBe(200);
  });

  it('that fail before anything was written are a 502, after it a broken response', async () => {
    const early = stream(async () => Promise.reject(new Error('early')));
    expect((await serve(early, url)('/')).status).toBe(502);
    const late = stream(async (to) => {
      from(to, { statusCode: 200 }).write('some');
      throw new Error('late');
    });
    const response = await serve(late, url)('/');
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    const open = stream(async (to) => void from(to, { statusCode: 200 }).write('some'));
    await expect((await serve(open, url)('/')).text()).rejects.toThrow();
  });

  it('behind an event source that does not stream write the JSON of a result', async () => {
    const handler = stream((to) => {
      to.write('{"statusCode":201,');
      to.write('"body":"whole"}');
      to.end();
    });
    const response = await serve(handler, { source: 'http-api' })('/');
    expect([response.status, await response.text()]).toEqual([201, 'whole']);
    const prelude = stream((to) => {
      from(to, { statusCode: 200 }).write('x');
      to.end();
    });
    expect((await serve(prelude, { source: 'http-api' })('/')).status).toBe(500);
  });

  it('are held back by a client that reads slowly', async () => {
    let writes = 0;
    const handler = stream(async (to) => {
      const body = from(to, { statusCode: 200 });
      for (; writes < 200; writes++) {
        if (!body.write(Buffer.alloc(4096))) await new Promise((resolve) => body.once('drain', resolve));
      }
      body.end();
    });
    const response = await serve(handler, url)('/');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 10));
    // Node buffers 64 KiB in each of two streams, and 16 KiB before Node 22.
    expect(writes).toBeLessThan(60);
    let bytes = 4096;
    for (let next = await reader.read(); !next.done; next = await reader.read()) bytes += next.value.byteLength;
    expect(bytes).toBe(200 * 4096);
  });

  it.each(['function-url', 'http-api'] as const)(
    'hear that the client disconnected, and log nothing: %s',
    async (source) => {
      for (const begins of [true, false]) {
        const told: unknown[] = [];
        let closed = false;
        let started = false;
        const handler = stream(async (to) => {
          const body = begins ? from(to, { statusCode: 200 }) : to;
          if (begins) body.write('begun');
          started = true;
          await new Promise<void>((resolve) => body.once('close', resolve));
          closed = true;
        });
        const app = fromLambda(handler, { source });
        const errors = (text: string): void => void told.push(text);
        const call = toFetch(app, { errors, onError: (error) => told.push(error) });
        const client = new AbortController();
        const answer = call('/', { signal: client.signal });
        answer.catch(() => {});
        await vi.waitFor(() => expect(started).toBe(true));
        if (begins && source === 'function-url') await answer;
        client.abort();
        await vi.waitFor(() => expect(closed).toBe(true));
        await new Promise((resolve) => setTimeout(resolve, 10));
        expect(told).toEqual([]);
      }
    },
  );

  it('written for the runtime’s global run off AWS', async () => {
    vi.stubGlobal('awslambda', awslambda);
    const global = (globalThis as { awslambda?: typeof awslambda }).awslambda as typeof awslambda;
    const handler = global.streamifyResponse(async (_event, to) => {
      const body = global.HttpResponseStream.from(to, { statusCode: 203 });
      body.write('x');
      body.end();
    });
    expect((await serve(handler, url)('/')).status).toBe(203);
  });
});

describe('behind a mount', () => {
  it.each(SOURCES)('%s: the prefix is not in the path that the function sees', async (source) => {
    const seen: unknown[] = [];
    const app = fromLambda(
      toLambda((environ, startResponse) => {
        seen.push(environ.SCRIPT_NAME, environ.PATH_INFO);
        startResponse('200 OK', []);
        return [];
      }),
      { source },
    );
    await toFetch(app, { basePath: '/mounted' })('/mounted/x');
    expect(seen).toEqual(['', '/x']);
  });

  it('a stage in the mount is the stage of the API, and the circle closes', async () => {
    for (const source of ['rest-api', 'http-api'] as const) {
      const seen: unknown[] = [];
      const app = fromLambda(
        toLambda((environ, startResponse) => {
          seen.push(environ.SCRIPT_NAME, environ.PATH_INFO);
          startResponse('200 OK', []);
          return [];
        }),
        { source, stage: 'prod' },
      );
      await toFetch(app, { basePath: '/prod' })('/prod/x');
      expect(seen).toEqual(['/prod', '/x']);
    }
    expect(setupTestingDefaults({}).SCRIPT_NAME).toBe('');
  });
});
