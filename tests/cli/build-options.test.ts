// Options of build and deploy: each has an effect, or is an error that says why it has none.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deploymentName } from '../../cli/src/name.ts';
import { ECHO, folderOf, run } from './harness.ts';

const TARGETS = ['lambda', 'lambda-edge', 'lambda-web', 'workers', 'node', 'deno', 'bun'];
const LAMBDAS = ['lambda', 'lambda-edge'];

/** Every option that is not for all targets, with the targets that it is for. */
const OPTIONS: [args: string[], targets: string[]][] = [
  [['--source', 'lambda:http-api'], ['lambda']],
  [['--source', 'lambda:function-url'], ['lambda']],
  [['--stream'], ['lambda']],
  [['--arch', 'arm64'], ['lambda']],
  [['--runtime', 'nodejs22.x'], LAMBDAS],
  [['--memory', '1024'], LAMBDAS],
  [['--auth-type', 'IamAuth'], ['lambda-web']],
  [
    ['--name', 'one'],
    [...LAMBDAS, 'lambda-web', 'workers'],
  ],
  [['--include', 'note.txt'], TARGETS.filter((each) => each !== 'workers')],
  [['--no-bundle'], TARGETS.filter((each) => each !== 'workers' && each !== 'deno')],
];

describe('an option of build', () => {
  it.each(
    OPTIONS.flatMap(([args, targets]) =>
      TARGETS.filter((each) => !targets.includes(each)).map((target) => ({ flag: args.join(' '), args, target })),
    ),
  )('$flag is an error for $target, which says why', async ({ args, target }) => {
    const cwd = folderOf({ 'app.ts': ECHO, 'note.txt': 'x' });
    const { code, stdout, stderr } = await run(cwd, ['build', 'app.ts', '--target', target, ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^waygate: ${args[0]} is for the targets? [^\\n]+: [^\\n]+\\.\\n$`));
  });

  it.each([
    [['--runtime', 'nodejs22.x'], 'Runtime: nodejs22.x\n'],
    [['--arch', 'x86_64'], 'Architectures: [x86_64]\n'],
    [['--memory', '2048'], 'MemorySize: 2048\n'],
    [[], 'Runtime: nodejs24.x\n'],
    [[], 'Architectures: [arm64]\n'],
    [[], 'MemorySize: 512\n'],
  ])('%j shows in the template: %j', async (args, line) => {
    const cwd = folderOf({ 'app.ts': ECHO });
    expect(await run(cwd, ['build', 'app.ts', '-t', 'lambda', ...args])).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(cwd, 'dist/lambda/template.yaml'), 'utf8')).toContain(line);
  });

  it.each([
    [['--runtime', 'nodejs18.x'], 'Expected a runtime of Node 20 or later'],
    [['--runtime', 'python3.12'], 'Expected a runtime of Node 20 or later'],
    [['--memory', '64'], 'Expected a size in MB, 128 to 10240.'],
    [['--memory', '1e3'], 'Expected a size in MB, 128 to 10240.'],
    [['--arch', 'arm'], 'Allowed choices are arm64, x86_64.'],
    [
      ['--source', 'lambda'],
      'Expected lambda:function-url, lambda:http-api, lambda:rest-api, lambda:alb, lambda:lattice.',
    ],
    [['--source', 'lambda:alb', '--stream'], 'lambda:alb does not stream'],
    [['--no-bundle', '--external', 'a'], '--external is for a bundle'],
    [['--auth-type', 'NONE'], 'Allowed choices are ApplicationManaged, IamAuth.'],
    [['--include', 'nothing'], '--include nothing: nothing does not exist.'],
    [['--include', '..'], 'outside of'],
    [['--include', 'index.mjs'], 'the bundle itself has that name'],
  ])('%j is refused', async (args, words) => {
    const cwd = folderOf({ 'app.ts': ECHO, 'index.mjs': '' });
    const { code, stdout, stderr } = await run(cwd, ['build', 'app.ts', '--target', 'lambda', ...args]);
    expect(stdout).toBe('');
    expect(code).not.toBe(0);
    expect(stderr).toContain(words);
  });
});

describe('the name', () => {
  const nameFor = async (files: Record<string, string>, app: string, target: string): Promise<string | undefined> => {
    const cwd = folderOf({ [app]: ECHO, ...files });
    const { code, stderr } = await run(cwd, ['build', app, '--target', target]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const file = target === 'workers' ? 'wrangler.toml' : 'template.yaml';
    const text = readFileSync(join(cwd, 'dist', target, file), 'utf8');
    return /^name = "(.*)"$/m.exec(text)?.[1] ?? /^Description: (.*?), built by/m.exec(text)?.[1];
  };

  it.each([
    ['my-shop', 'my-shop'],
    ['@acme/api', 'acme-api'],
    ['My.Shop_2', 'my-shop-2'],
  ])('is that of package.json: %s gives %s', async (name, expected) => {
    const files = { 'package.json': JSON.stringify({ name }) };
    expect(await nameFor(files, 'src/app.ts', 'workers')).toBe(expected);
    expect(await nameFor(files, 'src/app.ts', 'lambda')).toBe(expected);
  });

  it('is another for Lambda@Edge, whose stack would replace that of Lambda', async () => {
    expect(await nameFor({ 'package.json': '{ "name": "shop" }' }, 'app.ts', 'lambda-edge')).toBe('shop-edge');
  });

  it('is that of the nearest package.json', async () => {
    const files = { 'package.json': '{ "name": "all" }', 'services/a/package.json': '{ "name": "a" }' };
    expect(await nameFor(files, 'services/a/src/app.ts', 'workers')).toBe('a');
  });

  it('is that of the project’s folder where package.json has none, never that of src', async () => {
    expect(await nameFor({ 'shop/package.json': '{ "private": true }' }, 'shop/src/app.ts', 'workers')).toBe('shop');
    expect(await nameFor({}, 'src/app.ts', 'workers')).toMatch(/^waygate-cli-test-/);
  });

  it('says so where package.json is not valid JSON', async () => {
    const cwd = folderOf({ 'app.ts': ECHO, 'package.json': '{ name: 1' });
    const { code, stderr } = await run(cwd, ['build', 'app.ts', '-t', 'workers']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^waygate: \S*package\.json is not valid JSON: /);
  });

  it.each([
    ['workers', 'Shop'],
    ['workers', 'a_b'],
    ['workers', 'a'.repeat(64)],
    ['lambda', '1shop'],
    ['lambda', 'a_b'],
    ['lambda-edge', ''],
  ])('for %s cannot be %j, and is not changed silently', async (target, name) => {
    const cwd = folderOf({ 'app.ts': ECHO });
    const { code, stderr } = await run(cwd, ['build', 'app.ts', '-t', target, `--name=${name}`]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^waygate: ".*" cannot name /);
  });

  it('differs where long names, or names without a letter, would become the same', () => {
    const long = 'a-very-long-name-of-a-package-that-goes-on-and-on-and-on-for';
    expect(deploymentName(`${long}-one`)).not.toBe(deploymentName(`${long}-two`));
    expect(deploymentName('проект')).not.toBe(deploymentName('магазин'));
    for (const text of [`${long}-one`, 'проект', '9', '-', '']) {
      expect(deploymentName(text)).toMatch(/^[a-z][a-z0-9-]{0,53}$/);
    }
  });
});

const template = (properties: string): string => `AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Other:
    Type: AWS::S3::Bucket
    Properties: { BucketName: !Sub 'a-\${AWS::Region}' }
  Main:
    Type: AWS::Serverless::Function
    Properties:
      Role: !GetAtt Role.Arn
${properties}`;
const ZIP = '      CodeUri: dist/lambda/function.zip\n';

describe('deploy with a configuration of the project', () => {
  const deploy = (files: Record<string, string>, ...args: string[]) =>
    run(folderOf({ 'app.ts': ECHO, ...files }), ['deploy', 'app.ts', '--dry-run', ...args]);

  it.each([
    [['--source', 'lambda:rest-api'], '--source'],
    [['--source', 'lambda:function-url'], '--source'],
    [['--runtime', 'nodejs22.x', '--memory', '256'], '--runtime, --memory'],
    [['--arch', 'x86_64'], '--arch'],
  ])('refuses %j, which the template decides', async (args, flags) => {
    const { code, stdout, stderr } = await deploy({ 'template.yaml': template(ZIP) }, '-t', 'lambda', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      `waygate: ${flags} would have no effect: template.yaml of this folder is what is deployed, and it decides that. Change it there.\n`,
    );
  });

  it.each(['template.yaml', 'template.yml', 'template.json'])('deploys what its %s takes from --out', async (file) => {
    const json = JSON.stringify({
      Resources: { Main: { Type: 'AWS::Serverless::Function', Properties: { CodeUri: 'dist/lambda/function.zip' } } },
    });
    const files = { [file]: file.endsWith('json') ? json : template(ZIP) };
    expect(await deploy(files, '-t', 'lambda')).toMatchObject({ code: 0, stderr: '' });
    const { code, stderr } = await deploy(files, '-t', 'lambda', '--out', 'other');
    expect(code).toBe(2);
    expect(stderr).toBe(
      `waygate: ${file} has the code dist/lambda/function.zip, and what is built here is other/function.zip. ` +
        'Set the CodeUri of its function to that.\n',
    );
    const fitting = { 'template.yaml': template('      CodeUri: other/function.zip\n') };
    expect(await deploy(fitting, '-t', 'lambda', '--out', 'other')).toMatchObject({ code: 0, stderr: '' });
  });

  it('finds the code in Globals', async () => {
    const text = `Globals: { Function: { CodeUri: dist/lambda/ } }\n${template('')}`;
    expect(await deploy({ 'template.yaml': text }, '-t', 'lambda')).toMatchObject({ code: 0, stderr: '' });
  });

  it('streams only where the template streams, and then always', async () => {
    const streaming = `${ZIP}      FunctionUrlConfig: { AuthType: NONE, InvokeMode: RESPONSE_STREAM }\n`;
    const { code, stderr } = await deploy({ 'template.yaml': template(ZIP) }, '-t', 'lambda', '--stream');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^waygate: --stream needs an event source that streams: give Main in template\.yaml /);
    const files = { 'template.yaml': template(streaming) };
    expect(await deploy(files, '-t', 'lambda', '--stream')).toMatchObject({ code: 0, stderr: '' });
    const without = await deploy(files, '-t', 'lambda');
    expect(without.code).toBe(2);
    expect(without.stderr).toMatch(/^waygate: Main in template\.yaml streams its responses: add --stream/);
  });

  it('says where a template cannot be parsed', async () => {
    const { code, stderr } = await deploy({ 'template.yaml': 'Resources:\n  a: [\n' }, '-t', 'lambda');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^waygate: template\.yaml is not valid YAML: line \d+, column \d+: [^\n]+\n$/);
  });

  it('deploys the Worker under the name that was asked for', async () => {
    const files = { 'wrangler.toml': 'name = "production"\n' };
    const named = await deploy(files, '-t', 'workers', '--name', 'staging');
    expect(named.stdout).toContain('$ wrangler deploy dist/workers/index.mjs --config wrangler.toml --name staging\n');
    const plain = await deploy(files, '-t', 'workers');
    expect(plain.stdout).toContain('$ wrangler deploy dist/workers/index.mjs --config wrangler.toml\n');
  });

  it.each([
    ['--name', 'f'],
    ['--source', 'lambda:alb'],
    ['--memory', '256'],
    ['--runtime', 'nodejs22.x'],
  ])('refuses %s beside --function-name, with which only the code is replaced', async (...args) => {
    const { code, stderr } = await deploy({}, '-t', 'lambda', '--function-name', 'f', ...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`^waygate: ${args[0]} would have no effect: with --function-name only the code`));
  });

  it('hands --arch on with --function-name', async () => {
    const { stdout } = await deploy({}, '-t', 'lambda', '--function-name', 'f', '--arch', 'x86_64');
    expect(stdout).toContain('--zip-file fileb://dist/lambda/function.zip --architectures x86_64\n');
  });

  it.each([
    ['alb', 'VpcId=… SubnetIds=…'],
    ['lattice', 'VpcId=…'],
  ])('needs the network of %s', async (source, values) => {
    const { code, stderr } = await deploy({}, '-t', 'lambda', '--source', `lambda:${source}`);
    expect(code).toBe(2);
    expect(stderr).toBe(
      `waygate: lambda:${source} stands in a network of yours: name it with -- --parameter-overrides ${values}\n`,
    );
    const told = await deploy(
      {},
      '-t',
      'lambda',
      '--source',
      `lambda:${source}`,
      '--',
      '--parameter-overrides',
      'VpcId=vpc-1',
    );
    expect(told).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('wrangler’s configuration', () => {
  const SERVER = "import { createServer } from 'node:http';\nexport default createServer(() => {});\n";
  const deploy = (file: string, text: string, ...args: string[]) =>
    run(folderOf({ 'app.ts': SERVER, [file]: text }), ['deploy', 'app.ts', '--dry-run', '-t', 'workers', ...args]);

  it.each([
    ['wrangler.toml', 'name = "a\n', 'wrangler.toml is not valid TOML: line 1, column'],
    ['wrangler.toml', 'a = 1\na = 2\n', 'wrangler.toml is not valid TOML: line 2'],
    ['wrangler.jsonc', '{ "name": \n\n ]', 'wrangler.jsonc is not valid JSON: line 3, column 2: '],
  ])('says where %s cannot be parsed', async (file, text, words) => {
    const { code, stderr } = await deploy(file, text);
    expect(code).toBe(1);
    expect(stderr).toContain(`waygate: ${words}`);
    expect(stderr.split('\n')).toHaveLength(2);
  });

  it.each([
    ['a flag in a text', 'wrangler.toml', 'compatibility_date = "2026-01-01"\nd = """\n["nodejs_compat"]\n"""'],
    ['a flag of another table', 'wrangler.toml', 'compatibility_date = "2026-01-01"\n[vars]\nf = ["nodejs_compat"]'],
    ['a flag of JSON variables', 'wrangler.json', '{ "vars": { "compatibility_flags": ["nodejs_compat"] } }'],
  ])('%s gives workerd no node:http', async (_what, file, text) => {
    expect(await deploy(file, text)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/has no compatibility flag "nodejs_compat";/),
    });
  });

  it.each([
    ['wrangler.toml', "compatibility_date = 2026-01-01\ncompatibility_flags = [\n  # why\n  'nodejs_compat',\n]"],
    ['wrangler.toml', '"compatibility_date" = """2026-01-01"""\ncompatibility_flags = ["nodejs_compat"]'],
    ['wrangler.jsonc', '{ "compatibility_date": "2026-01-01", "compatibility_flags": ["nodejs\\u005fcompat",], }'],
  ])('is read as wrangler reads it: %s %j', async (file, text) => {
    expect(await deploy(file, text)).toMatchObject({ code: 0, stderr: '' });
  });

  it('is looked at for the environment that --env names', async () => {
    const text =
      'compatibility_date = "2026-01-01"\n[env.new]\ncompatibility_flags = ["nodejs_compat"]\n[env.old]\nvars = {}\n';
    expect(await deploy('wrangler.toml', text, '--', '--env', 'new')).toMatchObject({ code: 0 });
    expect(await deploy('wrangler.toml', text, '--', '--env=old')).toMatchObject({ code: 1 });
    expect(await deploy('wrangler.toml', text)).toMatchObject({ code: 0 });
  });
});
