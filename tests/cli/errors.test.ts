// What goes wrong is one clear line and a non-zero exit code; stacks come with --verbose only.

import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ECHO, folderOf, run } from './harness.ts';

// A module without an app may be a program that is about to listen.
beforeAll(() => {
  process.env.WAYGATE_LISTEN_SECONDS = '0.2';
});
afterAll(() => {
  delete process.env.WAYGATE_LISTEN_SECONDS;
});

const FILES = {
  'app.ts': ECHO,
  'syntax.ts': 'const a = 1;\nconst b = ;\nexport default b;\n',
  'two.ts': 'const a = ;\nconst b = ;\n',
  'throws.ts': 'const none = null as unknown as { x: number };\nexport default none.x;\n',
  'empty.ts': 'export {};\n',
  'other.ts': 'export const handler = 1;\nexport const b = 2;\n',
  'number.ts': 'export default 42;\n',
  'object.ts': 'export default { get() {}, put() {} };\n',
  'import.ts': "import './nowhere.ts';\nexport default () => [];\n",
  'server.ts': "import { createServer } from 'node:http';\nexport default createServer();\n",
  'fastify.ts': `import { createServer } from 'node:http';
    export default { routing() {}, async ready() {}, server: createServer() };`,
  'package.ts': "import 'no-such-package-of-waygate';\nexport default () => [];\n",
  'event.json': '{ not json',
  'handler.js': 'export const handler = async () => ({ statusCode: 200 });',
  'global.js': 'export default awslambda.streamifyResponse(async () => {});',
  'sockets.js': "import 'cloudflare:sockets';\nexport default () => [];",
  'class.js': 'export default class {}',
};

