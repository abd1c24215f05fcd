// docs/deploying.md: its CDK programs run and synthesize, its Terraform files parse, and what they say is what AWS's model has.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parse } from '@cdktf/hcl2json';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lambdaEvent } from '../../adapters/aws-lambda/index.ts';
import { ECHO, run } from '../cli/harness.ts';
import { blocks, readPage } from './lib/pages.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(ROOT, 'build/deploying');
const page = blocks(readPage('docs/deploying.md'));

interface Resource {
  Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: every resource has properties of its own.
  Properties: any;
}

function program(name: string): string {
  const found = page.find(({ info }) => info === name);
  if (found === undefined) throw new Error(`docs/deploying.md has no ${name}`);
  return found.code;
}

beforeAll(async () => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const tsconfig = { extends: '../../tsconfig.json' };
  const files = {
    'app.ts': ECHO,
    'package.json': '{ "name": "my-app", "type": "module" }',
    'package-lock.json': '{}',
    'tsconfig.json': JSON.stringify(tsconfig),
    'handler.ts': program('handler.ts'),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(FOLDER, name), text);
  for (const target of ['lambda', 'lambda-web']) {
    expect(await run(FOLDER, ['build', 'app.ts', '--target', target])).toMatchObject({ code: 0 });
  }
}, 60_000);
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

/** Runs a CDK program as `cdk synth` does, and returns its template and the folder of its assets. */
async function synth(name: string): Promise<{ resources: Resource[]; outputs: Record<string, unknown>; out: string }> {
  const source = join(FOLDER, name);
  writeFileSync(source, program(name));
  const outfile = source.replace(/\.ts$/, '.mjs');
  await build({ entryPoints: [source], outfile, format: 'esm', platform: 'node', logLevel: 'silent' });
  const out = join(FOLDER, `${name}.out`);
  execFileSync(process.execPath, [outfile], {
    cwd: FOLDER,
    env: { ...process.env, CDK_OUTDIR: out, CDK_DISABLE_VERSION_CHECK: '1' },
    stdio: 'pipe',
  });
  const template = JSON.parse(readFileSync(join(out, 'my-app.template.json'), 'utf8'));
  return { resources: Object.values(template.Resources), outputs: template.Outputs ?? {}, out };
}

function only(resources: Resource[], type: string): Resource['Properties'] {
  const found = resources.filter(({ Type }) => Type === type);
  expect(found, `${type} of ${resources.map(({ Type }) => Type)}`).toHaveLength(1);
  return found[0]?.Properties;
}

describe('CDK', () => {
  test('synthesizes an event function of the zip', async () => {
    const { resources, outputs, out } = await synth('cdk-function.ts');
    expect(only(resources, 'AWS::Lambda::Function')).toMatchObject({
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      MemorySize: 512,
      Timeout: 30,
    });
    expect(only(resources, 'AWS::Lambda::Url')).toMatchObject({ AuthType: 'NONE', InvokeMode: 'BUFFERED' });
    expect(Object.keys(outputs)).toEqual(['Url']);
    const [zip] = readdirSync(out).filter((each) => each.endsWith('.zip'));
    expect(readFileSync(join(out, zip as string))).toEqual(readFileSync(join(FOLDER, 'dist/lambda/function.zip')));
  }, 60_000);

  test('bundles a handler by NodejsFunction, and it answers an event', async () => {
    const { resources, out } = await synth('cdk-nodejs-function.ts');
    expect(only(resources, 'AWS::Lambda::Function')).toMatchObject({ Handler: 'index.handler', Runtime: 'nodejs24.x' });
    const [asset] = readdirSync(out).filter((each) => existsSync(join(out, each, 'index.mjs')));
    const { handler } = await import(pathToFileURL(join(out, asset as string, 'index.mjs')).href);
    const result = await handler(lambdaEvent('function-url', { path: '/x?y' }), {});
    expect(result).toMatchObject({ statusCode: 200 });
    expect(JSON.parse(result.body)).toMatchObject({ PATH_INFO: '/x', QUERY_STRING: 'y', gateway: 'aws-lambda' });
  }, 60_000);

  test('synthesizes a Web Function of the folder', async () => {
    const { resources, outputs, out } = await synth('cdk-web-function.ts');
    only(resources, 'AWS::Lambda::WebFunction');
    expect(only(resources, 'AWS::Lambda::WebFunctionRevision')).toMatchObject({
      BuildConfig: { RuntimeConfig: { Runtime: 'nodejs24.x' } },
      ServiceConfig: { TimeoutSeconds: 30 },
    });
    expect(only(resources, 'AWS::Lambda::WebFunctionEndpoint')).toMatchObject({ AuthType: 'ApplicationManaged' });
    expect(Object.keys(outputs)).toEqual(['Url']);
    const [asset] = readdirSync(out).filter((each) => existsSync(join(out, each, 'index.mjs.map')));
    expect(readdirSync(join(out, asset as string)).sort()).toEqual(['index.js', 'index.mjs', 'index.mjs.map']);
  }, 60_000);
});

