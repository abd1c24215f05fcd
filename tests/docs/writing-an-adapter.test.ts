// docs/writing-an-adapter.md shows the code of the example and of its tests as it is, and names what the library has.

import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as waygate from 'waygate/adapter';

const docs = new URL('../../docs/', import.meta.url);
const page = readFileSync(new URL('writing-an-adapter.md', docs), 'utf8');
const sources = ['../examples/adapter-cgi/cgi.ts', '../tests/examples/adapter-cgi.test.ts'].map((path) =>
  readFileSync(new URL(path, docs), 'utf8'),
);

test('every block of code is in the files that the page is about', () => {
  const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code as string);
  expect(blocks.length).toBe(4);
  for (const block of blocks)
    expect(
      sources.some((source) => source.includes(block)),
      block,
    ).toBe(true);
});

test('all of the adapter but its imports and its type is shown', () => {
  const shown = page.replaceAll(/\s/g, '');
  const [adapter = ''] = sources;
  for (const part of adapter.split('\n\n').slice(2)) expect(shown, part).toContain(part.replaceAll(/\s/g, ''));
});

test('what the table promises is exported', () => {
  const table = page.slice(page.indexOf('| from `waygate/adapter`'), page.indexOf('## The environ'));
  const names = [...table.matchAll(/^\| (`.+?) \|/gm)].flatMap(([, cell]) =>
    [...(cell as string).matchAll(/`(\w+)/g)].map(([, name]) => name as string),
  );
  expect(names.length).toBeGreaterThan(15);
  for (const name of names.filter((each) => each !== 'waygate' && each !== 'adapter'))
    expect(waygate, name).toHaveProperty(name);
});

test('every link leads to a file', () => {
  for (const [, path] of page.matchAll(/\]\(([^)#]+)\)/g)) {
    expect(existsSync(new URL(path as string, docs)), path).toBe(true);
  }
});
