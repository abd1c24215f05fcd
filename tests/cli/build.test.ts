// What build makes for each target, and deploy prints.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { ECHO, folderOf, run } from './harness.ts';

const SERVER = `import { createServer } from 'node:http';
export default createServer((req, res) => res.end(\`seen \${req.url}\`));
`;

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');

/** Builds and returns the folder. */
async function build(cwd: string, target: string, ...args: string[]): Promise<string> {
  const { code, stderr } = await run(cwd, [
    'build',
    args[0]?.endsWith('s') ? (args.shift() as string) : 'app.ts',
    '--target',
    target,
    ...args,
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return join(cwd, 'dist', target);
}

describe('build', () => {
  it.each([
    ['lambda', ['function.zip', 'index.mjs', 'index.mjs.map', 'template.yaml']],
    ['lambda-edge', ['function.zip', 'index.mjs', 'index.mjs.map', 'template.yaml']],
    [
      'lambda-web',
      ['function.zip', 'function/index.js', 'function/index.mjs', 'function/index.mjs.map', 'template.yaml'],
    ],
    ['workers', ['index.mjs', 'index.mjs.map', 'wrangler.toml']],
    ['node', ['index.mjs', 'index.mjs.map']],
    ['deno', ['index.mjs', 'index.mjs.map']],
    ['bun', ['index.mjs', 'index.mjs.map']],
  ])('for %s makes %j and prints their sizes', async (target, files) => {
    const cwd = folderOf({ 'app.ts': ECHO });
    const { code, stdout, stderr } = await run(cwd, ['build', 'app.ts', '--target', target]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const made = readdirSync(join(cwd, 'dist', target), { recursive: true }) as string[];
    expect(made.filter((each) => each !== 'function').sort()).toEqual(files);
    for (const file of files) expect(stdout).toMatch(new RegExp(`^dist/${target}/${file} +[\\d.]+ K?i?B`, 'm'));
    expect(stdout).toMatch(/index\.mjs +\S+ KiB {2}gzip \S+ KiB\n/);
  });

  it('minifies, with a source map that names the sources', async () => {
    const out = await build(folderOf({ 'app.ts': ECHO }), 'node');
    const code = read(out, 'index.mjs');
    expect(code.length / code.split('\n').length).toBeGreaterThan(500);
    const { sources, sourcesContent } = JSON.parse(read(out, 'index.mjs.map'));
    const at = sources.findIndex((path: string) => path.endsWith('../app.ts'));
    expect(sourcesContent[at]).toBe(ECHO);
  });

  it('makes the same zip each time and everywhere, with the module and its map', async () => {
    const one = await build(folderOf({ 'app.ts': ECHO }), 'lambda', '--name', 'a');
    const two = await build(folderOf({ 'app.ts': ECHO }), 'lambda', '--name', 'b');
    const zip = readFileSync(join(one, 'function.zip'));
    const files = unzipSync(zip);
    expect(Object.keys(files)).toEqual(['index.mjs', 'index.mjs.map']);
    expect(Buffer.from(files['index.mjs'] as Uint8Array).toString()).toBe(read(one, 'index.mjs'));
    expect(read(two, 'index.mjs')).toBe(read(one, 'index.mjs'));
    // Date and mode of an entry: 1980-01-01 00:00, a file that everybody may read.
    expect(zip.readUInt32LE(10)).toBe(0x0021_0000);
    const directory = zip.indexOf('PK\u0001\u0002', 0, 'latin1');
    expect(zip.readUInt32LE(directory + 38) >>> 16).toBe(0o100644);
  });

  it('makes a handler that Lambda can call', async () => {
    const cwd = folderOf({ 'app.ts': ECHO });
    const out = await build(cwd, 'lambda');
    const { handler } = await import(/* @vite-ignore */ pathToFileURL(join(out, 'index.mjs')).href);
    const { stdout } = await run(cwd, ['event', 'lambda:http-api', 'GET', '/x?y']);
    const result = await handler(JSON.parse(stdout), {});
    expect(result).toMatchObject({ statusCode: 200, cookies: ['a=1', 'b=2'] });
    expect(JSON.parse(result.body)).toMatchObject({ PATH_INFO: '/x', QUERY_STRING: 'y', gateway: 'aws-lambda' });
  });

  it('bundles CommonJS code that requires modules of Node', async () => {
    const cwd = folderOf({
      'lib.cjs': "const { sep } = require('path'); module.exports = { sep, folder: __dirname.length };",
      'app.ts': `import { sep } from './lib.cjs';
        export default (_environ: unknown, start: (status: string, headers: []) => void) => {
          start('200 OK', []);
          return [new TextEncoder().encode(sep)];
        };`,
    });
    const out = await build(cwd, 'lambda');
    const { handler } = await import(/* @vite-ignore */ pathToFileURL(join(out, 'index.mjs')).href);
    const { stdout } = await run(cwd, ['event', 'lambda:alb', 'GET', '/']);
    expect((await handler(JSON.parse(stdout), {})).body).toBe('/');
  });

  const HELLO = "new TextEncoder().encode('hello')";
  it.each([
    ['exports.app', `exports.app = (_environ, start) => (start('200 OK', []), [${HELLO}]);`],
    [
      'exports.default',
      `exports.__esModule = true; exports.default = (_e, start) => (start('200 OK', []), [${HELLO}]);`,
    ],
    ['module.exports', `module.exports = (_environ, start) => (start('200 OK', []), [${HELLO}]);`],
  ])('finds the app of a CommonJS module in its %s', async (_name, text) => {
    const cwd = folderOf({ 'app.cjs': text });
    const { stdout } = await run(cwd, ['event', 'lambda:alb', 'GET', '/']);
    for (const kind of [[], ['--kind', 'app']]) {
      const { code, stderr } = await run(cwd, [
        'build',
        'app.cjs',
        '--target',
        'lambda',
        '--out',
        `out${kind.length}`,
        ...kind,
      ]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const built = await import(/* @vite-ignore */ pathToFileURL(join(cwd, `out${kind.length}`, 'index.mjs')).href);
      expect((await built.handler(JSON.parse(stdout), {})).body).toBe('hello');
    }
  });

  it('keeps the other handlers and classes of a Worker', async () => {
    const text = `export class Counter {}
      export default { fetch: () => new Response('x'), queue() { return 'queued'; } };`;
    const out = await build(folderOf({ 'app.ts': text }), 'workers');
    const built = await import(/* @vite-ignore */ pathToFileURL(join(out, 'index.mjs')).href);
    expect(built.default.queue()).toBe('queued');
    expect(built.Counter.name).toBe('Counter');
  });

  it('makes a Worker of a Node listener, without what its module exports besides', async () => {
    const cwd = folderOf({ 'app.ts': `export const port = 3000;\n${SERVER}` });
    const out = await build(cwd, 'workers');
    expect(read(out, 'wrangler.toml')).toContain('compatibility_flags = ["nodejs_compat"]\n');
    const worker = await import(/* @vite-ignore */ pathToFileURL(join(out, 'index.mjs')).href);
    expect(Object.keys(worker)).toEqual(['default']);
    const response = await worker.default.fetch(new Request('http://a/b?c'), {}, { waitUntil() {} });
    expect(await response.text()).toBe('seen /b?c');
  });

  it('takes packages for Node, not for a browser, where a Node listener needs them', async () => {
    const lib = 'node_modules/lib/';
    const cwd = folderOf({
      'app.ts': `import { where } from 'lib';\n${SERVER.replace('`seen', 'where + `')}`,
      [`${lib}package.json`]: '{ "name": "lib", "main": "node.js", "browser": "browser.js" }',
      [`${lib}node.js`]: "exports.where = 'node';",
      [`${lib}browser.js`]: "exports.where = 'browser';",
    });
    const worker = await import(pathToFileURL(join(await build(cwd, 'workers'), 'index.mjs')).href);
    const response = await worker.default.fetch(new Request('http://a/b?c'), {}, { waitUntil() {} });
    expect(await response.text()).toBe('node /b?c');
  });

  it('says in the wrangler.toml whether Node’s modules are needed', async () => {
    const plain = await build(folderOf({ 'app.ts': ECHO }), 'workers', '--name', 'my-app');
    expect(read(plain, 'wrangler.toml')).toMatch(/^name = "my-app"\nmain = "index\.mjs"\ncompatibility_date = "2026-/);
    expect(read(plain, 'wrangler.toml')).not.toContain('nodejs_compat');
    const node = await build(folderOf({ 'app.ts': `import { hostname } from 'os';\nhostname();\n${ECHO}` }), 'workers');
    expect(read(node, 'wrangler.toml')).toContain('nodejs_compat');
    // As the library itself does where it asks for a module that only Node has.
    const named = `globalThis.process?.getBuiltinModule?.('node:worker_threads');\n${ECHO}`;
    const asks = await build(folderOf({ 'app.ts': named }), 'workers');
    expect(read(asks, 'wrangler.toml')).not.toContain('nodejs_compat');
    const required = {
      'app.ts': `import './old.cjs';\n${ECHO}`,
      'old.cjs': "module.exports = require('os').hostname();",
    };
    expect(read(await build(folderOf(required), 'workers'), 'wrangler.toml')).toContain('nodejs_compat');
  });

  it.each([
    ['function-url', false, ['InvokeMode: BUFFERED', '!GetAtt FunctionUrl.FunctionUrl']],
    ['function-url', true, ['InvokeMode: RESPONSE_STREAM']],
    ['http-api', false, ['Type: HttpApi', 'ServerlessHttpApi}.execute-api.']],
    ['rest-api', false, ['Path: /{proxy+}', "BinaryMediaTypes: ['*/*']", '/live/']],
    ['alb', false, ['lambda.multi_value_headers.enabled', 'Principal: elasticloadbalancing.amazonaws.com']],
    ['lattice', false, ['LambdaEventStructureVersion: V2', 'Principal: vpc-lattice.amazonaws.com']],
    ['rest-api', true, ['ResponseTransferMode: STREAM']],
  ])('writes a template for %s, streamed: %s', async (source, stream, parts) => {
    const cwd = folderOf({ 'app.ts': ECHO });
    const out = await build(cwd, 'lambda', '--source', `lambda:${source}`, ...(stream ? ['--stream'] : []));
    for (const part of parts) expect(read(out, 'template.yaml')).toContain(part);
    expect(parseDocument(read(out, 'template.yaml'), { logLevel: 'silent' }).errors).toEqual([]);
    expect(read(out, 'index.mjs').includes('streaming')).toBe(stream);
  });

  it('refuses to stream behind an HTTP API', async () => {
    const args = ['build', 'app.ts', '--target', 'lambda', '--source', 'lambda:http-api', '--stream'];
    const { code, stderr } = await run(folderOf({ 'app.ts': ECHO }), args);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^waygate: lambda:http-api does not stream; --stream goes with --source lambda:function-url or lambda:rest-api\.\n$/,
    );
  });

  it.each([[''], ['--kind fetch']])('takes a class for a Worker on Lambda and workerd %j', async (kind) => {
    const text = `class Base { constructor(public ctx: unknown, public env: unknown) {} }
      export default class extends Base { fetch({ url }: Request) { return new Response(new URL(url).pathname); } }`;
    const cwd = folderOf({ 'app.ts': text });
    const args = kind.split(' ').filter(Boolean);
    const load = async (target: string) =>
      import(/* @vite-ignore */ pathToFileURL(join(await build(cwd, target, ...args), 'index.mjs')).href);
    const { stdout } = await run(cwd, ['event', 'lambda:alb', 'GET', '/a']);
    const { handler } = await load('lambda');
    expect((await handler(JSON.parse(stdout), {})).body).toBe('/a');
    const { default: Worker } = await load('workers');
    expect(await new Worker({}, {}).fetch(new Request('http://a/b')).text()).toBe('/b');
  });

  it('needs --kind for a module that cannot be loaded here', async () => {
    const text =
      "import { connect } from 'cloudflare:sockets';\nexport default { fetch: () => new Response(typeof connect) };\n";
    const cwd = folderOf({ 'app.ts': text });
    const { code, stderr } = await run(cwd, ['build', 'app.ts', '--target', 'workers']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^waygate: app\.ts failed while it was loaded: .* --kind says it\.\n$/);
    await build(cwd, 'workers', '--kind', 'fetch');
  });

  it('leaves other files of the folder alone', async () => {
    const cwd = folderOf({ 'app.ts': ECHO, 'out/mine.txt': 'mine' });
    expect((await run(cwd, ['build', 'app.ts', '--target', 'node', '--out', 'out'])).code).toBe(0);
    expect(read(cwd, 'out/mine.txt')).toBe('mine');
  });
});

describe('build --target lambda-web', () => {
  it('makes a zip of the folder that is uploaded, and nothing else is in that folder', async () => {
    const cwd = folderOf({ 'app.ts': ECHO, 'pages/a.html': 'a', '.hidden': 'b' });
    const out = await build(cwd, 'lambda-web', '--include', 'pages', '--include', '.hidden');
    const files = unzipSync(readFileSync(join(out, 'function.zip')));
    const names = ['index.js', 'index.mjs', 'index.mjs.map', 'pages/a.html', '.hidden'];
    expect(Object.keys(files).sort()).toEqual(names.sort());
    for (const [name, content] of Object.entries(files)) {
      expect(Buffer.from(content).equals(readFileSync(join(out, 'function', name))), name).toBe(true);
    }
    // What an earlier build has put there goes.
    await build(cwd, 'lambda-web');
    expect(readdirSync(join(out, 'function')).sort()).toEqual(['index.js', 'index.mjs', 'index.mjs.map']);
  });

  it.each(['{ "type": "module" }', '{ "type": "commonjs" }', ''])(
    'starts from an index.js beside the package.json %j',
    async (manifest) => {
      const files: Record<string, string> = {
        'app.ts': "console.log('loaded'); export default (_e: unknown, s: Function) => (s('200 OK', []), []);",
      };
      if (manifest !== '') files['package.json'] = manifest;
      const cwd = folderOf(files);
      const out = await build(cwd, 'lambda-web', ...(manifest === '' ? [] : ['--include', 'package.json']));
      const { status, stdout, stderr } = spawnSync(process.execPath, ['index.js'], {
        cwd: join(out, 'function'),
        env: { ...process.env, AWS_LAMBDA_HTTP_ENDPOINT: 'nowhere' },
        encoding: 'utf8',
      });
      expect(stdout).toBe('loaded\n');
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr:
          'AWS_LAMBDA_HTTP_ENDPOINT of the environment is "nowhere"; expected a host and a port, such as 0.0.0.0:3000.\n',
      });
    },
  );

  it('refuses a folder for the code that holds something else', async () => {
    const cwd = folderOf({ 'app.ts': ECHO, 'function/mine.ts': 'mine' });
    const { code, stdout, stderr } = await run(cwd, ['build', 'app.ts', '-t', 'lambda-web', '-o', '.']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(
      'waygate: function holds files that no build has made, and all of it would be uploaded. Choose another --out.',
    );
    expect(read(cwd, 'function/mine.ts')).toBe('mine');
  });

  it.each([
    [[], undefined],
    [['--auth-type', 'IamAuth'], 'IamAuth'],
  ])('makes a template of a Web Function with %j', async (args, authType) => {
    const out = await build(folderOf({ 'app.ts': ECHO }), 'lambda-web', ...args);
    const template = parseDocument(read(out, 'template.yaml'), { logLevel: 'error' }).toJS();
    expect(template.Resources.Function).toEqual({
      Type: 'AWS::Serverless::WebFunction',
      Properties: {
        CodeUri: { Bucket: 'CodeBucket', Key: 'CodeKey', Version: 'CodeVersion' },
        Runtime: 'nodejs24.x',
        AuthType: 'AuthType',
        Timeout: 30,
      },
    });
    expect(template.Parameters.AuthType.Default).toBe(authType);
    expect(Object.keys(template.Parameters)).toEqual(['CodeBucket', 'CodeKey', 'CodeVersion', 'AuthType']);
  });

  it('gives a name of one letter another, which a Web Function may have', async () => {
    const cwd = folderOf({ 'app.ts': ECHO, 'package.json': '{ "name": "x" }' });
    expect(read(await build(cwd, 'lambda-web'), 'template.yaml')).toContain('Description: x-web, built by waygate');
    const { code, stderr } = await run(cwd, ['build', 'app.ts', '-t', 'lambda-web', '--name', '-x']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        'waygate: "-x" cannot name a Web Function: 2 to 64 letters, digits, hyphens and underscores, with a letter or digit ' +
        'at both ends. Choose another --name.\n',
    });
  });
});

describe('deploy --dry-run', () => {
  const command = async (cwd: string, ...args: string[]): Promise<string | undefined> => {
    const { code, stdout, stderr } = await run(cwd, ['deploy', 'app.ts', '--dry-run', ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout.split('\n').find((line) => line.startsWith('$ '));
  };

  it.each([
    ['workers', [], '$ wrangler deploy dist/workers/index.mjs --config dist/workers/wrangler.toml'],
    [
      'workers',
      ['--', '--env', 'a b'],
      "$ wrangler deploy dist/workers/index.mjs --config dist/workers/wrangler.toml --env 'a b'",
    ],
    [
      'lambda',
      [],
      '$ sam deploy --template-file dist/lambda/template.yaml --stack-name my-app --resolve-s3 --capabilities CAPABILITY_IAM',
    ],
    [
      'lambda-edge',
      [],
      '$ sam deploy --template-file dist/lambda-edge/template.yaml --stack-name my-app-edge --resolve-s3 --capabilities CAPABILITY_IAM --region us-east-1',
    ],
    [
      'lambda',
      ['--function-name', 'f'],
      '$ aws lambda update-function-code --function-name f --zip-file fileb://dist/lambda/function.zip',
    ],
    [
      'lambda-web',
      ['--', '--region', 'eu-west-1'],
      '$ aws lambda-web deploy --name my-app --code dist/lambda-web/function --entry-point index.js --region eu-west-1',
    ],
    [
      'lambda-web',
      ['--auth-type', 'ApplicationManaged', '--name', 'it', '--include', '.well-known'],
      '$ aws lambda-web deploy --name it --code dist/lambda-web/function --entry-point index.js --create ' +
        '--auth-type ApplicationManaged --include-hidden-files',
    ],
  ])('to %s with %j', async (target, args, line) => {
    const files = { 'app.ts': ECHO, 'package.json': '{ "name": "my-app" }', '.well-known/a': '' };
    const cwd = folderOf(files);
    expect(await command(cwd, '--target', target, ...args)).toBe(line);
  });

  it('uses the configuration of the project before the built one', async () => {
    const template =
      'Resources: { F: { Type: AWS::Serverless::Function, Properties: { CodeUri: dist/lambda/function.zip } } }';
    const cwd = folderOf({ 'app.ts': ECHO, 'wrangler.jsonc': '{}', 'template.yaml': template });
    expect(await command(cwd, '--target', 'workers')).toMatch(/ --config wrangler\.jsonc$/);
    expect(await command(cwd, '--target', 'lambda')).toContain(' --template-file template.yaml ');
  });
});

describe('a configuration of the project’s own and a Node listener', () => {
  const deploy = (file: string, text: string, app = SERVER, ...args: string[]) =>
    run(folderOf({ 'app.ts': app, [file]: text }), ['deploy', 'app.ts', '--dry-run', '--target', 'workers', ...args]);
  const needs =
    'a Node listener in workerd needs the compatibility flag "nodejs_compat" and a compatibility date of 2025-09-01 or later.\n';

  it.each([
    ['no flag', 'wrangler.toml', 'compatibility_date = "2026-01-01"', 'has no compatibility flag "nodejs_compat"'],
    [
      'a flag in a comment',
      'wrangler.jsonc',
      '{ "compatibility_date": "2026-01-01", // "nodejs_compat"\n /* "nodejs_compat" */ }',
      'has no compatibility flag "nodejs_compat"',
    ],
    [
      'an old date',
      'wrangler.toml',
      "compatibility_date = '2025-08-31'\ncompatibility_flags = ['nodejs_compat']",
      'has the compatibility date 2025-08-31',
    ],
    [
      'an old date in JSON',
      'wrangler.json',
      '{ "compatibility_date" : "2024-09-23", "compatibility_flags": ["nodejs_compat"] }',
      'has the compatibility date 2024-09-23',
    ],
  ])('with %s is an error', async (_what, file, text, lack) => {
    const { code, stderr } = await deploy(file, text);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `waygate: ${file} ${lack}; ${needs}` });
  });

  it.each([
    ['wrangler.toml', 'compatibility_date = "2025-09-01"\ncompatibility_flags = ["nodejs_compat"] # new enough'],
    [
      'wrangler.jsonc',
      `{ "compatibility_date": "2024-09-23", // "https://old"
        "compatibility_flags": ["nodejs_compat", "enable_nodejs_http_modules", "enable_nodejs_http_server_modules"] }`,
    ],
    [
      'wrangler.toml',
      'compatibility_date = "2024-09-23"\n[env.new]\ncompatibility_date = "2026-01-01"\ncompatibility_flags = ["nodejs_compat"]',
    ],
  ])('passes where it may be enough: %s %j', async (file, text) => {
    expect(await deploy(file, text)).toMatchObject({ code: 0, stderr: '' });
  });

  it('passes on the arguments for wrangler, and an app without a Node listener', async () => {
    const old = 'compatibility_date = "2024-09-23"';
    const flags = ['--', '--compatibility-date', '2026-01-01', '--compatibility-flag', 'nodejs_compat'];
    expect(await deploy('wrangler.toml', old, SERVER, ...flags)).toMatchObject({ code: 0, stderr: '' });
    expect(await deploy('wrangler.toml', old, ECHO)).toMatchObject({ code: 0, stderr: '' });
  });

  it('is found in an application that hosts one', async () => {
    const app = `import { fromNode } from 'waygate/node';\n${SERVER.replace('default ', 'default fromNode(')}`;
    const hosted = app.replace(/;\n$/, ');\n');
    expect(await deploy('wrangler.toml', '', hosted)).toMatchObject({ code: 1 });
  });
});
