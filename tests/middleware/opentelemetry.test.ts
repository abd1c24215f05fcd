// Spans and measurements of applications, as a real SDK exports them.

import * as api from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import express from 'express';
import { Hono } from 'hono';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Application, encode, FileWrapper, RequestError } from 'waygate';
import { environOf, fromFetch } from 'waygate/fetch';
import { mount, opentelemetry, proxyFix, validator } from 'waygate/middleware';
import { fromNode } from 'waygate/node';
import { APP_WAYS } from '../adapters/node/connect-ways.ts';

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const measurements = new InMemoryMetricExporter(AggregationTemporality.DELTA);
const meters = new MeterProvider({
  readers: [new PeriodicExportingMetricReader({ exporter: measurements, exportIntervalMillis: 1_000_000 })],
});

beforeAll(() => {
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  api.propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  api.trace.setGlobalTracerProvider(provider);
  api.metrics.setGlobalMeterProvider(meters);
});
afterAll(async () => {
  await meters.shutdown();
  api.context.disable();
  api.trace.disable();
  api.metrics.disable();
  api.propagation.disable();
});
beforeEach(async () => {
  await meters.forceFlush();
  exporter.reset();
  measurements.reset();
});

const around = (app: Application): Application => opentelemetry(app, { api });

const hello: Application = (_environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [encode('hello')];
};

/** A piece of work of the application, as a span of its own. */
const work = (name: string): void => api.trace.getTracer('app').startSpan(name).end();

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const headers = { traceparent: `00-${TRACE}-${PARENT}-01`, 'user-agent': 'test/1' };

/** The spans that were exported, the server's last. */
async function spans(count: number) {
  await vi.waitFor(() => expect(exporter.getFinishedSpans().length).toBeGreaterThanOrEqual(count));
  const all = exporter.getFinishedSpans();
  expect(all).toHaveLength(count);
  return all;
}

async function points() {
  await meters.forceFlush();
  return measurements
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap(({ metrics }) => metrics)
    .flatMap(({ descriptor, dataPoints }) => dataPoints.map((point) => ({ descriptor, ...point })));
}

