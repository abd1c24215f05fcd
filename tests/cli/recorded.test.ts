// Recorded requests: HAR files and fixtures are read, run on every platform, and made into events.

import { describe, expect, it } from 'vitest';
import { ECHO, folderOf, run } from './harness.ts';

const fixture = (request: object, status = 200): string =>
  JSON.stringify({ request: { method: 'GET', headers: [['Host', 'localhost']], ...request }, response: { status } });

const har = (...requests: object[]): string =>
  JSON.stringify({
    log: {
      version: '1.2',
      entries: requests.map((request) => ({ request: { method: 'GET', headers: [], ...request }, response: {} })),
    },
  });

const form = {
  method: 'POST',
  url: 'https://example.com/a/../b?x=1#part',
  headers: [
    { name: ':authority', value: 'example.com' },
    { name: 'Content-Length', value: '9' },
    { name: 'x-a', value: 'é' },
  ],
  postData: { mimeType: 'application/x-www-form-urlencoded', params: [{ name: 'a', value: 'b c' }, { name: 'd' }] },
};

describe('waygate diff', () => {
  it('finds nothing that matters where all platforms see the same', async () => {
    const app = `export default async (environ, startResponse) => {
      const body = await environ['wsgi.input'].bytes();
      startResponse('201 Created', [['Content-Type', 'text/plain; charset=utf-8'], ['X-Path', environ.PATH_INFO]]);
      return [body];
    };`;
    const request = { target: '/a', method: 'PUT', body: 'text é' };
    const cwd = folderOf({ 'app.ts': app, 'fixtures/a.json': fixture(request, 201) });
    const { code, stdout, stderr } = await run(cwd, ['diff', 'app.ts']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^ok {3}PUT \/a 201 \(fixtures\/a\.json\) /);
    expect(stdout).not.toContain('response body');
  });

  it('explains what a platform is known to lose, and what follows from it', async () => {
    const app = `export default (environ, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return [new TextEncoder().encode(environ.QUERY_STRING)];
    };`;
    const cwd = folderOf({ 'app.ts': app, 'a.json': fixture({ target: '/?a=1&a=2' }) });
    const { code, stdout } = await run(cwd, ['diff', 'app.ts', 'a.json']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok {3}GET \/\?a=1&a=2 200 \(a\.json\) /);
    expect(stdout).toMatch(
      /request QUERY_STRING: node has "a=1&a=2"\n {7}lambda:alb: "a=2" – .*\(docs\/platforms\.md\)/,
    );
    expect(stdout).toMatch(
      /response body: node has "a=1&a=2"\n {7}lambda:alb: "a=2" – The app there saw something else\./,
    );
  });

  it('reports what an app does by the platform, and another status than was recorded', async () => {
    const app = `export default (environ, startResponse) => {
      startResponse(environ['aws.event'] ? '500 No' : '200 OK', []);
      return [];
    };`;
    const cwd = folderOf({ 'app.ts': app, 'a.json': fixture({ target: '/' }, 404) });
    const { code, stdout, stderr } = await run(cwd, ['diff', 'app.ts', 'a.json']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^DIFF GET \/ 200 .*\n {5}status: recorded 404; node has 200\n/);
    expect(stdout).toMatch(/response status: node has "200"\n {7}lambda:rest-api; .*: "500"\n/);
    expect(stderr).toMatch(/^waygate: \d+ differences in 1 requests that no platform is known to make\.\n$/);
    const json = await run(cwd, ['diff', 'app.ts', 'a.json', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject([{ place: 'a.json', status: 200, recorded: 404, reference: 'node' }]);
  });
});

describe('waygate test-events', () => {
  it('lists fixtures and the entries of a HAR file', async () => {
    const cwd = folderOf({
      'fixtures/0001.json': fixture({ target: '/a' }),
      'fixtures/b.har': har(form, { url: 'http://h' }),
    });
    const { code, stdout } = await run(cwd, ['test-events']);
    expect(code).toBe(0);
    expect(stdout).toBe(
      'fixtures/0001.json       GET /a 200\nfixtures/b.har, entry 1  POST /a/../b?x=1\nfixtures/b.har, entry 2  GET /\n',
    );
  });

  it('prints the event of each, which invoke takes', async () => {
    const cwd = folderOf({ 'app.ts': ECHO, 'a.har': har(form) });
    const { stdout } = await run(cwd, ['test-events', 'a.har', '--source', 'lambda:http-api']);
    const event = JSON.parse(stdout);
    expect(event).toMatchObject({ rawQueryString: 'x=1', headers: { host: 'example.com', 'x-a': 'é' } });
    const invoked = await run(cwd, ['invoke', 'app.ts', '--event', '-'], { stdin: stdout });
    expect(JSON.parse(JSON.parse(invoked.stdout).body)).toMatchObject({ REQUEST_METHOD: 'POST', body: 'a=b+c&d=' });
  });

  it.each([
    [
      'a HAR that is none',
      '{"log":{}}',
      /^waygate: bad\.har is neither a HAR file nor a fixture: it has no log\.entries and no request; /,
    ],
    ['null', 'null', /^waygate: bad\.har is neither a HAR file nor a fixture/],
    ['no JSON', '<har/>', /^waygate: bad\.har is not valid JSON: .*; expected a HAR file or a fixture\.\n$/],
    ['a HAR without entries', '{"log":{"entries":[]}}', /^waygate: bad\.har has no requests; /],
    [
      'an entry that is none',
      '{"log":{"entries":[null]}}',
      /^waygate: bad\.har, entry 1 has the URL "undefined"; expected one such as /,
    ],
    ['a URL that is none', har({ url: '/a' }), /^waygate: bad\.har, entry 1 has the URL "\/a"; expected one such as /],
    [
      'headers that are none',
      har({ url: 'http://h/', headers: [{ name: 1 }] }),
      /^waygate: bad\.har, entry 1 has no method or no list of headers /,
    ],
  ])('refuses %s in one line', async (_what, text, message) => {
    const { code, stderr } = await run(folderOf({ 'bad.har': text }), ['test-events', 'bad.har']);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('refuses a path that leads nowhere', async () => {
    const { code, stderr } = await run(folderOf({}), ['test-events']);
    expect(code).toBe(1);
    expect(stderr).toBe('waygate: fixtures does not exist; expected a HAR file, a fixture, or a folder of them.\n');
  });
});
