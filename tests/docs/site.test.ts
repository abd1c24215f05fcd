// The site has every page of docs/, once, and nothing that is not there.

import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { NAVIGATION } from '../../docs/site/navigation.mjs';

const docs = fileURLToPath(new URL('../../docs', import.meta.url));
const links = NAVIGATION.flatMap(({ items }) => items.map(({ link }) => link));

test('every page of docs/ is in the navigation', () => {
  const pages = readdirSync(docs, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !path.startsWith('site/'))
    .map((path) => `/${path.replace(/\.md$/, '')}`);
  expect(pages.length).toBeGreaterThan(15);
  expect(pages.filter((page) => !links.includes(page))).toEqual([]);
});

test('every link of the navigation leads to a page', () => {
  // The reference is made, and these are at the root of the repository.
  const elsewhere = ['/api/', '/security', '/contributing', '/changelog'];
  expect(links.filter((link) => !elsewhere.includes(link) && !existsSync(`${docs}${link}.md`))).toEqual([]);
  expect(new Set(links).size).toBe(links.length);
});
