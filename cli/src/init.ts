// `waygate init`: a small app with a test and the configuration to deploy it. In a project that has some of it, the rest.

import { lstat, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shownPath } from './bundle.ts';
import { CommandError, oneLine } from './errors.ts';
import { deploymentName } from './name.ts';
import type { Output } from './output.ts';
import { DEPLOY_SCRIPTS, presetFolder } from './preset-scripts.ts';
import { PRESET_TARGETS, type PresetTarget } from './preset-targets.ts';
import { quoted } from './shell.ts';
import { lambdaTemplate, wranglerConfig } from './templates.ts';
import { makeFolder } from './write.ts';

/** What `--template` takes. */
export const INIT_TEMPLATES = ['app', 'hono', 'express', 'workers', 'lambda', ...PRESET_TARGETS] as const;
export type InitTemplate = (typeof INIT_TEMPLATES)[number];

/** Options of `waygate init`. */
export interface InitOptions {
  template: InitTemplate;
}

/** What a template is made of. */
interface Template {
  /** The folder of its app and test. */
  sources: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  /** Whether it is deployed to Workers, and to Lambda. */
  workers: boolean;
  lambda: boolean;
  /** Whether it needs Node's modules on Workers. */
  usesNode?: boolean;
  /** The target of a preset that it is deployed to. */
  preset?: PresetTarget;
}

/** An application for each preset's platform. */
const ON_PRESETS = Object.fromEntries(
  PRESET_TARGETS.map((preset): [PresetTarget, Template] => [
    preset,
    { sources: 'app', workers: false, lambda: false, preset },
  ]),
) as Record<PresetTarget, Template>;

const TEMPLATES: Record<InitTemplate, Template> = {
  app: { sources: 'app', workers: true, lambda: true },
  workers: { sources: 'app', workers: true, lambda: false },
  lambda: { sources: 'app', workers: false, lambda: true },
  hono: { sources: 'hono', workers: true, lambda: true, dependencies: { hono: '^4.0.0' } },
  express: {
    sources: 'express',
    workers: true,
    lambda: true,
    usesNode: true,
    dependencies: { express: '^5.0.0' },
    devDependencies: { '@types/express': '^5.0.0' },
  },
  ...ON_PRESETS,
};

/** A folder that is written to. */
interface Place {
  /** Its absolute path. */
  root: string;
  template: Template;
  /** The name under which the app is deployed. */
  name: string;
  /** Its package.json; undefined when it has none. */
  manifest: Record<string, unknown> | undefined;
  /** The name of the app's module. */
  app: string;
  /** Whether that module is the user's own. */
  hasApp: boolean;
}

/**
 * Writes the files of a template that a folder does not have, and says which it left.
 *
 * @param folder where to; made when it is not there
 * @throws {CommandError} when the folder cannot be written to, or its package.json cannot be read
 */
export async function initCommand(folder: string, options: InitOptions, output: Output): Promise<void> {
  const { cwd } = output.io;
  const root = resolve(cwd, folder);
  await makeFolder(root, cwd);
  const place = await placeOf(root, TEMPLATES[options.template]);
  const left: string[] = [];
  for (const [name, content] of await filesOf(place)) {
    if (await exists(join(root, name))) {
      left.push(name);
      continue;
    }
    // Never follows a link, nor overwrites what came there a moment ago.
    await writeFile(join(root, name), content, { flag: 'wx' });
    output.print(shownPath(join(root, name), cwd));
  }
  if (left.length > 0) output.print(`Left as they were: ${left.join(', ')}`);
  output.print('');
  output.print('Next:');
  for (const line of nextSteps(place, cwd)) output.print(`  ${line}`);
}

async function placeOf(root: string, template: Template): Promise<Place> {
  const manifest = await readManifest(join(root, 'package.json'));
  const own = manifest?.name;
  const name = deploymentName(typeof own === 'string' && own !== '' ? own : basename(root));
  for (const app of ['app.ts', 'app.mts', 'app.js', 'app.mjs']) {
    if (await exists(join(root, app))) return { root, template, name, manifest, app, hasApp: true };
  }
  // Where package.json does not make it an ES module, its name has to: npm 11 writes "type": "commonjs".
  const app = manifest === undefined || manifest.type === 'module' ? 'app.ts' : 'app.mts';
  return { root, template, name, manifest, app, hasApp: false };
}

