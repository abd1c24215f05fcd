// docs/fidelity.md, from what the run of bench/fidelity found.

/** @param {{ contestants: object[], checks: object[], columns: string[], node: string }} found */
export function fidelityPage({ contestants, checks, columns, node }) {
  const date = new Date().toISOString().slice(0, 10);
  const score = (contestant, column) => {
    const own = contestant.verdicts.filter((each) => each.column === column && each.outcome !== 'exempt');
    if (own.length === 0) return '·';
    return `${own.filter(({ outcome }) => outcome === 'passed').length}/${own.length}`;
  };
  const byScore = contestants.toSorted(
    (a, b) => faultsOf(a).length - faultsOf(b).length || (a.title < b.title ? -1 : 1),
  );
  const lines = [
    '# Fidelity',
    '',
    'After this page you know which requests and responses each adapter for AWS Lambda carries unchanged, and you can repeat it with one command:',
    '',
    '```sh',
    'npm run fidelity',
    '```',
    '',
    `The command wrote this page on ${date}, on Node ${node}. It runs [\`waygate check --fidelity\`](cli.md#any-handler) on each adapter of the table.`,
    'The app behind each adapter is the same probe. Each adapter has its best options, and is checked only at the event sources that its own documents name.',
    '',
    'The emulator of each event source is part of Waygate, so a wrong reading of AWS’s pages would favour Waygate. Therefore each check names its pages, and each fault comes with its event.',
    'What a page leaves open counts as no fault. A check is left out where the event source itself loses what it asks for.',
    '',
    '## The result',
    '',
    'Each cell is the number of checks passed, of all that apply. `·`: the documents of the adapter do not name the event source.',
    '',
    `| adapter | ${columns.map((each) => each.replace('lambda:', '')).join(' | ')} |`,
    `|---|${columns.map(() => '---').join('|')}|`,
    ...byScore.map((each) => `| ${each.title} | ${columns.map((column) => score(each, column)).join(' | ')} |`),
    '',
    '## The adapters',
    '',
    '| adapter | versions | options | sources named in |',
    '|---|---|---|---|',
    ...byScore.map(
      ({ title, versions, options, documented, file }) =>
        `| [${title}](../${file}) | ${versions.join(', ')} | ${options} | ${documented.startsWith('http') ? `<${documented}>` : `[${documented}](../${documented})`} |`,
    ),
    '',
    '## The faults',
    '',
    'This command prints the event and the result of each fault, for any file of `bench/fidelity/handlers`:',
    '',
    '```sh',
    'npx waygate check bench/fidelity/handlers/hono.mjs --source all',
    '```',
    '',
  ];
  for (const contestant of byScore) {
    const faults = faultsOf(contestant);
    if (faults.length === 0) continue;
    lines.push(`### ${contestant.title}`, '', '| check | event source | fault |', '|---|---|---|');
    for (const { name } of checks) {
      for (const [detail, where] of grouped(faults.filter(({ check }) => check === name))) {
        lines.push(`| ${name} | ${where.map((each) => each.replace('lambda:', '')).join('; ')} | ${text(detail)} |`);
      }
    }
    lines.push('');
  }
  lines.push('## The checks', '');
  for (const { name, title, exempt, pages } of checks) {
    lines.push(`### ${name}`, '', `${title[0].toUpperCase()}${title.slice(1)}.`, '');
    for (const [why, where] of grouped(exempt.map((each) => ({ detail: each.why, column: each.column })))) {
      lines.push(`Left out for ${where.map((each) => `\`${each}\``).join(' and ')}: ${why}.`, '');
    }
    lines.push(...pages.map((page) => `- <${page}>`), '');
  }
  return `${lines.join('\n').trimEnd()}\n`;

  function faultsOf({ verdicts }) {
    return verdicts.filter(({ outcome }) => outcome === 'failed');
  }
}

/** What is the same at several event sources. */
function grouped(faults) {
  const groups = new Map();
  for (const { detail, column } of faults) groups.set(detail, [...(groups.get(detail) ?? []), column]);
  return groups;
}

/** Text in a cell of a table. */
function text(value) {
  const short = value.length > 200 ? `${value.slice(0, 200)}…` : value;
  return `\`${short.replaceAll('`', "'").replaceAll('|', '¦').replace(/\s+/g, ' ')}\``;
}
