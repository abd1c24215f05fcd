// What the inspector keeps, what it masks, and what it marks.

import { describe, expect, it } from 'vitest';
import { Docs } from '../../cli/src/inspect/docs.ts';
import { marksOf } from '../../cli/src/inspect/marks.ts';
import { maskEnviron, maskHead, maskHeader, maskJson, maskTarget, unmaskHeaders } from '../../cli/src/inspect/mask.ts';
import type { HeaderLines, Report, Step } from '../../cli/src/inspect/messages.ts';
import { fromJson } from '../../cli/src/inspect/record-worker.ts';
import { BODY_LIMIT, keptJson, Recording } from '../../cli/src/inspect/recording.ts';
import { type Change, type Exchange, KEPT_REQUESTS, KEPT_SIZE, Store } from '../../cli/src/inspect/store.ts';

function begin(store: Store, id: string, more: Partial<Extract<Step, { type: 'request' }>> = {}): void {
  const request = { type: 'request' as const, method: 'GET', target: '/', version: '1.1', headers: [], ...more };
  store.report({ id, at: 1, ...request });
}

describe('the store', () => {
  it('has the last 200 requests', () => {
    const store = new Store();
    const changes: Change[] = [];
    store.listen((change) => void (change.type === 'removed' && changes.push(change)));
    for (let n = 0; n < KEPT_REQUESTS + 3; n++) begin(store, `r${n}`);
    expect(store.all).toHaveLength(KEPT_REQUESTS);
    expect(store.all[0]?.id).toBe('r3');
    expect(changes).toEqual(['r0', 'r1', 'r2'].map((id) => ({ type: 'removed', id })));
    // What comes of a request that is gone brings it back no more.
    store.report({ id: 'r0', at: 2, type: 'closed' });
    expect(store.get('r0')).toBeUndefined();
  });

  it('keeps no more than its limit in all, and counts what it keeps', () => {
    const store = new Store();
    const data = new Uint8Array(1024 ** 2);
    for (let n = 0; n < 100; n++) {
      begin(store, `r${n}`);
      store.report({ id: `r${n}`, at: 2, type: 'sent', data, size: data.byteLength });
    }
    expect(store.size).toBeLessThanOrEqual(KEPT_SIZE);
    expect(store.all.length).toBeGreaterThan(50);
    expect(store.all.length).toBeLessThan(65);
    store.clear();
    expect([store.size, store.all.length]).toEqual([0, 0]);
  });

  it('knows a replay by its connection, once', () => {
    const store = new Store();
    const seen: string[] = [];
    store.expectReplay(4711, 'first', (id) => void seen.push(id));
    begin(store, 'other', { remotePort: 1 });
    begin(store, 'again', { remotePort: 4711 });
    begin(store, 'later', { remotePort: 4711 });
    expect(seen).toEqual(['again']);
    expect(store.all.map((each) => each.replayOf)).toEqual([undefined, 'first', undefined]);
  });
});

describe('a recording', () => {
  function recording(): { reports: Report[]; made: Recording } {
    const reports: Report[] = [];
    return { reports, made: new Recording('r', (report) => void reports.push(report)) };
  }

  it('keeps the beginning of a body and counts the rest, in few reports', () => {
    const { reports, made } = recording();
    const chunk = new Uint8Array(1000).fill(7);
    for (let n = 0; n < 5000; n++) made.bytes('sent', chunk);
    made.flush();
    const sent = reports.filter((each) => each.type === 'sent');
    const sum = (sizes: number[]): number => sizes.reduce((one, other) => one + other, 0);
    expect(sum(sent.map((each) => each.size))).toBe(5_000_000);
    expect(sum(sent.map((each) => each.data.byteLength))).toBe(BODY_LIMIT);
    expect(sent.length).toBeLessThan(600);
  });

  it('copies bytes: an app may use their memory again', () => {
    const { reports, made } = recording();
    const chunk = new Uint8Array([1]);
    made.bytes('chunk', chunk);
    chunk[0] = 2;
    expect(reports[0]).toMatchObject({ data: new Uint8Array([1]), by: 'body' });
  });

  it('limits texts, and says a finding once', () => {
    const { reports, made } = recording();
    made.errors('x'.repeat(100_000));
    expect((reports[0] as { text: string }).text.length).toBeLessThan(17_000);
    made.errors('validator: warning: Seen. The rule. [L-35]');
    made.failed(new TypeError('no finding'));
    const found = Object.assign(new Error('Seen. The rule. [SR-02]'), { name: 'ContractError' });
    made.failed(found);
    made.errors(`ContractError: ${found.message}\n  at app.ts`);
    expect(reports.filter((each) => each.type === 'finding')).toMatchObject([
      { rule: 'L-35', text: 'Seen. The rule.' },
      { rule: 'SR-02', text: 'Seen. The rule.' },
    ]);
  });

  it('cuts what is long out of JSON, and takes whatever it is given', () => {
    const { value, truncated } = keptJson({ body: 'x'.repeat(3 * BODY_LIMIT), n: 1n, none: undefined });
    expect(truncated).toBe(true);
    expect(JSON.stringify(value).length).toBeLessThan(3 * BODY_LIMIT);
    expect(value).toMatchObject({ n: '1' });
    const circle: Record<string, unknown> = {};
    circle.circle = circle;
    expect(keptJson(circle).value).toMatch(/^not JSON: TypeError/);
    expect(keptJson(undefined)).toEqual({ value: null, truncated: false });
  });

  it('comes from a Worker as JSON', () => {
    const report = { id: 'r', at: 1, type: 'sent', data: btoa('\xff\0a'), size: 3 };
    expect(fromJson([report, { id: 'r', at: 2, type: 'closed' }])).toEqual([
      { ...report, data: new Uint8Array([255, 0, 97]) },
      { id: 'r', at: 2, type: 'closed' },
    ]);
    expect(fromJson({})).toEqual([]);
  });
});

