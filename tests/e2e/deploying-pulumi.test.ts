// The Pulumi programs of docs/deploying.md compile against Pulumi's own types and run with its mocks. Nightly alone:
// tools/install-pulumi.sh, which tools/nightly.sh runs, installs 175 MB for it.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { blocks, readPage } from '../docs/lib/pages.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PULUMI = join(ROOT, '.runtimes/pulumi');
const isMissing = !existsSync(join(PULUMI, 'node_modules/@pulumi/aws'));
if (isMissing) console.log('Skipped: no Pulumi; tools/install-pulumi.sh installs it.');

/** A resource as Pulumi's engine would get it. */
interface Resource {
  type: string;
  // biome-ignore lint/suspicious/noExplicitAny: every resource has inputs of its own.
  inputs: any;
}

/** Runs a program with mocks, and prints each resource as a line of JSON. */
const RUNNER = (program: string): string => `import * as pulumi from '@pulumi/pulumi';
await pulumi.runtime.setMocks({
  newResource({ type, name, inputs }) {
    console.log(JSON.stringify({ type, inputs: JSON.parse(JSON.stringify(inputs)) }));
    const state = { ...inputs, arn: 'arn:' + name, bucket: inputs.bucket ?? name, versionId: 'v1', outputs: { Url: 'https://x/' } };
    return { id: name + '-id', state };
  },
  call: ({ inputs }) => inputs,
});
await import('./${program}');
// Resources are made in microtasks.
await new Promise((resolve) => setTimeout(resolve, 500));
`;

describe.skipIf(isMissing)('Pulumi', () => {
  const folder = isMissing ? '' : mkdtempSync(join(PULUMI, 'programs-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function resources(name: string): Promise<Resource[]> {
    const code = blocks(readPage('docs/deploying.md')).find(({ info }) => info === name)?.code;
    const source = join(folder, name);
    writeFileSync(source, code as string);
    const types = {
      module: 'nodenext',
      strict: true,
      skipLibCheck: true,
      noEmit: true,
      types: ['node'],
      typeRoots: [join(ROOT, 'node_modules/@types')],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: types, files: [name] }));
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], { stdio: 'pipe' });
    const program = name.replace(/\.ts$/, '.mjs');
    await build({ entryPoints: [source], outfile: join(folder, program), format: 'esm', platform: 'node' });
    writeFileSync(join(folder, 'run.mjs'), RUNNER(program));
    const printed = execFileSync(process.execPath, ['run.mjs'], { cwd: folder, encoding: 'utf8' });
    return printed
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  }

  test('makes an event function of the zip', async () => {
    mkdirSync(join(folder, 'dist/lambda'), { recursive: true });
    writeFileSync(join(folder, 'dist/lambda/function.zip'), 'zip');
    const made = await resources('pulumi-function.ts');
    const server = made.find(({ type }) => type === 'aws:lambda/function:Function')?.inputs;
    expect(server).toMatchObject({ handler: 'index.handler', runtime: 'nodejs24.x', architectures: ['arm64'] });
    expect(made.filter(({ type }) => type === 'aws:lambda/permission:Permission')).toHaveLength(2);
  });

  test('gives the template of a Web Function each of its parameters', async () => {
    writeFileSync(join(folder, 'app.ts'), "export default (_e: unknown, s: Function) => (s('200 OK', []), []);");
    const command = join(ROOT, 'cli/bin/waygate.js');
    execFileSync(process.execPath, [command, 'build', 'app.ts', '--target', 'lambda-web'], {
      cwd: folder,
      stdio: 'pipe',
    });
    const stack = (await resources('pulumi-web-function.ts')).find(
      ({ type }) => type === 'aws:cloudformation/stack:Stack',
    )?.inputs;
    const template = parseDocument(stack.templateBody, { logLevel: 'error' }).toJS();
    expect(Object.keys(stack.parameters).sort()).toEqual(Object.keys(template.Parameters).sort());
    expect(stack.parameters).toMatchObject({
      CodeKey: 'function.zip',
      CodeVersion: 'v1',
      AuthType: 'ApplicationManaged',
    });
  });
});
