// Every regular expression of the library takes linear time on every text: an analysis of each looks for a text on which it
// does not. Where the exact analysis gives up, a search for such a text has to come back empty-handed.

import { checkSync } from 'recheck';
import { expect, test } from 'vitest';
import { nodes, sources } from './sources.ts';

process.env.RECHECK_BACKEND = 'pure';

interface Pattern {
  where: string;
  source: string;
  flags: string;
}

/** Made of pieces at run time: `new RegExp` with anything but these is refused, since nothing could look at it here. */
const MADE: Record<string, string[]> = {
  'adapters/aws-lambda/event/tls.ts': ['(?:^|;)\\s*NotBefore=([^;]+)'],
  'middleware/validator/environ.ts': [
    "^(?:\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9\\-._~!$&'()*+,;=%]*)$",
    "^(?:\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9\\-._~!$&'()*+,;=%]*)(?::[0-9]*)?$",
  ],
};

const patterns: Pattern[] = [];
const made: string[] = [];
for (const { path, text } of sources()) {
  for (const node of nodes(text)) {
    const regex = node.regex as { pattern: string; flags: string } | undefined;
    if (regex) patterns.push({ where: path, source: regex.pattern, flags: regex.flags });
    const callee = node.callee as { name?: string } | undefined;
    if (callee?.name === 'RegExp') made.push(path);
  }
}
for (const [where, list] of Object.entries(MADE))
  for (const source of list) patterns.push({ where, source, flags: '' });

test('all regular expressions are looked at', () => {
  expect(patterns.length).toBeGreaterThan(50);
  expect(made.sort()).toEqual(
    Object.entries(MADE)
      .flatMap(([where, list]) => list.map(() => where))
      .sort(),
  );
});

test('the analysis finds those that are not linear', () => {
  for (const source of ['\\/+$', '^ +| +$', '"(?:[^"\\\\]|\\\\.)*"', '^(a+)+$'])
    expect(statusOf(source, 'g'), source).toBe('vulnerable');
});

function statusOf(source: string, flags: string): string {
  const exact = checkSync(source, flags, { checker: 'automaton', timeout: 3000 }).status;
  return exact === 'unknown' ? checkSync(source, flags, { checker: 'fuzz', timeout: 60_000 }).status : exact;
}

test.each(patterns)('$where: /$source/$flags is linear', { timeout: 60_000 }, ({ source, flags }) => {
  expect(statusOf(source, flags)).toBe('safe');
});
