// `waygate check --fidelity`: a faithful handler has no fault, and each kind of fault of another is found where it is.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { awslambda, toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { fromFetch } from 'waygate/fetch';
import { fromNode } from 'waygate/node';
import { probeFetch, probeListener } from 'waygate/testing';
import { columnsOf } from '../../cli/src/fidelity/command.ts';
import { type Judgement, judge } from '../../cli/src/fidelity/judge.ts';
import { folderOf, run } from './harness.ts';

type Result = { body?: string; isBase64Encoded?: boolean; headers?: Record<string, unknown>; cookies?: string[] };
type Event = { rawPath: string; rawQueryString: string; headers: Record<string, string>; body?: string };

const faithful = toLambda(fromFetch(probeFetch)) as unknown as (event: unknown, context: unknown) => Promise<Result>;

/** The checks that fail, of one event source. */
async function faults(
  change: { event?: (event: Event) => void; result?: (result: Result) => unknown },
  source = 'lambda:http-api',
): Promise<string[]> {
  const handler = async (event: Event, context: unknown): Promise<unknown> => {
    change.event?.(event);
    const result = await faithful(event, context);
    return change.result === undefined ? result : change.result(result);
  };
  return failed(await judge({ handler: handler as never }, columnsOf(source).slice(0, 1)));
}

function failed({ verdicts }: Judgement): string[] {
  return verdicts.filter(({ outcome }) => outcome === 'failed').map(({ check }) => check);
}