describe.each(APP_WAYS)('%s', (name, way) => {
  test('a request is a server span of the trace that its headers name, with the attributes of the conventions', async () => {
    await way(validator(around(validator(hello))), async (call) => {
      await (await call('/caf%C3%A9/x?q=1&sig=secret', { headers })).text();
      const [span] = await spans(1);
      expect(span?.spanContext().traceId).toBe(TRACE);
      expect(span?.parentSpanContext?.spanId).toBe(PARENT);
      expect(span?.kind).toBe(api.SpanKind.SERVER);
      expect(span?.name).toBe('GET');
      expect(span?.status.code).toBe(api.SpanStatusCode.UNSET);
      expect(span?.attributes).toMatchObject({
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'url.path': '/caf%C3%A9/x',
        'url.query': 'q=1&sig=REDACTED',
        'url.scheme': 'http',
        'network.protocol.version': '1.1',
        'user_agent.original': 'test/1',
      });
      expect(span?.attributes['server.address']).toMatch(/^(?:localhost|127\.0\.0\.1)$/);
      if (name.startsWith('on node')) {
        expect(span?.attributes).toMatchObject({ 'client.address': '127.0.0.1', 'network.peer.address': '127.0.0.1' });
      }
    });
  });

  test('each request is measured in seconds, with few attributes', async () => {
    await way(opentelemetry(hello, { api, route: () => '/users/:id' }), async (call) => {
      await (await call('/users/1?a=b')).text();
      await (await call('/users/2')).text();
      const [point, ...more] = await points();
      expect(more).toEqual([]);
      expect(point?.descriptor).toMatchObject({ name: 'http.server.request.duration', unit: 's' });
      expect(point?.attributes).toEqual({
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'http.route': '/users/:id',
        'network.protocol.version': '1.1',
        'url.scheme': 'http',
      });
      const { count, sum, buckets } = (point as NonNullable<typeof point>).value as {
        count: number;
        sum: number;
        buckets: { boundaries: number[] };
      };
      expect(count).toBe(2);
      expect(sum).toBeGreaterThan(0);
      expect(sum).toBeLessThan(10);
      expect(buckets.boundaries).toContain(0.075);
      expect((await spans(2)).map((span) => span.name)).toEqual(['GET /users/:id', 'GET /users/:id']);
    });
  });

  test('the span is the active one in the application, in its body and in close(), also behind awaits and slow clients', async () => {
    const app: Application = async (_environ, startResponse) => {
      work('before');
      await new Promise((resolve) => setTimeout(resolve, 1));
      work('after');
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return {
        async *[Symbol.asyncIterator]() {
          for (let count = 0; count < 30; count++) {
            if (count % 10 === 0) {
              await new Promise((resolve) => setTimeout(resolve, 1));
              work(`body ${count}`);
            }
            yield new Uint8Array(100_000).fill(120);
          }
        },
        close: () => work('close'),
      };
    };
    await way(validator(around(validator(app))), async (call) => {
      expect((await (await call('/', { headers })).arrayBuffer()).byteLength).toBe(3_000_000);
      const all = await spans(7);
      const server = all.at(-1);
      expect(server?.kind).toBe(api.SpanKind.SERVER);
      expect(all.slice(0, -1).map((span) => span.name)).toEqual([
        'before',
        'after',
        'body 0',
        'body 10',
        'body 20',
        'close',
      ]);
      for (const span of all.slice(0, -1)) expect(span.parentSpanContext?.spanId).toBe(server?.spanContext().spanId);
    });
  });

  test('the tree of spans goes on in a hosted Express and a hosted Hono, several requests at once', async () => {
    const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
    const inExpress = express().get('/users/:id', async (request, response) => {
      await wait();
      work(`express ${request.params.id}`);
      (request as unknown as { environ: Record<string, unknown> }).environ['otel.route'] = '/express/users/:id';
      response.write('a');
      await wait();
      response.end('b');
    });
    const hono = new Hono().get('/users/:id', async (c) => {
      await wait();
      work(`hono ${c.req.param('id')}`);
      const environ = environOf(c.req.raw);
      if (environ) environ['otel.route'] = '/hono/users/:id';
      return c.text('ab');
    });
    const app = mount({ '/express': fromNode(inExpress), '/hono': fromFetch(hono) });
    await way(around(app), async (call) => {
      const ids = Array.from({ length: 10 }, (_, id) => String(id));
      const ask = async (path: string): Promise<void> => {
        expect(await (await call(path)).text()).toBe('ab');
      };
      await Promise.all(ids.flatMap((id) => [ask(`/express/users/${id}`), ask(`/hono/users/${id}`)]));
      const all = await spans(40);
      const servers = all.filter((span) => span.kind === api.SpanKind.SERVER);
      expect(new Set(servers.map((span) => span.spanContext().traceId)).size).toBe(20);
      for (const server of servers) {
        const [, kind, id] = /^\/(\w+)\/users\/(\d)$/.exec(String(server.attributes['url.path'])) ?? [];
        expect(server.name).toBe(`GET /${kind}/users/:id`);
        const inner = all.filter((span) => span.parentSpanContext?.spanId === server.spanContext().spanId);
        expect(inner.map((span) => span.name)).toEqual([`${kind} ${id}`]);
      }
    });
  });

  test("an error of the application is recorded, and is still the gateway's to report", async () => {
    class QuotaError extends Error {
      override name = 'QuotaError';
    }
    const throws: Application = () => {
      throw new QuotaError('no more');
    };
    const rejects: Application = async () => {
      throw new QuotaError('no more');
    };
    const lazily: Application = (_environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return (async function* () {
        yield encode('some');
        throw new QuotaError('no more');
      })();
    };
    for (const app of [throws, rejects, lazily]) {
      exporter.reset();
      const onError = vi.fn();
      await way(
        around(app),
        async (call) => {
          await call('/')
            .then((response) => response.text())
            .catch(() => {});
          const [span] = await spans(1);
          expect(span?.status.code).toBe(api.SpanStatusCode.ERROR);
          expect(span?.attributes['error.type']).toBe('QuotaError');
          expect(span?.attributes['http.response.status_code']).toBe(app === lazily ? 200 : 500);
          expect(span?.events.map(({ name: event }) => event)).toEqual(['exception']);
          expect(onError.mock.calls.map(([error]) => error.message)).toEqual(['no more']);
        },
        { errors: () => {}, onError },
      );
    }
  });

  test("a status of 500 or more is an error, one of 400 is the client's", async () => {
    const app: Application = ({ PATH_INFO }, startResponse) => {
      if (PATH_INFO === '/413') throw new RequestError(413, 'too much');
      startResponse(`${PATH_INFO.slice(1)} Odd`, [['Content-Type', 'text/plain']]);
      return [encode('x')];
    };
    await way(around(app), async (call) => {
      for (const status of [503, 404]) await (await call(`/${status}`)).text();
      const [error, missing] = await spans(2);
      expect([error?.status.code, error?.attributes['error.type']]).toEqual([api.SpanStatusCode.ERROR, '503']);
      expect([missing?.status.code, missing?.attributes['error.type']]).toEqual([api.SpanStatusCode.UNSET, undefined]);
      const types = (await points()).map(({ attributes }) => attributes['error.type']);
      expect(types).toEqual(['503', undefined]);
    });
  });

  test('flush is called once for each request, when its span has ended, and the platform waits for it', async () => {
    const flush = vi.fn(async () => {
      expect(exporter.getFinishedSpans()).toHaveLength(flush.mock.calls.length);
      await new Promise((resolve) => setTimeout(resolve, 20));
      flushed++;
    });
    let flushed = 0;
    await way(opentelemetry(hello, { api, flush }), async (call) => {
      await (await call('/')).text();
      if (name === 'on Lambda') expect(flushed).toBe(1);
      await (await call('/')).text();
      await vi.waitFor(() => expect(flushed).toBe(2));
    });
  });
});

