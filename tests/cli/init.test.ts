// What init writes, into an empty folder and into a project that has something.

import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ECHO, folderOf, run } from './harness.ts';

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');
const json = (...path: string[]) => JSON.parse(read(...path));

const PLAIN = ['.gitignore', 'app.test.ts', 'app.ts', 'package.json', 'tsconfig.json'];

it.each([
  ['app', ['template.yaml', 'wrangler.toml'], 'app'],
  ['hono', ['template.yaml', 'wrangler.toml'], 'fetch'],
  ['express', ['template.yaml', 'wrangler.toml'], 'node'],
  ['workers', ['wrangler.toml'], 'app'],
  ['lambda', ['template.yaml'], 'app'],
])('--template %s writes an app that the commands take', async (template, configs, kind) => {
  const cwd = folderOf({});
  const { code, stdout, stderr } = await run(cwd, ['init', 'My App', '--template', template]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const root = join(cwd, 'My App');
  const files = [...PLAIN, ...configs].sort();
  expect(readdirSync(root).sort()).toEqual(files);
  for (const file of files) expect(stdout).toContain(`My App/${file}\n`);
  expect(stdout).toMatch(/\nNext:\n {2}cd 'My App'\n {2}npm install\n {2}npm run dev\n$/);
  const { name, scripts, dependencies, devDependencies } = json(root, 'package.json');
  expect(name).toBe('my-app');
  for (const [target, config] of [
    ['workers', 'wrangler.toml'],
    ['lambda', 'template.yaml'],
  ] as const) {
    expect(Object.hasOwn(scripts, `deploy:${target}`), target).toBe(configs.includes(config));
  }
  expect(Object.hasOwn(devDependencies, 'wrangler')).toBe(configs.includes('wrangler.toml'));
  expect(Object.keys(dependencies)).toContain(template === 'hono' || template === 'express' ? template : 'waygate');
  if (kind !== 'app') return;
  writeFileSync(join(root, 'tsconfig.json'), read(cwd, 'tsconfig.json'));
  expect(await run(root, ['check', 'app.ts', '/', '/echo'])).toMatchObject({ code: 0, stderr: '' });
  expect(await run(root, ['build', 'app.ts', '--target', 'node'])).toMatchObject({ code: 0, stderr: '' });
});

it('writes what is missing into a project, and says what it left', async () => {
  const mine = { 'package.json': '{ "name": "@me/mine", "type": "module" }', '.gitignore': 'mine' };
  const cwd = folderOf(mine);
  const { code, stdout, stderr } = await run(cwd, ['init']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(readdirSync(cwd).sort()).toEqual([...PLAIN, 'template.yaml', 'wrangler.toml'].sort());
  for (const [name, text] of Object.entries(mine)) expect(read(cwd, name)).toBe(text);
  expect(stdout).toContain('\nLeft as they were: tsconfig.json, .gitignore, package.json\n');
  expect(stdout).toMatch(
    /Next:\n {2}npm install waygate\n {2}npm install --save-dev .*wrangler\n {2}npx waygate serve app\.ts/,
  );
  expect(read(cwd, 'wrangler.toml')).toContain('name = "me-mine"\n');
  const again = await run(cwd, ['init']);
  expect(again.code).toBe(0);
  expect(again.stdout).toMatch(/^Left as they were: app\.ts, tsconfig\.json, /);
});

it('names its modules .mts where package.json says that .ts is CommonJS, as npm 11 does', async () => {
  for (const type of [{ type: 'commonjs' }, {}]) {
    const cwd = folderOf({ 'package.json': JSON.stringify({ name: 'a', ...type }) });
    rmSync(join(cwd, 'tsconfig.json'));
    expect(await run(cwd, ['init'])).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(cwd)).toEqual(expect.arrayContaining(['app.mts', 'app.test.mts']));
    expect(read(cwd, 'app.test.mts')).toContain("import app from './app.mts';");
    expect(read(cwd, 'wrangler.toml')).toContain('command = "npx waygate build app.mts --target workers"');
    expect(read(cwd, 'tsconfig.json')).toContain('"*.mts"');
  }
});

it('keeps an app that is there, and configures it', async () => {
  const cwd = folderOf({ 'app.ts': ECHO });
  expect(await run(cwd, ['init'])).toMatchObject({ code: 0, stderr: '' });
  expect(read(cwd, 'app.ts')).toBe(ECHO);
  expect(readdirSync(cwd)).not.toContain('app.test.ts');
  // What kind it is is not known here: a Node listener needs it.
  expect(read(cwd, 'wrangler.toml')).toContain('nodejs_compat');
  expect(await run(cwd, ['deploy', 'app.ts', '--target', 'workers', '--dry-run'])).toMatchObject({
    code: 0,
    stderr: '',
  });
  expect(await run(cwd, ['deploy', 'app.ts', '--target', 'lambda', '--dry-run'])).toMatchObject({
    code: 0,
    stderr: '',
  });
});

it('writes nothing through a link', async () => {
  const cwd = folderOf({ 'mine.txt': 'mine' });
  symlinkSync('mine.txt', join(cwd, 'app.ts'));
  symlinkSync('nowhere', join(cwd, 'wrangler.toml'));
  const { stdout } = await run(cwd, ['init']);
  expect(stdout).toMatch(/Left as they were: app\.ts, .*wrangler\.toml/);
  expect(read(cwd, 'mine.txt')).toBe('mine');
  expect(readdirSync(cwd)).not.toContain('nowhere');
  const other = folderOf({});
  const root = folderOf({});
  mkdirSync(join(root, 'a'));
  symlinkSync(other, join(root, 'a/b'));
  expect((await run(root, ['init', 'a/b'])).stderr).toMatch(/^waygate: a\/b is a symbolic link to /);
});

it('says that a package.json cannot be read before it writes', async () => {
  const cwd = folderOf({ 'package.json': '{' });
  const { code, stderr } = await run(cwd, ['init']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^waygate: \S+package\.json cannot be read: .*\. Nothing was written; correct it first\.\n$/);
  expect(readdirSync(cwd).sort()).toEqual(['package.json', 'tsconfig.json']);
});

it('builds nothing within a deploy, which has built already', async () => {
  const cwd = folderOf({ 'app.ts': ECHO });
  const args = ['build', 'app.ts', '--target', 'workers'];
  expect(await run(cwd, args, { env: { WAYGATE_BUILT: '1' } })).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(readdirSync(cwd)).not.toContain('dist');
});