const cases: [what: string, args: string[], code: number, message: string | RegExp][] = [
  [
    'a missing file',
    ['fetch', 'nope.ts', '/'],
    1,
    /^nope\.ts does not exist; expected a TypeScript or JavaScript module\./,
  ],
  ['a folder', ['fetch', '.', '/'], 1, /^\. is not a file;/],
  ['a syntax error', ['fetch', 'syntax.ts', '/'], 1, 'syntax.ts:2:11: Unexpected ";"'],
  ['several syntax errors', ['build', 'two.ts', '--target', 'node'], 1, /^two\.ts:1:11: Unexpected ";"/],
  [
    'a module that throws',
    ['fetch', 'throws.ts', '/'],
    1,
    "throws.ts failed while it was loaded: TypeError: Cannot read properties of null (reading 'x') (throws.ts:2:21)",
  ],
  ['a module without exports', ['check', 'empty.ts'], 1, /^empty\.ts has no app: it exports nothing; expected an app/],
  ['a module without an app', ['fetch', 'other.ts', '/'], 1, /^other\.ts has no app: it exports b, handler; expected /],
  ['an export that is no app', ['fetch', 'number.ts', '/'], 1, /has no app: the default export is a number; expected /],
  ['an object that is no app', ['fetch', 'object.ts', '/'], 1, /the default export is an object with get, put; /],
  ['an app of another kind', ['fetch', 'object.ts', '/', '--kind', 'fetch'], 1, /expected a Fetch app, a function/],
  [
    'an import that leads nowhere',
    ['fetch', 'import.ts', '/'],
    1,
    /^import\.ts:1:8: Could not resolve "\.\/nowhere\.ts"$/,
  ],
  ['a package that is not there', ['fetch', 'package.ts', '/'], 1, /Could not resolve "no-such-package-of-waygate"/],
  [
    'an unknown platform',
    ['serve', 'app.ts', '--platform', 'heroku'],
    2,
    /^There is no platform "heroku"; expected one of node, fetch, workers, lambda:rest-api, /,
  ],
  [
    'an unknown source',
    ['event', 'sqs', 'GET', '/'],
    2,
    /^There is no event source "sqs"; expected one of lambda:rest-api, lambda:http-api, /,
  ],
  [
    'a name of every object as source',
    ['event', 'constructor', 'GET', '/'],
    2,
    /^There is no event source "constructor"/,
  ],
  [
    'an event that is not valid JSON',
    ['invoke', 'app.ts', '--event', 'event.json'],
    1,
    /^event\.json is not valid JSON: /,
  ],
  ['an event file that is not there', ['invoke', 'app.ts', '--event', 'e.json'], 1, /^e\.json does not exist\./],
  [
    'an event of no known source',
    ['invoke', 'app.ts', '--event', '-'],
    1,
    /^The handler failed: UnsupportedEventError: /,
  ],
  ['a target that is no path', ['fetch', 'app.ts', 'users'], 2, /^The request's target is "users"; expected a path/],
  ['a header without a colon', ['fetch', 'app.ts', '/', '-H', 'a'], 2, 'The header is "a"; expected "Name: value".'],
  ['a method that is none', ['event', 'lambda:alb', 'G T', '/'], 2, /^"G T" is not a request method/],
  ['an unknown command', ['serv', 'app.ts'], 2, "unknown command 'serv' (Did you mean serve?)"],
  ['help of an unknown command', ['help', 'bogus'], 2, "unknown command 'bogus'"],
  ['help of a command with a slip', ['--verbose', 'help', 'serv'], 2, "unknown command 'serv' (Did you mean serve?)"],
  [
    'a file to write in no folder',
    ['fetch', 'app.ts', '/', '-o', 'no/x'],
    1,
    /no\/x does not exist, or its folder does not\.$/,
  ],
  ['a folder to write to', ['fetch', 'app.ts', '/', '-o', '.'], 1, /^\/\S+ is a folder; expected a file\.$/],
  [
    'a new app in a file',
    ['init', 'app.ts'],
    1,
    /app\.ts cannot be a folder: a file stands in its way\. Choose another\.$/,
  ],
  ['an unknown option', ['fetch', 'app.ts', '/', '--jsom'], 2, "unknown option '--jsom'"],
  ['a missing argument', ['fetch', 'app.ts'], 2, "missing required argument 'url'"],
  [
    'a port that is none',
    ['serve', 'app.ts', '--port', '65536'],
    2,
    /'65536' is invalid\. Expected a port, 0 to 65535\.$/,
  ],
  [
    'no processes at all',
    ['serve', 'app.ts', '--processes', '0'],
    2,
    /'0' is invalid\. Expected a number of processes/,
  ],
  [
    'a target that is not there',
    ['build', 'app.ts', '--target', 'heroku'],
    2,
    /'heroku' is invalid\. Allowed choices are lambda, /,
  ],
  ['no target', ['build', 'app.ts'], 2, "required option '-t, --target <name>' not specified"],
  [
    'a framework that workerd cannot run',
    ['build', 'fastify.ts', '--target', 'workers'],
    1,
    /^fastify\.ts cannot run in workerd: Fastify makes code of its routes, .*\. Build it for another target\.$/,
  ],
  [
    'no deploying to Node',
    ['deploy', 'app.ts', '--target', 'node'],
    2,
    /'node' is invalid\. Allowed choices are lambda, /,
  ],
  [
    'streaming where there is none',
    ['fetch', 'app.ts', '/', '--platform', 'lambda:alb', '--stream'],
    2,
    /^lambda:alb does not stream;/,
  ],
  ['streaming beside Lambda', ['serve', 'app.ts', '--stream'], 2, '--stream is for Lambda; node streams by itself.'],
  [
    'a stage where there is none',
    ['fetch', 'app.ts', '/', '--platform', 'lambda:alb', '--stage', 'dev'],
    2,
    '--stage is for lambda:rest-api and lambda:http-api; lambda:alb has no such option.',
  ],
  [
    'a payload format beside Lambda',
    ['serve', 'app.ts', '--payload', '1.0'],
    2,
    '--payload is for lambda:http-api; node has no such option.',
  ],
  [
    'multi-value headers of Workers',
    ['serve', 'app.ts', '--platform', 'workers', '--multi-value-headers'],
    2,
    '--multi-value-headers is for lambda:alb; workers has no such option.',
  ],
  [
    'light classes in workerd',
    ['serve', 'app.ts', '--platform', 'workers', '--light-fetch'],
    2,
    '--light-fetch has no effect with --platform workers: the classes of workerd are cheap; leave it out.',
  ],
  [
    'a viewer request without CloudFront',
    ['event', 'lambda:http-api', 'GET', '/', '--viewer-request'],
    2,
    '--viewer-request is for lambda:edge; lambda:http-api has no such option.',
  ],
  [
    'streaming of what is built for Workers',
    ['build', 'app.ts', '--target', 'workers', '--stream'],
    2,
    '--stream is for the target lambda: workers streams by itself.',
  ],
  [
    'the name of a function on Workers',
    ['deploy', 'app.ts', '--target', 'workers', '--function-name', 'f', '--dry-run'],
    2,
    '--function-name is for the target lambda; workers has no such choice.',
  ],
  [
    'a body of a GET',
    ['fetch', 'app.ts', '/', '-X', 'GET', '-d', 'a=1'],
    2,
    'A request with a body cannot be a GET; leave --data out, or choose another method.',
  ],
  ['a path to check that is none', ['check', 'app.ts', '/', 'users'], 2, /^The request's target is "users"; expected/],
  [
    'Workers in this process',
    ['fetch', 'app.ts', '/', '--platform', 'workers'],
    2,
    /use waygate serve --platform workers\.$/,
  ],
];

const spellings: typeof cases = [
  [
    'a platform without lambda:',
    ['serve', 'app.ts', '--platform', 'http-api'],
    2,
    'There is no platform "http-api"; expected lambda:http-api.',
  ],
  [
    'an event source without lambda:',
    ['event', 'http-api', 'GET', '/'],
    2,
    'There is no event source "http-api"; expected lambda:http-api.',
  ],
  [
    'the event source of a handler without lambda:',
    ['fetch', 'handler.js', '/', '--source', 'alb'],
    2,
    'There is no event source "alb"; expected lambda:alb.',
  ],
  [
    'the event source of a template without lambda:',
    ['build', 'app.ts', '--target', 'lambda', '--source', 'http-api'],
    2,
    /'http-api' is invalid\. Expected lambda:function-url, lambda:http-api, lambda:rest-api, lambda:alb, lambda:lattice\.$/,
  ],
  [
    'a handler through a platform of Lambda',
    ['serve', 'handler.js', '--kind', 'lambda', '--platform', 'lambda:alb'],
    2,
    '--platform lambda:alb is not for a Lambda handler. --source names what calls it: --source lambda:alb.',
  ],
  [
    'a handler in workerd',
    ['serve', 'handler.js', '--kind', 'lambda', '--platform', 'workers'],
    2,
    /^--platform workers is not for a Lambda handler\. /,
  ],
  [
    'an event source of what is no handler',
    ['fetch', 'app.ts', '/', '--kind', 'app', '--source', 'lambda:alb'],
    2,
    '--source is for a Lambda handler; --kind app has no event source.',
  ],
  [
    'an event source of a module without a handler',
    ['fetch', 'empty.ts', '/', '--source', 'lambda:alb'],
    1,
    /^empty\.ts has no Lambda handler: it exports nothing; expected a function \(event, context\)/,
  ],
  [
    'a handler that is told to stream',
    ['fetch', 'handler.js', '/', '--stream'],
    2,
    /^--stream is not for a Lambda handler: it streams if awslambda\.streamifyResponse\(\) made it\.$/,
  ],
  [
    'a handler that needs the global of Lambda',
    ['fetch', 'global.js', '/'],
    1,
    /awslambda is not defined.*\. A Lambda handler has this global with --kind lambda$/,
  ],
  [
    'a module of workerd on Node',
    ['fetch', 'sockets.js', '/'],
    1,
    /Only workerd has modules called cloudflare:…; use waygate serve --platform workers$/,
  ],
  [
    'a class that is no Worker',
    ['fetch', 'class.js', '/'],
    1,
    /: the default export is a class without a fetch method; /,
  ],
  [
    'a stage that there cannot be',
    ['serve', 'app.ts', '--platform', 'lambda:http-api', '--stage', 'a/b'],
    2,
    'There can be no stage "a/b"; expected letters, digits, hyphens and underscores.',
  ],
  [
    'a file of variables that is not there',
    ['fetch', 'app.ts', '/', '--env-file', 'no.env'],
    1,
    /^no\.env does not exist\./,
  ],
  [
    'a certificate without its key',
    ['serve', 'app.ts', '--cert', 'cert.pem'],
    2,
    '--cert was given without --key; a certificate and its key go together.',
  ],
  [
    'a key without its certificate',
    ['serve', 'app.ts', '--tls', '--key', 'key.pem'],
    2,
    '--key was given without --cert; a certificate and its key go together.',
  ],
  [
    'what is no certificate',
    ['serve', 'app.ts', '--cert', 'app.ts', '--key', 'event.json'],
    1,
    /^app\.ts and event\.json are not a certificate and a key in PEM: /,
  ],
  [
    'TLS of workerd',
    ['serve', 'app.ts', '--platform', 'workers', '--tls'],
    2,
    /^workerd is served over plain HTTP\/1\.1 here; /,
  ],
  [
    'standard input twice',
    ['fetch', 'app.ts', '/', '-d', '@-', '-d', '@-'],
    2,
    'Standard input can be read once; expected one --data @-.',
  ],
];
cases.push(...spellings);

describe('one line and an exit code', () => {
  it.each(cases)('%s', async (_what, args, code, message) => {
    // Another run may have left it.
    Reflect.deleteProperty(globalThis, 'awslambda');
    const cwd = folderOf(FILES);
    const result = await run(cwd, args, { stdin: '{"a":1}' });
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(/^waygate: [^\n]+\n$/);
    const line = result.stderr.slice('waygate: '.length, -1);
    if (typeof message === 'string') expect(line).toBe(message);
    else expect(line).toMatch(message);
    expect(result.code).toBe(code);
  });

  it('a port in use', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const args = ['serve', 'app.ts', '--host', '127.0.0.1', '--port', String(port)];
    const result = await run(folderOf(FILES), args);
    taken.close();
    expect(result).toEqual({
      code: 1,
      stdout: '',
      stderr: `waygate: Port ${port} of 127.0.0.1 is in use; stop what uses it, or choose another with --port.\n`,
    });
  });
});

describe('what is wrong with PORT', () => {
  it.each(['abc', '65536', '-1', '80.5'])('is said: %s', async (PORT) => {
    const result = await run(folderOf(FILES), ['serve', 'app.ts'], { env: { PORT } });
    const stderr = `waygate: PORT of the environment is "${PORT}"; expected a port, 0 to 65535, or set --port.\n`;
    expect(result).toEqual({ code: 2, stdout: '', stderr });
  });
});

describe('a kind that was guessed wrong', () => {
  const listener = 'If it is a Node listener (request, response), add --kind node.';
  const handler = 'If it is a Fetch handler (request), add --kind fetch.';
  const lambda = 'If it is a Lambda handler (event, context), add --kind lambda.';
  const cases: [what: string, source: string, cure: string][] = [
    ['a Node listener', "export default (req, res) => { res.setHeader('a', 'b'); res.end('x'); };", listener],
    ['a Node listener of other names', "export default function (q, r) { r.writeHead(200); r.end('x'); }", listener],
    ['an async Node listener', "export default async function handle(req, res) { await 1; res.end('x'); }", listener],
    ['a Node listener with next', "export default (req, res, next) => { res.setHeader('a', 'b'); next(); };", listener],
    ['a Fetch handler of two parameters', "export default (request, env) => new Response('x');", handler],
    ['one that fails', "export default async (request, env) => Response.json(request.headers.get('a'));", handler],
    ['a Lambda handler', 'export default async (event) => ({ statusCode: 200 });', lambda],
    ['a Lambda handler of two parameters', 'export default async (event, context) => ({ statusCode: 200 });', lambda],
    ['a Lambda handler that fails', 'export default async (event, context) => event.path.length;', lambda],
    [
      'a factory of a Fetch app',
      'export default function createApp() { return { fetch: () => new Response() }; }',
      'A factory is not an app; export what it returns: `export default createApp()`.',
    ],
    [
      'a factory with options',
      'const make = (options) => (environ, start) => (start("200 OK", []), []); export default make;',
      'A factory is not an app; export what it returns: `export default make()`.',
    ],
    [
      'an async factory',
      'export const app = async () => async (environ, start) => (start("200 OK", []), []);',
      'A factory is not an app; export what it returns: `export default app()`.',
    ],
  ];

  it.each(cases)('%s', async (_what, source, cure) => {
    const { stdout, stderr } = await run(folderOf({ 'app.mjs': source }), ['fetch', 'app.mjs', '/']);
    expect(stdout).toBe('500 Internal Server Error\n');
    expect(stderr.split('\n')[0]).toMatch(
      /^TypeError: app\.mjs: (?:the default export|`app`) (?:was taken for a|is a function) /,
    );
    expect(stderr.split('\n')[0]).toContain(cure);
    expect(stderr).not.toMatch(/from(?:Node|Fetch)\(/);
  });

  it.each([
    ["export default (environ, startResponse) => { throw new TypeError('x.y is not a function'); };"],
    ["export default (request) => { throw new Error('planted'); };"],
  ])('is not suspected when an app of the right kind fails: %s', async (source) => {
    const { stderr } = await run(folderOf({ 'app.mjs': source }), ['fetch', 'app.mjs', '/']);
    expect(stderr).not.toContain('--kind');
  });
});

describe('--verbose', () => {
  it('shows the stack, with the places of the sources', async () => {
    const { stderr } = await run(folderOf(FILES), ['fetch', 'throws.ts', '/', '--verbose']);
    expect(stderr).toMatch(/\n {4}at .*throws\.ts:2:21/);
  });

  it('shows all messages of the bundler', async () => {
    const { stderr } = await run(folderOf(FILES), ['--verbose', 'fetch', 'two.ts', '/']);
    expect(stderr).toContain('const a = ;');
    expect(stderr.match(/Unexpected ";"/g)?.length).toBeGreaterThanOrEqual(2);
  });
});

describe('colours', () => {
  const args = ['fetch', 'nope.ts', '/'];
  const RED = '\u001b[31m';

  it.each([
    ['none where there is no terminal', {}, false],
    ['some on a terminal', { terminal: true }, true],
    ['none with NO_COLOR', { terminal: true, env: { NO_COLOR: '1' } }, false],
    ['some with an empty NO_COLOR', { terminal: true, env: { NO_COLOR: '' } }, true],
    ['none on a dumb terminal', { terminal: true, env: { TERM: 'dumb' } }, false],
    ['some with FORCE_COLOR', { env: { FORCE_COLOR: '1' } }, true],
    ['none with both', { env: { FORCE_COLOR: '1', NO_COLOR: '1' } }, false],
  ])('%s', async (_what, options, coloured) => {
    const { stderr } = await run(folderOf({}), args, options);
    expect(stderr.includes(RED)).toBe(coloured);
  });
});
