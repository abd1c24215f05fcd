// The website in a real browser, served by Waygate itself. It needs `npm run docs`, which takes two minutes: tools/nightly.sh
// makes it first, and without it these tests are skipped. WAYGATE_SCREENSHOTS=FOLDER keeps what the browser shows.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { staticFiles } from 'waygate/middleware';
import { directory, type RunningServer, serve } from 'waygate/node';
import { NAVIGATION } from '../../docs/site/navigation.mjs';

const site = fileURLToPath(new URL('../../build/site', import.meta.url));
const BROWSER = '/usr/bin/chromium';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const LINKS = NAVIGATION.flatMap(({ items }) => items.map(({ link }) => link));

/** What the browser complained of, on all pages. */
const complaints: string[] = [];

describe.runIf(existsSync(join(site, 'index.html')) && existsSync(BROWSER))('the site (needs npm run docs)', () => {
  let server: RunningServer;
  let browser: Browser;
  beforeAll(async () => {
    server = await serve(staticFiles(directory(site)), { port: 0, host: '127.0.0.1', signals: false });
    browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const address = (link: string): string => `${server.url}${link.endsWith('/') ? `${link}index` : link}.html`;

  async function open(link: string, width = 1280, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
    page.on('console', (message) => message.type() === 'error' && complaints.push(`${link}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(`${link}: ${error.message}`));
    const response = await page.goto(address(link), { waitUntil: 'load' });
    expect(response?.status(), link).toBe(200);
    return page;
  }

  async function picture(page: Page, name: string): Promise<void> {
    const folder = process.env.WAYGATE_SCREENSHOTS;
    if (folder) await page.screenshot({ path: join(folder, `${name}.png`) });
  }

  test('has a heading on every page, and nothing wider than a phone', async () => {
    const page = await open('/index', 360);
    expect(await page.textContent('h1')).toContain('Waygate');
    await picture(page, 'home-phone');
    for (const link of LINKS) {
      expect((await page.goto(address(link)))?.status(), link).toBe(200);
      expect((await page.textContent('h1'))?.trim(), link).not.toBe('');
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width, `${link} is ${width} pixels wide on a phone of 360`).toBeLessThanOrEqual(360);
    }
    await page.close();
    expect(complaints).toEqual([]);
  }, 180_000);

  test.each(['light', 'dark'] as const)(
    'has text that can be read and names for everything, in %s mode',
    async (mode) => {
      for (const link of ['/index', '/guide', '/platforms', '/errors', '/api/', '/start/lambda']) {
        const page = await open(link, 1280, mode);
        await picture(page, `${link.replace(/\W+/g, '-').replace(/^-|-$/g, '')}-${mode}`);
        await page.evaluate(AXE);
        const found = await page.evaluate(async () => {
          // The rules of WCAG 2.1 A and AA, without the one that axe calls an experiment.
          const run = {
            runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] },
            rules: { 'label-content-name-mismatch': { enabled: false } },
          };
          const { violations } = await (
            globalThis as unknown as {
              axe: {
                run(
                  o: object,
                ): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
              };
            }
          ).axe.run(run);
          return violations.map(
            ({ id, nodes }) => `${id}: ${nodes.length} times, ${nodes[0]?.html}: ${nodes[0]?.failureSummary}`,
          );
        });
        expect(found, `${link}, ${mode}`).toEqual([]);
        await page.close();
      }
    },
    180_000,
  );

  test('is used without a mouse: skip link, search, and the page that was found', async () => {
    const page = await open('/guide');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe('Skip to content');
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle);
    expect(outline).toBe('solid');
    await page.keyboard.press('Control+k');
    await page.waitForSelector('.VPLocalSearchBox input');
    await page.keyboard.type('maxPipelined');
    await page.waitForSelector('.VPLocalSearchBox .result');
    await picture(page, 'search');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => !url.pathname.endsWith('/guide.html'));
    await expect.poll(() => page.textContent('.VPDoc')).toContain('maxPipelined');
    await page.close();
  }, 60_000);

  test('changes between dark and light, and remembers it', async () => {
    const page = await open('/guide');
    const dark = () => page.evaluate(() => document.documentElement.classList.contains('dark'));
    expect(await dark()).toBe(false);
    await page.locator('.VPNavBar button.VPSwitchAppearance').first().click();
    expect(await dark()).toBe(true);
    await page.reload();
    expect(await dark()).toBe(true);
    await page.close();
  }, 60_000);

  test.each(['/contract', '/errors'])(
    '%s shows the rule that an error links to',
    async (link) => {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      await page.goto(`${address(link)}#sr-13`);
      await page.waitForFunction(() => window.scrollY > 500);
      const box = await page.locator('a[id="sr-13"]').evaluate((element) => element.getBoundingClientRect().top);
      expect(box).toBeGreaterThan(40);
      expect(box).toBeLessThan(400);
      await picture(page, `${link.slice(1)}-rule`);
      await page.close();
    },
    60_000,
  );

  test('has a reference with the entries of the package, and their examples', async () => {
    const page = await open('/api/');
    for (const entry of ['waygate', 'waygate/node', 'waygate/aws-lambda', 'waygate/testing']) {
      expect(await page.getByRole('link', { name: entry, exact: true }).count(), entry).toBeGreaterThan(0);
    }
    await page.locator('.vp-doc').getByRole('link', { name: 'waygate/node', exact: true }).click();
    await page.locator('.vp-doc').getByRole('link', { name: 'toNode', exact: true }).first().click();
    await page.waitForURL(/toNode\.html/);
    expect(await page.textContent('.vp-doc')).toMatch(/Example[\s\S]*toNode\(/);
    await picture(page, 'reference');
    await page.close();
  }, 60_000);

  test('has llms.txt, whose links lead to pages in Markdown', () => {
    const text = readFileSync(join(site, 'llms.txt'), 'utf8');
    const links = [...text.matchAll(/\]\(\/([^)]+)\)/g)].map(([, link]) => link as string);
    expect(links).toHaveLength(LINKS.length);
    for (const link of links) expect(readFileSync(join(site, link), 'utf8'), link).toMatch(/^# /m);
    expect(readFileSync(join(site, 'llms-full.txt'), 'utf8')).toContain('# The contract');
  });
});
