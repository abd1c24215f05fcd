// The option `sources`: which event sources are served, and what a bundle holds of the others.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { type Application, run } from 'waygate';
import {
  fromLambda,
  type LambdaOptions,
  lambdaEvent,
  toLambda,
  toLambdaStream,
  UnsupportedEventError,
} from 'waygate/aws-lambda';
import * as sources from 'waygate/aws-lambda/sources';
import { testEnviron } from 'waygate/testing';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const { alb, functionUrl, httpApi, httpApiEmulator, restApi } = sources;

const app: Application = (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [new TextEncoder().encode(environ.PATH_INFO)];
};

const mistaken = (value: unknown): LambdaOptions => ({ sources: value as LambdaOptions['sources'] });

describe('the option sources', () => {
  it('serves the event sources that it names, and takes events of others for no HTTP request', async () => {
    const handler = toLambda(app, { sources: [httpApi, alb] });
    expect(await handler(lambdaEvent('http-api', { path: '/a' }))).toMatchObject({ statusCode: 200, body: '/a' });
    expect(await handler(lambdaEvent('alb', { path: '/b' }))).toMatchObject({ statusCode: 200, body: '/b' });
    const rejected = handler(lambdaEvent('rest-api'));
    await expect(rejected).rejects.toThrow(UnsupportedEventError);
    await expect(rejected).rejects.toThrow('served are the HTTP requests of http-api, alb.');
  });

  it('gives what is not served to the option events', async () => {
    const handler = toLambda(app, { sources: [httpApi], events: () => 'taken' });
    expect(await handler(lambdaEvent('rest-api'))).toBe('taken');
  });

  it('holds for streamed responses too', async () => {
    const handler = toLambdaStream(app, { sources: [functionUrl] });
    expect(await handler(lambdaEvent('function-url', { path: '/a' }), null)).toMatchObject({ body: '/a' });
    await expect(handler(lambdaEvent('rest-api'), null)).rejects.toThrow('the HTTP requests of function-url.');
  });

  it.each([[[]], ['http-api'], [['http-api']], [[httpApiEmulator]], [null], [{}]])('refuses %j', (value) => {
    const text = /^The option "sources" is .*; expected a list of event sources of waygate\/aws-lambda\/sources/;
    for (const serve of [toLambda, toLambdaStream]) {
      expect(() => serve(app, mistaken(value))).toThrow(TypeError);
      expect(() => serve(app, mistaken(value))).toThrow(text);
    }
  });
});

describe('waygate/aws-lambda/sources', () => {
  it('serves the named event sources alone, in one piece and streamed', async () => {
    const whole = sources.lambdaHandler(app, { sources: [restApi] });
    expect(await whole(lambdaEvent('rest-api', { path: '/a' }))).toMatchObject({ body: '/a' });
    await expect(whole(lambdaEvent('http-api'))).rejects.toThrow(UnsupportedEventError);
    const streamed = sources.lambdaStreamHandler(app, { sources: [functionUrl] });
    expect(await streamed(lambdaEvent('function-url', { path: '/b' }), null)).toMatchObject({ body: '/b' });
  });

  it('serves nothing that is not named', () => {
    const given = undefined as unknown as sources.SelectedSourcesOptions;
    expect(() => sources.lambdaHandler(app, given)).toThrow(/^The option "sources" is /);
    expect(() => sources.lambdaStreamHandler(app, {} as typeof given)).toThrow(/^The option "sources" is /);
  });

  it('has an emulator for each source, which fromLambda and lambdaEvent take in place of its name', async () => {
    const names = Object.keys(sources).filter((name) => !/Handler$|Emulator$/.test(name));
    expect(names.length).toBeGreaterThanOrEqual(7);
    for (const name of names) expect(sources).toHaveProperty(`${name}Emulator.name`);
    expect(lambdaEvent(httpApiEmulator, { path: '/a' })).toMatchObject({ version: '2.0', rawPath: '/a' });
    const hosted = fromLambda(toLambda(app), { source: httpApiEmulator });
    expect((await run(hosted, testEnviron({ PATH_INFO: '/a' }))).statusCode).toBe(200);
  });
});

/** The bytes of a function as a bundle, and the files of sources/ that are in it. */
async function bundled(contents: string): Promise<{ bytes: number; files: string[] }> {
  const { metafile } = await build({
    stdin: {
      contents,
      resolveDir: root,
    },
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    metafile: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    write: false,
  });
  const [output] = Object.values(metafile.outputs);
  const inputs = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const files = inputs.map(([path]) => path).filter((path) => /aws-lambda\/(?:sources|emulator)\//.test(path));
  return { bytes: output?.bytes ?? 0, files: files.map((path) => path.replace(/^.*aws-lambda\//, '')) };
}

it('a bundle holds the named event sources and no others, and is as much smaller as the page says', async () => {
  const all = await bundled(`
    import { toLambda } from './adapters/aws-lambda/index.ts';
    export const handler = toLambda(() => []);`);
  const one = await bundled(`
    import { httpApi, lambdaHandler } from './adapters/aws-lambda/sources/index.ts';
    export const handler = lambdaHandler(() => [], { sources: [httpApi] });`);
  expect(one.files.filter((file) => file !== 'sources/index.ts')).toEqual(['sources/http-api.ts']);
  // What imitates event sources is in neither.
  expect(all.files.filter((file) => file.startsWith('emulator/'))).toEqual([]);
  const page = readFileSync(`${root}/docs/platforms.md`, 'utf8');
  const figures = /a bundle of (\d+) kB in place of (\d+) kB/.exec(page)?.slice(1).map(Number);
  expect(figures).toHaveLength(2);
  for (const [index, { bytes }] of [one, all].entries()) {
    expect(Math.abs((figures?.[index] as number) * 1000 - bytes)).toBeLessThan(1500);
  }
});
