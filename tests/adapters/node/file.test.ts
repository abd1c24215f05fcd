// wsgi.file_wrapper over the files of Node. (FILE-01 … FILE-06)

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Application, ApplicationBody, Environ } from 'waygate';
import { toNode } from 'waygate/node';

const scratch = mkdtempSync(join(tmpdir(), 'waygate-file-'));
const path = join(scratch, 'file.bin');
const content = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 13) & 0xff);

let handle: FileHandle;
let stop = (): void => {};
beforeAll(() => writeFileSync(path, content));
afterEach(() => stop());
afterAll(() => rmSync(scratch, { recursive: true }));

type Wrap = NonNullable<Environ['wsgi.file_wrapper']>;
const wrap = (environ: Environ): Wrap => environ['wsgi.file_wrapper'] as Wrap;

async function serving(app: Application): Promise<string> {
  const server = createServer(toNode(app));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stop = () => server.close().closeAllConnections();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Sends the file, from where it stands after this many bytes were read. */
const sending =
  (ahead: number, change: (body: ApplicationBody) => ApplicationBody = (body) => body): Application =>
  async (environ, startResponse) => {
    handle = await open(path);
    if (ahead > 0) await handle.read(new Uint8Array(ahead), 0, ahead, null);
    startResponse('200 OK', []);
    return change(wrap(environ)(handle));
  };

/** Only Linux tells where a file stands, and so how much is left of it. */
const known = (length: string): string | null => (process.platform === 'linux' ? length : null);

/** A closed handle has the descriptor -1. */
const closed = (): Promise<void> => expect.poll(() => handle.fd).toBe(-1);

it('sends a whole file, with its length, and closes it', async () => {
  const response = await fetch(await serving(sending(0)));
  expect(response.headers.get('content-length')).toBe(known('300000'));
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(content);
  await closed();
});

it('sends a file from where it stands, with the length of the rest (FILE-04)', async () => {
  const response = await fetch(await serving(sending(299_000)));
  expect(response.headers.get('content-length')).toBe(known('1000'));
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(content.subarray(299_000));
  await closed();
});

it('sends nothing of a file that stands at its end', async () => {
  const response = await fetch(await serving(sending(300_000)));
  expect([response.headers.get('content-length'), await response.text()]).toEqual(['0', '']);
  await closed();
});

it('answers HEAD with the length, and closes the file unread', async () => {
  const response = await fetch(await serving(sending(0)), { method: 'HEAD' });
  expect([response.headers.get('content-length'), await response.text()]).toEqual([known('300000'), '']);
  await closed();
});

it('is iterated like any body inside a middleware (FILE-06)', async () => {
  const invert = (body: ApplicationBody): ApplicationBody => {
    const inner = body as AsyncIterable<Uint8Array> & { close(): Promise<void> };
    const inverted = (async function* () {
      for await (const chunk of inner) yield chunk.map((byte) => byte ^ 0xff);
    })();
    return Object.assign(inverted, { close: () => inner.close() });
  };
  const response = await fetch(await serving(sending(0, invert)));
  expect(response.headers.get('content-length')).toBe(null);
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(content.map((byte) => byte ^ 0xff));
  await closed();
});

it('closes the file of a client that leaves', async () => {
  const response = await fetch(await serving(sending(0)));
  await response.body?.cancel();
  await closed();
});

it('breaks off where a file turns out shorter than it was', async () => {
  const shrinking: Application = async (environ, startResponse) => {
    handle = await open(path);
    const body = wrap(environ)(handle, 1000) as AsyncIterable<Uint8Array>;
    startResponse('200 OK', [['Content-Length', '300001']]);
    environ['wsgi.errors'].write = () => {};
    return body;
  };
  const response = await fetch(await serving(shrinking));
  await expect(response.arrayBuffer()).rejects.toThrow();
  await closed();
});

it('sends something other than a file on disk without a length', async () => {
  const response = await fetch(
    await serving(async (environ, startResponse) => {
      handle = await open('/dev/null');
      startResponse('200 OK', []);
      return wrap(environ)(handle);
    }),
  );
  expect([response.status, await response.text()]).toEqual([200, '']);
  await closed();
});
