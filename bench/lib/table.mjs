// Figures as a table. A table is
//   { title, baseline, columns: [{ name, digits, higherIsBetter }], rows: [{ name, values: number[][] }] }
// where `values` holds for each column what each round measured, and `baseline` is the name of a row.

/** The value below which the given part of the numbers lies. */
export function quantile(numbers, part) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export const median = (numbers) => quantile(numbers, 0.5);

/**
 * How a row compares with the baseline: the median of the ratios round by round, since within one round the machine was
 * busy with the same things.
 */
export function ratio(values, baseline) {
  return median(values.map((value, round) => value / baseline[round]));
}

export function printTable({ title, baseline, columns, rows }) {
  const base = rows.find((row) => row.name === baseline);
  const lines = [['', ...columns.flatMap(({ name }) => [name, '', `of ${baseline}`])]];
  for (const row of rows) {
    const cells = columns.flatMap(({ digits }, index) => {
      const values = row.values[index];
      const range = `${format(quantile(values, 0.25), digits)}–${format(quantile(values, 0.75), digits)}`;
      return [format(median(values), digits), range, `${(ratio(values, base.values[index]) * 100).toFixed(1)} %`];
    });
    lines.push([row.name, ...cells]);
  }
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  console.log(title);
  for (const line of lines) {
    const cells = line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])));
    console.log(`  ${cells.join('  ')}`);
  }
  console.log('');
}

function format(value, digits) {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
