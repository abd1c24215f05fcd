// The starter programs of Express, Koa, Fastify, Nest and Vite SSR, unmodified: served on Node, built for Lambda, and
// answered through AWS's own runtime client. Their packages take a minute to install: tools/nightly.sh sets WAYGATE_STARTERS.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Project } from './cli/project.ts';
import { CLIENTS, Client, isMissing } from './lambda/clients.ts';
import { RuntimeApi } from './lambda/runtime-api.ts';

const isWanted = process.env.WAYGATE_STARTERS !== undefined;
if (!isWanted) console.log('Skipped: the starter programs; WAYGATE_STARTERS=1 runs them.');

interface Starter {
  name: string;
  /** Where its project is. */
  folder: string;
  entry: string;
  /** What `waygate build` is told besides. */
  args: string[];
  expected: RegExp;
}

const STARTERS: Starter[] = [
  {
    name: 'Express, of express-generator',
    folder: 'express',
    entry: 'bin/www',
    args: ['--include', 'public'],
    expected: /<p>Welcome to Express<\/p>/,
  },
  { name: 'Koa', folder: 'koa', entry: 'server.cjs', args: [], expected: /^Hello Koa$/ },
  { name: 'Fastify', folder: 'fastify', entry: 'server.js', args: [], expected: /^\{"hello":"world"\}$/ },
  {
    name: 'Nest, of @nestjs/schematics',
    folder: 'nest',
    entry: 'dist/main.js',
    args: ['@nestjs/websockets', '@nestjs/microservices', 'class-validator', 'class-transformer'].flatMap((each) => [
      '--external',
      each,
    ]),
    expected: /^Hello World!$/,
  },
  {
    name: 'Vite SSR, of create-vite-extra',
    folder: 'vite',
    entry: 'server.js',
    args: ['--external', 'vite', '--include', 'dist/client'],
    expected: /<script type="module" [^>]*src="\//,
  },
];

const root = fileURLToPath(new URL('../../', import.meta.url));

describe.skipIf(!isWanted)('starter programs', () => {
  const project = new Project();
  const place = (path: string): string => join(project.folder, path);
  const bin = (name: string, cwd: string, ...args: string[]): void => {
    execFileSync(place(`node_modules/.bin/${name}`), args, { cwd: place(cwd), stdio: 'pipe' });
  };

  beforeAll(() => {
    project.install();
    project.npm('express@5', 'cookie-parser', 'morgan', 'debug', 'express-generator', 'koa@3', 'fastify@5');
    project.npm('create-vite-extra@5', 'vite@8', 'compression', 'sirv');
    project.npm('@nestjs/core@11', '@nestjs/common@11', '@nestjs/platform-express@11', '@nestjs/schematics@11');
    project.npm('reflect-metadata', 'rxjs@7', 'typescript@5.9', '@types/node@20');
    bin('express', '.', '--no-view', '--force', 'express');
    project.write({
      'koa/server.cjs': `const Koa = require('koa');
        const app = new Koa();
        app.use(async (ctx) => { ctx.body = 'Hello Koa'; });
        app.listen(3000);`,
      'fastify/server.js': `import Fastify from 'fastify';
        const fastify = Fastify({ logger: true });
        fastify.get('/', async () => ({ hello: 'world' }));
        try { await fastify.listen({ port: 3000 }); } catch (error) { fastify.log.error(error); process.exit(1); }`,
      'express/package.json': '{ "name": "express-starter", "type": "commonjs" }',
      'nest/package.json': '{ "name": "nest-starter", "type": "commonjs" }',
    });
    const nest = place('node_modules/@nestjs/schematics/dist/lib/application/files/ts');
    cpSync(join(nest, 'src'), place('nest/src'), { recursive: true, filter: (path) => !path.includes('spec') });
    // The schematic fills in what `nest new --strict` asks for.
    const tsconfig = readFileSync(join(nest, 'tsconfig.json'), 'utf8').replace(/<%= strict %>/g, 'false');
    writeFileSync(place('nest/tsconfig.json'), tsconfig);
    bin('tsc', 'nest', '-p', '.');
    cpSync(place('node_modules/create-vite-extra/template-ssr-vanilla'), place('vite'), { recursive: true });
    bin('vite', 'vite', 'build', '--outDir', 'dist/client');
    bin('vite', 'vite', 'build', '--ssr', 'src/entry-server.js', '--outDir', 'dist/server');
  }, 600_000);
  afterAll(() => project.remove());

  it.each(STARTERS)('$name is served on Node, in development', async ({ folder, entry, expected }) => {
    const started = project.start('sh', ['-c', `cd ${folder} && exec waygate serve ${entry} --port 0`]);
    const [, url = ''] = await started.prints(/^Serving \S+ on (http:\S+)\//m, 60);
    expect(await (await fetch(url)).text()).toMatch(expected);
    if (folder === 'vite') expect(started.stderr()).toContain('server.js itself listens on port 24678 besides.');
    expect(await started.stop()).toBe(0);
  });

  describe.each(CLIENTS.map((kind) => ({ ...kind, missing: isWanted && isMissing(kind) })))('$title', (kind) => {
    describe.skipIf(kind.missing)('answers', () => {
      const api = new RuntimeApi();
      let address: string;
      let client: Client | undefined;
      beforeAll(async () => {
        address = await api.start();
      });
      afterEach(async () => {
        await client?.stop();
        api.forgetClients();
      });
      afterAll(() => api.stop());

      it.each(STARTERS)('$name', async ({ folder, entry, args, expected }) => {
        const built = await project.sh(
          `cd ${folder} && waygate build ${entry} --target lambda --out out ${args.join(' ')}`,
        );
        expect(built.code, built.stderr).toBe(0);
        const task = join(root, 'build/starters', folder);
        rmSync(task, { recursive: true, force: true });
        const zip = readFileSync(place(`${folder}/out/function.zip`));
        for (const [name, content] of Object.entries(unzipSync(zip))) {
          mkdirSync(dirname(join(task, name)), { recursive: true });
          writeFileSync(join(task, name), content);
        }
        client = new Client(kind, address, `starters/${folder}/index.handler`);
        const event = JSON.parse((await project.sh('waygate event lambda:function-url GET /')).stdout);
        const outcome = await api.invoke(event);
        expect(outcome.kind, outcome.body.toString() + client.log).toBe('response');
        const result = JSON.parse(outcome.body.toString());
        expect(result.statusCode).toBe(200);
        expect(Buffer.from(result.body, result.isBase64Encoded ? 'base64' : 'utf8').toString()).toMatch(expected);
      });
    });
  });
});
