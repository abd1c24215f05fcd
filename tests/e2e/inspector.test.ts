// The inspector, driven in a real browser: Debian's Chromium. Each server is the command as it is built. With
// WAYGATE_SCREENSHOTS=1 it also makes the pictures of docs/inspector.md.

import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Project, type Started } from './cli/project.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BIN = join(ROOT, 'cli', 'bin', 'waygate.js');
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));
const PICTURES = process.env.WAYGATE_SCREENSHOTS === '1' ? join(ROOT, 'docs', 'images') : undefined;

const APP = `import { type Application, encode } from 'waygate';

let release = (): void => {};

const app: Application = async (environ, startResponse) => {
  const { PATH_INFO, HTTP_X_A } = environ;
  const n = new URLSearchParams(environ.QUERY_STRING).get('n');
  if (PATH_INFO === '/stream') {
    startResponse('200 OK', [['Content-Type', 'text/plain']]);
    return (async function* () {
      yield encode('the first part\\n');
      await new Promise<void>((resolve) => (release = resolve));
      yield encode('the last part\\n');
    })();
  }
  if (PATH_INFO === '/release') release();
  if (PATH_INFO === '/broken') startResponse('200', []);
  if (PATH_INFO === '/work') environ['waygate.wait_until'](new Promise((done) => setTimeout(done, 50)));
  const body = await environ['wsgi.input'].text();
  environ['wsgi.errors'].write(\`a note about \${PATH_INFO}\\n\`);
  startResponse('200 Fine', [
    ['Content-Type', 'application/json'],
    ['X-A', '1'],
    ['X-A', '2'],
    ['Set-Cookie', 'session=top-secret; Path=/'],
  ]);
  return [encode(JSON.stringify({ PATH_INFO, n, HTTP_X_A, body }))];
};

export default app;
`;

/** A server with its inspector. */
interface Inspected extends Started {
  url: string;
  inspector: string;
}

const project = new Project();
let browser: Browser;

async function inspect(...args: string[]): Promise<Inspected> {
  const started = project.start(process.execPath, [BIN, 'serve', ...args, '--inspect', '--port', '0']);
  const [, url = ''] = await started.prints(/^Serving \S+ on (http:\/\/[^/]+)\//m, 60);
  const [, inspector = ''] = await started.prints(/^Inspecting it on (\S+)$/m);
  return { ...started, url, inspector };
}

/** Opens the page, with everything that the browser has complained about. */
async function open(inspected: Inspected, options: Parameters<Browser['newContext']>[0] = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 860 }, ...options });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(inspected.inspector);
  await page.getByText('live', { exact: true }).waitFor();
  return { context, page, complaints };
}

/** Sends a request with exactly these headers. */
function send(
  url: string,
  init: { method?: string; headers?: http.OutgoingHttpHeaders; body?: string } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: init.method ?? 'GET', headers: init.headers, agent: false });
    request.once('error', reject).once('response', async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve(text);
    });
    request.end(init.body);
  });
}

const rows = (page: Page) => page.getByRole('listbox', { name: 'Requests' }).getByRole('option');
const row = (page: Page, text: string) => rows(page).filter({ hasText: text }).first();
const selectedRow = (page: Page) => rows(page).and(page.getByRole('option', { selected: true }));
const stage = (page: Page, name: string) => page.locator(`[data-stage="${name}"]`);
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const copied = (page: Page): Promise<string> => page.evaluate(() => navigator.clipboard.readText());

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, name) });
}

