// The options of toLambda and toLambdaStream beside `events`: statuses that fail, the deadline, TLS; and Lambda@Edge's origin.

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { type Application, type Environ, encode, type Middleware } from 'waygate';
import {
  FailedResponseError,
  fromLambda,
  type LambdaOptions,
  lambdaEvent,
  toLambda,
  toLambdaStream,
} from 'waygate/aws-lambda';
import { fromFetch, toFetch } from 'waygate/fetch';
import { timeout } from 'waygate/middleware';
import { eventWith } from './cases.ts';
import { RuntimeStream } from './runtime-stream.ts';

const quiet = { errors: () => {} };
const event = () => lambdaEvent('function-url', { path: '/caf%C3%A9' });

const answering =
  (status: string, close = vi.fn()): Application =>
  (_environ, startResponse) => {
    startResponse(status, []);
    return Object.assign(
      (function* () {
        yield encode('text');
      })(),
      { close },
    );
  };

describe('errorStatuses', () => {
  it.each<[LambdaOptions['errorStatuses'], string, boolean]>([
    [[502, 503], '503 Service Unavailable', true],
    [[502, 503], '500 Internal Server Error', false],
    [(status: number) => status >= 500, '599 Any', true],
    [(status: number) => status >= 500, '404 Not Found', false],
    [[], '500 Internal Server Error', false],
    [undefined, '500 Internal Server Error', false],
  ])('%s and %s: fails is %s, in one piece and streamed', async (errorStatuses, status, fails) => {
    const close = vi.fn();
    const options = { ...quiet, errorStatuses };
    const whole = toLambda(answering(status, close), options)(event());
    const stream = new RuntimeStream();
    const streamed = toLambdaStream(answering(status, close), options)(event(), stream, {});
    if (fails) {
      for (const each of [whole, streamed]) {
        await expect(each).rejects.toThrow(FailedResponseError);
        await expect(each).rejects.toThrow(
          `The answer to GET /caf%C3%A9 is ${status.slice(0, 3)}, a status that fails the invocation.`,
        );
      }
      expect(stream.sent).toHaveLength(0);
    } else {
      expect((await whole).statusCode).toBe(Number(status.slice(0, 3)));
      await streamed;
      expect(stream.prelude.statusCode).toBe(Number(status.slice(0, 3)));
    }
    expect(close).toHaveBeenCalledTimes(2);
  });

  it('count for what the gateway answers itself: a failure, a body that fails, a request it refuses', async () => {
    const options = { ...quiet, errorStatuses: [413, 500], maxBodyBytes: 1 };
    const throwing: Application = () => {
      throw new Error('planted');
    };
    const late: Application = (_environ, startResponse) => {
      startResponse('200 OK', []);
      return (async function* () {
        yield encode('a');
        throw new Error('planted');
      })();
    };
    await expect(toLambda(throwing, options)(event())).rejects.toThrow(FailedResponseError);
    await expect(toLambda(late, options)(event())).rejects.toThrow(FailedResponseError);
    const long = lambdaEvent('function-url', { method: 'POST', body: 'long' });
    await expect(toLambda(throwing, options)(long)).rejects.toThrow(/larger than the 1 bytes/);
    await expect(toLambdaStream(throwing, options)(long, new RuntimeStream(), {})).rejects.toThrow(/larger/);
  });

  it('let the work of wait_until end first', async () => {
    let done = false;
    const working: Application = (environ, startResponse) => {
      environ['waygate.wait_until'](
        sleep(5).then(() => {
          done = true;
        }),
      );
      startResponse('500 Internal Server Error', []);
      return [];
    };
    await expect(toLambda(working, { ...quiet, errorStatuses: [500] })(event())).rejects.toThrow(FailedResponseError);
    expect(done).toBe(true);
  });

  it.each([[['500']], [[99]], [[600]], [500], ['5xx'], [[5.5]]])('of %j are a TypeError', (errorStatuses) => {
    expect(() => toLambda(() => [], { errorStatuses: errorStatuses as never })).toThrow(
      /"errorStatuses" is .*; expected a list/,
    );
  });
});

