// A stranger's first hour: the lines of README.md as they stand, `npm create waygate`, and what an `init`ed folder promises,
// all with the packages as they would be published.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Project } from './cli/project.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const project = new Project();
let packed: Record<string, string> = {};
beforeAll(() => {
  packed = project.pack();
}, 300_000);
afterAll(() => project.remove());

/** A new folder, with npm told to ask the registry for nothing that it has. */
function folder(name: string): { cd: string; path: string } {
  const path = join(project.folder, name);
  mkdirSync(path);
  return { path, cd: `export npm_config_prefer_offline=true npm_config_audit=false npm_config_fund=false; cd ${name}` };
}

/** Lines for npm, with the packed packages instead of the published ones. */
function published(lines: string): string {
  return lines.replace(/(npm install(?: --save-dev)?)(.*)/g, (_line, install: string, names: string) => {
    return install + names.replace(/(?<= )(?:create-)?waygate(?:-cli)?(?= |$)/g, (name) => packed[name] as string);
  });
}

/** What npx runs, without npx, which hands no signal on to it. */
function local(line: string): string {
  return line.replace(/^npx /, 'node_modules/.bin/');
}

test('the first program of README.md runs by the lines below it, in an empty folder', async () => {
  const { cd, path } = folder('readme');
  const [, program = ''] = /^```ts hello\.ts\n([\s\S]*?)^```$/m.exec(readme) ?? [];
  const [, lines = ''] = /^```sh\n(npm init -y\n[\s\S]*?)^```$/m.exec(readme) ?? [];
  writeFileSync(join(path, 'hello.ts'), program.replace('port: 8000', 'port: 0'));
  const setUp = lines.trim().split('\n');
  const start = setUp.pop() as string;
  const done = await project.sh(`${cd} && ${published(setUp.join(' && '))}`);
  expect(done.code, done.stderr).toBe(0);
  const started = project.start('sh', ['-c', `cd readme && exec ${local(start)}`]);
  const [, url = ''] = await started.prints(/Listening on (http:\S+)/);
  expect(await (await fetch(`${url.replace(/\/$/, '')}/some/path`)).text()).toBe('You asked for /some/path\n');
  await started.stop();
}, 180_000);

test('npm create waygate makes a project whose scripts work', async () => {
  const { cd } = folder('create');
  // npm runs what is installed, else it would ask the registry.
  const names = `${packed.waygate} ${packed['waygate-cli']} ${packed['create-waygate']}`;
  const made = await project.sh(
    `${cd} && npm init -y && npm install ${names} && npm create waygate shop -- --template express`,
  );
  expect(made.code, made.stderr).toBe(0);
  expect(made.stdout).toMatch(/shop\/app\.ts\n[\s\S]*\n {2}cd shop\n {2}npm install\n {2}npm run dev\n$/);
  const manifest = join(project.folder, 'create/shop/package.json');
  const text = readFileSync(manifest, 'utf8')
    .replace('"waygate": "^0.1.0"', `"waygate": "file:${packed.waygate}"`)
    .replace('"waygate-cli": "^0.1.0"', `"waygate-cli": "file:${packed['waygate-cli']}"`);
  writeFileSync(manifest, text);
  const installed = await project.sh(`${cd}/shop && npm install`);
  expect(installed.code, installed.stderr).toBe(0);
  for (const script of ['test', 'types', 'check', 'build:lambda', 'build:workers']) {
    const ran = await project.sh(`${cd}/shop && npm run ${script}`);
    expect(ran.code, `npm run ${script}\n${ran.stdout}${ran.stderr}`).toBe(0);
  }
  const started = project.start('sh', ['-c', `cd create/shop && exec ${local('npx waygate serve app.ts --port 0')}`]);
  const [, url] = await started.prints(/^Serving \S+ on (http:\S+)\//m);
  expect(await (await fetch(`${url}/`)).text()).toBe('Hello from Waygate!\n');
  await started.stop();
}, 300_000);

test('npx wrangler dev works in a folder after npm init -y and waygate init, and follows changes', async () => {
  const { cd, path } = folder('init');
  const names = `${packed.waygate} ${packed['waygate-cli']}`;
  const made = await project.sh(`${cd} && npm init -y && npm install ${names} && npx waygate init`);
  expect(made.code, made.stderr).toBe(0);
  const [, ...next] = /\nNext:\n {2}(npm install .*)\n/.exec(made.stdout) ?? [];
  const installed = await project.sh(`${cd} && ${published(next.join(' && '))}`);
  expect(installed.code, installed.stderr).toBe(0);
  const tested = await project.sh(`${cd} && npx tsc && npx vitest run`);
  expect(tested.code, tested.stdout + tested.stderr).toBe(0);
  const app = ['app.ts', 'app.mts'].map((name) => join(path, name)).find((file) => existsSync(file)) as string;
  const args = '--ip 127.0.0.1 --port 0 --inspector-port 0 --show-interactive-dev-session=false';
  const started = project.start('sh', ['-c', `cd init && exec ${local(`npx wrangler dev ${args}`)}`]);
  const [, url = ''] = await started.prints(/Ready on (http:\/\/127\.0\.0\.1:\d+)/, 120);
  expect(await (await fetch(url)).text()).toBe('Hello from Waygate!\n');
  writeFileSync(app, readFileSync(app, 'utf8').replace('Hello from', 'Greetings from'));
  await expect
    .poll(async () => (await fetch(url)).text(), { timeout: 90_000, interval: 500 })
    .toBe('Greetings from Waygate!\n');
  await started.stop();
  // The [build] of wrangler.toml does not build over what deploy has built.
  writeFileSync(join(path, 'other.mjs'), "export default { fetch: () => new Response('the other one') };");
  const deployed = await project.sh(
    `${cd} && npx waygate deploy other.mjs --target workers -- --dry-run --outdir sent`,
  );
  expect(deployed.code, deployed.stderr).toBe(0);
  expect(readFileSync(join(path, 'sent/index.js'), 'utf8')).toContain('the other one');
}, 300_000);
