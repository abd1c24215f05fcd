// The list of mutations keeps up with the sources. tools/mutations.mjs runs them; CI runs a part of them in a step of its own.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import LIST from '../../tools/mutations/list.mjs';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('every mutation changes one place of the sources', () => {
  const stale = LIST.filter(({ file, from, to }) => read(file).split(from).length !== 2 || from === to);
  expect(stale.map(({ rule, what }) => `${rule}: ${what}`)).toEqual([]);
  expect(LIST.length).toBeGreaterThanOrEqual(60);
});

test('every mutation breaks a rule of the contract', () => {
  const contract = read('docs/contract.md');
  for (const { rule } of LIST) expect(contract, rule).toContain(`**${rule}**`);
});
