// toLambda beyond the cases: failures, limits, work after the response, hostile names, prefixes.

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { type Application, type Environ, encode, type GatewayOptions } from 'waygate';
import { lambdaEvent, type SourceName, toLambda } from 'waygate/aws-lambda';
import { proxyFix } from 'waygate/middleware';
import { readEvent } from './cases.ts';

const SOURCES: SourceName[] = ['rest-api', 'http-api', 'function-url', 'alb', 'lattice', 'lattice-v1', 'edge'];

function respond(body: ReturnType<Application>, headers: [string, string][] = []): Application {
  return (_environ, startResponse) => {
    startResponse('200 OK', headers);
    return body;
  };
}

/** The environ of an event, as an application sees it. */
async function environOf(event: unknown, options: GatewayOptions = {}): Promise<Environ> {
  let seen: Environ | undefined;
  await toLambda((environ, startResponse) => {
    seen = environ;
    startResponse('200 OK', []);
    return [];
  }, options)(event);
  if (seen === undefined) throw new Error('the application was not called');
  return seen;
}

const statusOf = (result: { statusCode?: number; status?: string }) => Number(result.statusCode ?? result.status);

describe('a response that is too large', () => {
  it.each<[SourceName, number, object]>([
    ['rest-api', 6_291_556, {}],
    ['http-api', 6_291_556, {}],
    ['function-url', 6_291_556, {}],
    ['lattice', 6_291_556, {}],
    ['alb', 1024 * 1024, {}],
    ['edge', 1024 * 1024, { eventType: 'origin-request' }],
    ['edge', 40 * 1024, { eventType: 'viewer-request' }],
  ])('is a plain 500 behind %s, beyond %i bytes of JSON, and the log says why', async (source, limit, options) => {
    const log: string[] = [];
    const onError = vi.fn();
    const event = lambdaEvent(source, {}, options);
    const serve = (body: ReturnType<Application>) =>
      toLambda(respond(body), { errors: (text) => log.push(text), onError })(event);
    expect(statusOf(await serve([Buffer.alloc(limit - 2000, 'x')]))).toBe(200);
    expect(log).toEqual([]);
    for (const body of [[Buffer.alloc(limit, 'x')], [Buffer.alloc(Math.ceil(limit * 0.76), 0xff)]]) {
      log.length = 0;
      const result = await serve(body);
      expect(statusOf(result)).toBe(500);
      expect(result.body).toBe('500 Internal Server Error\n');
      expect(log.join('\n')).toMatch(`The response is too large: ${source} takes at most ${limit} bytes of JSON`);
    }
    expect(onError).toHaveBeenCalledTimes(2);
  });

  it('counts what JSON makes of control characters', async () => {
    const handler = toLambda(respond([Buffer.alloc(1_100_000, 1)]), { errors: () => {} });
    expect((await handler(lambdaEvent('http-api'))).statusCode).toBe(500);
  });

  it('is not read to its end', async () => {
    let made = 0;
    const closed = vi.fn();
    const endless = (function* () {
      try {
        for (;;) {
          made += 1;
          yield Buffer.alloc(100_000);
        }
      } finally {
        closed();
      }
    })();
    const result = await toLambda(respond(endless), { errors: () => {} })(lambdaEvent('alb'));
    expect(statusOf(result)).toBe(500);
    expect(made).toBeLessThan(13);
    expect(closed).toHaveBeenCalledTimes(1);
  });
});

