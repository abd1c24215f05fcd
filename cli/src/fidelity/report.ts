// A judgement as a table for people, and as JUnit's XML for CI.

import type { Colors } from '../output.ts';
import type { Judgement, Verdict } from './judge.ts';

const CELL: Record<Verdict['outcome'], string> = { passed: 'ok', failed: 'FAIL', exempt: '–' };

/** The table of source and check, a line for each check, and below it every fault with its page and its event. */
export function judgementLines(judgement: Judgement, colors: Colors): string[] {
  const { columns, checks, verdicts } = judgement;
  const width = Math.max(...checks.map((each) => each.length));
  const letters = columns.map((_, index) => String(index + 1));
  const lines = columns.map((column, index) => `${letters[index]?.padStart(2)}  ${column}`);
  const cellWidth = 4;
  lines.push('', `${''.padEnd(width)}  ${letters.map((each) => each.padEnd(cellWidth)).join('  ')}`.trimEnd());
  for (const check of checks) {
    const cells = columns.map((column) => {
      const outcome = found(verdicts, check, column)?.outcome ?? 'exempt';
      const cell = CELL[outcome].padEnd(cellWidth);
      return outcome === 'failed' ? colors.red(cell) : outcome === 'passed' ? colors.green(cell) : colors.dim(cell);
    });
    lines.push(`${check.padEnd(width)}  ${cells.join('  ')}`.trimEnd());
  }
  for (const verdict of verdicts) if (verdict.outcome === 'failed') lines.push('', ...faultLines(verdict, colors));
  return lines;
}

function faultLines(verdict: Verdict, colors: Colors): string[] {
  const { check, title, column, detail, page, event, result } = verdict;
  const lines = [`${colors.red('FAIL')} ${check}, ${column}: ${title}`, `     ${detail}`, `     ${page}`];
  if (event !== undefined) lines.push(colors.dim(`     event:  ${JSON.stringify(event)}`));
  if (result !== undefined) lines.push(colors.dim(`     result: ${JSON.stringify(result)}`));
  return lines;
}

export function found(verdicts: readonly Verdict[], check: string, column: string): Verdict | undefined {
  return verdicts.find((each) => each.check === check && each.column === column);
}

/** JUnit's XML: a suite for each event source, a case for each check. */
export function junitXml(judgement: Judgement, name: string): string {
  const { columns, verdicts } = judgement;
  const suites = columns.map((column) => {
    const own = verdicts.filter((each) => each.column === column);
    const count = (outcome: Verdict['outcome']): number => own.filter((each) => each.outcome === outcome).length;
    const cases = own.map((each) => {
      const open = `    <testcase classname="${escaped(`${name} ${column}`)}" name="${escaped(`${each.check}: ${each.title}`)}"`;
      if (each.outcome === 'passed') return `${open}/>`;
      if (each.outcome === 'exempt') return `${open}><skipped message="${escaped(each.detail ?? '')}"/></testcase>`;
      const text = [each.page, `event: ${JSON.stringify(each.event)}`, `result: ${JSON.stringify(each.result)}`].join(
        '\n',
      );
      return `${open}><failure message="${escaped(each.detail ?? '')}">${escaped(text)}</failure></testcase>`;
    });
    const head = `  <testsuite name="${escaped(column)}" tests="${own.length}" failures="${count('failed')}" skipped="${count('exempt')}">`;
    return [head, ...cases, '  </testsuite>'].join('\n');
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${escaped(name)}">\n${suites.join('\n')}\n</testsuites>\n`;
}

/** Text in XML, which has no control characters. */
function escaped(text: string): string {
  return text
    .replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"\n]/g, (each) => `&#${each.charCodeAt(0)};`);
}
