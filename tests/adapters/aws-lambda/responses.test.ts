// Every response of tests/cases: the result that its event source needs.

import { describe, expect, it } from 'vitest';
import type { Application } from 'waygate';
import { toLambda } from 'waygate/aws-lambda';
import { eventWith, type ResponseCase, responseCases } from './cases.ts';

/** Two results are the same if the client cannot tell them apart: see tests/cases/README.md. */
function comparable(result: Record<string, unknown>, each: ResponseCase): Record<string, unknown> {
  const keepCase = each.name === 'alb-set-cookie-three';
  const { headers, multiValueHeaders, body = '', isBase64Encoded, bodyEncoding, ...rest } = result;
  const encoded = isBase64Encoded === true || bodyEncoding === 'base64';
  return {
    ...rest,
    headers: headersOf({ ...(headers ?? {}), ...(multiValueHeaders ?? {}) }, keepCase),
    isMultiValue: Object.values(headersOf({ ...(multiValueHeaders ?? {}) }, true)).length > 0,
    body: Buffer.from(body as string, encoded ? 'base64' : 'utf8').toString('base64'),
  };
}

function headersOf(headers: Record<string, unknown>, keepCase: boolean): Record<string, unknown> {
  const map: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(headers)) {
    const key = keepCase ? name : name.toLowerCase();
    if (name.toLowerCase() === 'content-length') continue;
    map[key] = normal(value);
  }
  return map;
}

function normal(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/,\s*/g, ',');
  if (!Array.isArray(value)) return value;
  return value.map((each) => (typeof each === 'object' ? { ...each, key: each.key.toLowerCase() } : normal(each)));
}

function appOf(each: ResponseCase): Application {
  return (_environ, startResponse) => {
    startResponse(each.app.status, each.app.headers);
    return each.app.chunksBase64.map((chunk) => Buffer.from(chunk, 'base64'));
  };
}

describe('responses', () => {
  it.each(responseCases.map((each): [string, ResponseCase] => [each.name, each]))('%s', async (_name, each) => {
    const result = await toLambda(appOf(each))(eventWith(each.kind, each.requestMethod));
    // What an event source gets is JSON: nothing else may be in a result.
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    expect(comparable(result, each)).toEqual(comparable(each.expect, each));
    if (each.kind.startsWith('edge')) expect(Object.keys(result.headers)).not.toContain('content-length');
    if (each.kind === 'apigw-v1') expect(result.body === '' || result.isBase64Encoded === isNoText(each)).toBe(true);
  });
});

/** A REST API shows base64 to the client as it is, unless its binaryMediaTypes cover the type: text must stay text. */
function isNoText(each: ResponseCase): boolean {
  const bytes = Buffer.concat(each.app.chunksBase64.map((chunk) => Buffer.from(chunk, 'base64')));
  const coding = each.app.headers.find(([name]) => name.toLowerCase() === 'content-encoding')?.[1] ?? 'identity';
  return coding !== 'identity' || !Buffer.from(bytes.toString('utf8')).equals(bytes);
}