describe('failures', () => {
  it.each(SOURCES)('of a body halfway are a plain 500 behind %s: nothing of it went out', async (source) => {
    const log: string[] = [];
    const body = (function* () {
      yield Buffer.from('half');
      throw new Error('halfway');
    })();
    const result = await toLambda(respond(body, [['X-Half', 'yes']]), { errors: (text) => log.push(text) })(
      lambdaEvent(source),
    );
    expect(statusOf(result)).toBe(500);
    expect(JSON.stringify(result)).not.toMatch(/half/i);
    expect(log.join('\n')).toContain('halfway');
  });

  it('of the request are answered without the application', async () => {
    const app = vi.fn();
    const handler = toLambda(app, { maxBodyBytes: 3 });
    const post = (body: string) => handler(lambdaEvent('http-api', { method: 'POST', body }));
    expect((await post('abcd')).statusCode).toBe(413);
    const base64 = { ...lambdaEvent('http-api'), body: 'YWJjZA==', isBase64Encoded: true };
    expect((await handler(base64)).statusCode).toBe(413);
    expect((await handler({ ...lambdaEvent('http-api'), rawPath: '/a\0b' })).statusCode).toBe(400);
    expect((await handler(lambdaEvent('function-url', { path: '/a%00b' }))).statusCode).toBe(400);
    const hosts = { ...lambdaEvent('rest-api'), multiValueHeaders: { Host: ['a'], host: ['b'] } };
    expect((await handler(hosts)).statusCode).toBe(400);
    expect(app).not.toHaveBeenCalled();
  });

  it.each(SOURCES)('of a HEAD request behind %s are answered without a body, too', async (source) => {
    const site = toLambda(() => []);
    const get = await site(lambdaEvent(source, { path: '/a%00b' }));
    const head = await site(lambdaEvent(source, { method: 'HEAD', path: '/a%00b' }));
    expect([statusOf(get), statusOf(head)]).toEqual([400, 400]);
    expect(get.body).toMatch(/^400 Bad Request/);
    expect(head.body ?? '').toBe('');
  });

  it.each([3, 5000])('gives a body of %i bytes that came in base64 in memory of its own', async (length) => {
    let read: Uint8Array | undefined;
    const handler = toLambda(async (environ, startResponse) => {
      read = await environ['wsgi.input'].bytes();
      startResponse('204 No Content', []);
      return [];
    });
    const sent = new Uint8Array(length).fill(7);
    await handler({ ...lambdaEvent('http-api'), body: Buffer.from(sent).toString('base64'), isBase64Encoded: true });
    expect([read, read?.buffer.byteLength]).toEqual([sent, length]);
  });

  it('a truncated body at the edge is a 413 that says so', async () => {
    const app = vi.fn();
    const event = lambdaEvent('edge', { method: 'POST', body: 'cut' });
    event.Records[0].cf.request.body.inputTruncated = true;
    const result = await toLambda(app)(event);
    expect(result.status).toBe('413');
    expect(result.body).toMatch(/truncated/);
    expect(app).not.toHaveBeenCalled();
  });

  it('a body that is not a string is refused', async () => {
    await expect(toLambda(() => [])({ ...lambdaEvent('http-api'), body: { a: 1 } })).rejects.toThrow(
      'a request whose body is not a string but of type object',
    );
  });
});

describe('a body that comes in chunks', () => {
  it('may use one buffer for all of them', async () => {
    const shared = Buffer.alloc(1);
    const body = (function* () {
      for (const byte of [65, 66, 67]) {
        shared[0] = byte;
        yield shared;
      }
    })();
    expect((await toLambda(respond(body))(lambdaEvent('http-api'))).body).toBe('ABC');
  });
});

describe('a body whose first chunk is as long as its Content-Length', () => {
  const length: [string, string][] = [['Content-Length', '5']];

  it('is read before it is closed, and not asked for more', async () => {
    const steps: string[] = [];
    const buffer = encode('hello');
    async function* chunks() {
      try {
        yield buffer;
        steps.push('asked for more');
      } finally {
        buffer.fill(0);
        await sleep(1);
        steps.push('closed');
      }
    }
    const result = await toLambda(respond(chunks(), length))(lambdaEvent('http-api'));
    expect(result.body).toBe('hello');
    expect(steps).toEqual(['closed']);
  });

  it('is whole where only its first piece was that long', async () => {
    const body = [encode('he'), encode('llo'), encode('rest')].values();
    expect((await toLambda(respond(body, length))(lambdaEvent('http-api'))).body).toBe('hello');
  });

  it('of which nothing comes, or that fails, is the usual 500', async () => {
    const onError = vi.fn();
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield encode('hell');
      throw new Error('gone');
    }
    for (const body of [chunks(), (async function* (): AsyncGenerator<Uint8Array> {})()]) {
      const result = await toLambda(respond(body, length), { onError })(lambdaEvent('http-api'));
      expect(statusOf(result as object)).toBe(500);
    }
    expect(onError).toHaveBeenCalledTimes(2);
  });
});

