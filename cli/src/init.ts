// `waygate init`: a small app with a test and the configuration to deploy it.

import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shownPath } from './bundle.ts';
import { CommandError } from './errors.ts';
import { deploymentName } from './name.ts';
import type { Output } from './output.ts';
import { lambdaTemplate, wranglerConfig } from './templates.ts';

/** Files of the new app as they stand in the package, and under which name they go out: npm leaves `.gitignore` out. */
const FILES: readonly [template: string, name: string][] = [
  ['app.ts', 'app.ts'],
  ['app.test.ts', 'app.test.ts'],
  ['tsconfig.json', 'tsconfig.json'],
  ['gitignore', '.gitignore'],
];

/**
 * Writes the app.
 *
 * @param folder where to; made when it is not there
 * @throws {CommandError} when one of its files is there already: nothing is written then
 */
export async function initCommand(folder: string, output: Output): Promise<void> {
  const { cwd } = output.io;
  const root = resolve(cwd, folder);
  const name = deploymentName(basename(root));
  await mkdir(root, { recursive: true });
  const templates = join(dirname(fileURLToPath(import.meta.url)), '..', 'templates');
  const written: [name: string, content: string][] = [
    ['package.json', await manifest(name)],
    ['wrangler.toml', wranglerConfig({ name, main: 'dist/workers/index.mjs', usesNode: false })],
    ['template.yaml', lambdaTemplate({ name, source: 'function-url', codeUri: 'dist/lambda/function.zip' })],
  ];
  const there = new Set(await readdir(root));
  const taken = [...FILES.map(([, file]) => file), ...written.map(([file]) => file)].filter((file) => there.has(file));
  if (taken.length > 0) {
    throw new CommandError(`${folder} has ${taken.join(', ')} already; nothing was written. Choose another folder.`);
  }
  for (const [template, file] of FILES) await copyFile(join(templates, template), join(root, file));
  for (const [file, content] of written) await writeFile(join(root, file), content);
  for (const [, file] of FILES) output.print(shownPath(join(root, file), cwd));
  for (const [file] of written) output.print(shownPath(join(root, file), cwd));
  output.print('');
  output.print('Next:');
  if (root !== cwd) output.print(`  cd ${folder}`);
  output.print('  npm install');
  output.print('  npm run dev');
}

/** The new app's manifest. The versions of the library and the command are this command's own. */
async function manifest(name: string): Promise<string> {
  const own = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  const version = `^${own.version}`;
  const content = {
    name,
    version: '0.0.0',
    private: true,
    type: 'module',
    scripts: {
      dev: 'waygate serve app.ts --watch --validate',
      test: 'vitest run',
      check: 'waygate check app.ts',
      types: 'tsc',
      'build:lambda': 'waygate build app.ts --target lambda',
      'build:workers': 'waygate build app.ts --target workers',
      'deploy:lambda': 'waygate deploy app.ts --target lambda',
      'deploy:workers': 'waygate deploy app.ts --target workers',
    },
    dependencies: { waygate: version },
    devDependencies: { '@types/node': '^20.19.0', typescript: '^5.9.0', vitest: '^4.1.0', 'waygate-cli': version },
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}
