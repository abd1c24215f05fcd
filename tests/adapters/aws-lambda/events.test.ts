// Every event of tests/cases: the environ that it means, or its refusal.

import { describe, expect, it } from 'vitest';
import type { Environ } from 'waygate';
import { encodedPathInfo } from 'waygate/adapter';
import { toLambda, UnsupportedEventError } from 'waygate/aws-lambda';
import { type EventCase, type ExpectedRequest, eventCases, readEvent } from './cases.ts';

/** The environ that an application gets for an event, and the bytes of its body. */
async function environOf(event: unknown): Promise<{ environ: Environ; body: Uint8Array }> {
  let seen: Environ | undefined;
  let body: Uint8Array | undefined;
  const handler = toLambda(async (environ, startResponse) => {
    seen = environ;
    body = await environ['wsgi.input'].bytes();
    startResponse('200 OK', []);
    return [];
  });
  await handler(event, { awsRequestId: 'r' });
  if (seen === undefined || body === undefined) throw new Error('the application was not called');
  return { environ: seen, body };
}

/** The headers as environ keys, by the rules of core: what is dropped, what has a key of its own. */
function headerKeys(expected: ExpectedRequest): Record<string, string> {
  const keys: Record<string, string> = {};
  for (const [name, value] of expected.headers) {
    if (name.includes('_') || name === 'proxy' || name === 'content-length' || name === 'content-type') continue;
    keys[`HTTP_${name.toUpperCase().replaceAll('-', '_')}`] = normal(value);
  }
  return keys;
}

function normal(value: string): string {
  return value.replace(/,\s*/g, ',');
}

function summary(environ: Environ, body: Uint8Array): Record<string, unknown> {
  return {
    method: environ.REQUEST_METHOD,
    scriptName: environ.SCRIPT_NAME,
    pathInfo: environ.PATH_INFO,
    queryString: environ.QUERY_STRING,
    serverName: environ.SERVER_NAME,
    serverPort: environ.SERVER_PORT,
    scheme: environ['wsgi.url_scheme'],
    protocol: environ.SERVER_PROTOCOL,
    remoteAddr: environ.REMOTE_ADDR ?? null,
    contentType: environ.CONTENT_TYPE ?? null,
    contentLength: environ.CONTENT_LENGTH ?? null,
    bodyBase64: Buffer.from(body).toString('base64'),
    remoteUser: environ.REMOTE_USER ?? null,
    authType: environ.AUTH_TYPE ?? null,
  };
}

const accepted = eventCases.filter((each) => each.expect !== null);
const refused = eventCases.filter((each) => each.expect === null);

describe('events that are requests', () => {
  it.each(accepted.map((each): [string, EventCase] => [each.file, each]))('%s', async (file, each) => {
    const event = readEvent(file);
    const { environ, body } = await environOf(event);
    const { headers: _headers, rawPath, ...expected } = each.expect as ExpectedRequest;
    expect(summary(environ, body)).toEqual(expected);
    const headers = Object.entries(environ).filter(([key]) => key.startsWith('HTTP_'));
    expect(Object.fromEntries(headers.map(([key, value]) => [key, normal(value as string)]))).toEqual(
      headerKeys(each.expect as ExpectedRequest),
    );
    const path = each.rawPathReencoded ?? rawPath;
    expect(environ.REQUEST_URI).toBe(expected.queryString === '' ? path : `${path}?${expected.queryString}`);
    expect(encodedPathInfo(environ)).toBe(path.slice(path.length - encodedPathInfo(environ).length));
    expect(environ['aws.event']).toBe(event);
    expect(environ['aws.context']).toEqual({ awsRequestId: 'r' });
    expect(environ['waygate.gateway']).toBe('aws-lambda');
    expect(environ['wsgi.multiprocess']).toBe(true);
  });
});

describe('events that are not requests', () => {
  it.each(refused.map((each): [string, EventCase] => [each.file, each]))('%s', async (file) => {
    let called = false;
    const handler = toLambda(() => {
      called = true;
      return [];
    });
    const failure = await handler(readEvent(file)).then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(UnsupportedEventError);
    expect((failure as Error).message).toMatch(/^The function was invoked with .+; served are .*HTTP API.*Lambda@Edge/);
    expect(called).toBe(false);
  });

  it.each([
    [null, 'invoked with null'],
    [undefined, 'invoked with undefined'],
    ['warm', 'invoked with the string "warm"'],
    [7, 'invoked with the number 7'],
    [[], 'invoked with an Array'],
    [{}, 'invoked with an empty object'],
    [{ action: 'go', id: 1 }, 'with an object with the keys action, id'],
    [{ source: 'serverless-plugin-warmup' }, 'with an event from "serverless-plugin-warmup"'],
    [{ 'detail-type': 'Scheduled Event', source: 'aws.events' }, 'an EventBridge event (aws.events, Scheduled Event)'],
    [{ Records: [{ eventSource: 'aws:sqs' }] }, 'an event of aws:sqs'],
    [{ Records: [{ EventSource: 'aws:sns' }] }, 'an event of aws:sns'],
    [{ Records: [] }, 'an object with the keys Records'],
    [{ Records: [null] }, 'an object with the keys Records'],
    [{ Records: [{ cf: null }] }, 'an object with the keys Records'],
    [{ Records: [{ cf: { request: {} } }] }, 'a Lambda@Edge event without an eventType'],
    [{ Records: [{ cf: { config: { eventType: 'origin-request' } } }] }, 'origin-request event without a request'],
    [{ requestContext: { connectionId: 'x', eventType: 'MESSAGE' } }, 'an API Gateway WebSocket event (MESSAGE)'],
    [{ type: 'TOKEN', methodArn: 'arn' }, 'an API Gateway authorizer\'s question (type "TOKEN")'],
    [
      { Records: [{ cf: { config: { eventType: 'origin-response' }, request: {} } }] },
      'Lambda@Edge origin-response event',
    ],
    [{ version: '2.0', requestContext: { http: null } }, 'an object with the keys version, requestContext'],
  ])('%j', async (event, message) => {
    await expect(toLambda(() => [])(event)).rejects.toThrow(message);
  });
});
