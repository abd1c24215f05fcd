// What the library keeps from one request to the next is bounded in bytes, whatever clients send.

import { expect, test } from 'vitest';
import { type Environ, ResponseHeaders, run, setupTestingDefaults } from 'waygate';
import { addHeader } from 'waygate/adapter';
import { lambdaEvent, toLambda } from 'waygate/aws-lambda';
import { fromFetch, toFetch } from 'waygate/fetch';
import * as light from 'waygate/light-fetch/classes';
import { mount, proxyFix, validator } from 'waygate/middleware';
import { fromNode } from 'waygate/node';
import { lowerName } from '../../adapters/aws-lambda/event/result-headers.ts';
import { hostedUrl } from '../../adapters/fetch/hosted/url.ts';
import { checkHeaders } from '../../core/check.ts';
import { headerKey, headerName } from '../../core/environ.ts';
import { addHeaderLines } from '../../core/header-plans.ts';
import { heap } from './heap.ts';
import { nodes, sources } from './sources.ts';

/**
 * Everything that outlives a request stands at the top of a module. Each of these is accounted for here, with what
 * bounds it. What is weak lives no longer than what it is about, and a list that is written out is no cache.
 */
const KEPT: Record<string, string> = {
  'adapters/node/serve/shutdown.ts CLOSED_BY_SIGNAL': 'one for each server that listens',
  'adapters/node/hosted/socket.ts NOTHING': 'stays empty',
  'adapters/node/hosted/response.ts kindOf': 'a memo, filled below',
  'adapters/node/source.ts NOTHING': 'stays empty',
  'core/check.ts kindOf': 'a memo, filled below',
  'core/environ.ts headerKey': 'a memo, filled below',
  'core/environ.ts nameOfKey': 'a memo, filled below',
  'core/header-plans.ts linePlans': 'plans, bounded in number and letters, filled below',
  'adapters/aws-lambda/event/request-headers.ts plans': 'plans, bounded in number and letters, filled below',
  'adapters/aws-lambda/event/result-headers.ts lowerName': 'a memo, filled below',
  'adapters/aws-lambda/emulator/runtime.ts idleCalls': 'one for each call of an emulated function that is under way',
  'adapters/fetch/hosted/url.ts originOf': 'a memo, filled below',
  'adapters/fetch/light/list-headers.ts lowerCase': 'a memo, filled below',
};

test('every map, set, memo and list at the top of a module is accounted for', () => {
  const found: string[] = [];
  for (const { path, text } of sources()) {
    if (path.startsWith('testing/')) continue;
    const [program] = nodes(text) as unknown as [{ body: { type: string; declaration?: unknown }[] }];
    for (const statement of program.body) {
      const declaration = (statement.declaration ?? statement) as { type: string; declarations?: unknown[] };
      if (declaration.type !== 'VariableDeclaration') continue;
      for (const each of declaration.declarations as { id: { name: string }; init: Made | null }[]) {
        if (keeps(each.init)) found.push(`${path} ${each.id.name}`);
      }
    }
  }
  expect(found.sort(), 'a new one goes into KEPT, with what bounds it').toEqual(Object.keys(KEPT).sort());
});

interface Made {
  type: string;
  callee?: { name?: string };
  arguments?: unknown[];
  elements?: unknown[];
}

function keeps(init: Made | null): boolean {
  const name = init?.callee?.name ?? '';
  if (init?.type === 'ArrayExpression') return init.elements?.length === 0;
  return name === 'memo' || name === 'HeaderPlans' || (/^(?:Map|Set)$/.test(name) && init?.arguments?.length === 0);
}

/** More texts than any memo keeps, each as long as the headers that a server takes may be. */
const TEXTS = 1500;
const LENGTH = 50_000;

const ok = (
  _environ: Environ,
  startResponse: (status: string, headers: [string, string][]) => unknown,
): Uint8Array[] => {
  startResponse('200 OK', []);
  return [];
};
const on = (app: (environ: Environ, startResponse: never) => unknown, key: string) => (value: string) =>
  run(app as never, setupTestingDefaults({ [key]: value, 'wsgi.errors': { write() {}, writelines() {}, flush() {} } }));
const ignore = (step: () => unknown): unknown => {
  try {
    return step();
  } catch {
    return undefined;
  }
};

const fetchApp = fromFetch(() => new Response());
const lambda = toLambda(ok, { errors: () => {} }) as (event: unknown, context: unknown) => unknown;

/** Every way by which a text of a client's or an upstream server's reaches something that is kept. */
const WAYS: Record<string, (text: string) => unknown> = {
  headerKey,
  headerName: (text) => headerName(`HTTP_${text}`),
  lowerName,
  'addHeader, name': (text) => addHeader(setupTestingDefaults(), text, ''),
  'addHeaderLines, name': (text) => addHeaderLines({} as Environ, [text, '']),
  'addHeaderLines, names': (text) => addHeaderLines({} as Environ, ['Host', 'a', text, '', `${text}-b`, '']),
  'checkHeaders, name': (text) => ignore(() => checkHeaders([[text, '']])),
  'a view of headers': (text) => new ResponseHeaders([[text, '']]).get(text),
  'light headers, name': (text) => new light.Headers([[text, '']]).get(text),
  'the URL of a hosted app, Host': (text) => ignore(() => hostedUrl(setupTestingDefaults({ HTTP_HOST: text }))),
  'a hosted Fetch app, Host': on(fetchApp, 'HTTP_HOST'),
  'a hosted Fetch app, path': on(fetchApp, 'PATH_INFO'),
  'a hosted Fetch app behind proxyFix': on(proxyFix(fetchApp, { host: true }), 'HTTP_X_FORWARDED_HOST'),
  'a hosted Fetch app, header': (text) => on(fetchApp, `HTTP_${text}`)(''),
  'a hosted node app, header': (text) =>
    on(
      fromNode((_request, response) => void response.end()),
      `HTTP_${text}`,
    )(''),
  'a hosted node app, header of its response': (text) =>
    on(
      fromNode((_request, response) => void response.setHeader(text, '').end()),
      'PATH_INFO',
    )('/'),
  'validator, key': (text) => on(validator(ok), text)(''),
  'mount, Host': on(mount({ 'a.example': ok, '/': ok }), 'HTTP_HOST'),
  'toFetch, header': (text) => toFetch(ok)('http://localhost/', { headers: { [text]: '' } }),
  'toFetch, path': (text) => toFetch(ok)(`http://localhost/${text}`),
  'a Lambda event, header': (text) => lambda(lambdaEvent('http-api', { headers: { [text]: '' } }), {}),
};

test.each(Object.keys(WAYS))('%s: long texts leave nothing behind', async (name) => {
  const way = WAYS[name] as (text: string) => unknown;
  const filler = 'a'.repeat(LENGTH);
  await way(`warm${filler}`);
  const before = await heap();
  for (let count = 0; count < TEXTS; count++) await way(`n${count}${filler}`);
  // All of them would be 75 MB.
  expect((await heap()) - before).toBeLessThan(10_000_000);
});

test.each(Object.keys(WAYS))('%s: nor do ever new short ones', async (name) => {
  const way = WAYS[name] as (text: string) => unknown;
  const filler = 'a'.repeat(90);
  await way(`warm${filler}`);
  const before = await heap();
  for (let count = 0; count < 5000; count++) await way(`n${count}${filler}`);
  expect((await heap()) - before).toBeLessThan(5_000_000);
});
