// staticFiles: files from a directory and from memory, on every platform. (RFC 9110 §8, §12–15)

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import zlib from 'node:zlib';
import fc from 'fast-check';
import parseRange from 'range-parser';
import { afterAll, describe, expect, test } from 'vitest';
import { type Application, encode, type FileSource, run, setupTestingDefaults } from 'waygate';
import { toWorker } from 'waygate/cloudflare-workers';
import { toFetch } from 'waygate/fetch';
import { assets, compress, memoryFiles, mount, type StaticFilesOptions, staticFiles } from 'waygate/middleware';
import { directory, nodeEncoders, serve } from 'waygate/node';
import { isOddOnWindows } from '../../adapters/node/directory.ts';
import { parseRanges } from '../../middleware/ranges.ts';
import { filePath } from '../../middleware/static-path.ts';
import { type Answer, answering, on, PLATFORMS, type Question, sandwiched } from './platforms.ts';

const folder = fs.mkdtempSync(join(tmpdir(), 'waygate-static-'));
const root = join(folder, 'public');
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz';
const SCRIPT = 'export const answer = 42;\n'.repeat(100);
const LARGE = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
const CHANGED = new Date('2020-02-02T02:02:02.500Z');
const FILES: Record<string, string | Uint8Array> = {
  '/index.html': '<h1>root</h1>',
  '/abc.txt': ALPHABET,
  '/empty.txt': '',
  '/large.bin': LARGE,
  '/app.js': SCRIPT,
  '/app.js.br': zlib.brotliCompressSync(SCRIPT),
  '/app.js.gz': zlib.gzipSync(SCRIPT),
  '/docs/index.html': '<h1>docs</h1>',
  '/docs/page.html': '<p>page</p>',
  '/bare/file.txt': 'in a directory without index',
  '/café/ü n.txt': 'umlauts',
  '/%2e%2e/percent.txt': 'a name with percent signs',
  '/.secret': 'a dotfile',
  '/.well-known/acme': 'a challenge',
  '/unknown.xyzzy': 'of no known type',
};

for (const [path, content] of Object.entries(FILES)) {
  const full = join(root, path);
  fs.mkdirSync(join(full, '..'), { recursive: true });
  fs.writeFileSync(full, content);
  fs.utimesSync(full, CHANGED, CHANGED);
}
fs.writeFileSync(join(folder, 'outside.txt'), 'outside');
fs.mkdirSync(join(folder, 'public-too'));
fs.writeFileSync(join(folder, 'public-too', 'beside.txt'), 'beside');
fs.symlinkSync(join(folder, 'outside.txt'), join(root, 'link-out.txt'));
fs.symlinkSync(folder, join(root, 'link-up'));
fs.symlinkSync(join(folder, 'public-too'), join(root, 'link-beside'));
fs.symlinkSync('abc.txt', join(root, 'link-in.txt'));
fs.symlinkSync('loop', join(root, 'loop'));
execFileSync('mkfifo', [join(root, 'pipe')]);
fs.symlinkSync(root, join(folder, 'current'));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const SOURCES: [string, () => FileSource][] = [
  ['a directory', () => directory(root)],
  ['memory', () => memoryFiles(FILES)],
];

async function ask(app: Application, path: string, question: Question = {}, platform = 'fetch'): Promise<Answer> {
  let answer: Answer | undefined;
  const log = await on(platform, app, async (send) => {
    answer = await send(path, question);
  });
  expect(log).toEqual([]);
  return answer as Answer;
}
const textOf = ({ bytes }: Answer): string => Buffer.from(bytes).toString();

