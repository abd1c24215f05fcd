// docs/judges.md keeps its word: every fault has a row, every test file that a row names exists, and so does every command.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, 'docs/judges.md'), 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('|---'));

/** The ids of each part of the list, in order. */
const PARTS = { A: 13, B: 20, C: 20, D: 14, E: 9 };

test('every fault has one row', () => {
  const ids = Object.entries(PARTS).flatMap(([part, count]) =>
    Array.from({ length: count }, (_, at) => `${part}${at + 1}`),
  );
  const found = rows.map((row) => /^\| ([A-E]\d+) \|/.exec(row)?.[1]).filter((id) => id !== undefined);
  expect(found).toEqual(ids);
});

test('every row of a fault and of a judge names a test', () => {
  for (const row of rows.filter((each) => /^\| [A-E]\d+ \|/.test(each))) expect(row).toMatch(/`[\w/-]+\.test\.ts`/);
});

test('every test file that is named exists', () => {
  const files = [...page.matchAll(/`([\w/-]+\.test\.ts)`/g)].map(([, file]) => file as string);
  expect(files.length).toBeGreaterThan(100);
  const missing = new Set(
    files.filter((file) => file !== 'tests/e2e/NAME.test.ts' && !existsSync(join(root, 'tests', file))),
  );
  expect([...missing]).toEqual([]);
});

test('every command and every link leads somewhere', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  for (const [, name] of page.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(name);
  for (const [, path] of page.matchAll(/^(tools\/\S+)$/gm)) expect(existsSync(join(root, path as string))).toBe(true);
  expect(existsSync(join(root, '.ci/run'))).toBe(true);
  for (const [, link] of page.matchAll(/\]\(([^)#\s]+\.md)\)/g))
    expect(existsSync(join(root, dirname('docs/judges.md'), link as string))).toBe(true);
});
