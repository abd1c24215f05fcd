// Compares the runs of one request on several platforms: what the apps saw, and what the clients got.

import { createHash } from 'node:crypto';
import { type Loss, lossOf } from './losses.ts';
import type { PlatformRun } from './run.ts';

/** Something that is not the same on all platforms. */
export interface Difference {
  /** `request` for what the app saw, `response` for what the client got. */
  side: 'request' | 'response';
  /** A key of environ, `body`, `status`, `reason`, `complete`, `error`, or a response header's name in lower case. */
  part: string;
  /** The value on the first platform; undefined where it has none. */
  expected?: string;
  /** The platforms that differ from it, grouped by what they have instead. */
  others: { platforms: string[]; value?: string; why?: Pick<Loss, 'why' | 'line'> }[];
}

/** What the runs of one request show. */
export interface Comparison {
  /** The platform that the others are compared with. */
  reference: string;
  differences: Difference[];
  /** Parts that differ between two runs on the same platform, such as a random id, and were left out. */
  varying: string[];
}

/** Keys of environ that are each server's own. */
const OWN_KEYS = /^(?:SERVER_PORT|REMOTE_PORT|SERVER_NAME|SERVER_SOFTWARE|waygate\.gateway|HTTP_CONNECTION|HTTP_HOST)$/;
/** Headers about the framing of one response, and of its moment. (RFC 9112 §6, RFC 9110 §6.6.1) */
const OWN_HEADERS = /^(?:connection|keep-alive|transfer-encoding|date)$/;

/** The parts of a run, under `request NAME` and `response NAME`; values as text, of several header lines a line each. */
type Parts = Map<string, string>;

/**
 * Compares runs as {@link Everywhere} gives them. Keys of environ and headers that a platform only adds do not count as a
 * difference: only what the first platform has counts.
 *
 * @param runs in order; the first is what the others are compared with, and a second one of it shows what varies by itself
 * @throws {TypeError} where there are no runs
 */
export function compareRuns(runs: readonly PlatformRun[]): Comparison {
  const [first, ...rest] = runs;
  if (first === undefined) throw new TypeError('There are no runs to compare; expected one for each platform.');
  const expected = partsOf(first);
  const again = rest.find((run) => run.label === first.label);
  const repeated = again === undefined ? expected : partsOf(again);
  const varying = new Set<string>();
  for (const part of new Set([...expected.keys(), ...repeated.keys()])) {
    if (expected.get(part) !== repeated.get(part)) varying.add(part);
  }
  const found = new Map<string, Difference>();
  for (const run of rest) {
    if (run === again) continue;
    const parts = partsOf(run);
    for (const part of partsToCompare(expected, parts)) {
      if (!varying.has(part) && expected.get(part) !== parts.get(part)) add(found, part, expected, parts, run.label);
    }
  }
  const differences = [...found.values()].sort((one, other) => one.side.localeCompare(other.side));
  return { reference: first.label, differences, varying: [...varying] };
}

/** What only the environ of one platform has is its own; what only its response has is a difference. */
function partsToCompare(expected: Parts, parts: Parts): Set<string> {
  const all = new Set(expected.keys());
  for (const part of parts.keys()) {
    if (part.startsWith('response ') && !/^response (?:x-amz|x-amzn-request)/.test(part)) all.add(part);
  }
  // An app that was not called has seen nothing, which is one difference.
  if (!expected.has('request called') || parts.has('request called')) return all;
  for (const part of expected.keys()) {
    if (part.startsWith('request ') && part !== 'request called') all.delete(part);
  }
  return all;
}

function add(found: Map<string, Difference>, name: string, expected: Parts, parts: Parts, label: string): void {
  const [side, part] = [name.slice(0, name.indexOf(' ')), name.slice(name.indexOf(' ') + 1)] as [
    Difference['side'],
    string,
  ];
  const difference = found.get(name) ?? { side, part, expected: expected.get(name), others: [] };
  found.set(name, difference);
  const value = parts.get(name);
  const platform = label.replace(/,.*/, '');
  const loss = lossOf({ platform, side, part, expected: difference.expected, seen: value });
  const same = difference.others.find((other) => other.value === value && other.why?.line === loss?.line);
  if (same !== undefined) same.platforms.push(label);
  else difference.others.push({ platforms: [label], value, why: loss && { why: loss.why, line: loss.line } });
}

function partsOf(run: PlatformRun): Parts {
  const parts: Parts = new Map();
  if (run.seen !== undefined) {
    parts.set('request called', 'yes');
    for (const [key, value] of Object.entries(run.seen.environ)) {
      if (!OWN_KEYS.test(key)) parts.set(`request ${key}`, value);
    }
    parts.set('request body', run.seen.body);
  }
  if (run.error !== undefined) parts.set('response error', run.error);
  const { response, given } = run;
  if (response === undefined) return parts;
  parts.set('response status', String(response.status));
  parts.set('response reason', response.reason);
  if (!response.complete) parts.set('response complete', 'no: it broke off');
  const declares = given?.headers.some(([name]) => name.toLowerCase() === 'content-length') === true;
  for (const [name, value] of response.headers) {
    const key = name.toLowerCase();
    if (OWN_HEADERS.test(key) || (key === 'content-length' && !declares)) continue;
    const before = parts.get(`response ${key}`);
    parts.set(`response ${key}`, before === undefined ? value : `${before}\n${value}`);
  }
  parts.set('response body', bodyText(response.body, response.size));
  return parts;
}

/** How much of a body is shown in a table, in bytes. */
const SHOWN = 400;

/** A body as a table shows it: short text as it is, else its size and digest. */
function bodyText(body: Uint8Array, size: number): string {
  if (size <= SHOWN) {
    const text = Buffer.from(body).toString();
    if (!/[\0-\x08\x0e-\x1f\ufffd]/.test(text)) return text;
  }
  return `${size} bytes, sha256 ${createHash('sha256').update(body).digest('hex').slice(0, 16)}`;
}
