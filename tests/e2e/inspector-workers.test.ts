// The inspector sees into workerd: the recorder in the Worker's bundle reports what the app does there.

import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordWorker } from '../../cli/src/inspect/record-worker.ts';
import { Project } from './cli/project.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BIN = join(ROOT, 'cli', 'bin', 'waygate.js');

const APP = `import { type Application, encode } from 'waygate';

const app: Application = async (environ, startResponse) => {
  if (environ.PATH_INFO === '/bad') startResponse('200', []);
  environ['waygate.wait_until'](new Promise((done) => setTimeout(done, 20)));
  environ['wsgi.errors'].write('a note\\n');
  const body = await environ['wsgi.input'].text();
  startResponse('200 Fine', [['Content-Type', 'text/plain'], ['Set-Cookie', 'a=1']]);
  return (async function* () {
    yield encode(body);
    yield encode(String(environ.HTTP_X_WAYGATE_INSPECT));
  })();
};

export default app;
`;

const project = new Project();
let url = '';
let api = '';

beforeAll(async () => {
  project.write({ 'app.ts': APP, 'package.json': '{ "name": "inspected", "private": true, "type": "module" }' });
  mkdirSync(join(project.folder, 'node_modules'));
  for (const [name, target] of Object.entries({ waygate: ROOT, wrangler: join(ROOT, 'node_modules', 'wrangler') })) {
    symlinkSync(target, join(project.folder, 'node_modules', name));
  }
  const args = [BIN, 'serve', 'app.ts', '--platform', 'workers', '--inspect', '--validate', '--port', '0'];
  const started = project.start(process.execPath, args);
  [, url = ''] = await started.prints(/^Serving \S+ on (http:\/\/[^/]+)\//m, 90);
  const [, page] = await started.prints(/^Inspecting it on (\S+)$/m);
  api = `${page}/api/requests`;
}, 120_000);
afterAll(() => project.remove(), 60_000);

// biome-ignore lint/suspicious/noExplicitAny: JSON of the inspector.
const json = async (address: string, init?: RequestInit): Promise<any> => (await fetch(address, init)).json();

it('leaves a Worker of a class its other handlers', () => {
  class Jobs {
    fetch = (): Response => new Response('own');
    scheduled(): string {
      return 'done';
    }
  }
  const recorded = recordWorker(new Jobs(), { url: '', token: '' });
  expect(recorded.scheduled()).toBe('done');
  expect(recorded.fetch).not.toBe(new Jobs().fetch);
});

/** The newest request, once all of its reports have come. */
async function newest(target: string, isWhole: (steps: string[]) => boolean) {
  let found: { id: string; app?: { steps: { type: string; text: string }[] } } | undefined;
  await expect
    .poll(async () => {
      const { requests } = await json(api);
      const summary = requests.filter((each: { target: string }) => each.target === target).at(-1);
      found = summary && (await json(`${api}/${summary.id}`));
      return isWhole(found?.app?.steps.map(({ type, text }) => `${type} ${text}`.trim()) ?? []);
    })
    .toBe(true);
  // biome-ignore lint/suspicious/noExplicitAny: as above
  return found as any;
}

it('shows what the app does in workerd', async () => {
  const response = await fetch(`${url}/a?b`, { method: 'POST', body: 'hello ', headers: { 'X-A': '1' } });
  // The app does not see how its requests are known.
  expect(await response.text()).toBe('hello undefined');
  const seen = await newest('/a?b', (steps) => steps.includes('closed') && steps.includes('waited work 1 done'));
  expect(seen.event.json).toContain(`"url": "${url}/a?b"`);
  expect(seen.event.json).not.toMatch(/x-waygate-inspect/i);
  const environ = new Map(seen.environ);
  expect(environ.get('waygate.gateway')).toBe('cloudflare-workers');
  expect(environ.get('HTTP_X_A')).toBe('1');
  expect(seen.app.steps).toMatchObject(
    expect.arrayContaining([
      expect.objectContaining({ type: 'errors', text: 'a note' }),
      expect.objectContaining({ type: 'start', text: '200 Fine' }),
    ]),
  );
  expect(seen.app.chunks).toHaveLength(2);
  expect(seen.app.body.text).toBe('hello undefined');
  expect(seen.result.what).toBe('Response');
  expect(seen.client.head).toMatch(/^HTTP\/1\.1 200 Fine\r\n/);
});

it('shows the findings of the validator there, and runs a request on all platforms', async () => {
  await fetch(`${url}/bad`);
  const bad = await newest('/bad', (steps) => steps.some((each) => each.startsWith('failed')));
  expect(bad.found).toMatchObject([{ rule: 'SR-02' }]);
  const good = await newest('/a?b', () => true);
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };
  const { platforms } = await json(`${api}/${good.id}/everywhere`, init);
  expect(platforms).toHaveLength(14);
  expect(platforms.map(({ status }: { status: number }) => status)).toEqual(Array(14).fill(200));
});