describe('a mask', () => {
  it.each([
    ['Authorization', 'Bearer abc', 'Bearer ***'],
    ['authorization', 'abc', '***'],
    ['Cookie', 'a=1; b=2=3', 'a=***; b=***'],
    ['Set-Cookie', 'a=1; Path=/; HttpOnly', 'a=***; Path=/; HttpOnly'],
    ['X-Api-Key', 'abc', '***'],
    ['X-Amz-Security-Token', 'abc', '***'],
    ['X-Amzn-Oidc-Data', 'abc', '***'],
    ['Accept', 'text/html', 'text/html'],
    ['WWW-Authenticate', 'Basic', 'Basic'],
    ['Access-Control-Allow-Headers', 'authorization', 'authorization'],
  ])('leaves of the header %s: %s no secret', (name, value, masked) => {
    expect(maskHeader(name, value)).toBe(masked);
  });

  it('is put over queries, environ, events and heads', () => {
    expect(maskTarget('/a?token=1&b=2&api_key=3#x')).toBe('/a?token=***&b=2&api_key=***#x');
    expect(maskEnviron('HTTP_AUTHORIZATION', 'Basic abc')).toBe('Basic ***');
    expect(maskEnviron('QUERY_STRING', 'access_token=1')).toBe('access_token=***');
    expect(maskEnviron('PATH_INFO', '/token')).toBe('/token');
    expect(maskHead('HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-A: 1\r\n\r\nSet-Cookie: body')).toBe(
      'HTTP/1.1 200 OK\r\nSet-Cookie: a=***\r\nX-A: 1\r\n\r\nSet-Cookie: body',
    );
    const event = {
      rawQueryString: 'token=1',
      cookies: ['a=1', 'b=2; Path=/'],
      headers: { authorization: 'Bearer x', accept: '*/*' },
      multiValueHeaders: { Cookie: ['a=1', 'b=2'] },
      queryStringParameters: { token: '1', n: '2' },
      lines: [['Cookie', 'a=1']],
      Records: [
        {
          cf: {
            request: { headers: { cookie: [{ key: 'Cookie', value: 'a=1' }], host: [{ key: 'Host', value: 'h' }] } },
          },
        },
      ],
      body: 'token=1',
    };
    expect(maskJson(event)).toEqual({
      rawQueryString: 'token=***',
      cookies: ['a=***', 'b=***; Path=/'],
      headers: { authorization: 'Bearer ***', accept: '*/*' },
      multiValueHeaders: { Cookie: ['a=***', 'b=***'] },
      queryStringParameters: { token: '***', n: '2' },
      lines: [['Cookie', 'a=***']],
      Records: [
        {
          cf: {
            request: { headers: { cookie: [{ key: 'Cookie', value: 'a=***' }], host: [{ key: 'Host', value: 'h' }] } },
          },
        },
      ],
      body: 'token=1',
    });
  });

  it('is taken away again where it was left as it is', () => {
    const original: HeaderLines = [
      ['Authorization', 'Bearer abc'],
      ['Cookie', 'a=1'],
      ['Cookie', 'a=2'],
    ];
    const edited: HeaderLines = [
      ['Cookie', 'a=***'],
      ['authorization', 'Bearer ***'],
      ['Cookie', 'a=***'],
      ['X-New', '***'],
    ];
    expect(unmaskHeaders(edited, original)).toEqual([
      ['Cookie', 'a=1'],
      ['authorization', 'Bearer abc'],
      ['Cookie', 'a=2'],
      ['X-New', '***'],
    ]);
  });
});

describe('a mark', () => {
  const docs = new Docs();

  function exchange(headers: HeaderLines, environ: [string, string][], target = '/a?b'): Exchange {
    const store = new Store();
    begin(store, 'r', { headers, target });
    store.report({ id: 'r', at: 2, type: 'environ', entries: environ });
    return store.all[0] as Exchange;
  }

  it('is not on what arrived as it was sent', () => {
    const environ: [string, string][] = [
      ['SCRIPT_NAME', '/a'],
      ['PATH_INFO', ''],
      ['QUERY_STRING', 'b'],
      ['CONTENT_TYPE', 'text/plain'],
      ['HTTP_X_A', '1, 2'],
      ['HTTP_COOKIE', 'a=1; b=2'],
    ];
    const headers: HeaderLines = [
      ['Host', 'h'],
      ['Connection', 'close'],
      ['Content-Type', 'text/plain'],
      ['X-A', '1'],
      ['x-a', '2'],
      ['Cookie', 'a=1'],
      ['Cookie', 'b=2'],
    ];
    expect(marksOf(exchange(headers, environ), 'node', docs)).toEqual([]);
  });

  it('names what the contract drops, with the rule', () => {
    const headers: HeaderLines = [
      ['X_Under', '1'],
      ['Proxy', 'http://evil.test'],
    ];
    const environ: [string, string][] = [
      ['PATH_INFO', '/a'],
      ['QUERY_STRING', 'b'],
    ];
    const marks = marksOf(exchange(headers, environ), 'node', docs);
    expect(marks.map(({ part, why }) => [part, why])).toEqual([
      ['header x_under', 'A name with an underscore is dropped: it could pose as another header.'],
      ['HTTP_PROXY', 'A Proxy header is dropped: programs take that name for a setting.'],
    ]);
    for (const { link } of marks) expect(link).toMatch(/^\/__waygate\/docs\/(?:errors|contract)\.md#L\d+$/);
  });
});