describe('A9: abortBeforeTimeoutMs', () => {
  const endless =
    (reasons: unknown[] = []): Application =>
    (environ, startResponse) => {
      startResponse('200 OK', []);
      const signal = environ['waygate.signal'];
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      return (async function* () {
        for (let tick = 0; !signal.aborted; tick++) {
          yield encode(`${tick}\n`);
          await sleep(2);
        }
        yield encode('bye\n');
      })();
    };
  const context = (left: number) => {
    const deadline = Date.now() + left;
    return { getRemainingTimeInMillis: () => deadline - Date.now() };
  };

  it('has an endless response end by itself before Lambda ends the invocation', async () => {
    const reasons: unknown[] = [];
    const stream = new RuntimeStream();
    const given = context(200);
    await toLambdaStream(endless(reasons), { abortBeforeTimeoutMs: 150 })(event(), stream, given);
    expect(given.getRemainingTimeInMillis()).toBeGreaterThan(0);
    expect(stream.bodyText).toMatch(/bye\n$/);
    expect(stream.writableFinished).toBe(true);
    expect(reasons).toEqual([expect.objectContaining({ name: 'TimeoutError' })]);
    const whole = await toLambda(endless(), { abortBeforeTimeoutMs: 150 })(event(), context(200) as never);
    expect(whole.body).toMatch(/bye\n$/);
  });

  it('aborts at once where less is left, and nothing without a context that has the time', async () => {
    let signal: AbortSignal | undefined;
    const app: Application = (environ, startResponse) => {
      signal = environ['waygate.signal'];
      startResponse('200 OK', []);
      return [];
    };
    const handler = toLambda(app, { abortBeforeTimeoutMs: 100 });
    await handler(event(), context(50) as never);
    expect(signal?.aborted).toBe(true);
    for (const odd of [undefined, null, {}, { getRemainingTimeInMillis: () => Number.NaN }]) {
      await handler(event(), odd as never);
      expect(signal?.aborted).toBe(false);
    }
  });

  it.each([
    ['a request of a hosted Fetch app', (request: Request) => request.signal],
    ['a copy of it', (request: Request) => new Request(request).signal],
  ])('is heard by the signal of %s', async (_what, signalOf) => {
    const aborted = async (options: LambdaOptions, wrap: Middleware = (app) => app): Promise<boolean> => {
      let signal: AbortSignal | undefined;
      const app = fromFetch(async (request) => {
        signal = signalOf(request);
        await sleep(60);
        return new Response('late');
      });
      await toLambda(wrap(app), options)(event(), context(40) as never);
      return signal?.aborted as boolean;
    };
    expect(await aborted({ abortBeforeTimeoutMs: 30 })).toBe(true);
    expect(await aborted({})).toBe(false);
    // Where Lambda itself never aborts, a middleware may.
    expect(await aborted({}, (app) => timeout(app, { ms: 20, marginMs: 1 }))).toBe(true);
  });

  it('leaves no timer behind, and the signal of what is over quiet', async () => {
    const signals: AbortSignal[] = [];
    const app: Application = (environ, startResponse) => {
      signals.push(environ['waygate.signal']);
      startResponse('200 OK', []);
      return [];
    };
    const timers = () => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
    const before = timers();
    await toLambda(app, { abortBeforeTimeoutMs: 10 })(event(), context(20) as never);
    await toLambdaStream(app, { abortBeforeTimeoutMs: 10 })(event(), new RuntimeStream(), context(20));
    expect(timers()).toBe(before);
    await sleep(30);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
  });

  it.each([-1, Number.NaN, '5'])('of %j is a TypeError', (abortBeforeTimeoutMs) => {
    const options = { abortBeforeTimeoutMs: abortBeforeTimeoutMs as number };
    expect(() => toLambda(() => [], options)).toThrow(/"abortBeforeTimeoutMs" is .*; expected a number/);
  });
});

