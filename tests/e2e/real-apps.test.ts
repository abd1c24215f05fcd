// Apps with what a bundler cannot hold, built by the packed command and run from the unpacked zip alone: NestJS with
// class-validator, a native addon (sharp), Express with views and static files.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Project } from './cli/project.ts';

const project = new Project();
beforeAll(() => {
  project.install();
  project.npm(
    'express@5',
    'ejs@3',
    'sharp@0.34',
    '@nestjs/core@11',
    '@nestjs/common@11',
    '@nestjs/platform-express@11',
  );
  project.npm('reflect-metadata', 'rxjs@7', 'class-validator', 'class-transformer', 'typescript@5.9');
  project.write({
    'site/app.ts': `import { readFileSync } from 'node:fs';
      import { join } from 'node:path';
      import express from 'express';
      const app = express();
      app.set('views', join(import.meta.dirname, 'views'));
      app.set('view engine', 'ejs');
      app.use(express.static(join(import.meta.dirname, '..', 'public')));
      const words = readFileSync(new URL('./words.txt', import.meta.url), 'utf8');
      app.get('/page/:name', (request, response) => response.render('page', { name: request.params.name, words }));
      export default app;`,
    'site/views/page.ejs': '<p><%= name %>: <%= words %></p>',
    'site/words.txt': 'welcome',
    'public/style.css': 'body {}',
    'image.ts': `import sharp from 'sharp';
      export default async (_request: Request) => {
        const image = sharp({ create: { width: 8, height: 4, channels: 3, background: 'red' } });
        return new Response(await image.png().toBuffer(), { headers: { 'Content-Type': 'image/png' } });
      };`,
    'nest/package.json': '{ "name": "nest", "type": "commonjs" }',
    'nest/tsconfig.json': `{ "compilerOptions": { "module": "node16", "target": "es2022", "experimentalDecorators": true,
      "emitDecoratorMetadata": true, "outDir": "out", "strict": true, "skipLibCheck": true, "types": [] } }`,
    'nest/main.ts': `import 'reflect-metadata';
      import { Body, Controller, Get, Injectable, Module, Post, ValidationPipe } from '@nestjs/common';
      import { NestFactory } from '@nestjs/core';
      import { IsInt } from 'class-validator';
      class Input { @IsInt() age!: number; }
      @Injectable() class Greeter { greet() { return 'hello'; } }
      @Controller() class Routes {
        constructor(private readonly greeter: Greeter) {}
        @Get('hello') hello() { return this.greeter.greet(); }
        @Post('people') add(@Body() body: Input) { return { age: body.age }; }
      }
      @Module({ controllers: [Routes], providers: [Greeter] }) class App {}
      export const app = (async () => {
        const nest = await NestFactory.create(App, { logger: false });
        nest.useGlobalPipes(new ValidationPipe());
        await nest.init();
        return nest.getHttpAdapter().getInstance();
      })();`,
  });
  execFileSync(join(project.folder, 'node_modules/.bin/tsc'), ['-p', 'nest'], {
    cwd: project.folder,
    stdio: 'inherit',
  });
}, 300_000);
afterAll(() => project.remove());

/** Calls the handler of an unpacked zip as Lambda's runtimes run Node. */
const CALL = `const { handler } = await import('./index.mjs');
  const [method, path, body] = process.argv.slice(1);
  const headers = { host: 'h', ...(body && { 'content-type': 'application/json' }) };
  const http = { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1' };
  const requestContext = { http, stage: '$default', domainName: 'a.execute-api.eu-north-1.amazonaws.com' };
  const event = { version: '2.0', rawPath: path, rawQueryString: '', headers, body, requestContext };
  const { statusCode, headers: sent, body: answer, isBase64Encoded } = await handler(event, {});
  const text = Buffer.from(answer, isBase64Encoded ? 'base64' : 'utf8').toString('latin1');
  console.log(JSON.stringify({ statusCode, type: sent?.['content-type'], text }));
  process.exit();`;

