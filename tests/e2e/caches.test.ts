// Compression, conditional requests and ranges, judged by others: nginx and Varnish as caches in front, and curl.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Application, encode } from 'waygate';
import { compress, conditional, mount, staticFiles } from 'waygate/middleware';
import { directory, nodeEncoders, type RunningServer, serve } from 'waygate/node';
import { program, type RunningProxy, startNginxWith, startVarnish } from './proxies/proxy.ts';

const folder = mkdtempSync(join(tmpdir(), 'waygate-caches-'));
const text = 'The quick brown fox jumps over the lazy dog.\n'.repeat(100);
const large = Buffer.from(Uint8Array.from({ length: 400_000 }, (_, at) => (at * 7 + (at >> 8)) & 0xff));
writeFileSync(join(folder, 'large.bin'), large);
writeFileSync(join(folder, 'page.txt'), text);

/** How often the application was called, and what it answered. */
let answered: number[] = [];
const page: Application = (_environ, startResponse) => {
  startResponse('200 OK', [
    ['Content-Type', 'text/plain'],
    ['Cache-Control', 'max-age=1'],
  ]);
  return [encode(text)];
};
const app = compress(mount({ '/files': staticFiles(directory(folder), { maxAge: 60 }), '/': conditional(page) }), {
  encoders: nodeEncoders,
});
/** Sees what each answer is before it goes out. */
const counted: Application = (environ, startResponse) =>
  app(environ, (status, headers, error) => {
    answered.push(Number(status.slice(0, 3)));
    return startResponse(status, headers, error);
  });

let server: RunningServer;
beforeAll(async () => {
  server = await serve(counted, { port: 0, host: '127.0.0.1', signals: false });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  bytes: Buffer;
}

function ask(port: number, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, host: '127.0.0.1', path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(chunks) }),
      );
    });
    request.on('error', reject);
  });
}

function decoded({ headers, bytes }: Answer): string {
  const coding = headers['content-encoding'];
  if (coding === 'br') return zlib.brotliDecompressSync(bytes).toString();
  return (coding === 'gzip' ? zlib.gunzipSync(bytes) : bytes).toString();
}

interface Cache {
  start(): Promise<RunningProxy>;
  /** What the cache says of an answer. */
  from(answer: Answer): string;
  /** The codings that it keeps a variant for. Varnish asks for gzip alone, and decodes it for who wants none. */
  codings: string[];
}

const CACHES: Record<'nginx' | 'varnishd', Cache> = {
  nginx: {
    start: () =>
      startNginxWith(
        (port) => `proxy_cache_path ${folder}/cache keys_zone=zone:1m;
          server {
            listen 127.0.0.1:${port};
            location / {
              proxy_pass http://127.0.0.1:${server.port};
              proxy_http_version 1.1;
              proxy_cache zone;
              proxy_cache_revalidate on;
              add_header X-Cache $upstream_cache_status;
            }
          }`,
      ),
    from: ({ headers }) => String(headers['x-cache']).toLowerCase(),
    codings: ['gzip', 'br', 'identity'],
  },
  varnishd: {
    start: () =>
      startVarnish(
        server.port,
        `sub vcl_backend_response { set beresp.grace = 0s; set beresp.keep = 60s; }
         sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "hit"; } else { set resp.http.X-Cache = "miss"; } }`,
      ),
    from: ({ headers }) => String(headers['x-cache']),
    codings: ['gzip', 'identity'],
  },
};

for (const [name, { start, from, codings }] of Object.entries(CACHES) as ['nginx' | 'varnishd', Cache][]) {
  describe.skipIf(program(name) === null)(`${name} as a cache in front`, () => {
    let cache: RunningProxy;
    beforeAll(async () => {
      cache = await start();
    });
    afterAll(() => cache.stop());

    test('keeps what is fresh, each client gets what it understands, and what is stale is asked for with its tag', async () => {
      answered = [];
      for (const coding of codings) {
        const first = await ask(cache.port, '/', { 'accept-encoding': coding });
        expect(first.headers['content-encoding'] ?? 'identity').toBe(coding);
        expect(decoded(first) === text).toBe(true);
        const second = await ask(cache.port, '/', { 'accept-encoding': coding });
        expect(from(second)).toBe('hit');
        expect(second.headers['content-encoding'] ?? 'identity').toBe(coding);
        expect(decoded(second) === text).toBe(true);
      }
      expect(answered.every((status) => status === 200)).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 2100));
      answered = [];
      const stale = await ask(cache.port, '/', { 'accept-encoding': codings[0] as string });
      expect(decoded(stale) === text).toBe(true);
      expect(answered).toEqual([304]);
    });

    test('answers 304 to a client that has it, by its tag', async () => {
      const first = await ask(cache.port, '/files/page.txt', { 'accept-encoding': 'gzip' });
      const again = await ask(cache.port, '/files/page.txt', {
        'accept-encoding': 'gzip',
        'if-none-match': first.headers.etag as string,
      });
      expect([again.status, again.bytes.length]).toEqual([304, 0]);
    });

    test('gives ranges of a file that it has', async () => {
      const whole = await ask(cache.port, '/files/large.bin');
      expect(whole.bytes.equals(large)).toBe(true);
      answered = [];
      const part = await ask(cache.port, '/files/large.bin', { range: 'bytes=1000-300000' });
      expect(part.status).toBe(206);
      expect(part.bytes.equals(large.subarray(1000, 300_001))).toBe(true);
      expect(answered).toEqual([]);
    });
  });
}

describe.skipIf(program('curl') === null)('curl', () => {
  const curl = async (...options: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('curl', ['--silent', '--show-error', ...options]);
    return stdout;
  };
  const out = join(folder, 'out');

  test('decodes what is compressed', async () => {
    expect((await curl('--compressed', server.url)) === text).toBe(true);
  });

  test('goes on with a download where it stopped', async () => {
    writeFileSync(out, large.subarray(0, 123_456));
    await curl('--continue-at', '-', '--output', out, `${server.url}/files/large.bin`);
    expect(readFileSync(out).equals(large)).toBe(true);
  });

  test('gets one range, and several', async () => {
    await curl('--range', '5-9', '--output', out, `${server.url}/files/large.bin`);
    expect(readFileSync(out).equals(large.subarray(5, 10))).toBe(true);
    await curl('--range', '0-1,-2', '--output', out, `${server.url}/files/large.bin`);
    expect(readFileSync(out, 'latin1')).toContain('Content-Range: bytes 399998-399999/400000');
  });

  test('gets nothing where it has the tag, or the date', async () => {
    const tags = join(folder, 'tags');
    const status = ['--output', out, '--write-out', '%{http_code}'];
    const url = `${server.url}/files/large.bin`;
    expect(await curl(...status, '--etag-save', tags, url)).toBe('200');
    expect(await curl(...status, '--etag-compare', tags, url)).toBe('304');
    expect(await curl(...status, '--time-cond', join(folder, 'large.bin'), url)).toBe('304');
    expect(await curl(...status, '--time-cond', '2001-01-01', url)).toBe('200');
  });

  test('gets out of no directory', async () => {
    for (const path of [
      '/files/../proxy.ts',
      '/files/%2e%2e/x',
      '/files/..%2f..%2fetc/passwd',
      '/files/%252e%252e/x',
    ]) {
      expect(await curl('--path-as-is', '--output', out, '--write-out', '%{http_code}', server.url + path)).toMatch(
        /^(?:404|400|200)$/,
      );
      expect(readFileSync(out, 'latin1')).not.toContain('root:');
    }
  });
});