type Block = Record<string, unknown>;

/** The resources of a Terraform file, by type and name. */
async function terraform(name: string): Promise<Record<string, Record<string, Block[]>>> {
  return (await parse(name, program(name))).resource;
}

/** A name as CDK's classes have it. */
const camel = (name: string): string => name.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
const pascal = (name: string): string => camel(`_${name}`);

function renamed(value: unknown, name: (text: string) => string): unknown {
  if (Array.isArray(value)) return value.map((each) => renamed(each, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [name(key), renamed(each, name)]));
}

describe('Terraform', () => {
  test('the event function is of the zip', async () => {
    const resources = await terraform('function.tf');
    expect(resources.aws_lambda_function?.app?.[0]).toMatchObject({
      filename: 'dist/lambda/function.zip',
      handler: 'index.handler',
      runtime: 'nodejs24.x',
      architectures: ['arm64'],
    });
    expect(resources.aws_lambda_function_url?.app?.[0]).toMatchObject({ authorization_type: 'NONE' });
  });

  // awscc has CloudFormation's resources, with its names in small letters. CDK leaves out properties that they do not have.
  test.each([
    ['awscc_lambda_web_function', lambda.CfnWebFunction],
    ['awscc_lambda_web_function_revision', lambda.CfnWebFunctionRevision],
    ['awscc_lambda_web_function_endpoint', lambda.CfnWebFunctionEndpoint],
  ] as const)('%s has the properties of its CloudFormation resource', async (type, construct) => {
    const resource = (await terraform('web-function.tf'))[type]?.app?.[0];
    const { depends_on: _none, ...own } = resource as Block;
    const stack = new Stack(new App(), 'held');
    // biome-ignore lint/suspicious/noExplicitAny: the class checks what it is given.
    new (construct as any)(stack, 'Resource', renamed(own, camel));
    expect(Template.fromStack(stack).toJSON().Resources.Resource.Properties).toEqual(renamed(own, pascal));
  });

  test('what differs from the model is found', () => {
    const stack = new Stack(new App(), 'held');
    new lambda.CfnWebFunction(stack, 'Resource', { functionName: 'a', name: 'b' } as lambda.CfnWebFunctionProps);
    expect(Template.fromStack(stack).toJSON().Resources.Resource.Properties).toEqual({ FunctionName: 'a' });
  });
});

test('SAM: the page gives the template of a Web Function each of its parameters', () => {
  const template = readFileSync(join(FOLDER, 'dist/lambda-web/template.yaml'), 'utf8');
  const names = [...template.matchAll(/^ {2}(\w+):\n {4}Type: String$/gm)].map(([, name]) => name);
  expect(names).toEqual(['CodeBucket', 'CodeKey', 'CodeVersion', 'AuthType']);
  const shell = page.filter(({ lang, code }) => lang === 'sh' && code.includes('sam deploy')).map(({ code }) => code);
  const pulumi = program('pulumi-web-function.ts');
  for (const name of names) {
    expect(shell.join('\n')).toContain(`${name}=`);
    expect(pulumi).toContain(`${name}: `);
  }
});