test('a method that nobody knows, and a proxy in front', async () => {
  const [, way] = APP_WAYS[0] as (typeof APP_WAYS)[number];
  await way(proxyFix(around(hello), { for: true, proto: true, host: true }), async (call) => {
    const forwarded = {
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'shop.example:8443',
    };
    await (await call('/', { method: 'PURGE', headers: forwarded })).text();
    const [span] = await spans(1);
    expect(span?.name).toBe('HTTP');
    expect(span?.attributes).toMatchObject({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'PURGE',
      'url.scheme': 'https',
      'server.address': 'shop.example',
      'server.port': 8443,
      'client.address': '203.0.113.9',
      'network.peer.address': '127.0.0.1',
    });
  });
});

test('a span that is active already is the parent, and what is ignored has none', async () => {
  const [, way] = APP_WAYS[2] as (typeof APP_WAYS)[number];
  const app = opentelemetry(hello, { api, ignore: ({ PATH_INFO }) => PATH_INFO === '/health' });
  await way(app, async (call) => {
    await api.trace.getTracer('agent').startActiveSpan('outer', async (outer) => {
      await (await call('/', { headers })).text();
      await (await call('/health')).text();
      outer.end();
    });
    const [server, outer] = await spans(2);
    expect(server?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
  });
});

test('a file keeps its length, and a client that leaves ends the span without an error', async () => {
  const [, way] = APP_WAYS[0] as (typeof APP_WAYS)[number];
  const file: Application = (_environ, startResponse) => {
    startResponse('200 OK', [['Content-Type', 'text/plain']]);
    let left = 5;
    return new FileWrapper({
      read: (size) => {
        const take = Math.min(size, left);
        left -= take;
        return new Uint8Array(take);
      },
      remaining: () => left,
    });
  };
  await way(around(file), async (call) => {
    const response = await call('/');
    expect(response.headers.get('content-length')).toBe('5');
    await response.text();
    await spans(1);
  });
  exporter.reset();
  const endless: Application = (_environ, startResponse) => {
    startResponse('200 OK', [['Content-Type', 'text/plain']]);
    return (async function* () {
      for (;;) yield new Uint8Array(64 * 1024);
    })();
  };
  await way(around(endless), async (call) => {
    const controller = new AbortController();
    const response = await call('/', { signal: controller.signal });
    await response.body?.getReader().read();
    controller.abort();
    const [span] = await spans(1);
    expect([span?.status.code, span?.attributes['error.type']]).toEqual([api.SpanStatusCode.UNSET, undefined]);
  });
});

test('without the API it says what to pass', () => {
  expect(() => opentelemetry(hello, {} as never)).toThrow('import * as api from');
  expect(() => opentelemetry({} as never, { api })).toThrow(TypeError);
});