describe.skipIf(CHROMIUM === undefined)(
  `the inspector in Chromium${CHROMIUM ? '' : ', which is not installed here'}`,
  () => {
    let api: Inspected;
    let node: Inspected;

    beforeAll(async () => {
      project.write({ 'app.ts': APP, 'package.json': '{ "private": true, "type": "module" }' });
      mkdirSync(join(project.folder, 'node_modules'));
      for (const [name, target] of Object.entries({ waygate: ROOT, vitest: join(ROOT, 'node_modules', 'vitest') })) {
        symlinkSync(target, join(project.folder, 'node_modules', name));
      }
      [api, node, browser] = await Promise.all([
        inspect('app.ts', '--platform', 'lambda:http-api'),
        inspect('app.ts', '--validate'),
        chromium.launch({
          executablePath: CHROMIUM as string,
          args: ['--no-sandbox', '--host-resolver-rules=MAP evil.test 127.0.0.1'],
        }),
      ]);
    }, 120_000);

    afterAll(async () => {
      await browser?.close();
      await project.remove();
    }, 60_000);

    const REQUEST = {
      method: 'POST',
      headers: {
        'X-A': ['one', 'two'],
        Authorization: 'Bearer top-secret',
        Cookie: 'id=top-secret',
        'Content-Type': 'text/plain',
      },
      body: 'hello',
    };

    describe('shows', () => {
      let context: BrowserContext;
      let page: Page;
      let complaints: string[];

      beforeAll(async () => {
        ({ context, page, complaints } = await open(api));
      });
      afterAll(() => context.close());

      it('requests as they come, and each with its stages side by side', async () => {
        expect(await rows(page).count()).toBe(0);
        await send(`${api.url}/a%252Fb?x=1&token=top-secret`, REQUEST);
        await row(page, '/a%252Fb').click();
        await expect.poll(() => stage(page, 'request').innerText()).toContain('POST /a%252Fb?x=1&token=*** HTTP/1.1');
        expect(await stage(page, 'request').innerText()).toContain('hello');
        expect(await stage(page, 'event').innerText()).toContain('"rawPath": "/a/b"');
        expect(await stage(page, 'environ').innerText()).toMatch(/PATH_INFO\s+\/a\/b/);
        const app = await stage(page, 'app').innerText();
        expect(app).toMatch(/startResponse 200 Fine[\s\S]*chunk/);
        expect(app).toContain('a note about /a/b');
        expect(app).toContain('read 5 B of the body');
        expect(await stage(page, 'result').innerText()).toContain('"statusCode": 200');
        expect(await stage(page, 'client').innerText()).toContain('HTTP/1.1 200 OK');
        const boxes = await Promise.all(
          ['request', 'event', 'environ', 'app', 'result', 'client'].map((name) => stage(page, name).boundingBox()),
        );
        for (const [at, box] of boxes.slice(1).entries()) expect(box?.x).toBeGreaterThan((boxes[at]?.x ?? 0) + 100);
        await picture(page, 'inspector-light.png');
      });

      it('what the platform lost, with the line of the documents that says why', async () => {
        const marks = stage(page, 'environ').getByRole('list', { name: 'Lost or changed' });
        expect(await marks.innerText()).toMatch(/PATH_INFO\s+\/a%2Fb → \/a\/b\s+An HTTP API decodes the path/);
        expect(await stage(page, 'client').getByRole('list').innerText()).toMatch(/x-a\s+1\s+2 → 1, 2/);
        const [docs] = await Promise.all([
          context.waitForEvent('page'),
          marks.getByRole('link', { name: 'docs' }).click(),
        ]);
        const line = docs.locator('li:target');
        await line.waitFor();
        expect(await line.innerText()).toContain('It decodes the path twice');
        await docs.close();
      });

      it('no secret until it is asked to, and in no copy', async () => {
        expect(await page.locator('article').innerText()).not.toContain('top-secret');
        await button(page, 'Show secrets').click();
        await expect.poll(() => stage(page, 'request').innerText()).toContain('Bearer top-secret');
        expect(await stage(page, 'environ').innerText()).toContain('id=top-secret');
        await button(page, 'curl').click();
        await page.getByText('Copied as curl.').waitFor();
        expect(await copied(page)).toContain("'Authorization: Bearer ***'");
        expect(await copied(page)).not.toContain('top-secret');
        await button(page, 'Show secrets').click();
        await expect.poll(() => stage(page, 'request').innerText()).toContain('Bearer ***');
      });

      it('what it is asked for by search, filter and keys', async () => {
        await send(`${api.url}/other?n=1`);
        await row(page, '/other').waitFor();
        await page.keyboard.press('/');
        await page.keyboard.type('post 200');
        await expect.poll(() => rows(page).count()).toBe(1);
        await page.keyboard.press('Escape');
        await expect.poll(() => rows(page).count()).toBe(2);
        await page.getByLabel('Filter').selectOption('5xx');
        await expect.poll(() => rows(page).count()).toBe(0);
        await page.getByLabel('Filter').selectOption('all');
        await page.getByRole('heading', { level: 1 }).click();
        const selected = selectedRow(page);
        await row(page, '/other').click();
        await page.keyboard.press('j');
        await expect.poll(() => selected.innerText()).toContain('/a%252Fb');
        await page.keyboard.press('ArrowUp');
        await expect.poll(() => selected.innerText()).toContain('/other');
        await page.keyboard.press('?');
        await page.getByText('replay on all platforms', { exact: true }).waitFor();
        await page.keyboard.press('?');
      });

      it('itself in dark and in light, and to somebody without a mouse', async () => {
        const background = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        await page.emulateMedia({ colorScheme: 'light' });
        const light = await background();
        await page.emulateMedia({ colorScheme: 'dark' });
        expect(await background()).not.toBe(light);
        await page.getByRole('button', { name: /^Theme: system/ }).click();
        await expect.poll(background).toBe(light);
        const before = await rows(page).count();
        // Tab alone reaches the action, and Enter does it.
        await page.getByLabel('Search').focus();
        for (let presses = 0; presses < 40; presses++) {
          await page.keyboard.press('Tab');
          if ((await page.evaluate(() => document.activeElement?.textContent)) === 'Replay') break;
        }
        await page.keyboard.press('Enter');
        await expect.poll(() => rows(page).count()).toBe(before + 1);
      });

      it('nothing that its own policy forbids', async () => {
        expect(complaints).toEqual([]);
        const blocked = await page.evaluate(
          () =>
            new Promise((resolve) => {
              addEventListener('securitypolicyviolation', (event) => resolve(event.violatedDirective), { once: true });
              new Image().src = 'http://evil.test/picture.png';
            }),
        );
        expect(blocked).toBe('img-src');
        const script = page.evaluate(() => {
          document.createElement('script').setAttribute('src', 'data:text/javascript,1');
        });
        await expect(script).rejects.toThrow(/requires 'TrustedScriptURL'/);
      });
    });

    it('shows a streamed response growing, and findings of the validator at their request', async () => {
      const { context, page } = await open(node);
      const response = send(`${node.url}/stream`);
      await row(page, '/stream').click();
      await expect.poll(() => stage(page, 'client').innerText()).toContain('the first part');
      expect(await row(page, '/stream').innerText()).toContain('running');
      expect(await stage(page, 'app').innerText()).not.toContain('the last part');
      await send(`${node.url}/release`);
      expect(await response).toBe('the first part\nthe last part\n');
      await expect.poll(() => stage(page, 'app').innerText()).toMatch(/chunk 14 B the last part/);
      await expect.poll(() => row(page, '/stream').innerText()).not.toContain('running');
      await send(`${node.url}/broken`);
      await row(page, '/broken').click();
      const findings = page.getByRole('list', { name: 'Findings of the validator' });
      await expect.poll(() => findings.innerText()).toMatch(/^[A-Z]+-\d+ /);
      expect(await findings.getByRole('link').first().getAttribute('href')).toMatch(/errors\.md#L\d+$/);
      await send(`${node.url}/work`);
      await row(page, '/work').click();
      await expect
        .poll(() => stage(page, 'app').innerText())
        .toMatch(/wait_until work 1\n[\s\S]*wait_until work 1 done/);
      await context.close();
    });

    it('sends a request again, edited, and on all platforms', async () => {
      const { context, page } = await open(api);
      await send(`${api.url}/again?n=1`, REQUEST);
      await row(page, '/again?n=1').click();
      await button(page, 'Replay').click();
      const selected = selectedRow(page);
      await expect.poll(() => selected.innerText()).toMatch(/again\?n=1[\s\S]*replay/);
      await button(page, 'Show secrets').click();
      // The secrets were sent again too.
      await expect.poll(() => stage(page, 'request').innerText()).toContain('Bearer top-secret');
      await button(page, 'Edit and replay').click();
      const dialog = page.getByRole('dialog');
      expect(await dialog.getByLabel('Headers').inputValue()).toContain('Authorization: Bearer ***');
      await dialog.getByLabel('Target').fill('/edited?n=2');
      await dialog.getByLabel('Body').fill('another body');
      await button(page, 'Send').click();
      await expect.poll(() => selected.innerText()).toMatch(/edited\?n=2[\s\S]*replay/);
      await expect.poll(() => stage(page, 'client').innerText()).toContain('another body');
      expect(await stage(page, 'request').innerText()).toContain('Bearer top-secret');
      await button(page, 'Show secrets').click();
      await button(page, 'Edit and replay').click();
      await dialog.getByLabel('Target').fill('/a b');
      await button(page, 'Send').click();
      await page.getByText('The target is "/a b"; expected a path').waitFor();
      await dialog.getByLabel('Target').fill('/a%252Fb?b=1&a&b=2');
      await button(page, 'Send on all platforms').click();
      const table = page.getByRole('table', { name: 'What differs from node' });
      await table.waitFor();
      const lines = await table.getByRole('row').allInnerTexts();
      const found = (pattern: RegExp) => lines.filter((text) => pattern.test(text));
      expect(found(/PATH_INFO\s+\/a%2Fb\s+lambda:http-api\s+\/a\/b\s+An HTTP API decodes the path/)).toHaveLength(1);
      expect(found(/QUERY_STRING\s+b=1&a&b=2\s/)).toHaveLength(1);
      expect(found(/lambda:alb\s+b=2&a=\s+A load balancer sends the query as keys and values/)).toHaveLength(1);
      expect(found(/x-a\s+1\s+2\s+fetch/)).toHaveLength(1);
      expect(await page.getByRole('list').filter({ hasText: 'lambda:edge' }).first().innerText()).toMatch(
        /200\s*node[\s\S]*200\s*workers/,
      );
      await page.emulateMedia({ colorScheme: 'dark' });
      await picture(page, 'inspector-dark.png');
      await context.close();
    });

    it('copies a request as curl, event, test and call, and each of them does what was recorded', async () => {
      const { context, page } = await open(api);
      const sent = await send(`${api.url}/copied?n=1&quote='`, {
        ...REQUEST,
        headers: { 'X-A': 'one', 'Content-Type': 'text/plain' },
      });
      await row(page, '/copied').click();
      const copy = async (name: string): Promise<string> => {
        await button(page, name).click();
        await page.getByText(`Copied as ${name}.`).waitFor();
        return copied(page);
      };
      const curl = await project.sh(await copy('curl'));
      expect(curl.stdout).toMatch(/^HTTP\/1\.1 200 OK/);
      expect(curl.stdout).toContain(sent);

      const recorded = JSON.parse(await stage(page, 'result').locator('pre').innerText());
      const waygate = `waygate() { ${process.execPath} ${BIN} "$@"; }\n`;
      const masked = (result: string) => JSON.parse(result.replaceAll('top-secret', '***'));
      const invoked = await project.sh(waygate + (await copy('waygate invoke')));
      expect(masked(invoked.stdout)).toEqual(recorded);
      project.write({ 'event.json': await copy('event') });
      expect(masked((await project.sh(`${waygate}waygate invoke app.ts --event event.json`)).stdout)).toEqual(recorded);

      project.write({ 'copied.test.ts': await copy('test') });
      const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
      const tested = await project.sh(`${process.execPath} ${vitest} run copied.test.ts`, { NO_COLOR: '1' });
      expect(tested.stdout, tested.stderr).toMatch(/Tests +1 passed/);
      project.write({ 'app.ts': APP.replace("'200 Fine'", "'201 Created'") });
      const changed = await project.sh(`${process.execPath} ${vitest} run copied.test.ts`, { NO_COLOR: '1' });
      expect(changed.stdout).toMatch(/Tests +1 failed/);
      project.write({ 'app.ts': APP });
      await context.close();
    });

    it('records from several processes, and the new version after a change', async () => {
      project.write({ 'watched.ts': APP });
      const watched = await inspect('watched.ts', '--watch', '--processes', '2');
      const { context, page } = await open(watched);
      await send(`${watched.url}/one`);
      await row(page, '/one').click();
      await expect.poll(() => stage(page, 'client').innerText()).toContain('"PATH_INFO":"/one"');
      await button(page, 'Replay on all platforms').click();
      await page.getByRole('region', { name: 'On all platforms' }).getByText('lambda:edge').first().waitFor();
      project.write({ 'watched.ts': APP.replace("'200 Fine'", "'202 Accepted'") });
      await watched.prints(/^Serving the new watched\.ts$/m);
      await send(`${watched.url}/two`);
      await row(page, '/two').click();
      await expect.poll(() => stage(page, 'client').innerText()).toContain('HTTP/1.1 202 Accepted');
      await context.close();
      expect(await watched.stop()).toBe(0);
    });

    describe('refuses', () => {
      it('a name that leads here and is not its own, as a hostile name server would make it', async () => {
        const context = await browser.newContext();
        const page = await context.newPage();
        const response = await page.goto(node.inspector.replace('127.0.0.1', 'evil.test'));
        expect(response?.status()).toBe(403);
        expect(await page.innerText('body')).toMatch(
          /^The Host of this request is "evil\.test:\d+"; expected 127\.0\.0\.1:\d+\./,
        );
        await context.close();
      });

      it('requests of other pages of this machine', async () => {
        const foreign = http.createServer((_request, response) =>
          response.setHeader('content-type', 'text/html').end('<p>foreign'),
        );
        await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
        const context = await browser.newContext();
        const page = await context.newPage();
        await page.goto(`http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`);
        await send(`${node.url}/kept`);
        const before = (await (await fetch(`${node.inspector}/api/requests`)).json()).requests.length;
        expect(before).toBeGreaterThan(0);
        const statuses = await page.evaluate(async (inspector) => {
          const attempts = [
            fetch(`${inspector}/api/requests`),
            fetch(`${inspector}/api/requests`, { method: 'DELETE', headers: { 'Content-Type': 'application/json' } }),
            fetch(`${inspector}/api/requests`, { method: 'POST', mode: 'no-cors', body: 'x' }),
          ];
          const settled = await Promise.allSettled(attempts);
          return settled.map((each) => (each.status === 'fulfilled' ? each.value.type : 'refused'));
        }, node.inspector);
        expect(statuses).toEqual(['refused', 'refused', 'refused']);
        expect((await (await fetch(`${node.inspector}/api/requests`)).json()).requests).toHaveLength(before);
        await context.close();
        foreign.close();
        for (const headers of [{ Origin: 'http://evil.test' }, { 'Sec-Fetch-Site': 'cross-site' }]) {
          const refused = await send(`${node.inspector}/api/requests`, {
            headers: headers as http.OutgoingHttpHeaders,
          });
          expect(refused).toMatch(/the inspector answers its own page only\.\n$/);
        }
      });

      it('a port that is in use, in one line', async () => {
        const { port } = new URL(node.inspector);
        const { code, stderr } = await project.sh(
          `${process.execPath} ${BIN} serve app.ts --port 0 --inspect --inspect-port ${port}`,
        );
        expect(code).toBe(1);
        expect(stderr).toBe(
          `waygate: Port ${port} for the inspector is in use; stop what uses it, or choose another with --inspect-port.\n`,
        );
      });

      it('a port for an inspector that is not asked for', async () => {
        const { code, stderr } = await project.sh(`${process.execPath} ${BIN} serve app.ts --inspect-port 9000`);
        expect({ code, stderr }).toEqual({
          code: 2,
          stderr: 'waygate: --inspect-port is for the inspector; add --inspect.\n',
        });
      });
    });
  },
);
