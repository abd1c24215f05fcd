// Responses with a Content-Encoding through `wrangler dev`, as curl and browsers ask for them: each is in its coding once,
// and what was coded by the application has the length it had. (tests/e2e/workers/coded.ts says how each is made)

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, brotliDecompressSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, wranglerDev } from './runtimes/process.ts';

const TEXT = 'text that is long enough to be worth a coding; '.repeat(100);
const DECODERS: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  br: brotliDecompressSync,
  deflate: inflateSync,
};

let dev: Running;
beforeAll(async () => {
  dev = await wranglerDev('tests/e2e/workers/coded.toml');
});
afterAll(() => dev?.stop());

/** The answer as it came over the wire. */
async function get(
  path: string,
  accept = 'gzip, br, deflate, x-gzip',
): Promise<{ headers: http.IncomingHttpHeaders; body: Buffer }> {
  const request = http.get(`${dev.url}${path}`, { headers: { 'accept-encoding': accept } });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { headers: response.headers, body: Buffer.concat(chunks) };
}

/** The text behind the coding that the answer names; as it is without one. */
function decoded({ headers, body }: Awaited<ReturnType<typeof get>>): string {
  const coding = headers['content-encoding'];
  return (coding === undefined ? body : (DECODERS[coding] as (bytes: Buffer) => Buffer)(body)).toString();
}

describe.each(['gzip', 'br'])('%s', (coding) => {
  const length = { gzip: gzipSync(TEXT).byteLength, br: brotliCompressSync(TEXT).byteLength }[coding];

  test.each(['', '/behind'])('goes out as the application coded it: %s', async (mount) => {
    for (const way of ['/array', '/generator', '/declared', '/stream', '/manual']) {
      // `wrangler dev` makes gzip of everything for a client that takes it.
      const answer = await get(`${mount}${way}?${coding}`, coding);
      expect([way, answer.headers['content-encoding'], decoded(answer)]).toEqual([way, coding, TEXT]);
      if (way === '/declared' || (way === '/array' && mount === ''))
        expect(answer.headers['content-length']).toBe(String(length));
    }
  });

  test('workerd codes what a Worker left to it, and behind a middleware it goes out as one text all the same', async () => {
    for (const mount of ['', '/behind']) expect(decoded(await get(`${mount}/automatic?${coding}`))).toBe(TEXT);
  });

  test('curl --compressed shows the text', () => {
    for (const path of ['/array', '/manual', '/automatic', '/behind/automatic', '/behind/manual']) {
      const args = ['--compressed', '--silent', '--show-error', '--fail', `${dev.url}${path}?${coding}`];
      if (execFileSync('curl', ['--version']).includes('brotli') || coding === 'gzip') {
        expect(execFileSync('curl', args).toString()).toBe(TEXT);
      }
    }
  });
});

test('Express with the compression middleware', async () => {
  for (const mount of ['', '/behind']) {
    const answer = await get(`${mount}/express`);
    expect(answer.headers['content-encoding']).toMatch(/^(?:gzip|br)$/);
    expect(decoded(answer)).toBe(TEXT);
  }
});

describe('what fetch brought', () => {
  let origin: http.Server;
  let url = '';
  beforeAll(async () => {
    const coders: Record<string, (text: string) => Buffer> = {
      gzip: gzipSync,
      'x-gzip': gzipSync,
      deflate: deflateSync,
      br: brotliCompressSync,
      'gzip, br': (text) => brotliCompressSync(gzipSync(text)),
      'br, gzip': (text) => gzipSync(brotliCompressSync(text)),
    };
    origin = http.createServer((request, response) => {
      const coding = decodeURIComponent(request.url?.slice(1) as string);
      const bytes = coders[coding]?.(TEXT) ?? Buffer.from(TEXT);
      response.writeHead(200, { 'content-encoding': coding, 'content-length': bytes.byteLength }).end(bytes);
    });
    await once(origin.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}/`;
  });
  afterAll(() => {
    origin.close();
    origin.closeAllConnections();
  });

  test.each(['gzip', 'x-gzip', 'deflate', 'br'])('of coding %s, behind a middleware', async (coding) => {
    const answer = await get(`/behind/proxy?${encodeURIComponent(url + encodeURIComponent(coding))}`);
    expect(decoded(answer)).toBe(TEXT);
  });

  test.each([
    ['gzip, br', (bytes: Buffer) => gunzipSync(brotliDecompressSync(bytes))],
    ['br, gzip', (bytes: Buffer) => brotliDecompressSync(gunzipSync(bytes))],
  ])('of the codings %s, which workerd leaves alone', async (coding, decode) => {
    const answer = await get(`/behind/proxy?${encodeURIComponent(url + encodeURIComponent(coding))}`, coding);
    expect(answer.headers['content-encoding']).toBe(coding);
    expect(decode(answer.body).toString()).toBe(TEXT);
  });
});