describe('TLS, under the names of mod_ssl', () => {
  async function ssl(given: unknown, options: LambdaOptions = {}): Promise<Record<string, unknown>> {
    let seen: Environ | undefined;
    await toLambda((environ, startResponse) => {
      seen = environ;
      startResponse('200 OK', []);
      return [];
    }, options)(given);
    return Object.fromEntries(Object.entries(seen as Environ).filter(([key]) => key.startsWith('SSL_')));
  }

  const pem = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----`;
  const urlEncoded = (text: string) => encodeURIComponent(text).replace(/%(2B|2F|3D)/g, decodeURIComponent);
  const verified = {
    'x-amzn-mtls-clientcert-serial-number': '03A5B1',
    'x-amzn-mtls-clientcert-issuer': 'CN=rootcamtls.com,OU=rootCA,O=mTLS,C=US',
    'x-amzn-mtls-clientcert-subject': 'CN=client_.com,OU=client-3,O=mTLS,ST=Washington,C=US',
    'x-amzn-mtls-clientcert-validity': 'NotBefore=2023-09-21T01:50:17Z;NotAfter=2024-09-02T01:50:17Z',
    'x-amzn-mtls-clientcert-leaf': urlEncoded(pem('MIIFgzCC/+A==')),
    'x-amzn-tls-version': 'TLSv1.3',
    'x-amzn-tls-cipher-suite': 'TLS_AES_128_GCM_SHA256',
  };
  const keys = {
    SSL_PROTOCOL: 'TLSv1.3',
    SSL_CIPHER: 'TLS_AES_128_GCM_SHA256',
    SSL_CLIENT_VERIFY: 'SUCCESS',
    SSL_CLIENT_M_SERIAL: '03A5B1',
    SSL_CLIENT_I_DN: 'CN=rootcamtls.com,OU=rootCA,O=mTLS,C=US',
    SSL_CLIENT_S_DN: 'CN=client_.com,OU=client-3,O=mTLS,ST=Washington,C=US',
    SSL_CLIENT_V_START: 'Sep 21 01:50:17 2023 GMT',
    SSL_CLIENT_V_END: 'Sep  2 01:50:17 2024 GMT',
    SSL_CLIENT_CERT: pem('MIIFgzCC/+A=='),
  };

  it.each([false, true])('a load balancer that verifies, with multi-value headers %s', async (multiValueHeaders) => {
    const given = lambdaEvent('alb', { headers: verified }, { multiValueHeaders });
    expect(await ssl(given, { mutualTls: 'verify' })).toEqual(keys);
  });

  it('a load balancer of which nobody said so: a client may have sent the headers', async () => {
    expect(await ssl(lambdaEvent('alb', { headers: verified }))).toEqual({});
    expect(await ssl(lambdaEvent('http-api', { headers: verified }), { mutualTls: 'verify' })).toEqual({});
    expect(await ssl(lambdaEvent('alb'), { mutualTls: 'verify' })).toEqual({});
  });

  it('a load balancer that passes the chain through: it has verified nothing', async () => {
    const chain = urlEncoded(`${pem('own')}\n${pem('issuer')}\n`);
    const given = lambdaEvent('alb', { headers: { ...verified, 'x-amzn-mtls-clientcert': chain } });
    expect(await ssl(given, { mutualTls: 'passthrough' })).toEqual({
      SSL_PROTOCOL: 'TLSv1.3',
      SSL_CIPHER: 'TLS_AES_128_GCM_SHA256',
      SSL_CLIENT_VERIFY: 'GENEROUS',
      SSL_CLIENT_CERT: pem('own'),
      SSL_CLIENT_CERT_CHAIN_0: pem('issuer'),
    });
  });

  it.each(['%00', '%zz', 'nothing', pem('a-b'), ''])('a certificate that is none: %j', async (cert) => {
    const given = lambdaEvent('alb', { headers: { 'x-amzn-mtls-clientcert': cert } });
    expect(await ssl(given, { mutualTls: 'passthrough' })).toEqual({});
  });

  it('a function URL has the protocol and the cipher', async () => {
    const headers = { 'x-amzn-tls-version': 'TLSv1.2', 'x-amzn-tls-cipher-suite': 'ECDHE-RSA-AES128-GCM-SHA256' };
    expect(await ssl(lambdaEvent('function-url', { headers }))).toEqual({
      SSL_PROTOCOL: 'TLSv1.2',
      SSL_CIPHER: 'ECDHE-RSA-AES128-GCM-SHA256',
    });
  });

  it('mutualTls of another value is a TypeError', () => {
    expect(() => toLambda(() => [], { mutualTls: 'on' as never })).toThrow(/"mutualTls" is the string "on"; expected/);
  });
});

describe('Lambda@Edge: aws.pass_through', () => {
  it.each(['edge-viewer-request', 'edge-origin-request'])('%s goes on as the application left it', async (kind) => {
    const given = eventWith(kind, 'GET');
    const { request } = given.Records[0].cf;
    const handler = toLambda((environ, startResponse) => {
      const passing = environ['aws.pass_through'] as () => void;
      if (environ['app.pass'] !== undefined || environ.QUERY_STRING !== 'stay') passing();
      request.headers['x-added'] = [{ key: 'X-Added', value: '1' }];
      startResponse('204 No Content', []);
      return [];
    });
    expect(await handler(given)).toBe(request);
    expect(request.headers['x-added']).toEqual([{ key: 'X-Added', value: '1' }]);
    request.querystring = 'stay';
    expect(await handler(given)).toMatchObject({ status: '204' });
  });

  it.each(['viewer-request', 'origin-request'] as const)(
    'through fromLambda, %s: the origin answers, with what the function changed',
    async (eventType) => {
      const handler = toLambda((environ, startResponse) => {
        const [{ cf }] = (environ['aws.event'] as { Records: [{ cf: { request: { headers: object; uri: string } } }] })
          .Records;
        const { request } = cf;
        Object.assign(request.headers, { 'x-added': [{ key: 'X-Added', value: '1' }] });
        if (environ.PATH_INFO.startsWith('/old')) {
          request.uri = '/new%20path';
          (environ['aws.pass_through'] as () => void)();
        }
        startResponse('200 OK', []);
        return [encode('the edge')];
      });
      const origin: Application = async (environ, startResponse) => {
        startResponse('202 Accepted', []);
        const { PATH_INFO, QUERY_STRING, REQUEST_URI, HTTP_X_ADDED, CONTENT_TYPE, CONTENT_LENGTH } = environ;
        const body = await environ['wsgi.input'].text();
        return [
          encode(
            JSON.stringify([PATH_INFO, QUERY_STRING, REQUEST_URI, HTTP_X_ADDED, CONTENT_TYPE, CONTENT_LENGTH, body]),
          ),
        ];
      };
      const fetch = toFetch(fromLambda(handler, { source: 'edge', eventType, origin }), quiet);
      const passed = await fetch('http://a.test/old?q=1', { method: 'POST', body: 'text' });
      expect(passed.status).toBe(202);
      const type = 'text/plain;charset=UTF-8';
      expect(await passed.json()).toEqual(['/new path', 'q=1', '/new%20path?q=1', '1', type, '4', 'text']);
      expect(await (await fetch('http://a.test/other')).text()).toBe('the edge');
      const none = toFetch(fromLambda(handler, { source: 'edge', eventType }), quiet);
      expect((await none('http://a.test/old')).status).toBe(502);
    },
  );

  it('is there for no other event source', async () => {
    const app: Application = (environ, startResponse) => {
      startResponse('200 OK', []);
      return [encode(String('aws.pass_through' in environ))];
    };
    expect(await toLambda(app)(event())).toMatchObject({ body: 'false' });
    expect(await toLambda(app)(eventWith('edge-viewer-request', 'GET'))).toMatchObject({ body: 'true' });
  });
});
