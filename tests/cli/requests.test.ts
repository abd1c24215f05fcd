// fetch, event and invoke: one request through an app, and through the events of Lambda.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { SOURCES } from '../../cli/src/platform.ts';
import { ECHO, folderOf, run } from './harness.ts';

const echo = (): string => folderOf({ 'app.ts': ECHO });

describe('fetch', () => {
  it('prints the body and nothing else', async () => {
    const { code, stdout, stderr } = await run(echo(), ['fetch', 'app.ts', '/a%2Fb/../c?x=1&x=2']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      REQUEST_METHOD: 'GET',
      PATH_INFO: '/a/b/../c',
      QUERY_STRING: 'x=1&x=2',
      gateway: 'fetch',
    });
  });

  it('prints the head with -i, cookies apart', async () => {
    const { stdout } = await run(echo(), ['fetch', 'app.ts', '/404', '-i']);
    const [head] = stdout.split('\n\n');
    expect(head?.split('\n')).toEqual([
      'HTTP/1.1 404 Not Found',
      expect.stringMatching(/^content-length: \d+$/),
      'content-type: application/json',
      'set-cookie: a=1',
      'set-cookie: b=2',
    ]);
  });

  it('sends HEAD with -I and prints the head only', async () => {
    const { stdout } = await run(echo(), ['fetch', 'app.ts', '/', '-I']);
    expect(stdout).toMatch(/^HTTP\/1\.1 200 OK\n/);
    expect(stdout).toMatch(/\n\n$/);
    expect(stdout).not.toContain('{');
  });

  it.each([
    ['text', ['-d', 'a=1&b=é'], 'a=1&b=é'],
    ['a file', ['-d', '@body.txt'], 'from\na file\n'],
    ['standard input', ['-d', '@-'], 'from\nstandard input'],
  ])('posts a body: %s', async (_what, args, body) => {
    const cwd = folderOf({ 'app.ts': ECHO, 'body.txt': 'from\na file\n' });
    const { stdout } = await run(cwd, ['fetch', 'app.ts', '/', ...args], { stdin: 'from\nstandard input' });
    const CONTENT_TYPE = 'application/x-www-form-urlencoded';
    expect(JSON.parse(stdout)).toMatchObject({ REQUEST_METHOD: 'POST', CONTENT_TYPE, body });
  });

  it('sends headers as bytes of UTF-8, and repeats', async () => {
    const { stdout } = await run(echo(), ['fetch', 'app.ts', '/', '-H', 'X-A: é', '--header', 'x-a:2', '-X', 'PUT']);
    expect(JSON.parse(stdout)).toMatchObject({ REQUEST_METHOD: 'PUT', HTTP_X_A: '\xc3\xa9, 2' });
  });

  it('writes bytes to a file', async () => {
    const bytes = "export default (_environ, start) => (start('200 OK', []), [Uint8Array.of(0, 255, 10)]);";
    const cwd = folderOf({ 'app.js': bytes });
    const { code, stdout } = await run(cwd, ['fetch', 'app.js', '/', '-o', 'out.bin']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect([...readFileSync(join(cwd, 'out.bin'))]).toEqual([0, 255, 10]);
  });

  it('ends with 22 for an error status with --fail', async () => {
    const { code, stderr } = await run(echo(), ['fetch', 'app.ts', '/404', '--fail']);
    expect({ code, stderr }).toEqual({ code: 22, stderr: 'waygate: The app answered 404 Not Found.\n' });
  });

  it('shows the stack of an app that fails, with the places of its source', async () => {
    const text = '\nexport default (environ: { PATH_INFO: string }) => {\n  throw new Error(environ.PATH_INFO);\n};\n';
    const cwd = folderOf({ 'fails.ts': text });
    const { code, stdout, stderr } = await run(cwd, ['fetch', 'fails.ts', '/x', '--kind', 'app']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '500 Internal Server Error\n' });
    expect(stderr).toContain('Error: /x\n');
    expect(stderr).toContain(join(cwd, 'fails.ts:3:9'));
  });

  it('reports a response that breaks off', async () => {
    const text = `export default function* (_environ, start) {
      start('200 OK', []);
      yield Uint8Array.of(97);
      throw new Error('in the middle');
    }`;
    const { code, stdout, stderr } = await run(folderOf({ 'app.js': text }), ['fetch', 'app.js', '/']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'a' });
    expect(stderr).toContain('waygate: The response broke off before its end.\n');
  });

  it('waits for work after the response', async () => {
    const text = `export default (environ, start) => {
      environ['waygate.wait_until'](new Promise((done) => setTimeout(done, 50)).then(() => environ['wsgi.errors'].write('done\\n')));
      start('204 No Content', []);
      return [];
    }`;
    const { stderr } = await run(folderOf({ 'app.js': text }), ['fetch', 'app.js', '/']);
    expect(stderr).toBe('done\n');
  });

  it.each([
    ['several values', ['-d', 'a=1', '-d', 'b=2'], 'a=1&b=2'],
    ['a value and a file', ['-d', 'a=1', '-d', '@part'], 'a=1&c=3\n'],
    ['standard input among them', ['-d', '@-', '-d', 'b=2'], 'from stdin&b=2'],
    ['an empty value', ['-d', '', '-d', 'b'], '&b'],
  ])('joins --data with "&", as curl does: %s', async (_what, args, body) => {
    const cwd = folderOf({ 'app.ts': ECHO, part: 'c=3\n' });
    const { stdout } = await run(cwd, ['fetch', 'app.ts', '/', ...args], { stdin: 'from stdin' });
    expect(JSON.parse(stdout)).toMatchObject({ body, CONTENT_TYPE: 'application/x-www-form-urlencoded' });
  });

  it.each(['node', 'fetch', 'lambda:alb', 'lambda:http-api'])(
    'gives the app the address of this machine as REMOTE_ADDR through %s',
    async (platform) => {
      const text = `export default (environ, start) => (start('200 OK', []), [Buffer.from(String(environ.REMOTE_ADDR))]);`;
      const { stdout } = await run(folderOf({ 'app.js': text }), ['fetch', 'app.js', '/', '--platform', platform]);
      expect(stdout).toBe('127.0.0.1');
    },
  );

  it.each(['node', 'fetch', 'lambda:alb'])(
    'waits for what Express logs after the response, through %s',
    async (platform) => {
      const text = `import express from ${JSON.stringify(import.meta.resolve('express'))};
      export default express().get('/', () => { throw new Error('planted'); });`;
      const args = ['fetch', 'app.mjs', '/', '--platform', platform];
      const logged: unknown[] = [];
      // Express logs nothing in tests.
      vi.stubEnv('NODE_ENV', 'development');
      const log = vi.spyOn(console, 'error').mockImplementation((...values) => void logged.push(...values));
      const { stdout } = await run(folderOf({ 'app.mjs': text }), args, { env: {} });
      const atTheEnd = logged.length;
      log.mockRestore();
      vi.unstubAllEnvs();
      expect(stdout).toContain('planted');
      expect(atTheEnd).toBe(1);
    },
  );

  it.each([['fetch', 'fetch'], ...SOURCES.map((source) => [source, 'aws-lambda'])])(
    'goes through %s',
    async (platform, gateway) => {
      const args = ['fetch', 'app.ts', '/p?q=1', '-d', 'x', '--platform', platform];
      const { code, stdout, stderr } = await run(echo(), args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const seen = { gateway, REQUEST_METHOD: 'POST', PATH_INFO: '/p', QUERY_STRING: 'q=1', body: 'x' };
      expect(JSON.parse(stdout)).toMatchObject(seen);
    },
  );

  it.each(['lambda:function-url', 'lambda:rest-api'])('streams through %s', async (platform) => {
    const { code, stdout, stderr } = await run(echo(), ['fetch', 'app.ts', '/p', '--platform', platform, '--stream']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ PATH_INFO: '/p', gateway: 'aws-lambda' });
  });

  it('puts a stage in front of the path', async () => {
    const args = ['fetch', 'app.ts', '/p', '--platform', 'lambda:http-api', '--stage', 'dev'];
    expect(JSON.parse((await run(echo(), args)).stdout)).toMatchObject({ SCRIPT_NAME: '/dev', PATH_INFO: '/p' });
  });

  it('sends payload 1.0 through an HTTP API', async () => {
    const text =
      "export default ({ 'aws.event': event }, start) => (start('200 OK', []), [Buffer.from(event.version)]);";
    const args = ['fetch', 'app.js', '/', '--platform', 'lambda:http-api'];
    const cwd = folderOf({ 'app.js': text });
    expect((await run(cwd, args)).stdout).toBe('2.0');
    expect((await run(cwd, [...args, '--payload', '1.0'])).stdout).toBe('1.0');
  });

  const CONTROLS = `export default (environ, start) => {
    environ['wsgi.errors'].write('logged \\u009b31m \\u001b]0;title\\u0007 \\u007f \\t tab \\u001b[31mred\\u001b[0m\\n');
    start('200 OK', [['X-A', 'a\\u00c2\\u009b31m']]);
    return [Buffer.from('body \\u009b31m\\n')];
  };`;

  it.each([true, false])('lets nothing of an app control the terminal (terminal: %j)', async (terminal) => {
    const cwd = folderOf({ 'app.js': CONTROLS });
    const { stdout, stderr } = await run(cwd, ['fetch', 'app.js', '/', '-i'], { terminal, env: { NO_COLOR: '1' } });
    expect(stderr).toBe('logged \\u009b31m \\u001b]0;title\\u0007 \\u007f \t tab \u001b[31mred\u001b[0m\n');
    expect(stdout).toContain('x-a: a\\u009b31m\n');
    // What a program reads is what the app sent.
    expect(stdout).toMatch(terminal ? /body \\u009b31m\n$/ : /body \u009b31m\n$/);
  });

  it('escapes control characters in JSON in its own way', async () => {
    const args = ['event', 'lambda:alb', 'POST', '/', '-d', '\u009b\u007f', '-H', 'content-type: text/plain'];
    const { stdout } = await run(folderOf({}), args);
    expect(stdout).toContain('\\u009b\\u007f');
    expect(JSON.parse(stdout).body).toBe('\u009b\u007f');
  });

  it('reads environment variables from files, without replacing those that are there', async () => {
    const text =
      'export default (environ, start) => (start("200 OK", []), [Buffer.from(JSON.stringify(process.env))]);';
    const cwd = folderOf({ 'app.js': text, 'a.env': 'WG_A=1\nWG_B="a b"\nWG_C=file\n', 'b.env': 'WG_A=2\n' });
    vi.stubEnv('WG_C', 'environment');
    const args = ['fetch', 'app.js', '/', '--env-file', 'a.env', '--env-file', 'b.env'];
    const { stdout } = await run(cwd, args);
    vi.unstubAllEnvs();
    for (const name of ['WG_A', 'WG_B']) delete process.env[name];
    expect(JSON.parse(stdout)).toMatchObject({ WG_A: '2', WG_B: 'a b', WG_C: 'environment' });
  });

  it('finds a broken rule with --validate', async () => {
    const text = "export default (_environ, start) => (start('200 OK', []), ['text']);";
    const { stderr, stdout } = await run(folderOf({ 'app.js': text }), ['fetch', 'app.js', '/', '--validate']);
    expect(stdout).toBe('500 Internal Server Error\n');
    expect(stderr).toContain('[STR-04]');
  });
});

