// What check finds in apps that break one rule each.

import { describe, expect, it } from 'vitest';
import { ECHO, folderOf, run } from './harness.ts';

const app = (body: string): string => `export default async (environ, start) => {\n${body}\n};\n`;

describe('check', () => {
  it('passes an app that keeps the contract, on each path', async () => {
    const { code, stdout, stderr } = await run(folderOf({ 'app.ts': ECHO }), ['check', 'app.ts', '/', '/a?b=c']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.at(-1)).toBe(`${lines.length - 1} requests, nothing found.`);
    expect(lines.slice(0, -1).every((line) => line.startsWith('ok   '))).toBe(true);
    expect(lines.filter((line) => line.includes(' /a?b=c '))).not.toEqual([]);
  });

  it.each(['fetch', 'lambda:http-api', 'lambda:alb'])('finds the same through %s', async (platform) => {
    const files = {
      'app.js': app("start('200 OK', []); return environ.REQUEST_METHOD === 'PUT' ? ['a'] : [Buffer.from('a')];"),
    };
    const { stdout, stderr } = await run(folderOf(files), ['check', 'app.js', '--platform', platform]);
    expect(stderr).toMatch(/^waygate: 2 findings in \d+ requests\. [^\n]+\n$/);
    expect(stdout).toMatch(/^FAIL GET \/ \(a page\).*\n {5}validator: warning: .* \[L-42\]$/m);
    expect(stdout).toMatch(/^FAIL PUT \/ .*\n {5}Chunk 0 of the body is the string "a"; .* \[STR-04\]$/m);
  });

  it.each([
    ['a chunk that is a text', "start('200 OK', []); return ['a'];", 'GET / (a page)', /\[STR-04\]/],
    ['a status without a reason', "start('200', []); return [];", 'GET / (a page)', /\[SR-02\]/],
    ['no startResponse', 'return [];', 'GET / (a page)', /\[/],
    [
      'a body that only HEAD fails for',
      "if (environ.REQUEST_METHOD === 'HEAD') throw new Error('no HEAD'); start('200 OK', []); return [];",
      'HEAD / (the same without its body)',
      /no HEAD/,
    ],
    [
      'a HEAD that answers otherwise',
      "start(environ.REQUEST_METHOD === 'HEAD' ? '404 Not Found' : '200 OK', []); return [];",
      'HEAD / (the same without its body)',
      /^HEAD is answered with 404 where GET is with 200$/,
    ],
    [
      'a path that is taken for UTF-8',
      "decodeURIComponent(escape(environ.PATH_INFO)); start('200 OK', []); return [];",
      'GET /%FF%FE (a path of bytes that are not UTF-8)',
      /URIError|URI malformed/,
    ],
    [
      'JSON that is taken for granted',
      "if (environ.CONTENT_TYPE === 'application/json') await environ['wsgi.input'].json(); start('200 OK', []); return [];",
      'POST / (JSON that breaks off)',
      /JSON/,
    ],
    [
      'an answer of 500',
      "start('500 Internal Server Error', []); return [];",
      'GET / (a page)',
      /^the app answered 500$/,
    ],
  ])('finds %s', async (_what, body, request, message) => {
    const { code, stdout, stderr } = await run(folderOf({ 'app.js': app(body) }), ['check', 'app.js']);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^waygate: \d+ findings? in \d+ requests\. .*docs\/errors\.md says how to fix what has an id\.\n$/,
    );
    const lines = stdout.split('\n');
    const at = lines.findIndex((line) => line.startsWith(`FAIL ${request} `));
    expect(at).toBeGreaterThanOrEqual(0);
    expect(lines[at + 1]?.trim()).toMatch(message);
  });

  it('looks through a platform', async () => {
    const args = ['check', 'app.ts', '--platform', 'lambda:function-url'];
    expect(await run(folderOf({ 'app.ts': ECHO }), args)).toMatchObject({ code: 0 });
  });
});
