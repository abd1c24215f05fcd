// docs/contract.md against the sources: every clause has its entry, the validator's table says the same words, and no error
// or comment names a rule that is not there.

import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RULES, type Rule } from '../../middleware/validator/rules.ts';

interface Entry {
  binds: string;
  checks: string[];
  text: string;
}

const page = readFileSync(new URL('../../docs/contract.md', import.meta.url), 'utf8');

/** How many clauses of PEP 3333 each subject has; `L` counts the checks of linters. */
const CLAUSES: Record<string, number> = {
  ...{ CALL: 4, STR: 6, ENV: 29, URL: 5, INPUT: 12, LOG: 5, SR: 17, CL: 7, BODY: 9, CLOSE: 5, WRITE: 4, MW: 7, ERR: 6 },
  ...{ HTTP: 6, THREAD: 3, EXT: 2, FILE: 6, HDR: 3, SRV: 4, L: 85 },
};

const entries = parse(page);

function parse(markdown: string): Map<string, Entry> {
  const found = new Map<string, Entry>();
  // An entry is a list item; its further lines are indented.
  const joined = markdown.replace(/\n {2}(?=\S)/g, ' ');
  for (const [, id, binds, checks, text] of joined.matchAll(
    /^- (?:<a id="[^"]+"><\/a>)?\*\*([A-Z]+-\d\d)\*\* \(([^·)]+?)(?: · ([^)]+))?\) (.+)$/gm,
  )) {
    expect(found.has(id as string), `${id} has two entries`).toBe(false);
    found.set(id as string, { binds: binds as string, checks: checks?.split(', ') ?? [], text: text as string });
  }
  return found;
}

function sources(folder: string): [path: string, text: string][] {
  const root = new URL(`../../${folder}/`, import.meta.url);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => [`${folder}/${path}`, readFileSync(new URL(path, root), 'utf8')]);
}

test('every clause and every linter check is in the contract', () => {
  const missing: string[] = [];
  for (const [subject, count] of Object.entries(CLAUSES)) {
    for (let number = 1; number <= count; number++) {
      const id = `${subject}-${String(number).padStart(2, '0')}`;
      if (!entries.has(id) && !new RegExp(`^\\| [^|]*\\b${id}\\b[^|]*\\|`, 'm').test(page)) missing.push(id);
    }
  }
  expect(missing).toEqual([]);
});

test('the type of a rule id knows the subjects of the contract', () => {
  const errors = readFileSync(new URL('../../core/errors.ts', import.meta.url), 'utf8');
  const [, union = ''] = /^type RuleSubject =\n([^;]+);/m.exec(errors) ?? [];
  expect([...union.matchAll(/'(\w+)'/g)].map(([, subject]) => subject)).toEqual(Object.keys(CLAUSES).sort());
});

test('no entry is about a clause that does not exist', () => {
  for (const id of entries.keys()) {
    const [subject, number] = id.split('-') as [string, string];
    expect(CLAUSES[subject], id).toBeGreaterThanOrEqual(Number(number));
  }
});

test('the validator checks exactly the rules that the contract says it checks', () => {
  const said = [...entries].filter(([, { checks }]) => checks.includes('error') || checks.includes('warning'));
  expect(Object.keys(RULES)).toEqual(said.map(([id]) => id));
});

test('the validator says what the contract says', () => {
  for (const [id, rule] of Object.entries<Rule>(RULES)) {
    const entry = entries.get(id) as Entry;
    expect(entry.checks, id).toContain(rule.level);
    expect(entry.binds, id).toBe(rule.binds);
    expect(entry.text.startsWith(rule.text), `${id}: ${entry.text}`).toBe(true);
  }
});

test('every rule that is said to be in the conformance suite is in it', () => {
  const suite = sources('testing')
    .map(([, text]) => text)
    .join('');
  const said = [...entries].filter(([, { checks }]) => checks.includes('suite')).map(([id]) => id);
  expect(said.length).toBeGreaterThan(40);
  expect(said.filter((id) => !suite.includes(id))).toEqual([]);
});

test('every error of the library names a rule of the contract', () => {
  let seen = 0;
  for (const folder of ['core', 'adapters']) {
    for (const [path, text] of sources(folder)) {
      for (const [, id] of text.matchAll(/new ContractError\(\s*'([^']+)'/g)) {
        seen++;
        expect(entries.get(id as string)?.checks, `${id} in ${path}`).toContain('gateway');
      }
    }
  }
  expect(seen).toBeGreaterThan(15);
});

test('every id in a comment is in the contract', () => {
  for (const folder of ['core', 'adapters', 'middleware', 'testing']) {
    for (const [path, text] of sources(folder)) {
      for (const [id] of text.matchAll(
        /\b(?:CALL|STR|ENV|URL|INPUT|LOG|SR|CL|BODY|CLOSE|WRITE|MW|ERR|HTTP|THREAD|EXT|FILE|HDR|SRV|L)-\d\d\b/g,
      )) {
        const known = entries.has(id) || new RegExp(`^\\| [^|]*\\b${id}\\b`, 'm').test(page);
        expect(known, `${id} in ${path}`).toBe(true);
      }
    }
  }
});

test('every link inside the page leads somewhere', () => {
  const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    (title as string)
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  );
  for (const [, anchor] of page.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor);
});