describe('a Lambda handler as the app', () => {
  const HANDLER = `export const handler = async (event) => ({
    statusCode: 201,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ version: event.version, path: event.rawPath ?? event.path, elb: event.requestContext.elb !== undefined }),
  });`;

  it.each([
    ['by its only export', []],
    ['by --kind lambda', ['--kind', 'lambda']],
    ['by its event source', ['--source', 'lambda:function-url']],
    ['through Fetch', ['--platform', 'fetch']],
  ])('is recognized %s', async (_how, args) => {
    const { code, stdout, stderr } = await run(folderOf({ 'h.js': HANDLER }), ['fetch', 'h.js', '/a%20b', ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ version: '2.0', path: '/a%20b', elb: false });
  });

  it.each([
    ['lambda:http-api', [], { version: '2.0', path: '/a b', elb: false }],
    ['lambda:http-api', ['--payload', '1.0'], { version: '1.0', elb: false }],
    ['lambda:http-api', ['--stage', 'dev'], { version: '2.0', path: '/dev/a b', elb: false }],
    ['lambda:alb', [], { path: '/a%20b', elb: true }],
  ])('gets the events of %s %j', async (source, args, seen) => {
    const cwd = folderOf({ 'h.js': HANDLER });
    const { stdout } = await run(cwd, ['fetch', 'h.js', '/a%20b', '--source', source, ...args]);
    expect(JSON.parse(stdout)).toMatchObject(seen);
  });

  it('may be the default export, and stream', async () => {
    const text = `export default awslambda.streamifyResponse(async (event, stream) => {
      const http = awslambda.HttpResponseStream.from(stream, { statusCode: 202, headers: { 'x-a': '1' } });
      http.write('one ');
      http.end('two');
    });`;
    const args = ['fetch', 'h.js', '/', '--kind', 'lambda', '-i'];
    expect((await run(folderOf({ 'h.js': text }), args)).stdout).toMatch(
      /^HTTP\/1\.1 202 [\s\S]*\nx-a: 1\n[\s\S]*one two$/,
    );
  });
});

