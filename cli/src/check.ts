// `waygate check`: sends the app requests of every kind, with the validator on both sides, and reports what breaks a rule.

import { performance } from 'node:perf_hooks';
import { toFetch } from 'waygate/fetch';
import { CommandError, oneLine, usageError } from './errors.ts';
import { LOCAL_CLIENT } from './fetch.ts';
import { type FidelityOptions, fidelityCommand } from './fidelity/command.ts';
import { formatDuration, formatSize } from './format.ts';
import { checkRunOptions, prepareLoading, type RunOptions, runnable, saidKind } from './handler.ts';
import { loadModule } from './load.ts';
import type { Output } from './output.ts';
import { checkTarget } from './request.ts';

/** Options of `waygate check`. */
export interface CheckOptions extends RunOptions, FidelityOptions {
  kind?: RunOptions['kind'];
  /** Whether a Lambda handler or a Worker is judged by what AWS and Cloudflare send and accept. */
  fidelity?: boolean;
}

/** One request of the check. */
interface Probe {
  /** What it is about, for the report. */
  name: string;
  path: string;
  init?: RequestInit;
  /** Leaves after the first chunk of the body, as a client does that goes away. */
  leaves?: boolean;
}

/** What one request showed. */
interface Outcome {
  probe: Probe;
  status: number;
  size: number;
  duration: number;
  headers: Headers;
  findings: string[];
}

/** How long one response may take before the check goes on without it, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Sends the requests and reports.
 *
 * @param paths the paths of the app to look at
 * @throws {CommandError} when there are findings, or the app cannot be loaded
 */
export async function checkCommand(
  path: string,
  paths: readonly string[],
  options: CheckOptions,
  output: Output,
): Promise<void> {
  const { cwd } = output.io;
  paths.forEach(checkTarget);
  if (options.fidelity || options.source === 'all') return fidelityCommand(path, paths[0] ?? '/', options, output);
  if (options.json || options.junit !== undefined) {
    throw usageError('--json and --junit are for --fidelity; expected both together.');
  }
  checkRunOptions(options);
  prepareLoading(options);
  const exports = await output.progress(`Loading ${path}`, () => loadModule(path, cwd, saidKind(options)));
  const findings: string[] = [];
  const errors = (text: string): void => void findings.push(finding(text));
  const app = await runnable(exports, path, { ...options, validate: true }, errors);
  const fetch = toFetch(app, { errors, remoteAddr: LOCAL_CLIENT });
  let total = 0;
  let count = 0;
  for (const each of paths) {
    const outcomes: Outcome[] = [];
    for (const probe of probes(each)) {
      const outcome = await send(fetch, probe, findings);
      outcomes.push(outcome);
      if (probe.init?.method === 'HEAD') compareHead(outcomes[0] as Outcome, outcome);
      report(outcome, output);
      count += 1;
      total += outcome.findings.length;
    }
  }
  if (total > 0) {
    throw new CommandError(
      `${total} finding${total === 1 ? '' : 's'} in ${count} requests. ` +
        'node_modules/waygate/docs/errors.md says how to fix what has an id.',
    );
  }
  output.print(output.colors.green(`${count} requests, nothing found.`));
}

