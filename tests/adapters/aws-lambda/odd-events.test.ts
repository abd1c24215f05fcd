// Events at the borders of what AWS documents: members that are null or missing, two maps that disagree, users.

import { describe, expect, it } from 'vitest';
import type { Environ } from 'waygate';
import { toLambda, UnsupportedEventError } from 'waygate/aws-lambda';

async function environOf(event: unknown): Promise<Environ> {
  let seen: Environ | undefined;
  await toLambda((environ, startResponse) => {
    seen = environ;
    startResponse('200 OK', []);
    return [];
  })(event);
  if (seen === undefined) throw new Error('the application was not called');
  return seen;
}

/** A REST API's event with as little as can be. */
const rest = (members: object = {}, context: object = {}) => ({
  resource: '/{proxy+}',
  path: '/x',
  httpMethod: 'GET',
  headers: { Host: 'a1.execute-api.eu-west-1.amazonaws.com' },
  requestContext: { stage: 'prod', path: '/prod/x', identity: { sourceIp: '192.0.2.1' }, ...context },
  ...members,
});

/** Payload 2.0 with as little as can be. */
const payload2 = (members: object = {}, context: object = {}) => ({
  version: '2.0',
  rawPath: '/x',
  rawQueryString: '',
  headers: { host: 'a1.execute-api.eu-west-1.amazonaws.com' },
  requestContext: {
    domainName: 'a1.execute-api.eu-west-1.amazonaws.com',
    stage: '$default',
    http: { method: 'GET', path: '/x', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1' },
    ...context,
  },
  ...members,
});

describe('members that are null', () => {
  it('are missing, also where they would tell a request from what looks like one', async () => {
    const nulls = { type: null, methodArn: null, authorizationToken: null };
    expect((await environOf(rest(nulls, { connectionId: null, elb: null }))).PATH_INFO).toBe('/x');
    expect((await environOf(payload2({ ...nulls, type: 'x' }, { connectionId: null }))).PATH_INFO).toBe('/x');
    const noLattice = { version: '2.0', method: 'GET', path: '/', requestContext: { serviceArn: null } };
    await expect(toLambda(() => [])(noLattice)).rejects.toThrow(UnsupportedEventError);
  });

  it('of headers do not count as headers', async () => {
    const environ = await environOf(rest({ headers: { 'X-A': null, 'X-B': 7, 'X-C': true, 'X-D': [] } }));
    expect([environ.HTTP_X_A, environ.HTTP_X_B, environ.HTTP_X_C, environ.HTTP_X_D]).toEqual([
      undefined,
      '7',
      'true',
      undefined,
    ]);
  });
});

describe('members that are empty, as typed languages pass on what is missing', () => {
  it('are missing, also where they would tell a request from what looks like one', async () => {
    const empty = { type: '', methodArn: '', routeArn: '', authorizationToken: '' };
    expect((await environOf(rest(empty, { connectionId: '' }))).PATH_INFO).toBe('/x');
    expect((await environOf(payload2({ ...empty, type: 'x' }, { connectionId: '' }))).PATH_INFO).toBe('/x');
  });

  it('leave it to the Host header whether a stage is in the URL', async () => {
    const seen = async (event: object) => {
      const { SCRIPT_NAME, PATH_INFO } = await environOf(event);
      return [SCRIPT_NAME, PATH_INFO];
    };
    expect(await seen(rest({}, { path: '', domainName: '' }))).toEqual(['/prod', '/x']);
    const context = { stage: 'dev', domainName: '' };
    expect(await seen(payload2({ rawPath: '/dev/x' }, context))).toEqual(['/dev', '/x']);
    const headers = { host: 'api.example.com' };
    expect(await seen(payload2({ rawPath: '/dev/x', headers }, context))).toEqual(['', '/x']);
  });
});

describe('which event source an event comes from', () => {
  it('a proxy event that calls itself version 2.0, but has nothing of it, is a REST API’s', async () => {
    const environ = await environOf(rest({ version: '2.0' }));
    expect([environ.SCRIPT_NAME, environ.PATH_INFO, environ.REMOTE_ADDR]).toEqual(['/prod', '/x', '192.0.2.1']);
  });

  it('what names a target group is a load balancer’s, whatever else it has', async () => {
    const event = payload2({ path: '/y', httpMethod: 'PUT' }, { elb: { targetGroupArn: 'arn' } });
    const environ = await environOf(event);
    expect([environ.REQUEST_METHOD, environ.PATH_INFO, environ.SERVER_PORT]).toEqual(['PUT', '/y', '80']);
    const result = await toLambda((_environ, startResponse) => {
      startResponse('200 OK', []);
      return [];
    })(event);
    expect(result.statusDescription).toBe('200 OK');
  });
});

describe('where only one of two members is there', () => {
  it('the path of payload 2.0 is the one in the context, which is decoded at both event sources', async () => {
    const http = { method: 'GET', path: '/a b/%41' };
    const api = await environOf(payload2({ rawPath: undefined }, { http }));
    expect([api.PATH_INFO, api.REQUEST_URI]).toEqual(['/a b/%41', '/a%20b/%2541']);
    const url = await environOf(payload2({ rawPath: null }, { http, domainName: 'a1.lambda-url.eu-west-1.on.aws' }));
    expect([url.PATH_INFO, url.REQUEST_URI]).toEqual(['/a b/%41', '/a%20b/%2541']);
  });

  it('the host that shows a stage may be in either map, under a name in any case', async () => {
    const context = { path: undefined };
    const Host = 'a1.execute-api.eu-west-1.amazonaws.com';
    const seen = async (members: object) => (await environOf(rest(members, context))).SCRIPT_NAME;
    expect(await seen({ headers: { HOST: Host } })).toBe('/prod');
    expect(await seen({ headers: null, multiValueHeaders: { Host: [Host] } })).toBe('/prod');
    expect(await seen({ headers: null, multiValueHeaders: { host: ['api.example.com'] } })).toBe('');
    const key = { path: '/v1/x', pathParameters: { proxy: 'x' } };
    expect(await seen({ ...key, headers: null, multiValueHeaders: { host: ['api.example.com'] } })).toBe('/v1');
    expect(await seen({ ...key, headers: null })).toBe('');
  });
});

describe('texts that are not ASCII', () => {
  it('become bytes once: a domain name, and an address that a header holds', async () => {
    const named = await environOf(payload2({ headers: {} }, { domainName: '\u6771.example' }));
    expect(named.SERVER_NAME).toBe('\xe6\x9d\xb1.example');
    const alb = { requestContext: { elb: {} }, httpMethod: 'GET', path: '/' };
    const behind = await environOf({ ...alb, headers: { 'x-forwarded-for': '192.0.2.1, \xe9' } });
    expect([behind.HTTP_X_FORWARDED_FOR, behind.REMOTE_ADDR]).toEqual(['192.0.2.1, \xc3\xa9', '\xc3\xa9']);
    const none = await environOf({ ...alb, headers: { 'x-forwarded-for': '192.0.2.1,' } });
    expect('REMOTE_ADDR' in none).toBe(false);
  });
});

describe('headers of Lambda@Edge', () => {
  it('made by hand may be one record or a string in place of a list of records', async () => {
    const headers = {
      host: 'www.example.com',
      'x-one': { key: 'X-One', value: '1' },
      'x-two': [{ value: '1' }, null, '2'],
      'x-none': [{ key: 'X-None' }],
      'x-null': null,
    };
    const request = { clientIp: '192.0.2.1', method: 'GET', uri: '/', querystring: '', headers };
    const environ = await environOf({ Records: [{ cf: { config: { eventType: 'viewer-request' }, request } }] });
    const seen = Object.entries(environ).filter(([key]) => key.startsWith('HTTP_'));
    expect(Object.fromEntries(seen)).toEqual({ HTTP_HOST: 'www.example.com', HTTP_X_ONE: '1', HTTP_X_TWO: '1, 2' });
  });
});

describe('two maps', () => {
  it('headers: all values of the first, then the names that only the second has, however often', async () => {
    const environ = await environOf(
      rest({
        multiValueHeaders: { Accept: ['a', 'b'], 'X-None': [] },
        headers: { accept: 'b', 'X-None': 'c', 'X-Two': '1', 'x-two': '2', Cookie: 'a=1', cookie: 'b=2' },
      }),
    );
    expect([environ.HTTP_ACCEPT, environ.HTTP_X_NONE, environ.HTTP_X_TWO, environ.HTTP_COOKIE]).toEqual([
      'a, b',
      'c',
      '1, 2',
      'a=1; b=2',
    ]);
  });

  it('parameters: names that every object has are names like any other', async () => {
    const environ = await environOf(
      rest({ multiValueQueryStringParameters: { a: ['1', '2'] }, queryStringParameters: { a: '2', constructor: 'b' } }),
    );
    expect(environ.QUERY_STRING).toBe('a=1&a=2&constructor=b');
  });
});

describe('the user', () => {
  const headers = { authorization: 'Bearer t' };
  it.each([
    ['principalId', { principalId: 'p', jwt: { claims: { sub: 's' } } }, 'p'],
    ['a number', { principalId: 7 }, '7'],
    ['the subject of a JWT', { principalId: '', jwt: { claims: { sub: 's' } }, iam: { userArn: 'u' } }, 's'],
    ['IAM', { jwt: null, iam: { userArn: 'u' } }, 'u'],
    ['nobody: the context of a Lambda authorizer names no principal', { lambda: { principalId: 'p' } }, undefined],
    ['nobody', {}, undefined],
  ])('of payload 2.0 is %s', async (_name, authorizer, user) => {
    const environ = await environOf(payload2({ headers }, { authorizer }));
    expect([environ.REMOTE_USER, environ.AUTH_TYPE]).toEqual([user, user && 'Bearer']);
  });
});