async function readManifest(path: string): Promise<Record<string, unknown> | undefined> {
  if (!(await exists(path))) return undefined;
  try {
    const manifest: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof manifest === 'object' && manifest !== null ? { ...manifest } : {};
  } catch (error) {
    throw new CommandError(`${path} cannot be read: ${oneLine(error)}. Nothing was written; correct it first.`);
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** The files of the template, by their names. */
async function filesOf(place: Place): Promise<Map<string, string>> {
  const { template, name, app, hasApp } = place;
  const templates = join(dirname(fileURLToPath(import.meta.url)), '..', 'templates');
  const read = (path: string): Promise<string> => readFile(join(templates, path), 'utf8');
  const files = new Map<string, string>();
  files.set(app, await read(`${template.sources}/app.ts`));
  // The test is about the template's app.
  if (!hasApp) {
    const test = await read(`${template.sources}/app.test.ts`);
    files.set(app.replace('app.', 'app.test.'), test.replace("'./app.ts'", `'./${app}'`));
  }
  files.set('tsconfig.json', await read('tsconfig.json'));
  // npm leaves .gitignore out of a package.
  files.set('.gitignore', await read('gitignore'));
  files.set('package.json', await manifestOf(place));
  if (template.workers) {
    const build = { command: `npx waygate build ${app} --target workers`, watch: app };
    const usesNode = template.usesNode === true || hasApp;
    files.set('wrangler.toml', wranglerConfig({ name, main: 'dist/workers/index.mjs', usesNode, build }));
  }
  if (template.lambda) {
    files.set('template.yaml', lambdaTemplate({ name, source: 'function-url', codeUri: 'dist/lambda/function.zip' }));
  }
  return files;
}

/** The new app's manifest. */
async function manifestOf({ name, template, app }: Place): Promise<string> {
  const targets = [...(template.lambda ? ['lambda'] : []), ...(template.workers ? ['workers'] : [])];
  const perTarget = (command: string): [string, string][] =>
    targets.map((target) => [`${command}:${target}`, `waygate ${command} ${app} --target ${target}`]);
  const { dependencies, devDependencies } = await dependenciesOf(template);
  const content = {
    name,
    version: '0.0.0',
    private: true,
    type: 'module',
    scripts: {
      dev: `waygate serve ${app} --watch --validate`,
      test: 'vitest run',
      check: `waygate check ${app}`,
      types: 'tsc',
      ...Object.fromEntries([...perTarget('build'), ...perTarget('deploy')]),
      ...(template.preset === undefined ? {} : presetScripts(template.preset, app, name)),
    },
    dependencies,
    devDependencies,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** How the app gets to the platform of a preset. */
function presetScripts(preset: PresetTarget, app: string, name: string): Record<string, string> {
  const folder = presetFolder(preset);
  const out = folder === `dist/${preset}` ? '' : ` --out ${folder}`;
  const deploy = DEPLOY_SCRIPTS[preset]?.(folder, name);
  return {
    [`build:${preset}`]: `waygate build ${app} --target ${preset}${out}`,
    ...(deploy === undefined ? {} : { [`deploy:${preset}`]: `npm run build:${preset} && ${deploy}` }),
  };
}

/** What the app needs. The versions of the library and the command are this command's own. */
async function dependenciesOf(
  template: Template,
): Promise<{ dependencies: Record<string, string>; devDependencies: Record<string, string> }> {
  const own = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  const version = `^${own.version}`;
  return {
    dependencies: { ...template.dependencies, waygate: version },
    devDependencies: {
      ...template.devDependencies,
      '@types/node': '^20.19.0',
      typescript: '^5.9.0',
      vitest: '^4.1.0',
      'waygate-cli': version,
      ...(template.workers ? { wrangler: '^4.0.0' } : {}),
    },
  };
}

/** The commands that come next. */
function nextSteps(place: Place, cwd: string): string[] {
  const { root, manifest, app } = place;
  const steps = root === cwd ? [] : [`cd ${quoted(relative(cwd, root))}`];
  if (manifest === undefined) return [...steps, 'npm install', 'npm run dev'];
  const { template } = place;
  const has = { ...(manifest.dependencies as object), ...(manifest.devDependencies as object) };
  const missing = (names: string[]): string => names.filter((name) => !Object.hasOwn(has, name)).join(' ');
  const needed = missing(['waygate', ...Object.keys(template.dependencies ?? {})]);
  const tools = ['waygate-cli', ...(place.hasApp ? [] : ['vitest', 'typescript', '@types/node'])];
  const toInstall = missing([
    ...tools,
    ...Object.keys(template.devDependencies ?? {}),
    ...(template.workers ? ['wrangler'] : []),
  ]);
  if (needed !== '') steps.push(`npm install ${needed}`);
  if (toInstall !== '') steps.push(`npm install --save-dev ${toInstall}`);
  return [...steps, `npx waygate serve ${app} --watch`];
}
