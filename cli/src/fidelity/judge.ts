// Judges a Lambda handler or a Worker, made with whatever adapter. It sends each check's request as each event source
// would. It looks at what reached the app and what the client gets.

import { Buffer } from 'node:buffer';
import type { Application } from 'waygate';
import { fromLambda, type SourceName } from 'waygate/aws-lambda';
import { fromWorker } from 'waygate/cloudflare-workers';
import { toFetch } from 'waygate/fetch';
import { PROBE_HEADER } from 'waygate/testing';
import { oneLine } from '../errors.ts';
import { CHECKS, type Check, type Column, type Observed, ownChecks } from './checks.ts';
import { pageOf } from './pages.ts';

/** What is judged: a Lambda handler, or a Worker. */
export type Judged = { handler: Parameters<typeof fromLambda>[0] } | { worker: Parameters<typeof fromWorker>[0] };

/** One check at one event source. */
export interface Verdict {
  check: string;
  title: string;
  column: string;
  /** `exempt` where AWS itself loses what is checked. */
  outcome: 'passed' | 'failed' | 'exempt';
  /** What is wrong, or why it is exempt. */
  detail?: string;
  /** The page that says what is sent and accepted. */
  page: string;
  /** The event of a Lambda handler, to call it with again. */
  event?: unknown;
  /** What the handler returned for it. */
  result?: unknown;
}

/** All verdicts on one module. */
export interface Judgement {
  /** Whether its app is the probe: else only its own answers can be judged. */
  isProbe: boolean;
  columns: string[];
  checks: string[];
  verdicts: Verdict[];
}

/** The mark of `awslambda.streamifyResponse`. */
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');

/** How long one answer may take, in milliseconds. */
const PATIENCE = 10_000;

/**
 * @param judged what is judged
 * @param columns the event sources, in the order of the table
 * @param target a path of an app that is not the probe
 * @param probe whether the app is known to be the probe, also where none of its answers arrives
 */
export async function judge(
  judged: Judged,
  columns: readonly Column[],
  target = '/',
  probe = false,
): Promise<Judgement> {
  const isProbe =
    probe ||
    (await someAsync(columns, async (column) => {
      const seen = await new Call(judged, column).send({
        method: 'GET',
        target: '/',
        headers: [[PROBE_HEADER, 'echo']],
      });
      return typeof seen !== 'string' && seen.headers.get(PROBE_HEADER) === 'echo';
    }));
  const checks = isProbe ? CHECKS : ownChecks(target);
  const verdicts: Verdict[] = [];
  for (const check of checks) {
    for (const column of columns) verdicts.push(await verdictOf(check, column, judged));
  }
  return {
    isProbe,
    columns: columns.map(({ label }) => label),
    checks: checks.map(({ name }) => name),
    verdicts,
  };
}

async function someAsync<T>(all: readonly T[], holds: (each: T) => Promise<boolean>): Promise<boolean> {
  for (const each of all) if (await holds(each)) return true;
  return false;
}

async function verdictOf(check: Check, column: Column, judged: Judged): Promise<Verdict> {
  const { name, title, topic, request, asks } = check;
  const streams = 'handler' in judged && Reflect.get(judged.handler, STREAMING) === 'response';
  const verdict = { check: name, title, column: column.label, page: pageOf(column.caller, topic) };
  const isStreamed = column.caller === 'function-url' || column.caller === 'rest-api';
  const exempt = streams && !isStreamed ? 'it does not take a streamed response' : check.exempt?.(column);
  if (exempt !== undefined) return { ...verdict, outcome: 'exempt', detail: exempt };
  const call = new Call(judged, column);
  const headers: [string, string][] = asks === undefined ? request.headers : [...request.headers, [PROBE_HEADER, asks]];
  const seen = await call.send({ ...request, headers });
  const fault = typeof seen === 'string' ? seen : faultOf(check, seen, { ...column, streams }, asks);
  if (fault === undefined) return { ...verdict, outcome: 'passed' };
  const why = call.log.length === 0 || typeof seen === 'string' ? '' : ` (${call.log[0]})`;
  const { event, result } = call;
  return { ...verdict, outcome: 'failed', detail: fault + why, event, result };
}