describe('work after the response', () => {
  it('is waited for: Lambda freezes the process when the invocation ends', async () => {
    const order: string[] = [];
    const handler = toLambda((environ, startResponse) => {
      environ['waygate.wait_until'](
        sleep(5).then(() => {
          order.push('work');
          environ['waygate.wait_until'](sleep(1).then(() => order.push('more')));
        }),
      );
      startResponse('200 OK', []);
      return [];
    });
    const result = await handler(lambdaEvent('http-api'));
    expect(result.statusCode).toBe(200);
    expect(order).toEqual(['work', 'more']);
  });

  it('that fails is logged, and changes no response', async () => {
    const log: string[] = [];
    const handler = toLambda(
      (environ, startResponse) => {
        environ['waygate.wait_until'](Promise.reject(new Error('late')));
        startResponse('200 OK', []);
        return [];
      },
      { errors: (text) => log.push(text) },
    );
    expect((await handler(lambdaEvent('alb'))).statusCode).toBe(200);
    expect(log.join('\n')).toContain('late');
  });

  it('is the flush of the log as well (LOG-04)', async () => {
    const apps: Application[] = [
      respond([encode('all at once')]),
      respond([encode('a'), encode('b')].values()),
      () => {
        throw new Error('planned');
      },
    ];
    for (const app of apps) {
      let flushed = 0;
      const flush = async (): Promise<void> => {
        await sleep(1);
        flushed++;
      };
      await toLambda(app, { errors: { write: () => {}, flush } })(lambdaEvent('http-api'));
      expect(flushed).toBe(1);
    }
  });

  it('the signal never aborts, and every invocation has one of its own', async () => {
    const first = (await environOf(lambdaEvent('http-api')))['waygate.signal'];
    const second = (await environOf(lambdaEvent('http-api')))['waygate.signal'];
    expect(first).toBeInstanceOf(AbortSignal);
    expect(first.aborted).toBe(false);
    expect(second).not.toBe(first);
  });
});

describe('invocations at the same time', () => {
  it('do not mix', async () => {
    const handler = toLambda(async (environ, startResponse) => {
      await sleep(environ.PATH_INFO === '/slow' ? 10 : 1);
      startResponse('200 OK', []);
      return [Buffer.from(`${environ.PATH_INFO} ${(environ['aws.context'] as { awsRequestId: string }).awsRequestId}`)];
    });
    const invoke = (path: string) =>
      handler(lambdaEvent('http-api', { path }), { awsRequestId: `id of ${path}` } as never);
    const results = await Promise.all(['/slow', '/fast', '/other'].map(invoke));
    expect(results.map(({ body }) => body)).toEqual(['/slow id of /slow', '/fast id of /fast', '/other id of /other']);
  });
});

describe('hostile names', () => {
  it('of response headers reach the client', async () => {
    const headers: [string, string][] = [
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['constructor', 'c'],
      ['hasOwnProperty', 'd'],
    ];
    const result = await toLambda(respond([], headers))(lambdaEvent('http-api'));
    expect(JSON.stringify(result.headers)).toBe(
      '{"__proto__":"a","constructor":"b, c","hasownproperty":"d","content-length":"0"}',
    );
    const lists = await toLambda(respond([], headers))(lambdaEvent('rest-api'));
    expect(JSON.stringify(lists.multiValueHeaders)).toContain('"__proto__":["a"],"constructor":["b","c"]');
    const edge = await toLambda(respond([], headers))(lambdaEvent('edge'));
    expect(JSON.stringify(edge.headers)).toContain('"__proto__":[{"key":"__proto__","value":"a"}]');
  });

  it('of request headers pose as nothing', async () => {
    const event = lambdaEvent('http-api');
    event.headers = JSON.parse(
      '{"__proto__":"a","constructor":"b","x_forwarded_for":"6.6.6.6","proxy":"http://evil","a b":"c","host":"h"}',
    );
    const environ = await environOf(event);
    const keys = Object.keys(environ).filter((key) => key.startsWith('HTTP_'));
    expect(keys).toEqual(['HTTP_CONSTRUCTOR', 'HTTP_HOST']);
  });

  it('of query parameters survive', async () => {
    const event = lambdaEvent('rest-api');
    event.multiValueQueryStringParameters = JSON.parse('{"__proto__":["a"],"constructor":["b"],"\ud800":["c"]}');
    expect((await environOf(event)).QUERY_STRING).toBe('__proto__=a&constructor=b&%EF%BF%BD=c');
  });

  it('that AWS has decoded are escaped but for the unreserved characters of RFC 3986', async () => {
    const event = lambdaEvent('rest-api');
    event.multiValueQueryStringParameters = { "a-._~!*'()": ["~_.-:/?#[]@!$&'()*+,;= "] };
    expect((await environOf(event)).QUERY_STRING).toBe(
      'a-._~%21%2A%27%28%29=~_.-%3A%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%20',
    );
  });
});

