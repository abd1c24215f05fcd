// One request on every platform, and what differs there.

import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Application } from 'waygate';
import { encode } from 'waygate';
import { type Comparison, compareRuns } from '../../cli/src/everywhere/compare.ts';
import { LOSSES } from '../../cli/src/everywhere/losses.ts';
import { Everywhere, type PlatformRun } from '../../cli/src/everywhere/run.ts';
import { VARIANTS } from '../../cli/src/everywhere/variants.ts';

const open: Everywhere[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

function everywhere(exported: unknown, options = {}): Everywhere {
  const made = new Everywhere({ default: exported }, 'app.ts', options);
  open.push(made);
  return made;
}

function difference(table: Comparison, part: string): Comparison['differences'][number] | undefined {
  return table.differences.find((each) => each.part === part);
}

/** The platforms on which a part differs, with what they have there. */
function others(table: Comparison, part: string): Record<string, string | undefined> {
  const found = difference(table, part)?.others ?? [];
  return Object.fromEntries(found.flatMap(({ platforms, value }) => platforms.map((each) => [each, value])));
}

const HOST: [string, string] = ['Host', 'example.test'];

describe('a request on every platform', () => {
  it('is answered alike where nothing is lost', async () => {
    const app: Application = async (environ, startResponse) => {
      const body = await environ['wsgi.input'].bytes();
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return [encode(`${environ.REQUEST_METHOD} ${environ.PATH_INFO}: `), body];
    };
    const request = { method: 'POST', target: '/a/b?c=d', headers: [HOST], body: encode('text') };
    const runs = await everywhere(app).run(request);
    expect(runs.map((run) => run.label)).toEqual([...VARIANTS.map((each) => each.label), 'node']);
    for (const run of runs) {
      expect(run.error, run.label).toBeUndefined();
      expect(Buffer.from(run.response?.body ?? []).toString(), run.label).toBe('POST /a/b: text');
      expect(run.seen?.body, run.label).toMatch(/^4 bytes, sha256 /);
    }
    expect(compareRuns(runs)).toMatchObject({ reference: 'node', varying: [] });
    expect(compareRuns(runs).differences.filter((each) => each.side === 'response')).toEqual([]);
  });

  it('shows what platforms lose, each with the line of docs/platforms.md that says why', async () => {
    const app: Application = (_environ, startResponse) => {
      startResponse('200 Fine', [
        ['WWW-Authenticate', 'Basic'],
        ['X-A', '1'],
        ['X-A', '2'],
      ]);
      return [encode('x')];
    };
    const table = compareRuns(
      await everywhere(app).run({ method: 'GET', target: '/a%252Fb?b=1&a&b=2', headers: [HOST] }),
    );
    expect(others(table, 'PATH_INFO')).toMatchObject({ 'lambda:http-api': '/a/b' });
    expect(others(table, 'QUERY_STRING')).toMatchObject({ 'lambda:alb': 'b=2&a=' });
    expect(others(table, 'content-type')).toMatchObject({
      'lambda:rest-api': 'application/json',
      'lambda:http-api': 'text/plain; charset=utf-8',
    });
    expect(others(table, 'x-a')['lambda:lattice']).toBe('1, 2');
    expect(others(table, 'x-a')['lambda:alb, multi-value headers']).toBeUndefined();
    expect(others(table, 'reason')['lambda:function-url']).toBe('OK');
    expect(others(table, 'www-authenticate')).toHaveProperty('lambda:http-api', undefined);
    for (const each of table.differences) {
      for (const { platforms, why } of each.others) expect(why, `${each.part} on ${platforms}`).toBeDefined();
    }
  });

  it('leaves out what changes from one request to the next by itself', async () => {
    let count = 0;
    const app: Application = (_environ, startResponse) => {
      startResponse('200 OK', [
        ['Content-Type', 'text/plain'],
        ['X-Count', String(++count)],
      ]);
      return [encode('x')];
    };
    const table = compareRuns(await everywhere(app).run({ method: 'GET', target: '/', headers: [HOST] }));
    expect(table.varying).toEqual(['response x-count']);
    expect(difference(table, 'x-count')).toBeUndefined();
  });

  it('says where an app fails or does not answer, with its log', async () => {
    const app: Application = (environ, startResponse) => {
      if (environ['waygate.gateway'] === 'aws-lambda') throw new Error('planted');
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return [encode('x')];
    };
    const runs = await everywhere(app).run({ method: 'GET', target: '/', headers: [HOST] });
    const table = compareRuns(runs);
    expect(others(table, 'status')['lambda:alb']).toBe('500');
    expect(others(table, 'status').fetch).toBeUndefined();
    expect(runs.find((run) => run.label === 'lambda:alb')?.log.join()).toContain('planted');
  });

  it('takes Fetch apps, Node listeners and Lambda handlers', async () => {
    const request = { method: 'GET', target: '/x', headers: [HOST] };
    const bodies = (runs: PlatformRun[]): string[] => [
      ...new Set(runs.map((run) => Buffer.from(run.response?.body ?? []).toString())),
    ];
    expect(
      bodies(await everywhere((request: Request) => new Response(new URL(request.url).pathname)).run(request)),
    ).toEqual(['/x']);
    const listener = (request: { url: string }, response: { end(text: string): void }): void =>
      response.end(request.url);
    expect(bodies(await everywhere(listener, { kind: 'node' }).run(request))).toEqual(['/x']);
    const handler = async (event: { rawPath?: string; path?: string }) => ({
      statusCode: 200,
      body: event.rawPath ?? event.path,
    });
    const sources = await everywhere(handler, { kind: 'lambda' }).run(request);
    expect(sources.map((run) => run.label)).toEqual([
      'lambda:rest-api',
      'lambda:http-api',
      'lambda:http-api, payload 1.0',
      'lambda:function-url',
      'lambda:alb',
      'lambda:alb, multi-value headers',
      'lambda:lattice',
      'lambda:lattice-v1',
      'lambda:edge',
      'lambda:rest-api',
    ]);
    expect(sources[0]?.response?.status).toBe(200);
  });

  it('reports a request that no client can send', async () => {
    const app: Application = () => [];
    const [first] = await everywhere(app).run({ method: 'GET', target: '/a b', headers: [HOST] });
    expect(first?.error).toMatch(/^GET \/a b got no response: /);
  });
});

it('names lines that docs/platforms.md has', () => {
  const lines = readFileSync(new URL('../../docs/platforms.md', import.meta.url), 'utf8').split('\n');
  for (const { line } of LOSSES) {
    expect(
      lines.filter((each) => each.startsWith(line)),
      line,
    ).toHaveLength(1);
  }
});
