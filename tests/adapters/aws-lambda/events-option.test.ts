// The option `events`: what becomes of events that are not HTTP.

import { describe, expect, it, vi } from 'vitest';
import { type Application, encode } from 'waygate';
import { type EventTarget, lambdaEvent, toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { fromFetch } from 'waygate/fetch';
import { readEvent } from './cases.ts';
import { RuntimeStream } from './runtime-stream.ts';

const context = { awsRequestId: 'r' };
const app: Application = (environ, startResponse) => {
  startResponse('200 OK', []);
  return [encode(`${environ.REQUEST_METHOD} ${environ.PATH_INFO}`)];
};
const quiet = { errors: () => {} };

const OTHERS: [string, unknown][] = [
  ['SQS', readEvent('events/not-http-go-sqs.json')],
  ['SNS', { Records: [{ EventSource: 'aws:sns', Sns: { Message: 'm' } }] }],
  ['S3', { Records: [{ eventSource: 'aws:s3', s3: {} }] }],
  ['EventBridge', { 'detail-type': 'Scheduled Event', source: 'aws.events', detail: {} }],
  ['a WebSocket route', { requestContext: { connectionId: 'c', routeKey: '$connect', eventType: 'CONNECT' } }],
  ['an authorizer\u2019s question', { type: 'TOKEN', methodArn: 'arn', authorizationToken: 't' }],
  ['a warm-up ping', { source: 'serverless-plugin-warmup' }],
  ['an empty object', {}],
  ['a text', 'warm'],
  ['null', null],
  ['a list', [1]],
  ['an origin response', { Records: [{ cf: { config: { eventType: 'origin-response' }, request: {} } }] }],
];

describe('a function', () => {
  it.each(OTHERS)('gets %s, with the context, and its result is the result', async (_name, event) => {
    const events = vi.fn(async () => ({ done: true }));
    const handler = toLambda(app, { events });
    expect(await handler(event, context)).toEqual({ done: true });
    expect(events.mock.calls).toEqual([[event, context, event]]);
    expect(await handler(lambdaEvent('http-api', { path: '/x' }), context)).toMatchObject({ body: 'GET /x' });
    expect(events).toHaveBeenCalledTimes(1);
  });

  it('that returns nothing gives null, and one that fails fails the invocation', async () => {
    expect(await toLambda(app, { events: () => undefined })({}, context)).toBeNull();
    const failure = new Error('failed');
    const events = (): never => {
      throw failure;
    };
    await expect(toLambda(app, { events })({}, context)).rejects.toBe(failure);
  });

  it('serves the streaming handler too, whose stream then holds the result as JSON', async () => {
    const stream = new RuntimeStream();
    const handler = toLambdaStream(app, { events: () => ({ batchItemFailures: [] }) });
    await handler(readEvent('events/not-http-go-sqs.json'), stream, context);
    expect(stream.contentType).toBe('application/json');
    expect(JSON.parse(Buffer.concat(stream.sent).toString())).toEqual({ batchItemFailures: [] });
    expect(stream.writableFinished).toBe(true);
    expect(await handler({}, context)).toEqual({ batchItemFailures: [] });
  });
});

describe('a path', () => {
  const seen: unknown[] = [];
  const hosted = fromFetch(async (request) => {
    const body = await request.json();
    seen.push([request.method, new URL(request.url).pathname, request.headers.get('content-type'), body]);
    return Response.json({ took: body?.id ?? null });
  });

  it.each(OTHERS)('gets %s as a POST, whose JSON is the result', async (_name, event) => {
    seen.length = 0;
    const handler = toLambda(hosted, { events: '/events' });
    expect(await handler(event, context)).toEqual(
      (event as { requestContext?: unknown } | null)?.requestContext
        ? expect.objectContaining({ statusCode: 200, body: '{"took":null}' })
        : { took: null },
    );
    expect(seen).toEqual([['POST', '/events', 'application/json', event]]);
  });

  it('has the event and context in environ, the length of its body, and the mount of the application', async () => {
    let environ: Record<string, unknown> = {};
    const watch: Application = (given, startResponse) => {
      environ = { ...given };
      startResponse('200 OK', []);
      return [];
    };
    const event = { id: 'caf\u00e9' };
    const options = { events: '/api/e%20v?from=lambda', basePath: '/api', maxBodyBytes: 3, environ: { 'app.x': 1 } };
    expect(await toLambda(watch, options)(event, context)).toBeNull();
    expect(environ).toMatchObject({
      REQUEST_METHOD: 'POST',
      SCRIPT_NAME: '/api',
      PATH_INFO: '/e v',
      QUERY_STRING: 'from=lambda',
      CONTENT_TYPE: 'application/json',
      CONTENT_LENGTH: '14',
      REMOTE_ADDR: '127.0.0.1',
      'aws.event': event,
      'aws.context': context,
      'app.x': 1,
    });
  });

  it.each([
    ['400 Bad Request', 'no good', /POST of an empty object to \/events with 400: no good/],
    ['500 Internal Server Error', '', /with 500/],
  ])('that answers %s fails the invocation, so that Lambda tries again', async (status, text, message) => {
    const failing: Application = (_environ, startResponse) => {
      startResponse(status, []);
      return [encode(text)];
    };
    await expect(toLambda(failing, { events: '/events' })({}, context)).rejects.toThrow(message);
  });

  it('that throws, or whose body fails, fails the invocation', async () => {
    const throwing: Application = () => {
      throw new Error('planted');
    };
    await expect(toLambda(throwing, { ...quiet, events: '/events' })({}, context)).rejects.toThrow(/with 500/);
    const late: Application = (_environ, startResponse) => {
      startResponse('200 OK', []);
      return (async function* () {
        yield encode('a');
        throw new Error('planted');
      })();
    };
    await expect(toLambda(late, { ...quiet, events: '/events' })({}, context)).rejects.toThrow('planted');
  });

  it('answers a WebSocket route with a response, a refusal among them', async () => {
    const refusing: Application = (_environ, startResponse) => {
      startResponse('401 Unauthorized', [['X-Why', 'no token']]);
      return [encode('no')];
    };
    const connect = { requestContext: { connectionId: 'c', eventType: 'CONNECT' } };
    expect(await toLambda(refusing, { events: '/events' })(connect, context)).toEqual({
      statusCode: 401,
      headers: { 'x-why': 'no token', 'content-length': '2' },
      body: 'no',
      isBase64Encoded: false,
    });
  });

  it('waits for wait_until work', async () => {
    let done = false;
    const working: Application = (environ, startResponse) => {
      environ['waygate.wait_until'](
        new Promise<void>((resolve) =>
          setTimeout(() => {
            done = true;
            resolve();
          }, 5),
        ),
      );
      startResponse('200 OK', []);
      return [];
    };
    await toLambda(working, { events: '/events' })({}, context);
    expect(done).toBe(true);
  });

  it.each(['/events', '/events/', '/Events', '//events', '/x/../events', '/%65vents', '/./events', '/events/more'])(
    'is reached by no client: %s',
    async (path) => {
      const asked = vi.fn(app);
      const handler = toLambda(asked, { events: '/events' });
      const result = await handler(lambdaEvent('function-url', { method: 'POST', path, body: '{}' }), context);
      // A path with dot segments may be refused as such. (URL-05)
      const refused = /\/\.\.?\//.test(path) ? [400, 404] : [404];
      expect(refused).toContain(result.statusCode);
      expect(asked).not.toHaveBeenCalled();
      const stream = new RuntimeStream();
      await toLambdaStream(asked, { events: '/events' })(lambdaEvent('function-url', { path }), stream, context);
      expect(refused).toContain(stream.prelude.statusCode);
    },
  );

  it.each(['/', '', 'events', '/api', '//', '/.'])('of %j is a TypeError: it would be every path', (events) => {
    expect(() => toLambda(app, { events, basePath: '/api' })).toThrow(/expected a path of its own such as "\/events"/);
  });

  it('does not take paths that only begin like it', async () => {
    const handler = toLambda(app, { events: '/events' });
    expect((await handler(lambdaEvent('http-api', { path: '/eventsource' }), context)).body).toBe('GET /eventsource');
  });
});

describe('{ record }', () => {
  const sqs = (...ids: string[]) => ids.map((messageId) => ({ messageId, body: messageId, eventSource: 'aws:sqs' }));
  const fifo = (...ids: string[]) => sqs(...ids).map((each) => ({ ...each, eventSourceARN: 'arn:aws:sqs:x:1:q.fifo' }));
  const kinesis = (...ids: string[]) =>
    ids.map((sequenceNumber) => ({ eventSource: 'aws:kinesis', kinesis: { sequenceNumber }, body: sequenceNumber }));
  const dynamodb = (...ids: string[]) =>
    ids.map((SequenceNumber) => ({ eventSource: 'aws:dynamodb', dynamodb: { SequenceNumber }, body: SequenceNumber }));

  const ways: [string, (seen: string[]) => { app: Application; events: EventTarget }][] = [
    [
      'a function',
      (seen) => ({
        app,
        events: {
          record: async (record) => {
            seen.push(record.body);
            if (record.body.startsWith('bad')) throw new Error('planted');
          },
        },
      }),
    ],
    [
      'a path',
      (seen) => ({
        app: async (environ, startResponse) => {
          const record = (await environ['wsgi.input'].json()) as { body: string };
          expect(environ['aws.record']).toEqual(record);
          seen.push(record.body);
          startResponse(record.body.startsWith('bad') ? '500 Internal Server Error' : '204 No Content', []);
          return [];
        },
        events: { record: '/record' },
      }),
    ],
  ];

  describe.each(ways)('to %s', (_way, make) => {
    it.each([
      [
        'SQS: the others are tried all the same',
        sqs('a', 'bad1', 'b', 'bad2'),
        ['a', 'bad1', 'b', 'bad2'],
        ['bad1', 'bad2'],
      ],
      ['SQS: none failed', sqs('a', 'b'), ['a', 'b'], []],
      [
        'a FIFO queue: what follows the first is not tried',
        fifo('a', 'bad', 'b', 'c'),
        ['a', 'bad'],
        ['bad', 'b', 'c'],
      ],
      ['Kinesis: it goes on from the first', kinesis('1', 'bad2', '3'), ['1', 'bad2'], ['bad2']],
      ['DynamoDB: it goes on from the first', dynamodb('1', '2', 'bad3', 'bad4'), ['1', '2', 'bad3'], ['bad3']],
    ])('%s', async (_title, Records, tried, failed) => {
      const seen: string[] = [];
      const made = make(seen);
      const lines: string[] = [];
      const handler = toLambda(made.app, { events: made.events, errors: (line) => lines.push(line) });
      expect(await handler({ Records }, context)).toEqual({
        batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })),
      });
      expect(seen).toEqual(tried);
      const told = lines.filter((line) => /^The record \S+ of the event failed/.test(line));
      expect(told).toHaveLength(tried.filter((each) => each.startsWith('bad')).length);
    });

    it('of a source that takes no reports: the first that fails fails the invocation', async () => {
      const seen: string[] = [];
      const made = make(seen);
      const handler = toLambda(made.app, { ...quiet, events: made.events });
      const sns = (body: string) => ({ EventSource: 'aws:sns', body });
      await expect(handler({ Records: [sns('a'), sns('bad'), sns('b')] }, context)).rejects.toThrow();
      expect(seen).toEqual(['a', 'bad']);
      expect(await handler({ Records: [sns('a')] }, context)).toBeNull();
    });
  });

  it('takes an event without records as it is', async () => {
    const record = vi.fn(() => 'pong');
    const handler = toLambda(app, { events: { record } });
    for (const event of [{ source: 'ping' }, { Records: [] }, null, 'x']) {
      expect(await handler(event, context)).toBe('pong');
      expect(record).toHaveBeenLastCalledWith(event, context, event);
    }
  });
});

it.each([[7], [null], [{}], [{ record: 7 }], [[]]])('%j is a TypeError', (events) => {
  expect(() => toLambda(app, { events: events as never })).toThrow(/^The option "events" is .*expected a function/);
});