describe('event and invoke', () => {
  it('a handler of a CommonJS module is found among its exports', async () => {
    const cwd = folderOf({ 'h.cjs': 'exports.handler = async (event) => ({ statusCode: 200, body: event.a });' });
    const { code, stdout } = await run(cwd, ['invoke', 'h.cjs', '--event', '-'], { stdin: '{"a":"b"}' });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ statusCode: 200, body: 'b' });
  });

  it.each(SOURCES)('the event of %s is what the app is invoked with', async (source) => {
    const cwd = echo();
    const event = await run(cwd, ['event', source, 'POST', '/p%20q?a=1', '-H', 'X-A: 1', '-d', 'é']);
    expect({ code: event.code, stderr: event.stderr }).toEqual({ code: 0, stderr: '' });
    const result = await run(cwd, ['invoke', 'app.ts', '--event', '-'], { stdin: event.stdout });
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: '' });
    const { body, isBase64Encoded, bodyEncoding } = JSON.parse(result.stdout);
    const binary = isBase64Encoded === true || bodyEncoding === 'base64';
    expect(JSON.parse(binary ? Buffer.from(body, 'base64').toString() : body)).toMatchObject({
      REQUEST_METHOD: 'POST',
      PATH_INFO: '/p q',
      QUERY_STRING: 'a=1',
      HTTP_X_A: '1',
      body: 'é',
    });
  });

  it('has the options of the event sources', async () => {
    const cwd = echo();
    const event = async (...args: string[]): Promise<unknown> =>
      JSON.parse((await run(cwd, ['event', ...args])).stdout);
    expect(await event('lambda:http-api', 'GET', '/x', '--stage', 'dev')).toMatchObject({
      rawPath: '/dev/x',
      requestContext: { stage: 'dev' },
    });
    expect(await event('lambda:http-api', 'GET', '/x', '--payload', '1.0')).toMatchObject({
      version: '1.0',
      path: '/x',
    });
    expect(await event('lambda:alb', 'GET', '/', '--multi-value-headers')).toHaveProperty('multiValueHeaders.host');
    expect(await event('lambda:alb', 'GET', '/')).toHaveProperty('headers.host');
    const config = { Records: [{ cf: { config: { eventType: 'viewer-request' } } }] };
    expect(await event('lambda:edge', 'GET', '/', '--viewer-request')).toMatchObject(config);
  });

  it('reads the event from a file', async () => {
    const cwd = echo();
    const { stdout } = await run(cwd, ['event', 'lambda:alb', 'GET', '/from-file']);
    const folder = folderOf({ 'app.ts': ECHO, 'event.json': stdout });
    expect((await run(folder, ['invoke', 'app.ts', '--event', 'event.json'])).stdout).toContain('/from-file');
  });

  it('prints the metadata and the body of a streamed response', async () => {
    const cwd = echo();
    const { stdout: event } = await run(cwd, ['event', 'lambda:function-url', 'GET', '/p']);
    const { code, stdout } = await run(cwd, ['invoke', 'app.ts', '--event', '-', '--stream'], { stdin: event });
    const [metadata = '', body = ''] = stdout.split('\n\n');
    expect(code).toBe(0);
    expect(JSON.parse(metadata)).toMatchObject({ statusCode: 200, cookies: ['a=1', 'b=2'] });
    expect(JSON.parse(body)).toMatchObject({ PATH_INFO: '/p' });
  });

  it.each([
    ['returns', 'export const handler = async (event) => ({ got: event.a });', '{\n  "got": 1\n}\n'],
    [
      'calls back',
      'export const handler = (event, context, callback) => { setTimeout(callback, 5, null, event.a); };',
      '1\n',
    ],
    ['returns nothing', 'export const handler = () => {};', 'null\n'],
    [
      'answers through its context, later (A12)',
      'export const handler = (event, context) => { setTimeout(() => context.succeed(event.a), 5); };',
      '1\n',
    ],
    [
      'streams',
      "export const handler = awslambda.streamifyResponse(async (event, stream) => { stream.write('a'); stream.end('b'); });",
      'ab',
    ],
  ])('calls a handler that %s', async (_what, text, printed) => {
    const { code, stdout } = await run(folderOf({ 'h.js': text }), ['invoke', 'h.js', '--event', '-'], {
      stdin: '{"a":1}',
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: printed });
  });

  it('ends with 1 when the handler fails', async () => {
    const text = "export const handler = async () => { throw new RangeError('out of it'); };";
    const result = await run(folderOf({ 'h.js': text }), ['invoke', 'h.js', '--event', '-'], { stdin: '{}' });
    expect(result).toEqual({ code: 1, stdout: '', stderr: 'waygate: The handler failed: RangeError: out of it\n' });
  });
});
