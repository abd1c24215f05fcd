// What the inspector keeps is bounded: many requests leave its process as large as it was, and of a long stream only the
// beginning stays. The whole takes minutes: tools/nightly.sh.
//
// WAYGATE_INSPECT_REQUESTS: how many requests; default 300, each night 10,000
// WAYGATE_INSPECT_STREAM: how long the stream is, in MiB; default 16, each night 1,024

import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Project, type Started } from './cli/project.ts';

const BIN = fileURLToPath(new URL('../../cli/bin/waygate.js', import.meta.url));
const REQUESTS = Number(process.env.WAYGATE_INSPECT_REQUESTS ?? 300);
const STREAM = Number(process.env.WAYGATE_INSPECT_STREAM ?? 16);
/** How much the heap and the buffers may grow in the end, in bytes. */
const GROWTH = 24 * 1024 ** 2;

const APP = `import { type Application, encode } from 'waygate';

const page = new Uint8Array(20_000).fill(97);
const chunk = new Uint8Array(64 * 1024).fill(98);

const app: Application = async (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  if (environ.PATH_INFO === '/memory') {
    for (let times = 0; times < 3; times++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      globalThis.gc?.();
    }
    const { heapUsed, external } = process.memoryUsage();
    return [encode(String(heapUsed + external))];
  }
  if (environ.PATH_INFO === '/stream') {
    const count = Number(environ.QUERY_STRING) * 16;
    return (async function* () {
      for (let sent = 0; sent < count; sent++) yield chunk;
    })();
  }
  await environ['wsgi.input'].bytes();
  return [page];
};

export default app;
`;

const project = new Project();
let started: Started;
let url: string;
let inspector: string;
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });

beforeAll(async () => {
  project.write({ 'app.ts': APP });
  const serve = [BIN, 'serve', 'app.ts', '--inspect', '--port', '0', '--quiet'];
  started = project.start(process.execPath, ['--expose-gc', ...serve]);
  [, url = ''] = await started.prints(/^Serving \S+ on (http:\/\/[^/]+)\//m, 60);
  [, inspector = ''] = await started.prints(/^Inspecting it on (\S+)$/m);
}, 120_000);
afterAll(async () => {
  agent.destroy();
  await project.remove();
});

/** Sends a request and reads its response: the text, as far as it is short, and the size. */
function send(path: string, body?: Uint8Array): Promise<{ text: string; size: number }> {
  return new Promise((resolve, reject) => {
    const request = http.request(`${url}${path}`, { agent, method: body ? 'POST' : 'GET' }, async (response) => {
      let text = '';
      let size = 0;
      for await (const chunk of response) {
        if (size < 100) text += chunk;
        size += chunk.length;
      }
      resolve({ text, size });
    });
    request.once('error', reject);
    request.end(body);
  });
}

const memory = async (): Promise<number> => Number((await send('/memory')).text);

interface Listed {
  requests: { id: string; target: string }[];
}

const list = async (): Promise<Listed> => (await (await fetch(`${inspector}/api/requests`)).json()) as Listed;

async function sendMany(count: number): Promise<void> {
  const body = new Uint8Array(20_000).fill(99);
  for (let sent = 0; sent < count; sent += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, at) => send(`/page?n=${sent + at}`, body)));
  }
}

it(`is as large after ${REQUESTS} requests as after 500, and has the last 200`, async () => {
  await sendMany(500);
  const before = await memory();
  await sendMany(REQUESTS);
  const after = await memory();
  expect(after - before).toBeLessThan(GROWTH);
  const { requests } = await list();
  expect(requests).toHaveLength(200);
  expect(requests.at(-1)?.target).toBe('/memory');
}, 600_000);

it(`keeps the beginning of a stream of ${STREAM} MiB, and its length`, async () => {
  const before = await memory();
  const { size } = await send(`/stream?${STREAM}`);
  expect(size).toBe(STREAM * 1024 ** 2);
  expect((await memory()) - before).toBeLessThan(GROWTH);
  const { requests } = await list();
  const id = requests.filter(({ target }) => target.startsWith('/stream')).at(-1)?.id;
  const detail = await (await fetch(`${inspector}/api/requests/${id}`)).json();
  expect(detail.app.body.size).toBe(STREAM * 1024 ** 2);
  expect(detail.client.sent).toBeGreaterThan(STREAM * 1024 ** 2);
  expect(detail.app.chunks.length).toBeLessThanOrEqual(300);
}, 600_000);