/** Builds for Lambda and unpacks the zip where nothing is installed. */
async function unpacked(app: string, ...args: string[]): Promise<{ task: string; stderr: string }> {
  const built = await project.sh(`waygate build ${app} --target lambda ${args.join(' ')}`);
  expect(built.code, built.stderr).toBe(0);
  const task = mkdtempSync(join(tmpdir(), 'waygate-task-'));
  const zip = join(project.folder, 'dist/lambda/function.zip');
  for (const [name, content] of Object.entries(unzipSync(readFileSync(zip)))) {
    mkdirSync(dirname(join(task, name)), { recursive: true });
    writeFileSync(join(task, name), content);
  }
  return { task, stderr: built.stderr };
}

function call(task: string, ...request: string[]): { statusCode: number; type: string; text: string } {
  const args = ['--no-experimental-require-module', '--input-type=module', '--eval', CALL, ...request];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: task, encoding: 'utf8' }));
}

test('Express with views and static files runs with --no-bundle, and a bundle says what it lacks', async () => {
  const { task, stderr } = await unpacked('site/app.ts', '--no-bundle');
  expect(stderr).toBe('');
  expect(call(task, 'GET', '/page/ada')).toMatchObject({ statusCode: 200, text: '<p>ada: welcome</p>' });
  expect(call(task, 'GET', '/style.css')).toMatchObject({ statusCode: 200, text: 'body {}' });
  rmSync(task, { recursive: true });
  const bundled = await project.sh('waygate build site/app.ts --target lambda');
  expect(bundled.stderr).toContain(
    'site/app.ts reads public/style.css, site/views/page.ejs, site/words.txt by its own place',
  );
  expect(bundled.stderr).toContain('site/app.ts loads ejs by name while it runs');
}, 120_000);

test('its files are found in a bundle with --include', async () => {
  const { task } = await unpacked('site/app.ts', '--include site/words.txt --include public --include site/views');
  expect(call(task, 'GET', '/style.css')).toMatchObject({ statusCode: 200, text: 'body {}' });
  rmSync(task, { recursive: true });
}, 120_000);

test('sharp runs with --no-bundle, and a bundle warns of its addon', async () => {
  const { task, stderr } = await unpacked(
    'image.ts',
    '--no-bundle',
    '--arch',
    process.arch === 'x64' ? 'x86_64' : 'arm64',
  );
  expect(stderr).toBe('');
  expect(call(task, 'GET', '/')).toMatchObject({
    statusCode: 200,
    type: 'image/png',
    text: expect.stringMatching(/^\x89PNG/),
  });
  rmSync(task, { recursive: true });
  const other = await project.sh(
    `waygate build image.ts --target lambda --no-bundle --arch ${process.arch === 'x64' ? 'arm64' : 'x86_64'}`,
  );
  expect(other.stderr).toMatch(/has a native addon for Linux on \S+, and the function runs on Linux on /);
  const bundled = await project.sh('waygate build image.ts --target lambda');
  expect(bundled.stderr).toMatch(
    /^waygate: sharp has a native addon \(.*\.node\), which a bundle cannot hold; .* Build with --no-bundle\.$/m,
  );
}, 120_000);

test.each([
  ['a bundle with --external', ['--external', '@nestjs/websockets', '--external', '@nestjs/microservices']],
  ['--no-bundle', ['--no-bundle']],
])(
  'NestJS with class-validator runs as %s',
  async (_how, args) => {
    const { task } = await unpacked('nest/out/main.js', ...args);
    expect(call(task, 'GET', '/hello')).toMatchObject({ statusCode: 200, text: 'hello' });
    expect(call(task, 'POST', '/people', '{"age":36}')).toMatchObject({ statusCode: 201, text: '{"age":36}' });
    expect(call(task, 'POST', '/people', '{"age":"x"}')).toMatchObject({ statusCode: 400 });
    rmSync(task, { recursive: true });
  },
  120_000,
);

test('NestJS says what to leave out, and that its TypeScript has to be compiled first', async () => {
  const bundled = await project.sh('waygate build nest/out/main.js --target lambda');
  expect(bundled.code).toBe(1);
  expect(bundled.stderr).toMatch(/build with --external @nestjs\/websockets --external @nestjs\/microservices\n$/);
  const source = await project.sh('waygate build nest/main.ts --target lambda --no-bundle');
  expect(source.stderr).toContain('nest/tsconfig.json has emitDecoratorMetadata');
}, 120_000);