/** The files of the directory that this process holds open. */
function openFiles(): string[] {
  const links = fs.readdirSync('/proc/self/fd').map((each) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${each}`);
    } catch {
      // That of the listing itself.
      return '';
    }
  });
  return links.filter((link) => link.startsWith(root));
}

describe.each(SOURCES)('from %s', (name, make) => {
  const serving = (options: StaticFilesOptions = {}): Application =>
    sandwiched(() => staticFiles(make(), options))(answering([]));

  test.each<[path: string, status: number, type: string | undefined, content: string | Uint8Array | undefined]>([
    ['/abc.txt', 200, 'text/plain; charset=utf-8', ALPHABET],
    ['/', 200, 'text/html; charset=utf-8', '<h1>root</h1>'],
    ['/docs/', 200, 'text/html; charset=utf-8', '<h1>docs</h1>'],
    ['/docs/page.html?query', 200, 'text/html; charset=utf-8', '<p>page</p>'],
    ['/app.js', 200, 'text/javascript; charset=utf-8', SCRIPT],
    ['/empty.txt', 200, 'text/plain; charset=utf-8', ''],
    ['/large.bin', 200, 'application/octet-stream', LARGE],
    ['/unknown.xyzzy', 200, 'application/octet-stream', 'of no known type'],
    ['/caf%C3%A9/%C3%BC%20n.txt', 200, 'text/plain; charset=utf-8', 'umlauts'],
    ['/%252e%252e/percent.txt', 200, 'text/plain; charset=utf-8', 'a name with percent signs'],
    ['/nothing', 404, undefined, undefined],
    ['/abc.txt/', 404, undefined, undefined],
    ['/abc.txt/more', 404, undefined, undefined],
    ['/bare/', 404, undefined, undefined],
    ['/bare', 404, undefined, undefined],
    ['/.secret', 404, undefined, undefined],
    ['/.well-known/acme', 404, undefined, undefined],
  ])('%s is a %i', async (path, status, type, content) => {
    const app = serving();
    const answer = await ask(app, path);
    expect(answer.status).toBe(status);
    if (content === undefined) return;
    expect(Buffer.from(answer.bytes).equals(Buffer.from(content))).toBe(true);
    expect(answer.headers).toMatchObject({
      'content-type': type,
      'content-length': String(answer.bytes.byteLength),
      'accept-ranges': 'bytes',
      'cache-control': 'public, max-age=0',
      etag: expect.stringMatching(/^"[\w-]+"$/),
    });
    const head = await ask(app, path, { method: 'HEAD' });
    expect({ status: head.status, headers: head.headers }).toEqual({ status, headers: answer.headers });
    expect(head.bytes.byteLength).toBe(0);
  });

  test.each(PLATFORMS)('the same on %s', async (platform) => {
    const app = serving();
    // What a load balancer may answer is limited to a megabyte, and CloudFront's functions to less.
    for (const [path, content] of [
      ['/abc.txt', ALPHABET],
      ['/large.bin', LARGE],
      ['/caf%C3%A9/%C3%BC%20n.txt', 'umlauts'],
    ] as const) {
      const answer = await ask(app, path, {}, platform);
      expect(answer.status).toBe(200);
      expect(Buffer.from(answer.bytes).equals(Buffer.from(content))).toBe(true);
      const etag = answer.headers.etag as string;
      const again = await ask(app, path, { headers: { 'if-none-match': etag } }, platform);
      expect([again.status, again.bytes.byteLength]).toEqual([304, 0]);
      const part = await ask(app, path, { headers: { range: 'bytes=1-3' } }, platform);
      expect([part.status, Buffer.from(part.bytes)]).toEqual([206, Buffer.from(content).subarray(1, 4)]);
    }
    expect((await ask(app, '/docs', {}, platform)).headers.location).toMatch(/(?:^|[^/])\/docs\/$/);
    expect((await ask(app, '/nothing', {}, platform)).status).toBe(404);
  });

  describe('ranges', () => {
    test.each<[range: string, status: number, content: string, contentRange: string | undefined]>([
      ['bytes=0-0', 206, 'a', 'bytes 0-0/26'],
      ['bytes=1-3', 206, 'bcd', 'bytes 1-3/26'],
      ['bytes=23-', 206, 'xyz', 'bytes 23-25/26'],
      ['bytes=-2', 206, 'yz', 'bytes 24-25/26'],
      ['bytes=-100', 206, ALPHABET, 'bytes 0-25/26'],
      ['bytes=20-100', 206, 'uvwxyz', 'bytes 20-25/26'],
      ['BYTES=1-3', 206, 'bcd', 'bytes 1-3/26'],
      ['bytes= 1-3 ', 206, 'bcd', 'bytes 1-3/26'],
      ['bytes=1-3,100-200', 206, 'bcd', 'bytes 1-3/26'],
      ['bytes=26-', 416, '', 'bytes */26'],
      ['bytes=-0', 416, '', 'bytes */26'],
      ['bytes=99999999999999999999-', 416, '', 'bytes */26'],
      ['bytes=3-1', 200, ALPHABET, undefined],
      ['bytes=', 200, ALPHABET, undefined],
      ['bytes=-', 200, ALPHABET, undefined],
      ['bytes=a-b', 200, ALPHABET, undefined],
      ['bytes=1', 200, ALPHABET, undefined],
      ['bytes=0x1-3', 200, ALPHABET, undefined],
      ['bytes=1-3,', 200, ALPHABET, undefined],
      ['bytes=+1-3', 200, ALPHABET, undefined],
      ['bytes 1-3', 200, ALPHABET, undefined],
      ['lines=1-3', 200, ALPHABET, undefined],
      ['', 200, ALPHABET, undefined],
      ['bytes=0-5,3-8', 200, ALPHABET, undefined],
      [`bytes=${Array.from({ length: 11 }, (_, at) => `${at * 2}-${at * 2}`).join(',')}`, 200, ALPHABET, undefined],
      [`bytes=${'0-,'.repeat(2000)}0-`, 200, ALPHABET, undefined],
    ])('%j is a %i', async (range, status, content, contentRange) => {
      const answer = await ask(serving(), '/abc.txt', { headers: { range } });
      expect(answer.status).toBe(status);
      expect(answer.headers['content-range']).toBe(contentRange);
      if (status !== 416) expect(textOf(answer)).toBe(content);
      expect(answer.headers['content-length'] ?? String(answer.bytes.byteLength)).toBe(String(answer.bytes.byteLength));
    });

    test('several are the parts of a message, of a large file too', async () => {
      for (const [path, content] of [
        ['/abc.txt', encode(ALPHABET)],
        ['/large.bin', LARGE],
      ] as const) {
        const size = content.byteLength;
        const wanted =
          size < 100
            ? [
                [20, 22],
                [1, 3],
                [24, 25],
              ]
            : [
                [0, 149_999],
                [150_001, 299_990],
                [299_995, 299_999],
              ];
        const range = `bytes=${wanted.map((each) => each.join('-')).join(', ')}`;
        const answer = await ask(serving(), path, { headers: { range } });
        expect(answer.status).toBe(206);
        expect(answer.headers['content-range']).toBeUndefined();
        const boundary = /^multipart\/byteranges; boundary=([\w-]+)$/.exec(answer.headers['content-type'] ?? '')?.[1];
        const type = path === '/abc.txt' ? 'text/plain; charset=utf-8' : 'application/octet-stream';
        const expected = Buffer.concat([
          ...wanted.map(([first = 0, last = 0], index) =>
            Buffer.concat([
              Buffer.from(
                `${index === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${type}\r\nContent-Range: bytes ${first}-${last}/${size}\r\n\r\n`,
              ),
              content.subarray(first, last + 1),
            ]),
          ),
          Buffer.from(`\r\n--${boundary}--\r\n`),
        ]);
        expect(Buffer.from(answer.bytes).equals(expected)).toBe(true);
        expect(answer.headers['content-length']).toBe(String(expected.byteLength));
      }
    });

    test('only GET has any', async () => {
      const head = await ask(serving(), '/abc.txt', { method: 'HEAD', headers: { range: 'bytes=0-1' } });
      expect([head.status, head.headers['content-length']]).toEqual([200, '26']);
    });

    test('If-Range: the tag of this very file, else all of it', async () => {
      const { headers } = await ask(serving(), '/abc.txt');
      const status = async (condition: string): Promise<number> =>
        (await ask(serving(), '/abc.txt', { headers: { range: 'bytes=1-3', 'if-range': condition } })).status;
      expect(await status(headers.etag as string)).toBe(206);
      expect(await status('"other"')).toBe(200);
      expect(await status(`W/${headers.etag}`)).toBe(200);
      if (headers['last-modified'] !== undefined) {
        expect(await status(headers['last-modified'])).toBe(206);
        expect(await status('Sun, 06 Nov 1994 08:49:37 GMT')).toBe(200);
      }
    });

    test('a precondition comes first', async () => {
      const { headers } = await ask(serving(), '/abc.txt');
      const answer = await ask(serving(), '/abc.txt', {
        headers: { range: 'bytes=99-', 'if-none-match': headers.etag as string },
      });
      expect(answer.status).toBe(304);
    });
  });

  test('conditional requests', async () => {
    const { headers } = await ask(serving({ maxAge: 60 }), '/abc.txt');
    const etag = headers.etag as string;
    const fresh = await ask(serving({ maxAge: 60 }), '/abc.txt', { headers: { 'if-none-match': `W/${etag}` } });
    expect([fresh.status, fresh.headers]).toEqual([304, { etag, 'cache-control': 'public, max-age=60' }]);
    expect((await ask(serving(), '/abc.txt', { headers: { 'if-match': '"other"' } })).status).toBe(412);
    expect((await ask(serving(), '/abc.txt', { headers: { 'if-match': etag } })).status).toBe(200);
    if (name === 'memory') return;
    const date = CHANGED.toUTCString();
    expect(headers['last-modified']).toBe(date);
    expect((await ask(serving(), '/abc.txt', { headers: { 'if-modified-since': date } })).status).toBe(304);
    const before = 'Sun, 06 Nov 1994 08:49:37 GMT';
    expect((await ask(serving(), '/abc.txt', { headers: { 'if-unmodified-since': before } })).status).toBe(412);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])(
    '%s is not allowed where there is something',
    async (method) => {
      const answer = await ask(serving(), '/abc.txt', { method });
      expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD']);
      expect((await ask(serving(), '/docs', { method })).status).toBe(405);
      expect((await ask(serving(), '/nothing', { method })).status).toBe(404);
    },
  );

  describe('directories', () => {
    test('are redirected to the path with a slash, with the query, below their mount', async () => {
      const answer = await ask(serving(), '/docs?a=1');
      expect([answer.status, answer.headers.location]).toEqual([301, '/docs/?a=1']);
      const mounted = mount({ '/static': staticFiles(make()) });
      expect((await ask(mounted, '/static/docs')).headers.location).toBe('/static/docs/');
      expect((await ask(mounted, '/static')).headers.location).toBe('/static/');
      expect(textOf(await ask(mounted, '/static/'))).toBe('<h1>root</h1>');
    });

    test('never to another server', async () => {
      const source: FileSource = {
        find: (path) => (path.endsWith('.html') ? memoryFiles({ '/x': 'x' }).find('/x') : 'directory'),
      };
      const odd = [
        '//evil.example',
        '///evil.example',
        '/\\evil.example',
        '/%5cevil.example',
        '/%2fevil.example',
        '/.//evil.example',
      ];
      for (const path of odd) {
        const environ = setupTestingDefaults({ PATH_INFO: decodeURIComponent(path) });
        const response = await run(staticFiles(source), environ);
        expect([path, response.statusCode]).toEqual([path, 404]);
      }
      const environ = setupTestingDefaults({ SCRIPT_NAME: '//evil.example', PATH_INFO: '/docs' });
      const response = await run(staticFiles(source), environ);
      expect(response.headers).toContainEqual(['Location', '/evil.example/docs/']);
    });

    test('have no index but the one that is asked for', async () => {
      expect(textOf(await ask(serving({ index: 'page.html' }), '/docs/'))).toBe('<p>page</p>');
      expect((await ask(serving({ index: false }), '/docs/')).status).toBe(404);
      expect((await ask(serving({ index: false }), '/docs')).status).toBe(404);
    });
  });

  test('dotfiles only where asked for, by name', async () => {
    expect(textOf(await ask(serving({ dotfiles: true }), '/.secret'))).toBe('a dotfile');
    expect(textOf(await ask(serving({ dotfiles: ['.well-known'] }), '/.well-known/acme'))).toBe('a challenge');
    expect((await ask(serving({ dotfiles: ['.well-known'] }), '/.secret')).status).toBe(404);
    expect((await ask(serving({ dotfiles: true }), '/docs/../.secret')).status).not.toBe(500);
  });

  test('what is not found falls through, and so do other methods', async () => {
    const app = serving({ fallback: answering([['Content-Type', 'text/plain']], 'the app') });
    expect(textOf(await ask(app, '/nothing'))).toBe('the app');
    expect(textOf(await ask(app, '/.secret'))).toBe('the app');
    expect(textOf(await ask(app, '/abc.txt', { method: 'POST' }))).toBe('the app');
    expect(textOf(await ask(app, '/abc.txt'))).toBe(ALPHABET);
  });

  test('caching', async () => {
    const caching = async (options: StaticFilesOptions, path = '/abc.txt'): Promise<string | undefined> =>
      (await ask(serving(options), path)).headers['cache-control'];
    expect(await caching({ maxAge: 60 })).toBe('public, max-age=60');
    expect(await caching({ immutable: true })).toBe('public, max-age=31536000, immutable');
    expect(await caching({ immutable: true, maxAge: 60 })).toBe('public, max-age=60, immutable');
    const immutable = (path: string): boolean => path === '/app.js';
    expect(await caching({ immutable })).toBe('public, max-age=0');
    expect(await caching({ immutable }, '/app.js')).toBe('public, max-age=31536000, immutable');
  });

  test('types of its own', async () => {
    const { headers } = await ask(serving({ types: { xyzzy: 'text/x-magic' } }), '/unknown.xyzzy');
    expect(headers['content-type']).toBe('text/x-magic; charset=utf-8');
  });

  describe('compressed siblings', () => {
    const app = serving({ precompressed: true });
    test.each<[accept: string | undefined, coding: string | undefined]>([
      ['gzip, deflate, br, zstd', 'br'],
      ['gzip, zstd', 'gzip'],
      ['br;q=0.5, gzip', 'gzip'],
      ['zstd', undefined],
      ['br;q=0', undefined],
      ['identity', undefined],
      [undefined, undefined],
    ])('%s gets %s', async (accept, coding) => {
      const answer = await ask(app, '/app.js', { headers: accept === undefined ? {} : { 'accept-encoding': accept } });
      expect(answer.headers['content-encoding']).toBe(coding);
      expect(answer.headers.vary).toBe('Accept-Encoding');
      expect(answer.headers['content-type']).toBe('text/javascript; charset=utf-8');
      const sent =
        coding === undefined ? SCRIPT : (FILES[`/app.js.${coding === 'gzip' ? 'gz' : coding}`] as Uint8Array);
      expect(Buffer.from(answer.bytes).equals(Buffer.from(sent))).toBe(true);
    });

    test('each has a tag and ranges of its own', async () => {
      const coded = await ask(app, '/app.js', { headers: { 'accept-encoding': 'br' } });
      const plain = await ask(app, '/app.js');
      expect(coded.headers.etag).not.toBe(plain.headers.etag);
      const part = await ask(app, '/app.js', { headers: { 'accept-encoding': 'br', range: 'bytes=0-3' } });
      expect(Buffer.from(part.bytes)).toEqual(Buffer.from(coded.bytes).subarray(0, 4));
      expect(part.headers['content-range']).toBe(`bytes 0-3/${coded.bytes.byteLength}`);
    });

    test('are not sent for what is not there, nor without being asked for', async () => {
      expect(
        (await ask(serving(), '/app.js', { headers: { 'accept-encoding': 'br' } })).headers['content-encoding'],
      ).toBeUndefined();
      expect(
        (await ask(app, '/abc.txt', { headers: { 'accept-encoding': 'br' } })).headers['content-encoding'],
      ).toBeUndefined();
      expect((await ask(app, '/app', { headers: { 'accept-encoding': 'br' } })).status).toBe(404);
    });
  });

  test('inside compress, a part is a part of the file as it is', async () => {
    const app = compress(staticFiles(make()), { encoders: nodeEncoders });
    const whole = await ask(app, '/app.js', { headers: { 'accept-encoding': 'gzip' } });
    expect(zlib.gunzipSync(whole.bytes).toString()).toBe(SCRIPT);
    const headers = { 'accept-encoding': 'gzip', range: 'bytes=0-5' };
    expect(textOf(await ask(app, '/app.js', { headers }))).toBe('export');
    const resumed = await ask(app, '/app.js', { headers: { ...headers, 'if-range': whole.headers.etag as string } });
    expect(resumed.status).toBe(200);
    const etag = whole.headers.etag as string;
    const again = await ask(app, '/app.js', { headers: { 'accept-encoding': 'gzip', 'if-none-match': etag } });
    expect([again.status, again.headers.etag]).toEqual([304, etag]);
  });
});

describe('nothing outside of a directory', () => {
  const paths = [
    '/../outside.txt',
    '/docs/../../outside.txt',
    '/..%2foutside.txt',
    '/%2e%2e/outside.txt',
    '/%2e%2e%2foutside.txt',
    '/..%5coutside.txt',
    '/..\\outside.txt',
    '/docs/..%2f..%2foutside.txt',
    '/%252e%252e/outside.txt',
    '/%c0%ae%c0%ae/outside.txt',
    '/%uff0e%uff0e/outside.txt',
    '/..;/outside.txt',
    '/....//outside.txt',
    '/./../outside.txt',
    '//../outside.txt',
    '/link-out.txt',
    '/link-up/outside.txt',
    '/link-up/',
    '/link-beside/beside.txt',
    '/../public-too/beside.txt',
    '/loop',
    '/pipe',
    '/abc.txt%00.html',
    '/abc.txt%0a',
    `/${'a'.repeat(5000)}`,
    `${folder}/outside.txt`,
    `/${folder}/outside.txt`,
    '/C:/Windows/win.ini',
    '/file:///etc/passwd',
  ];

  test.each(paths)('%s over a socket', async (path) => {
    const app = staticFiles(directory(root), { dotfiles: true });
    const log: string[] = [];
    const server = await serve(app, {
      port: 0,
      host: '127.0.0.1',
      signals: false,
      errors: (line) => void log.push(line),
    });
    try {
      const answer = await new Promise<{ status: number; body: string }>((resolve, reject) => {
        http
          .get({ port: server.port, host: '127.0.0.1', path, agent: false }, (response) => {
            let body = '';
            response.setEncoding('latin1').on('data', (chunk) => {
              body += chunk;
            });
            response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
          })
          .on('error', reject);
      });
      expect(answer.status === 404 || answer.status === 400).toBe(true);
      expect(answer.body).not.toMatch(/outside|beside|root:/);
    } finally {
      await server.close();
    }
  });

  test('links inside are followed, and the directory may be one', async () => {
    expect(textOf(await ask(staticFiles(directory(root)), '/link-in.txt'))).toBe(ALPHABET);
    expect(textOf(await ask(staticFiles(directory(join(folder, 'current'))), '/abc.txt'))).toBe(ALPHABET);
  });

  test('any path at all gives a file of the directory, or none', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '..',
        '.',
        '',
        'docs',
        'abc.txt',
        '%2e',
        '..\\',
        'link-up',
        'link-out.txt',
        'outside.txt',
        '\xc3\xa9',
      ),
      fc.string({ maxLength: 5, unit: 'binary' }).filter((text) => !/[^\x00-\xff]/.test(text)),
    );
    const source = directory(root);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (names) => {
        const path = filePath(`/${names.join('/')}`, () => true);
        if (path === null) return;
        expect(path).not.toMatch(/\/\.\.?(?:\/|$)|[\\\0]/);
        const found = source.find(path);
        if (found === null || found === 'directory' || found instanceof Promise) return;
        const content = Buffer.from(found.bytes(0, Math.min(found.size, 1000)) ?? []).toString();
        found.close?.();
        expect(content).not.toBe('outside');
      }),
      { numRuns: 300 },
    );
  });
});

describe('files are closed', () => {
  const app = staticFiles(directory(root), { precompressed: true });
  test.skipIf(process.platform !== 'linux')('after every kind of answer (needs /proc)', async () => {
    for (const path of [
      '/abc.txt',
      '/large.bin',
      '/docs',
      '/docs/',
      '/app.js',
      '/bare',
      '/nothing',
      '/pipe',
      '/empty.txt',
    ]) {
      for (const method of ['GET', 'HEAD', 'POST']) {
        for (const headers of [
          {},
          { 'accept-encoding': 'br' },
          { 'if-none-match': '*' },
          { 'if-match': '"x"' },
          { range: 'bytes=1-2' },
          { range: 'bytes=1-2,5-200000' },
          { range: 'bytes=999999999-' },
        ] as Record<string, string>[]) {
          await ask(app, path, { method, headers });
        }
      }
    }
    expect(openFiles()).toEqual([]);
  });

  test.skipIf(process.platform !== 'linux')('when the client leaves in the middle (needs /proc)', async () => {
    for (let turn = 0; turn < 20; turn++) {
      const response = await toFetch(app)('/large.bin');
      const reader = response.body?.getReader();
      await reader?.read();
      await reader?.cancel();
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(openFiles()).toEqual([]);
  });
});

describe('a file of another source', () => {
  const FILE = { size: 2, bytes: () => encode('hi'), read: () => encode('hi') };

  /** Finds `/a.js`, and fails over its compressed siblings. */
  function source(close: () => void | Promise<void>, fails: () => never | Promise<never>): FileSource {
    return { find: (path) => (path === '/a.js' ? { ...FILE, close } : fails()) };
  }

  const failing = {
    'at once': () => {
      throw new Error('EMFILE: too many open files');
    },
    later: () => Promise.reject(new Error('EMFILE: too many open files')),
  };

  test.each(Object.entries(failing))('is closed where looking for its siblings fails %s', async (_when, fails) => {
    let closed = 0;
    const app = staticFiles(
      source(() => void closed++, fails),
      { precompressed: true },
    );
    const environ = setupTestingDefaults({ PATH_INFO: '/a.js', HTTP_ACCEPT_ENCODING: 'br' });
    const { status } = await run(app, environ, { onError: () => {} });
    expect([status, closed]).toEqual(['500 Internal Server Error', 1]);
  });

  test('is closed where an option fails', async () => {
    let closed = 0;
    const files = source(() => void closed++, failing['at once']);
    const app = staticFiles(files, {
      immutable: () => {
        throw new Error('no');
      },
    });
    const { status } = await run(app, setupTestingDefaults({ PATH_INFO: '/a.js' }));
    expect([status, closed]).toEqual(['500 Internal Server Error', 1]);
  });

  test.each(['GET', 'HEAD', 'POST'])(
    'whose close fails is sent all the same, and that is logged: %s',
    async (method) => {
      for (const close of [
        () => Promise.reject(new Error('close failed')),
        () => {
          throw new Error('close failed');
        },
      ]) {
        const lines: string[] = [];
        const app = staticFiles(source(close, failing.later));
        const environ = setupTestingDefaults({ PATH_INFO: '/a.js', REQUEST_METHOD: method });
        environ['wsgi.errors'] = { write: (text) => void lines.push(text), writelines: () => {}, flush: () => {} };
        const { statusCode } = await run(app, environ);
        // A rejection that nobody handles would end the process here.
        await new Promise((resolve) => setTimeout(resolve, 5));
        expect([statusCode, lines.join('').includes('close failed')]).toEqual([method === 'POST' ? 405 : 200, true]);
      }
    },
  );
});

test('the short names that Windows gives to most files are refused', () => {
  for (const path of ['/GIT~1/config', '/env~1', '/a/HTACCE~1', '/PAGE~12.HTM', '/CON', '/a.txt:stream', '/a./b'])
    expect(isOddOnWindows(path), path).toBe(true);
  for (const path of ['/index.html', '/~user/a.js', '/a~b.txt', '/backup.js~1', '/longer-name~1.html', '/~'])
    expect(isOddOnWindows(path), path).toBe(false);
});

test('a file that becomes shorter while it is sent breaks the response', async () => {
  const path = join(root, 'shrinking.bin');
  fs.writeFileSync(path, LARGE);
  const log: string[] = [];
  const response = await toFetch(staticFiles(directory(root)), { errors: (line) => void log.push(line) })(
    '/shrinking.bin',
  );
  const reader = response.body?.getReader();
  await reader?.read();
  fs.truncateSync(path, 1000);
  await expect(
    (async () => {
      while (!(await reader?.read())?.done);
    })(),
  ).rejects.toThrow();
  expect(log.join('')).toContain('CL-02');
  fs.rmSync(path);
});

test('small files and those in memory are answered without waiting', () => {
  for (const [, make] of SOURCES) {
    const response = run(staticFiles(make()), setupTestingDefaults({ PATH_INFO: '/abc.txt' }));
    expect(response).not.toBeInstanceOf(Promise);
  }
});

describe('ranges against the package "range-parser"', () => {
  const position = fc.nat({ max: 120 });
  const spec = fc.oneof(
    fc.tuple(position, position).map(([first, length]) => `${first}-${first + length}`),
    position.map((first) => `${first}-`),
    fc.integer({ min: 0, max: 100 }).map((suffix) => `-${suffix}`),
  );
  test('the same ranges, unless they overlap, or one is longer than the file', () => {
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 8 }), fc.constantFrom(',', ', ', ' ,'), (specs, comma) => {
        const header = `bytes=${specs.join(comma)}`;
        const own = parseRanges(header, 100);
        const other = parseRange(100, header);
        const expected =
          other === -1 ? [] : (other as parseRange.Ranges).map(({ start, end }) => ({ start, end: end + 1 }));
        const sorted = [...expected].sort((a, b) => a.start - b.start);
        const overlapping = sorted.some(({ start }, index) => index > 0 && start < (sorted[index - 1]?.end ?? 0));
        expect(own).toEqual(overlapping ? null : expected);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the assets of a Worker', () => {
  const seen: Request[] = [];
  const binding = {
    async fetch(request: Request): Promise<Response> {
      seen.push(request);
      const { pathname } = new URL(request.url);
      if (pathname === '/docs') return new Response(null, { status: 307, headers: { location: '/docs/' } });
      if (request.headers.get('if-none-match') === '"a"')
        return new Response(null, { status: 304, headers: { etag: '"a"' } });
      if (pathname !== '/abc.txt') return new Response('missing', { status: 404 });
      return new Response(ALPHABET, { headers: { 'content-type': 'text/plain', etag: '"a"' } });
    },
  };
  const worker = (app: Application) => {
    const { fetch } = toWorker(sandwiched(() => app)(answering([])));
    return (path: string, init?: RequestInit): Promise<Response> =>
      (fetch as (...call: unknown[]) => Promise<Response>)(
        new Request(`http://localhost${path}`, init),
        { ASSETS: binding },
        {
          waitUntil() {},
        },
      );
  };

  test('are passed on, with conditions, and fall through where there are none', async () => {
    const ask = worker(staticFiles(assets(), { fallback: answering([['Content-Type', 'text/plain']], 'the app') }));
    const found = await ask('/abc.txt?a=1');
    expect([found.status, await found.text(), found.headers.get('etag')]).toEqual([200, ALPHABET, '"a"']);
    expect(seen.at(-1)?.url).toBe('http://assets.local/abc.txt?a=1');
    expect((await ask('/abc.txt', { headers: { 'if-none-match': '"a"' } })).status).toBe(304);
    expect(await (await ask('/nothing')).text()).toBe('the app');
    expect(await (await ask('/abc.txt', { method: 'POST' })).text()).toBe('the app');
    const asked = seen.length;
    expect(await (await ask('/.git/config')).text()).toBe('the app');
    expect(seen).toHaveLength(asked);
  });

  test('below a mount, redirects stay below it', async () => {
    const ask = worker(mount({ '/static': staticFiles(assets()) }));
    const response = await ask('/static/docs', { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([307, '/static/docs/']);
    expect(seen.at(-1)?.url).toBe('http://assets.local/docs');
    expect((await ask('/static/abc.txt', { method: 'PUT' })).status).toBe(405);
  });

  test('a binding that is not there is an error that says what to do', async () => {
    const log: string[] = [];
    const response = await toFetch(staticFiles(assets('FILES')), { errors: (line) => void log.push(line) })('/abc.txt');
    expect(response.status).toBe(500);
    expect(log.join('')).toMatch(/binding FILES is undefined.*"binding": "FILES"/);
  });
});

test('sources and options of another kind are refused', () => {
  const source = memoryFiles({});
  expect(() => staticFiles('public' as never)).toThrow(/directory\('public'\)/);
  expect(() => staticFiles(source, { fallback: 'x' as never })).toThrow(/L-21/);
  expect(() => staticFiles(source, { maxAge: -1 })).toThrow(/"maxAge"/);
  expect(() => staticFiles(source, { immutable: /x/ as never })).toThrow(/"immutable"/);
  expect(() => staticFiles(source, { index: 'a/b' })).toThrow(/"index"/);
  expect(() => staticFiles(source, { dotfiles: 'no' as never })).toThrow(/"dotfiles"/);
  expect(() => memoryFiles({ 'abc.txt': 'x' })).toThrow(/"abc.txt"/);
  expect(() => memoryFiles({ '/abc.txt': 42 as never })).toThrow(TypeError);
  expect(() => directory(join(folder, 'nowhere'))).toThrow(/ENOENT/);
  expect(() => directory(join(root, 'abc.txt'))).toThrow(/which is a file/);
});