describe('where the application is mounted', () => {
  const parts = async (event: unknown, basePath?: string) => {
    const environ = await environOf(event, basePath === undefined ? {} : { basePath });
    return [environ.SCRIPT_NAME, environ.PATH_INFO, environ.REQUEST_URI];
  };

  it('a stage of a REST API is in SCRIPT_NAME; basePath wins over it, once', async () => {
    const event = lambdaEvent('rest-api', { path: '/prod/x' }, { stage: 'prod' });
    expect(await parts(event)).toEqual(['/prod', '/prod/x', '/prod/prod/x']);
    expect(await parts(event, '/prod')).toEqual(['/prod', '/prod/x', '/prod/prod/x']);
    expect(await parts(event, '/prod/prod')).toEqual(['/prod/prod', '/x', '/prod/prod/x']);
    expect(await parts(lambdaEvent('rest-api', { path: '/api/x' }, { stage: 'prod' }), '/api')).toEqual([
      '/prod/api',
      '/x',
      '/prod/api/x',
    ]);
  });

  it('a stage of an HTTP API is in SCRIPT_NAME under its own name, and nowhere on a custom domain', async () => {
    const own = lambdaEvent('http-api', { path: '/x' }, { stage: 'prod' });
    expect(own.rawPath).toBe('/prod/x');
    expect(await parts(own)).toEqual(['/prod', '/x', '/prod/x']);
    const custom = { ...own, requestContext: { ...own.requestContext, domainName: 'api.example.com' } };
    expect(await parts(custom)).toEqual(['', '/x', '/x']);
    expect(await parts({ ...custom, rawPath: '/prod' })).toEqual(['', '/', '/']);
    expect(await parts({ ...own, rawPath: '/production/x' })).toEqual(['', '/production/x', '/production/x']);
  });

  it('the mapping key of an HTTP API is where the API was told to write it', async () => {
    const event = lambdaEvent('http-api', { path: '/x' }, { stage: 'prod' });
    event.requestContext.domainName = 'api.example.com';
    event.headers['x-forwarded-prefix'] = '/v1';
    let seen: unknown[] = [];
    const app: Application = (environ, startResponse) => {
      seen = [environ.SCRIPT_NAME, environ.PATH_INFO, environ.REQUEST_URI];
      startResponse('204 No Content', []);
      return [];
    };
    await toLambda(proxyFix(app, { prefix: 1 }))(event);
    expect(seen).toEqual(['/v1', '/x', '/v1/x']);
  });

  it.each([
    ['one segment', '/payment/{id}', { id: '7' }, '/v1/payment/7', '/v1', '/payment/7'],
    ['several segments', '/payment/{id}', { id: '7' }, '/a/b/c/payment/7', '/a/b/c', '/payment/7'],
    ['parameters that are decoded', '/p/{id}', { id: 'a b' }, '/v1/p/a%20b', '/v1', '/p/a b'],
    ['parameters that are encoded', '/{proxy+}', { proxy: 'a%20b/c' }, '/v1/a%20b/c', '/v1', '/a b/c'],
    ['a final slash', '/{proxy+}', { proxy: 'a' }, '/v1/a/', '/v1', '/a/'],
    ['the root', '/', null, '/v1/', '/v1', '/'],
    ['the root without slash', '/', null, '/v1', '/v1', ''],
    ['none', '/{proxy+}', { proxy: 'a/b' }, '/a/b', '', '/a/b'],
    ['a resource that does not fit', '/other', null, '/v1/a', '', '/v1/a'],
  ])('the mapping key of a custom domain, %s', async (_name, resource, pathParameters, path, scriptName, pathInfo) => {
    const event = readEvent('events/apigw-v1-custom-domain-nested-base-path.json');
    Object.assign(event, { resource, pathParameters, path });
    event.requestContext.path = path;
    const [script, info] = await parts(event);
    expect([script, info]).toEqual([scriptName, pathInfo]);
  });

  it('under the name that AWS gave it an API has no mapping key, whatever the resource is', async () => {
    const event = readEvent('events/apigw-v1-stage-twice.json');
    Object.assign(event, { resource: '/x', path: '/a/x', pathParameters: null });
    event.requestContext.path = '/a/x';
    expect(await parts(event)).toEqual(['', '/a/x', '/a/x']);
  });

  it('prefixes match whole segments', async () => {
    expect(await parts(lambdaEvent('alb', { path: '/apiary/1' }), '/api')).toEqual(['', '/apiary/1', '/apiary/1']);
    expect(await parts(lambdaEvent('alb', { path: '/api' }), 'api/')).toEqual(['/api', '', '/api']);
  });
});

