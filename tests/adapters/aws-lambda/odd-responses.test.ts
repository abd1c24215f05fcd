// Responses at the borders of what event sources take: reasons that are no ASCII, cookies without end.

import { describe, expect, it } from 'vitest';
import type { Application, HeaderList } from 'waygate';
import { fromLambda, lambdaEvent, toLambda } from 'waygate/aws-lambda';
import { toFetch } from 'waygate/fetch';

const answer =
  (status: string, headers: HeaderList = [], body: string[] = []): Application =>
  (_environ, startResponse) => {
    startResponse(status, headers);
    return body.map((each) => Buffer.from(each));
  };

describe('a reason', () => {
  // As native string: the bytes of UTF-8.
  const status = '200 Zo\xc3\xab \xe2\x98\x83';

  it('is text in a result, as the values of headers are', async () => {
    expect((await toLambda(answer(status))(lambdaEvent('alb'))).statusDescription).toBe('200 Zoë ☃');
    expect((await toLambda(answer(status))(lambdaEvent('edge'))).statusDescription).toBe('Zoë ☃');
    expect((await toLambda(answer('200 Zo\xeb'))(lambdaEvent('alb'))).statusDescription).toBe('200 Zoë');
    // The last byte is no space, though U+00A0 is one.
    expect((await toLambda(answer('200 Voil\xc3\xa0'))(lambdaEvent('alb'))).statusDescription).toBe('200 Voilà');
  });

  it.each(['alb', 'edge'] as const)('%s: of another function is bytes again, or a malformed result', async (source) => {
    const site = (handler: () => unknown) =>
      toFetch(
        fromLambda(async () => handler(), { source }),
        { errors: quiet },
      );
    const result = (reason: string) =>
      source === 'alb'
        ? { statusCode: 200, statusDescription: `200 ${reason}`, headers: {}, body: '' }
        : { status: '200', statusDescription: reason };
    expect((await site(() => result('Zoë'))('http://localhost/')).statusText).toBe('Zo\xc3\xab');
    expect((await site(() => result(' Voilà '))('http://localhost/')).statusText).toBe('Voil\xc3\xa0');
    for (const reason of ['a\tb', 'a\0b', 'a\r\nb']) {
      expect((await site(() => result(reason))('http://localhost/')).status).toBe(502);
    }
  });
});

describe('cookies of a load balancer without multi-value headers', () => {
  const cookies = (count: number) =>
    Array.from({ length: count }, (_, index): [string, string] => ['Set-Cookie', `c${index}=1`]);

  it('are as many as there are names', async () => {
    const { headers } = await toLambda(answer('200 OK', cookies(512)))(lambdaEvent('alb'));
    delete headers['content-length'];
    expect(Object.values(headers)).toEqual(cookies(512).map(([, value]) => value));
  });

  it('are an error beyond that: none is lost in silence', async () => {
    const log: string[] = [];
    const errors = { write: (text: string) => log.push(text), flush() {} };
    const handler = toLambda(answer('200 OK', cookies(513)), { errors });
    expect((await handler(lambdaEvent('alb'))).statusCode).toBe(500);
    expect(log.join('')).toMatch(/513 cookies.*512.*multi-value headers/);
    const multi = await handler(lambdaEvent('alb', {}, { multiValueHeaders: true }));
    expect(multi.multiValueHeaders['set-cookie']).toHaveLength(513);
  });
});

const quiet = { write() {}, flush() {} };
