// docs/errors.md is the index of errors: each rule that an error or a warning names has its line there, under the anchor that
// the error links to.

import { expect, test } from 'vitest';
import { ContractError, encode, RequestError } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { validator } from 'waygate/middleware';
import { RULES } from '../../middleware/validator/rules.ts';
import { readPage } from './lib/pages.ts';

const page = readPage('docs/errors.md');
const contract = readPage('docs/contract.md');

interface Row {
  level: string;
  text: string;
  fix: string;
}

const rows = new Map<string, Row>();
for (const [, anchor, id, link, level, text, fix] of page.matchAll(
  /^\| <a id="([^"]+)"><\/a>\[([A-Z]+-\d\d)\]\(contract\.md#([^)]+)\) \| (\w+) \| (.+?) \| (.+) \|$/gm,
)) {
  expect([anchor, link], id).toEqual([id?.toLowerCase(), id?.toLowerCase()]);
  expect(rows.has(id as string), `${id} has two lines`).toBe(false);
  rows.set(id as string, { level: level as string, text: text as string, fix: fix as string });
}

test('every rule that the validator checks has a line, with its level and its words', () => {
  for (const [id, { level, text }] of Object.entries(RULES)) {
    expect(rows.get(id), id).toMatchObject({ level, text: text.replaceAll('|', '\\|') });
  }
});

test('the index has no line for a rule that nothing reports', () => {
  // The gateway checks these, and the validator checks them under another id.
  const gateway = ['CL-01', 'CL-02', 'FILE-04', 'HDR-01'];
  expect([...rows.keys()].filter((id) => !(id in RULES)).sort()).toEqual(gateway);
});

test('every line says what to do', () => {
  for (const [id, { fix }] of rows) expect(fix, id).toMatch(/^[A-Z`].{8,}\.$/);
});

test('every rule of the contract has an anchor', () => {
  const entries = [...contract.matchAll(/^- (?:<a id="([^"]+)"><\/a>)?\*\*([A-Z]+-\d\d)\*\*/gm)];
  expect(entries.length).toBeGreaterThan(150);
  for (const [, anchor, id] of entries) expect(anchor, id).toBe(id?.toLowerCase());
});

test('an error links to its line, and the log has the link', async () => {
  const log: string[] = [];
  const seen: unknown[] = [];
  const fetch = toFetch(() => undefined as never, { errors: (text) => log.push(text), onError: (e) => seen.push(e) });
  expect((await fetch('/')).status).toBe(500);
  const [error] = seen as [ContractError];
  expect(error).toBeInstanceOf(ContractError);
  expect([error.rule, error.help]).toEqual(['BODY-01', 'waygate/docs/errors.md#body-01']);
  expect(log.join('')).toContain('\n    help: waygate/docs/errors.md#body-01');
  expect(page).toContain('<a id="body-01"></a>');
});

test('a warning links to its line', async () => {
  const log: string[] = [];
  const app = validator((_environ, startResponse) => {
    startResponse('200 OK', []);
    return [encode('text')];
  });
  await toFetch(app, { errors: (text) => log.push(text) })('/');
  expect(log.join('')).toMatch(/ See waygate\/docs\/errors\.md#l-42 \[L-42\]\s*$/);
});

test('errors that are not about the contract link to nothing', async () => {
  const log: string[] = [];
  const app = () => {
    throw new RequestError(418, 'Tea only.');
  };
  expect((await toFetch(app, { errors: (text) => log.push(text) })('/')).status).toBe(418);
  expect(log.join('')).not.toContain('help:');
});
