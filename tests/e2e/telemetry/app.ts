// A traced application with apps of each kind inside, for the runtimes that run it from a bundle. `/spans` tells what the
// exporter has been given by then.

import * as api from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, BatchSpanProcessor, InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
import express from 'express';
import helmet from 'helmet';
import { Hono } from 'hono';
import { type Application, encode } from 'waygate';
import { environOf, fromFetch } from 'waygate/fetch';
import { mount, opentelemetry } from 'waygate/middleware';
import { fromConnect, fromNode } from 'waygate/node';

const exporter = new InMemorySpanExporter();
// Spans wait for a minute, so that only a flush can have sent them.
const processor = new BatchSpanProcessor(exporter, { scheduledDelayMillis: 60_000 });
const provider = new BasicTracerProvider({ spanProcessors: [processor] });
api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
api.propagation.setGlobalPropagator(new W3CTraceContextPropagator());
api.trace.setGlobalTracerProvider(provider);

const work = (name: string): void => api.trace.getTracer('app').startSpan(name).end();
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 20));

const inExpress = express().get('/:id', async (request, response) => {
  await pause();
  work(`express ${request.params.id}`);
  response.write('express ');
  await pause();
  response.end(request.params.id);
});

const hono = new Hono().get('/:id', async (c) => {
  await pause();
  work(`hono ${c.req.param('id')}`);
  const environ = environOf(c.req.raw);
  if (environ) environ['otel.route'] = '/hono/:id';
  return c.text(`hono ${c.req.param('id')}`);
});

const plain: Application = async ({ PATH_INFO }, startResponse) => {
  const id = PATH_INFO.slice(1);
  await pause();
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return (async function* () {
    yield encode('plain ');
    await pause();
    work(`plain ${id}`);
    yield encode(id);
  })();
};

const traced = opentelemetry(
  mount({ '/express': fromNode(inExpress), '/hono': fromFetch(hono), '/plain': fromConnect(helmet())(plain) }),
  { api, flush: () => provider.forceFlush() },
);

const spans: Application = (_environ, startResponse) => {
  const all = exporter.getFinishedSpans().map((span) => ({
    name: span.name,
    trace: span.spanContext().traceId,
    id: span.spanContext().spanId,
    parent: span.parentSpanContext?.spanId,
    path: span.attributes['url.path'],
    status: span.attributes['http.response.status_code'],
  }));
  startResponse('200 OK', [['Content-Type', 'application/json']]);
  return [encode(JSON.stringify(all))];
};

export const app: Application = mount({ '/spans': spans, '/': traced });