function faultOf(check: Check, seen: Observed, column: Column, asks: string | undefined): string | undefined {
  if (asks === 'echo' && seen.echo === undefined) {
    return `the client gets ${seen.status}, and the app's answer does not reach it; expected 200`;
  }
  return check.judge(seen, column);
}

/** One request at one event source. */
class Call {
  readonly #app: Application;
  /** What was written to the log. */
  readonly log: string[] = [];
  event: unknown;
  result: unknown;

  constructor(judged: Judged, column: Column) {
    if ('worker' in judged) {
      this.#app = fromWorker(judged.worker);
      return;
    }
    const { caller, payload, multiValueHeaders } = column;
    const { handler } = judged;
    const watched = (event: unknown, ...rest: unknown[]): unknown => {
      this.event = structuredClone(event);
      const result = (handler as (...args: unknown[]) => unknown)(event, ...rest);
      if (!(result instanceof Promise)) return result;
      return result.then((value: unknown) => {
        this.result = value;
        return caller === 'edge' ? withoutDoubt(value) : value;
      });
    };
    // A streaming handler is known by its mark, and a handler that calls back by its parameters.
    const marked = Object.defineProperties(watched, Object.getOwnPropertyDescriptors(handler));
    const options = { source: caller as SourceName, payloadFormatVersion: payload, multiValueHeaders };
    this.#app = fromLambda(marked as typeof handler, options);
  }

  /** @returns what came of it, or why nothing did */
  async send(request: Check['request']): Promise<Observed | string> {
    const errors = (line: string): void => void this.log.push(oneLine(line.split('\n', 1)[0]));
    const fetch = toFetch(this.#app, { errors, remoteAddr: '192.0.2.1' });
    const { target, method, headers, body } = request;
    try {
      const sent = fetch(target, {
        method,
        headers: [['host', 'example.com'], ...headers],
        body: body as Uint8Array<ArrayBuffer> | undefined,
        signal: AbortSignal.timeout(PATIENCE),
      });
      const response = await withTimeout(sent);
      const { bytes, lead } = await withTimeout(read(response));
      const observed: Observed = { status: response.status, headers: response.headers, body: bytes, lead };
      if (response.headers.get(PROBE_HEADER) === 'echo') observed.echo = echoOf(bytes);
      return observed;
    } catch (error) {
      return `there is no response: ${this.log[0] ?? oneLine(error)}; expected one`;
    }
  }
}

/**
 * A result for CloudFront, as kindly as it can be read. Its page shows a string as status, and no body beside a 204. It
 * does not say that a number or an empty body is refused.
 */
function withoutDoubt(result: unknown): unknown {
  if (typeof result !== 'object' || result === null || Object.hasOwn(result, 'uri')) return result;
  const { status, body, ...rest } = result as { status?: unknown; body?: unknown };
  return { ...rest, status: typeof status === 'number' ? String(status) : status, ...(body === '' ? {} : { body }) };
}

/** The whole body, and how long before its end it began. */
async function read(response: Response): Promise<{ bytes: Uint8Array; lead: number }> {
  const chunks: Uint8Array[] = [];
  let first: number | undefined;
  if (response.body !== null) {
    for await (const chunk of response.body) {
      first ??= performance.now();
      chunks.push(chunk);
    }
  }
  return { bytes: Buffer.concat(chunks), lead: first === undefined ? 0 : performance.now() - first };
}

/** A handler that never settles is a fault, and not the end of the check. */
function withTimeout<T>(work: Promise<T> | T): Promise<T> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`no answer within ${PATIENCE / 1000} s`)), PATIENCE).unref();
  });
  return Promise.race([work, late]);
}

function echoOf(body: Uint8Array): Observed['echo'] {
  try {
    const echo = JSON.parse(Buffer.from(body).toString());
    return { ...echo, body: Buffer.from(echo.body, 'base64') };
  } catch {
    return undefined;
  }
}
