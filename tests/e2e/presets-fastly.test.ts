// toFastly compiled by Fastly's own compiler, which starts the program in its engine to take a snapshot of it. Compiled, not
// run for a request: no registry of npm has a runtime for the result. Nightly: the compiler is large.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bundle } from './presets/bundle.ts';
import { packages, runsLarge } from './presets/tools.ts';

describe.runIf(runsLarge)('Fastly Compute', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waygate-fastly-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Bundles a program and compiles it; the path of the result. */
  async function compile(name: string, define: Record<string, unknown>): Promise<string> {
    const source = join(folder, `${name}.js`);
    await bundle('./fastly-program.ts', source, define);
    const command = join(dirname(packages('large').resolve('@fastly/js-compute')), 'cli/js-compute-runtime-cli.js');
    const result = join(folder, `${name}.wasm`);
    execFileSync(process.execPath, [command, source, result], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    return result;
  }

  it('toFastly compiles', async () => {
    const wasm = readFileSync(await compile('good', { IS_MISTAKEN: false }));
    expect(wasm.subarray(0, 4)).toEqual(Buffer.from('\0asm'));
    // What the engine keeps of the program.
    expect(wasm.includes('fastly.event')).toBe(true);
  }, 300_000);

  it('the compiler runs the start of the program: what toFastly refuses does not compile', async () => {
    await expect(compile('mistaken', { IS_MISTAKEN: true })).rejects.toThrow(
      /The application is .*; expected a function \(environ, startResponse\)/,
    );
  });
});
