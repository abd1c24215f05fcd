// The light classes of Fetch in what `waygate build` makes: in which bundles they are, and what a program there sees.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderOf, run } from './harness.ts';

/** Shows what its names stand for. */
const APP = `export default {
  fetch: async (request: Request) => {
    const url = new URL(request.url);
    if (url.pathname === '/text') return new Response('text');
    if (url.pathname === '/fetch') return fetch(request).then(() => new Response('none'), (error) => new Response(error.cause.code));
    if (url.pathname === '/request') {
      const copy = new Request(request, { headers: { a: '1' } });
      return new Response([copy.url === request.url, copy.method, copy.headers.get('a'), await copy.text()].join());
    }
    const response = new Response('x');
    return Response.json({
      own: [Response, Request, Headers, fetch].map((each) => each !== globalThis[each.name]),
      is: [response instanceof Response, response instanceof globalThis.Response, request instanceof globalThis.Request],
      walked: [[...new Headers({ b: '1', a: '2' })], [...request.headers.keys()].includes('host')],
      classes: [response.constructor === Response, request.constructor === Request, request.headers instanceof Headers],
    });
  },
};
`;

/** Runs a bundle in a process of its own, and asks its handler for paths. */
async function answers(cwd: string, target: string, method: string, ...paths: string[]): Promise<unknown> {
  const events = await Promise.all(
    paths.map(async (path) =>
      JSON.parse(
        (await run(cwd, ['event', 'lambda:http-api', method, path, ...(method === 'GET' ? [] : ['-d', 'body'])]))
          .stdout,
      ),
    ),
  );
  const caller = join(cwd, 'call.mjs');
  writeFileSync(
    caller,
    `const names = ['Response', 'Request', 'Headers', 'fetch'];
    const globals = () => names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
    const before = globals();
    const { handler } = await import('./dist/${target}/index.mjs');
    const bodies = [];
    for (const event of ${JSON.stringify(events)}) bodies.push((await handler(event, {})).body);
    const loaded = Object.getOwnPropertyDescriptor(globalThis, 'Response').get === undefined;
    const same = globals().every((now, at) => now.get === before[at].get && now.value === before[at].value);
    console.log(JSON.stringify({ bodies, loaded, same }));`,
  );
  return JSON.parse(execFileSync(process.execPath, [caller], { encoding: 'utf8' }));
}

const build = (cwd: string, ...args: string[]): ReturnType<typeof run> => run(cwd, ['build', 'app.ts', ...args]);

/** Node 20 loads its fetch when somebody looks at it; later ones have it from the start. */
const LOADS_LATE = process.versions.node.startsWith('20.');

describe('a Fetch app that is built for Lambda', () => {
  it('has light classes, changes no global, and loads nothing of Node’s fetch for them', async () => {
    const cwd = folderOf({ 'app.ts': APP });
    expect(await build(cwd, '-t', 'lambda')).toMatchObject({ code: 0, stderr: '' });
    expect(await answers(cwd, 'lambda', 'GET', '/text')).toEqual({ bodies: ['text'], loaded: !LOADS_LATE, same: true });
    const { bodies } = (await answers(cwd, 'lambda', 'GET', '/')) as { bodies: string[] };
    expect(JSON.parse(bodies[0] as string)).toEqual({
      own: [true, true, true, true],
      is: [true, true, true],
      walked: [
        [
          ['a', '2'],
          ['b', '1'],
        ],
        true,
      ],
      classes: [true, true, true],
    });
  });

  it('hands its requests to fetch and new Request', async () => {
    const cwd = folderOf({ 'app.ts': APP });
    expect(await build(cwd, '-t', 'lambda', '--kind', 'fetch')).toMatchObject({ code: 0, stderr: '' });
    // Nothing listens there.
    const { bodies } = (await answers(cwd, 'lambda', 'POST', '/request', '/fetch')) as { bodies: string[] };
    expect(bodies[0]).toBe('true,POST,1,body');
    expect(bodies[1]).toMatch(/^E[A-Z]+|^UND_ERR/);
  });

  it('has Node’s own with --no-light-fetch', async () => {
    const cwd = folderOf({ 'app.ts': APP });
    expect(await build(cwd, '-t', 'lambda', '--no-light-fetch')).toMatchObject({ code: 0, stderr: '' });
    const { bodies } = (await answers(cwd, 'lambda', 'GET', '/')) as { bodies: string[] };
    expect(JSON.parse(bodies[0] as string)).toEqual({
      own: [false, false, false, false],
      is: [true, true, true],
      walked: [
        [
          ['a', '2'],
          ['b', '1'],
        ],
        true,
      ],
      classes: [true, true, true],
    });
  });

  it('has Node’s own where a module in the bundle puts others in their place', async () => {
    const polyfill = "if (typeof Response === 'undefined') { Response = class {} as never; }\n";
    const cwd = folderOf({ 'app.ts': polyfill + APP });
    expect(await build(cwd, '-t', 'lambda')).toMatchObject({ code: 0, stderr: '' });
    const { bodies } = (await answers(cwd, 'lambda', 'GET', '/')) as { bodies: string[] };
    expect(JSON.parse(bodies[0] as string)).toMatchObject({ own: [false, false, false, false] });
  });
});

describe('light classes are', () => {
  const holdsThem = async (app: string, ...args: string[]): Promise<boolean> => {
    const cwd = folderOf({ 'app.ts': app });
    expect(await build(cwd, '--out', 'out', ...args)).toMatchObject({ code: 0, stderr: '' });
    return /\bLightResponse\b/.test(readFileSync(join(cwd, 'out/index.mjs'), 'utf8'));
  };
  const WSGI = `export default (_environ: unknown, start: (status: string, headers: []) => void) => {
    start('200 OK', []);
    return [new TextEncoder().encode(String(typeof Response))];
  };`;
  const NODE = 'export default (_request: unknown, response: any) => response.end(typeof Response);';

  it.each([
    ['in bundles for Lambda', APP, ['-t', 'lambda'], true],
    ['in bundles for Lambda@Edge', APP, ['-t', 'lambda-edge'], true],
    ['in bundles for Node', APP, ['-t', 'node'], true],
    ['not in bundles for Workers', APP, ['-t', 'workers'], false],
    ['not in bundles for Deno', APP, ['-t', 'deno'], false],
    ['not in bundles for Bun', APP, ['-t', 'bun'], false],
    ['not where packages stay outside', APP, ['-t', 'lambda', '--no-bundle'], false],
    ['not where one package stays outside', APP, ['-t', 'lambda', '--external', 'a'], false],
    ['not with --no-light-fetch', APP, ['-t', 'node', '--no-light-fetch'], false],
    ['not beside an application', WSGI, ['-t', 'lambda'], false],
    ['not beside a listener of Node', NODE, ['-t', 'lambda', '--kind', 'node'], false],
  ] as const)('%s', async (_name, app, args, expected) => {
    expect(await holdsThem(app, ...args)).toBe(expected);
  });

  it.each(['workers', 'deno', 'bun'])('not to be left out for %s', async (target) => {
    const { code, stderr } = await build(folderOf({ 'app.ts': APP }), '-t', target, '--no-light-fetch');
    expect(code).not.toBe(0);
    expect(stderr).toContain('--no-light-fetch is for the targets lambda, lambda-edge, lambda-web, node');
  });
});
