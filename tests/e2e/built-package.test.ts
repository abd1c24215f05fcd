// The library as `npm run build` makes it: few files to load, each module in one of them, and nothing loaded that few need.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { NODE_VERSIONS, nodeRuntime } from '../../tools/node-runtimes.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { default: string }>;
};

/** The file of each entry of the package, by its name. */
const ENTRIES = new Map(
  Object.entries(exports).flatMap(([name, entry]) =>
    typeof entry === 'string' ? [] : [[name.replace(/^\./, 'waygate'), join(root, entry.default)] as const],
  ),
);

const file = (entry: string): string => ENTRIES.get(entry) as string;
const url = (entry: string): string => pathToFileURL(file(entry)).href;

/** Everything that importing some entries loads at once: files, and modules of Node. */
function loaded(...entries: string[]): string[] {
  const found = new Set(entries.map(file));
  for (const path of found) {
    // A module of Node, or a package.
    if (!path.startsWith(root)) continue;
    const text = readFileSync(path, 'utf8');
    for (const [, from] of text.matchAll(/^(?:import|export)\b[^;'"]*["']([^"']+)["'];$/gm)) {
      found.add((from as string).startsWith('.') ? join(dirname(path), from as string) : (from as string));
    }
  }
  return [...found];
}

/** What a program prints that is given to Node as it is. */
function output(program: string, ...flags: string[]): string {
  return execFileSync(process.execPath, [...flags, '--input-type=module', '--eval', program], { encoding: 'utf8' });
}

describe.runIf(existsSync(file('waygate')))('the built package (needs npm run build)', () => {
  it('has each source in one file only: all entries have the same classes', () => {
    const homes = new Map<string, string[]>();
    for (const path of readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })) {
      if (!path.endsWith('.js.map')) continue;
      const map = JSON.parse(readFileSync(join(root, 'dist', path), 'utf8')) as { sources: string[] };
      for (const source of map.sources) {
        const name = relative(root, join(root, 'dist', dirname(path), source));
        homes.set(name, [...(homes.get(name) ?? []), path]);
      }
    }
    expect([...homes].filter(([, paths]) => paths.length > 1)).toEqual([]);
    expect([...homes.keys()]).toContain('core/exchange.ts');
    expect([...homes.keys()]).toContain('adapters/aws-lambda/to-lambda.ts');
  });

  it('names files that exist among those with an effect: a bundler drops what the others do when they are loaded', () => {
    const { sideEffects } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { sideEffects: string[] };
    expect(sideEffects.filter((name) => !existsSync(join(root, name)))).toEqual([]);
  });

  it('has what entries share in one place: a name that two of them export is the same thing', () => {
    const program = `
      const entries = ${JSON.stringify([...ENTRIES].map(([name]) => [name, url(name)]))};
      const seen = new Map();
      const differ = [];
      for (const [entry, href] of entries) {
        // Its names are those of the platform's classes.
        if (entry === 'waygate/light-fetch/classes') continue;
        for (const [name, value] of Object.entries(await import(href))) {
          if (seen.has(name) && seen.get(name) !== value) differ.push(entry + ' ' + name);
          seen.set(name, value);
        }
      }
      console.log(JSON.stringify({ differ, both: seen.has('toLambda') && seen.has('toNode') }));`;
    expect(JSON.parse(output(program))).toEqual({ differ: [], both: true });
  });

  it('loads an error of the one entry as such in the other', () => {
    const program = `
      const { RequestError } = await import('${url('waygate')}');
      const { lambdaEvent, toLambda } = await import('${url('waygate/aws-lambda')}');
      const handler = toLambda(() => { throw new RequestError(418, 'Tea only.'); }, { errors: () => {} });
      console.log((await handler(lambdaEvent('http-api'))).statusCode);`;
    expect(output(program)).toBe('418\n');
  });

  it.each<[string[], number]>([
    [['waygate', 'waygate/aws-lambda'], 4],
    [['waygate', 'waygate/node'], 4],
    [['waygate', 'waygate/fetch'], 5],
    [['waygate', 'waygate/cloudflare-workers'], 5],
  ])('importing %j loads a few files', (entries, most) => {
    const files = loaded(...entries).filter((each) => each.startsWith(root));
    expect(files.length).toBeGreaterThan(1);
    expect(files.length).toBeLessThanOrEqual(most);
  });

  it('loads no module of Node where there may be none, and the large ones nowhere', () => {
    const modules = (entry: string): string[] => loaded(entry).filter((each) => each.startsWith('node:'));
    for (const entry of ['waygate', 'waygate/fetch', 'waygate/cloudflare-workers', 'waygate/middleware']) {
      expect(modules(entry), entry).toEqual([]);
    }
    const large = ['node:http', 'node:http2', 'node:https', 'node:tls', 'node:crypto'];
    for (const entry of ['waygate/node', 'waygate/aws-lambda']) {
      expect(
        modules(entry).filter((each) => large.includes(each)),
        entry,
      ).toEqual([]);
    }
    expect(modules('waygate/node')).toContain('node:stream');
  });

  it.each(NODE_VERSIONS)(
    'leaves Node’s client of fetch alone, which is a third of a cold start: Node %s',
    (version) => {
      const program = `
      await import('${url('waygate/aws-lambda')}');
      const { fromNode } = await import('${url('waygate/node')}');
      fromNode((request, response) => response.end());
      console.log(process.moduleLoadList.some((name) => name.includes('undici')));`;
      const node = nodeRuntime(version);
      expect(execFileSync(node, ['--input-type=module', '--eval', program], { encoding: 'utf8' })).toBe('false\n');
    },
  );

  it('loads node:http2 and node:https with the first server that needs them', () => {
    const program = `
      const has = (name) => process.moduleLoadList.includes('NativeModule ' + name);
      const { serve } = await import('${url('waygate/node')}');
      const before = [has('http2'), has('https')];
      const running = await serve(() => [], { port: 0, http2: true, signals: false });
      const after = has('http2');
      await running.close();
      console.log(JSON.stringify({ before, after }));`;
    expect(JSON.parse(output(program).trim().split('\n').at(-1) as string)).toEqual({
      before: [false, false],
      after: true,
    });
  });

  it('leads a stack trace to the sources', () => {
    const program = `
      const { toLambda } = await import('${url('waygate/aws-lambda')}');
      try { toLambda(5); } catch (error) { console.log(error.stack); }`;
    expect(output(program, '--enable-source-maps')).toMatch(/core[/\\]check\.ts:\d+/);
  });
});
