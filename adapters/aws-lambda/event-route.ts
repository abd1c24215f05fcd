// Events that are not HTTP: to a function, or as a POST to a path of the application; whole, or record by record.

import { addDeployerKeys, type Settings } from '../../core/environ.ts';
import { describe, report } from '../../core/errors.ts';
import { Exchange } from '../../core/exchange.ts';
import { flush, log } from '../../core/log.ts';
import type { GatewayResponse } from '../../core/response.ts';
import { textFromBytes } from '../../core/strings.ts';
import type { Application, ErrorStream } from '../../core/types.ts';
import { asciiTarget, decodePath, splitPrefix, splitTarget } from '../../core/url.ts';
import { attachBody } from './event/body.ts';
import { addBody, begin } from './event/environ.ts';
import { describeEvent } from './event/errors.ts';
import { SYNC_LIMIT_BYTES } from './event/limits.ts';
import { singleValues } from './event/result-headers.ts';
import { Invocation } from './invocation.ts';
import { collect, wholeOf } from './response.ts';

/** Handles an event, or a record of one; what it returns is the result. The whole event comes last. */
// biome-ignore lint/suspicious/noExplicitAny: every service has its own event.
export type EventHandler = (event: any, context: any, whole: any) => unknown;

/** Where events go: see the option `events` of `toLambda`. */
export type EventTarget = EventHandler | string | { record: EventHandler | string };

/** The result that reports records of a batch, for event source mappings with `ReportBatchItemFailures`. */
export interface BatchResult {
  /** The records that failed, by their id: AWS sends these again. */
  batchItemFailures: { itemIdentifier: string }[];
}

/** The option `events`, made ready. */
export interface EventRoute {
  /** The path that takes events, as the segments of its `PATH_INFO` in lower case; null for a function. */
  readonly segments: string[] | null;
  handle(app: Application, event: unknown, context: unknown): Promise<unknown>;
}

interface Parts {
  [member: string]: unknown;
}

/**
 * @param target the option
 * @param settings those of every adapter
 * @throws {TypeError} for a value that is not a target
 */
export function eventRoute(target: EventTarget, settings: Settings): EventRoute {
  const byRecord = typeof target === 'object' && target !== null;
  const one: unknown = byRecord ? target.record : target;
  if (typeof one !== 'function' && typeof one !== 'string') {
    throw new TypeError(
      `The option "events" is ${describe(target)}; expected a function (event, context), a path such as "/events", or ` +
        '{ record } with either.',
    );
  }
  const segments = typeof one === 'string' ? eventSegments(one, settings.basePath) : null;
  const call = (app: Application, part: unknown, context: unknown, whole: unknown): unknown =>
    typeof one === 'string'
      ? post(app, settings, one, part, context, whole)
      : (one as EventHandler)(part, context, whole);
  return {
    segments,
    async handle(app, event, context) {
      const records = byRecord ? recordsOf(event) : null;
      if (records === null) return (await call(app, event, context, event)) ?? null;
      return eachRecord(records, settings.errors(), (record) => call(app, record, context, event));
    },
  };
}

/**
 * @returns the segments that no request of a client may begin with
 * @throws {TypeError} for a path that is every path
 */
function eventSegments(path: string, basePath: string): string[] {
  const whole = path.startsWith('/') ? decodePath(splitTarget(asciiTarget(path), 'POST').path) : '';
  const segments = pathSegments(splitPrefix(whole, basePath).pathInfo);
  if (segments.length > 0) return segments;
  throw new TypeError(
    `The path of the option "events" is ${JSON.stringify(path)}; expected a path of its own such as "/events", as no ` +
      'client reaches what is below it.',
  );
}

/** The segments of a path as lenient routers compare them: in lower case, and without empty segments and dots. */
export function pathSegments(pathInfo: string): string[] {
  const segments: string[] = [];
  for (const segment of pathInfo.toLowerCase().split(/[/\\]/)) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments;
}

function recordsOf(event: unknown): Parts[] | null {
  const records = (event as Parts | null | undefined)?.Records;
  return Array.isArray(records) && records.length > 0 ? records : null;
}