describe('who the client is', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7', undefined],
    ['10.0.0.1, 203.0.113.7', '203.0.113.7', undefined],
    ['203.0.113.7:4711', '203.0.113.7', '4711'],
    ['[2001:db8::7]:4711', '2001:db8::7', '4711'],
    ['[2001:db8::7]', '2001:db8::7', undefined],
    ['2001:db8::7', '2001:db8::7', undefined],
    ['', undefined, undefined],
  ])('behind a load balancer: the last of X-Forwarded-For %j', async (list, address, port) => {
    const event = lambdaEvent('alb');
    event.headers['x-forwarded-for'] = list;
    const environ = await environOf(event);
    expect([environ.REMOTE_ADDR, environ.REMOTE_PORT]).toEqual([address, port]);
  });

  it('a certificate has the names of mod_ssl', async () => {
    const environ = await environOf(readEvent('events/apigw-v1-go-proxy-request.json'));
    expect(environ.SSL_CLIENT_S_DN).toBe('www.example.com');
    expect(environ.SSL_CLIENT_I_DN).toBe('Example issuer');
    expect(environ.SSL_CLIENT_VERIFY).toBe('SUCCESS');
    expect(environ.SSL_CLIENT_CERT).toBe('CERT_CONTENT');
    expect(environ.SSL_CLIENT_V_END).toBe('Aug  5 09:36:04 2021 GMT');
    const v2 = await environOf(readEvent('events/apigw-v2-go-no-authorizer.json'));
    expect(v2.SSL_CLIENT_M_SERIAL).toBeTypeOf('string');
    expect((await environOf(lambdaEvent('http-api'))).SSL_CLIENT_VERIFY).toBeUndefined();
  });

  it('a certificate without details gives no keys, and no key is empty', async () => {
    const none = { clientCertPem: '', subjectDN: '', issuerDN: '', serialNumber: '' };
    const validity = { notBefore: '', notAfter: '' };
    const seen = async (clientCert: object) => {
      const event = lambdaEvent('http-api');
      event.requestContext.authentication = { clientCert };
      return Object.entries(await environOf(event)).filter(([key]) => key.startsWith('SSL_'));
    };
    expect(await seen({ ...none, validity })).toEqual([]);
    expect(await seen({ ...none, subjectDN: 'CN=a', validity: null })).toEqual([
      ['SSL_CLIENT_VERIFY', 'SUCCESS'],
      ['SSL_CLIENT_S_DN', 'CN=a'],
    ]);
  });

  it('a token in the Authorization header is not taken for a scheme', async () => {
    const event = readEvent('events/apigw-v1-powertools-lambda-authorizer.json');
    event.multiValueHeaders.Authorization = ['secret'];
    const environ = await environOf(event);
    expect(environ.REMOTE_USER).toBe('user');
    expect(environ.AUTH_TYPE).toBeUndefined();
  });

  it('what an event claims of scheme and port is believed of AWS only', async () => {
    const headers = { 'x-forwarded-proto': 'gopher', 'x-forwarded-port': '1; DROP' };
    const environ = await environOf({ ...lambdaEvent('http-api'), headers });
    expect([environ['wsgi.url_scheme'], environ.SERVER_PORT]).toEqual(['https', '443']);
    const edge = lambdaEvent('edge', { scheme: 'https' });
    edge.Records[0].cf.request.headers['x-forwarded-proto'] = [{ key: 'X-Forwarded-Proto', value: 'http' }];
    expect((await environOf(edge))['wsgi.url_scheme']).toBe('https');
  });
});

describe('cookies of a load balancer without multi-value headers', () => {
  it('get through, however many, each under a name of its own', async () => {
    const cookies = Array.from({ length: 40 }, (_, index): [string, string] => ['Set-Cookie', `c${index}=1`]);
    const result = await toLambda(respond([], cookies))(lambdaEvent('alb'));
    const names = Object.keys(result.headers).filter((name) => name.toLowerCase() === 'set-cookie');
    expect(names).toHaveLength(40);
    expect(names.slice(0, 3)).toEqual(['set-cookie', 'Set-cookie', 'sEt-cookie']);
    expect(names.map((name) => result.headers[name])).toEqual(cookies.map(([, value]) => value));
  });
});

describe('headers that CloudFront forbids', () => {
  it('are left out, and no other', async () => {
    const names = ['X-Cache', 'X-Amz-Cf-Id', 'X-Edge-Foo', 'Via', 'X-Real-IP', 'X-Amzn-RequestId', 'X-Accel-Redirect'];
    const kept = ['X-Cached', 'X-Connection-Id', 'Expect-CT', 'X-Amzn-Other', 'Viaduct'];
    const headers = [...names, ...kept].map((name): [string, string] => [name, 'v']);
    const handler = toLambda(respond([], headers));
    for (let time = 0; time < 2; time++) {
      const result = await handler(lambdaEvent('edge'));
      expect(Object.keys(result.headers)).toEqual(kept.map((name) => name.toLowerCase()));
    }
  });
});
