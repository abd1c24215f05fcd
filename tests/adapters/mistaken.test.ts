// What is no application is named, with what to write instead, whatever the platform.

import http from 'node:http';
import express from 'express';
import fastify from 'fastify';
import Koa from 'koa';
import { describe, expect, it } from 'vitest';
import type { Application } from 'waygate';
import { fromLambda, toLambda } from 'waygate/aws-lambda';
import { toFetch } from 'waygate/fetch';
import { fromNode, toNode } from 'waygate/node';

const WAYS: [name: string, make: (app: Application, options?: object) => unknown][] = [
  ['toNode', toNode],
  ['toFetch', toFetch],
  ['toLambda', toLambda],
];

describe.each(WAYS)('%s', (_name, make) => {
  it.each([
    ['a Koa app', () => new Koa(), 'a Koa app becomes an application with fromNode(app.callback()).'],
    [
      'a Fastify app',
      () => fastify(),
      'a Fastify app becomes an application with fromNode(fastify.server), after await',
    ],
    ['a server', () => http.createServer(), 'a node server becomes an application with fromNode(server).'],
  ])('refuses %s with what to write', (_what, app, said) => {
    const message = `The application is an app for Node; expected a function (environ, startResponse). ${said[0]?.toUpperCase()}${said.slice(1)}`;
    expect(() => make(app() as never)).toThrow(message);
  });
});

const LISTENERS: [name: string, listener: (request: never, response: never) => unknown][] = [
  ['that sets a header', (_request: unknown, response: http.ServerResponse) => response.setHeader('A', '1')],
  ['that writes a head', (_request: unknown, response: http.ServerResponse) => response.writeHead(200).end('x')],
  ['that ends', async (_request: unknown, response: http.ServerResponse) => response.end('x')],
  [
    'that sets a status and looks at the URL',
    (request: http.IncomingMessage, response: http.ServerResponse) => {
      response.statusCode = 201;
      return request.headers.host;
    },
  ],
  ['made by Express', (request: never, response: never) => express()(request, response)],
  ['made by Koa', (request: never, response: never) => new Koa().use(() => {}).callback()(request, response)],
] as never;

describe.each(LISTENERS)('a listener %s, given as an application', (_name, listener) => {
  it('is a 500 whose log says what to write', async () => {
    const log: string[] = [];
    const handler = toFetch(listener as never, { errors: (line) => void log.push(line) });
    expect((await handler('/')).status).toBe(500);
    expect(log.join('')).toMatch(
      /used startResponse as the response of Node.* becomes an application with fromNode\(listener\)\. \[L-21\]/,
    );
    expect(log.join('')).toContain('Caused by: ');
  });
});

it('an error of an application’s own keeps its words', async () => {
  const log: string[] = [];
  const failing: Application = () => {
    (undefined as unknown as { setHeader(): void }).setHeader();
    return [];
  };
  const other: Application = (_environ, startResponse) => {
    startResponse('200 OK', []);
    ({}) as unknown as { end(): void };
    throw new TypeError('stream.end is not a function');
  };
  for (const app of [failing, other]) await toFetch(app, { errors: (line) => void log.push(line) })('/');
  expect(log.join('')).not.toContain('fromNode');
});

it('a function that makes an application is named', async () => {
  const log: string[] = [];
  const factory = () => (() => []) as Application;
  expect((await toFetch(factory as never, { errors: (line) => void log.push(line) })('/')).status).toBe(500);
  expect(log.join('')).toMatch(
    /returned a function; .* A function that makes an application is called first: give what it returns\./,
  );
});

describe('fromNode(fastify.server)', () => {
  it('before ready() is an error that says to await it', async () => {
    const app = fastify();
    app.get('/', async () => 'hi');
    const log: string[] = [];
    const handler = toFetch(fromNode(app.server), { errors: (line) => void log.push(line) });
    expect((await handler('/')).status).toBe(500);
    expect(log.join('')).toMatch(/Fastify app .* not ready.*await fastify\.ready\(\)/);
    await app.ready();
    expect(await (await handler('/')).text()).toBe('hi');
  });
});

it('fromNode refuses what it cannot host with what to write', () => {
  expect(() => fromNode(fastify() as never)).toThrow(/a Fastify app; .*fromNode\(fastify\.server\)/);
  expect(() => fromNode(new Koa() as never)).toThrow(/a Koa app; .*koa\.callback\(\)/);
  expect(() => fromNode({} as never)).toThrow(/an Object; expected a listener/);
  expect(typeof fromLambda).toBe('function');
});