describe('judge', () => {
  it.each([
    ['a Fetch app', toLambda(fromFetch(probeFetch))],
    ['a Node listener', toLambda(fromNode(probeListener))],
  ])('finds no fault of toLambda with %s', async (_what, handler) => {
    const judgement = await judge({ handler: handler as never }, columnsOf('all'));
    expect(judgement.isProbe).toBe(true);
    expect(judgement.verdicts.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    expect(judgement.verdicts.length).toBe(judgement.columns.length * judgement.checks.length);
  });

  it.each<[what: string, change: Parameters<typeof faults>[0], found: string[]]>([
    [
      'bytes as text',
      { result: (result) => asText(result) },
      ['response, bytes', 'response, image', 'response, unlisted', 'response, Latin-1', 'response, gzip'],
    ],
    ['one cookie of two', { result: (result) => ({ ...result, cookies: result.cookies?.slice(0, 1) }) }, ['cookies']],
    [
      'a query without empty values',
      { event: (event) => void Object.assign(event, { rawQueryString: event.rawQueryString.replace('a=&', '') }) },
      ['query, empty'],
    ],
    [
      'a header that is lost',
      { event: (event) => void Reflect.deleteProperty(event.headers, 'x-a') },
      ['headers, repeats'],
    ],
    [
      'a form as JSON',
      { event: (event) => void Object.assign(event, { body: event.body && btoa('{}') }) },
      ['method', 'body, text', 'body, binary', 'body, form'],
    ],
  ])('finds %s', async (_what, change, found) => {
    expect(await faults(change)).toEqual(found);
  });

  it('holds a streaming handler to stream, where its event source does', async () => {
    const whole = toLambda(fromFetch(probeFetch)) as unknown as (event: unknown, context: unknown) => Promise<Result>;
    const handlers = {
      streamed: toLambdaStream(fromFetch(probeFetch)),
      held: awslambda.streamifyResponse(async (event, stream, context) => {
        const { body = '', isBase64Encoded, ...head } = await whole(event, context);
        const out = awslambda.HttpResponseStream.from(stream, head as never);
        out.write(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'));
        out.end();
      }),
    };
    const columns = columnsOf('lambda:function-url,lambda:alb');
    expect(failed(await judge({ handler: handlers.streamed as never }, columns))).toEqual([]);
    const { verdicts } = await judge({ handler: handlers.held as never }, columns);
    const faults = verdicts.filter(({ outcome }) => outcome === 'failed');
    expect(faults.map(({ check, column }) => [check, column])).toEqual([['response, parts', 'lambda:function-url']]);
    expect(verdicts.filter(({ column }) => column === 'lambda:alb').map(({ outcome }) => outcome)).not.toContain(
      'passed',
    );
  });

  it('prints an event that shows the fault again', async () => {
    const handler = async (): Promise<unknown> => ({ statusCode: '200', body: 1 });
    const { isProbe, verdicts } = await judge({ handler: handler as never }, columnsOf('lambda:alb'));
    expect(isProbe).toBe(false);
    const fault = verdicts.find(({ outcome }) => outcome === 'failed');
    expect(fault).toMatchObject({
      check: 'GET',
      result: { statusCode: '200', body: 1 },
      page: expect.stringMatching(/^https:/),
    });
    expect(fault?.event).toMatchObject({ httpMethod: 'GET', path: '/', requestContext: { elb: {} } });
  });

  it('of a handler that never answers says so', async () => {
    const handler = (): Promise<never> => Promise.reject(new Error('planted'));
    const { verdicts } = await judge({ handler: handler as never }, columnsOf('lambda:lattice'));
    expect(verdicts.map(({ outcome }) => outcome)).not.toContain('passed');
    expect(verdicts[0]?.detail).toMatch(/the client gets 500; .*planted/);
  });
});

function asText(result: Result): Result {
  if (!result.isBase64Encoded) return result;
  return { ...result, isBase64Encoded: false, body: Buffer.from(result.body ?? '', 'base64').toString() };
}

describe('waygate check --fidelity', () => {
  const files = {
    'handler.mjs': `export const handler = async ({ headers, multiValueHeaders }) => ({
      statusCode: 200, [headers ? 'headers' : 'multiValueHeaders']: {}, body: 'hello' });`,
    'worker.mjs': `export default { fetch: () => new Response('hello') };`,
  };

  it('judges a handler, as a table, as JSON and for JUnit', async () => {
    const cwd = folderOf(files);
    const args = ['check', 'handler.mjs', '--fidelity', '--source', 'lambda:alb,lambda:edge'];
    const table = await run(cwd, [...args, '--junit', 'report.xml']);
    expect(table.code).toBe(1);
    expect(table.stdout).toMatch(/^ 1 {2}lambda:alb\n 2 {2}lambda:alb, multi-value headers\n 3 {2}lambda:edge\n/);
    expect(table.stdout).toMatch(/^GET +ok +ok +FAIL$/m);
    expect(table.stdout).toMatch(
      /^FAIL GET, lambda:edge: .*\n.*expected .*\n {5}https:\/\/docs\.aws\.amazon\.com\/.*\n {5}event: {2}\{"Records"/m,
    );
    expect(table.stderr).toMatch(
      /^handler\.mjs does not answer with the probe .*\nwaygate: 5 faults in 15 checks\.\n$/,
    );
    const xml = readFileSync(join(cwd, 'report.xml'), 'utf8');
    expect(xml).toContain('<testsuite name="lambda:edge" tests="5" failures="5" skipped="0">');
    const { stdout } = await run(cwd, [...args, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      isProbe: false,
      columns: ['lambda:alb', 'lambda:alb, multi-value headers', 'lambda:edge'],
    });
  });

  it('judges a Worker', async () => {
    const { code, stdout } = await run(folderOf(files), ['check', 'worker.mjs', '--source', 'all']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ 1 {2}workers\n/);
  });

  it.each([
    [
      'a source that is none',
      ['handler.mjs', '--fidelity', '--source', 'lambda:sqs'],
      2,
      /^waygate: There is no event source "lambda:sqs"/,
    ],
    [
      'a kind that has no handler',
      ['handler.mjs', '--fidelity', '--kind', 'app'],
      2,
      /^waygate: --fidelity judges a Lambda handler or a Worker, not --kind app; /,
    ],
    ['--json alone', ['handler.mjs', '--json'], 2, /^waygate: --json and --junit are for --fidelity; /],
  ])('refuses %s', async (_what, args, code, message) => {
    const ended = await run(folderOf(files), ['check', ...args]);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toMatch(message);
  });
});