/** The requests for one path: what clients send, and what they send by mistake or on purpose. */
function probes(path: string): Probe[] {
  const query = path.includes('?') ? '&' : '?';
  const below = `${path.replace(/[?#].*/, '').replace(/\/+$/, '')}/`;
  const binary = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  return [
    { name: 'a page', path },
    { name: 'the same without its body', path, init: { method: 'HEAD' } },
    { name: 'a query with repeats, empty values and escapes', path: `${path}${query}a=1&a=2&b=&c&d=%26%3D%zz+%C3%A9` },
    { name: 'a path with encoded slashes, spaces and UTF-8', path: `${below}a%2Fb%20c%C3%A9` },
    { name: 'a path of bytes that are not UTF-8', path: `${below}%FF%FE` },
    { name: 'a path with dots in its segments', path: `${below}.x/y..z/...` },
    {
      name: 'headers with repeats and bytes above ASCII',
      path,
      init: {
        headers: [
          ['x-a', '1'],
          ['x-a', '2'],
          ['cookie', 'a=1; b=2'],
          ['x-bytes', '\xe9\xff'],
          ['accept', '*/*'],
        ],
      },
    },
    { name: 'a form', path, init: { method: 'POST', headers: form, body: 'a=1&b=%C3%A9&b=2' } },
    { name: 'a body of 70,000 bytes', path, init: { method: 'PUT', body: binary } },
    { name: 'a body of unknown length', path, init: { method: 'POST', body: streamed(binary) } },
    { name: 'an empty body', path, init: { method: 'POST', body: '' } },
    {
      name: 'JSON that breaks off',
      path,
      init: { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":' },
    },
    { name: 'DELETE', path, init: { method: 'DELETE' } },
    { name: 'a method of its own', path, init: { method: 'PROPFIND' } },
    { name: 'OPTIONS *', path: '*', init: { method: 'OPTIONS' } },
    {
      name: 'a conditional request',
      path,
      init: { headers: { 'if-none-match': '*', 'if-modified-since': 'Thu, 01 Jan 2032 00:00:00 GMT' } },
    },
    { name: 'a range', path, init: { headers: { range: 'bytes=0-3' } } },
    { name: 'a client that leaves', path, leaves: true },
  ];
}

function streamed(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
}

/** Sends one request and reads its response. What was found meanwhile is taken from `findings`. */
async function send(fetch: ReturnType<typeof toFetch>, probe: Probe, findings: string[]): Promise<Outcome> {
  const start = performance.now();
  const outcome: Outcome = { probe, status: 0, size: 0, duration: 0, headers: new Headers(), findings: [] };
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), PATIENCE);
  try {
    const response = await fetch(probe.path, { ...probe.init, signal: limit.signal });
    outcome.status = response.status;
    outcome.headers = response.headers;
    if (response.body !== null) {
      for await (const chunk of response.body) {
        outcome.size += chunk.byteLength;
        if (probe.leaves || limit.signal.aborted) break;
      }
    }
  } catch (error) {
    outcome.findings.push(
      limit.signal.aborted
        ? `no complete response within ${PATIENCE / 1000} s`
        : `the response broke off: ${oneLine(error)}`,
    );
  } finally {
    clearTimeout(timer);
  }
  outcome.duration = performance.now() - start;
  outcome.findings.push(...findings.splice(0));
  if (outcome.status >= 500 && outcome.findings.length === 0)
    outcome.findings.push(`the app answered ${outcome.status}`);
  return outcome;
}

/** A text that went to `wsgi.errors`, in one line: its first, which names the error or the rule. */
function finding(text: string): string {
  return (text.split('\n', 1)[0] as string).replace(/^\w*Error: /, '').trim();
}

/** HEAD differs from GET by its missing body only. (RFC 9110 §9.3.2) */
function compareHead(get: Outcome, head: Outcome): void {
  if (get.status !== head.status) {
    head.findings.push(`HEAD is answered with ${head.status} where GET is with ${get.status}`);
  }
  const [got, type] = [get.headers.get('content-type'), head.headers.get('content-type')];
  if (get.status === head.status && got !== type) {
    head.findings.push(`HEAD has the content type ${type} where GET has ${got}`);
  }
}

function report(outcome: Outcome, output: Output): void {
  const { probe, status, size, duration, findings } = outcome;
  const { colors } = output;
  const mark = findings.length === 0 ? colors.green('ok  ') : colors.red('FAIL');
  const request = `${probe.init?.method ?? 'GET'} ${probe.path}`;
  const answer = `${status === 0 ? '---' : status} ${formatSize(size)} ${formatDuration(duration)}`;
  output.print(`${mark} ${request} ${colors.dim(`(${probe.name})`)} ${answer}`);
  for (const each of findings) output.print(`     ${each}`);
}