/**
 * Hands out the records of a batch one after the other, in their order, and reports those that failed. In a batch of a
 * stream (Kinesis, DynamoDB) the first failure ends the batch: Lambda goes on from there. In a batch of a FIFO queue too,
 * and the messages after it are reported with it. Where nothing can be reported the first failure is that of the
 * invocation. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
async function eachRecord(
  records: Parts[],
  errors: ErrorStream,
  handle: (record: Parts) => unknown,
): Promise<BatchResult | null> {
  const failures: string[] = [];
  const [first] = records as [Parts];
  const ids = records.map(identifierOf);
  const reports = !ids.includes(undefined);
  const ordered = first?.kinesis != null || first?.dynamodb != null;
  const fifo = String(first?.eventSourceARN).endsWith('.fifo');
  for (const [index, record] of records.entries()) {
    try {
      await handle(record);
    } catch (error) {
      if (!reports) throw error;
      log(errors, `The record ${ids[index]} of the event failed: ${report(error)}`);
      failures.push(ids[index] as string);
      if (fifo) failures.push(...(ids.slice(index + 1) as string[]));
      if (fifo || ordered) break;
    }
  }
  await flush(errors);
  return reports ? { batchItemFailures: failures.map((itemIdentifier) => ({ itemIdentifier })) } : null;
}

/** By what the sources with partial batch responses know a record: SQS, Kinesis, DynamoDB streams. */
function identifierOf(record: Parts | null | undefined): string | undefined {
  const kinesis = record?.kinesis as Parts | undefined;
  const dynamodb = record?.dynamodb as Parts | undefined;
  const id =
    record?.eventSource === 'aws:sqs' ? record.messageId : (kinesis?.sequenceNumber ?? dynamodb?.SequenceNumber);
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** Gives the application an event, or a record of one, as a request of its own. */
async function post(
  app: Application,
  settings: Settings,
  path: string,
  part: unknown,
  context: unknown,
  whole: unknown,
): Promise<unknown> {
  const errors = settings.errors();
  const invocation = new Invocation(errors, whole, context);
  const sent = splitTarget(asciiTarget(path), 'POST');
  const line = { method: 'POST', scriptName: '', pathInfo: decodePath(sent.path), path: sent.path, query: sent.query };
  const environ = begin(line, settings, invocation);
  Object.assign(environ, {
    HTTPS: 'on',
    HTTP_HOST: 'localhost',
    REMOTE_ADDR: '127.0.0.1',
    CONTENT_TYPE: 'application/json',
  });
  // The limit is for what clients send.
  addBody(environ, JSON.stringify(part ?? null), false, { ...settings, maxBodyBytes: Number.POSITIVE_INFINITY });
  if (part !== whole) environ['aws.record'] = part;
  addDeployerKeys(environ, settings.deployerKeys);
  const exchange = invocation.begin(new Exchange(environ, { onError: settings.onError }));
  try {
    const response = await exchange.run(app);
    const body = Array.isArray(response.body) ? wholeOf(response.body) : await collect(response.body, SYNC_LIMIT_BYTES);
    if (body === null) throw new Error(`The application answered ${path} with more bytes than a result may have.`);
    return resultOf(response, body, part, path);
  } finally {
    await invocation.end();
  }
}

/** What the answer to the POST means to the service that sent the event. */
function resultOf(response: GatewayResponse, body: Uint8Array, event: unknown, path: string): unknown {
  const { statusCode, headers } = response;
  const context = (event as Parts | null)?.requestContext as Parts | null | undefined;
  // API Gateway reads a response of it: a status of 400 and more refuses the connection.
  if (context?.connectionId) return attachBody({ statusCode, headers: singleValues(headers, []) }, response, body);
  const text = textFromBytes(body);
  if (statusCode >= 400) {
    const said = (text ?? '').slice(0, 200).trim();
    throw new Error(
      `The application answered the POST of ${describeEvent(event)} to ${path} with ${statusCode}: ${said}`,
    );
  }
  if (body.byteLength === 0) return null;
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  if (/^application\/(?:[^;\s]+\+)?json\b/i.test(type) && text !== null) return JSON.parse(text);
  return text ?? attachBody({}, response, body).body;
}
