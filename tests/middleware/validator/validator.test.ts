// The validator finds what is planted: behind a gateway that checks nothing, each fault with the id of its rule.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { type Application, ContractError, encode, type StartResponse, setupTestingDefaults } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { validator } from 'waygate/middleware';
import { RULES, type Rule } from '../../../middleware/validator/rules.ts';
import { bodyOf, environFor, findings, PLAIN, streaming } from './lax-gateway.ts';
import { WRONG_APPLICATIONS } from './wrong-applications.ts';
import { fileApplication, WRONG_GATEWAYS } from './wrong-gateways.ts';
import { WRONG_MIDDLEWARES } from './wrong-middlewares.ts';

const start: StartResponse = () => async () => {};

/** Rules that no table below can plant: each has a test of its own. */
const OTHERS = ['L-21', 'L-54', 'ENV-03'];

describe('wrong applications', () => {
  test.each(WRONG_APPLICATIONS)('$rule: $name', async ({ rule, app, method, body }) => {
    const { rules, messages } = await findings(validator(app), method, body);
    expect(rules, messages.join('')).toEqual([rule]);
  });
});

describe('wrong middlewares', () => {
  test.each(WRONG_MIDDLEWARES)('$rule: $name', async ({ rule, app, middleware, method, body }) => {
    const inside = await findings(validator(app), method, body);
    expect(
      inside.rules.filter((each) => each !== 'WRITE-02'),
      'the application is right',
    ).toEqual([]);
    const { rules, messages } = await findings(validator(middleware(validator(app))), method, body);
    expect(rules.filter((each) => each !== 'WRITE-02')[0], messages.join('')).toBe(rule);
  });
});

describe('wrong gateways', () => {
  test.each(WRONG_GATEWAYS)('$rule: $name', async ({ rule, change }) => {
    const messages: string[] = [];
    const environ = environFor('GET', '', messages);
    change(environ);
    try {
      await validator(fileApplication)(environ, start);
    } catch (error) {
      expect(error).toBeInstanceOf(ContractError);
      messages.push((error as ContractError).message);
    }
    expect(messages.map((message) => /\[([A-Z]+-\d\d)\]\s*$/.exec(message)?.[1])).toEqual([rule]);
  });

  test('ENV-03: the environ of an earlier request', async () => {
    const environ = environFor('GET', '', []);
    const app = validator(() => Object.assign(bodyOf([]), {}));
    const body = (await app(environ, start)) as { close(): void };
    body.close();
    expect(() => app(environ, start)).toThrow(expect.objectContaining({ rule: 'ENV-03' }));
  });
});

test('L-21: an application that is none', () => {
  expect(() => validator({} as Application)).toThrow(expect.objectContaining({ rule: 'L-21' }));
  expect(() => validator({ fetch() {} } as never)).toThrow(
    'A Fetch app becomes an application with fromFetch(). [L-21]',
  );
});

test('L-54: a body that nobody closes is noticed when it is collected', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const messages: string[] = [];
  await validator(streaming('x'))(environFor('GET', '', messages), start);
  for (let tries = 0; tries < 50 && messages.length === 0; tries++) {
    collect();
    await new Promise((turn) => setTimeout(turn, 5));
  }
  expect(messages.join('')).toContain('[L-54]');
});

test('every rule of the table has a planted fault', () => {
  const planted = [...WRONG_APPLICATIONS, ...WRONG_MIDDLEWARES, ...WRONG_GATEWAYS].map(({ rule }) => rule);
  const missing = Object.keys(RULES).filter((rule) => !planted.includes(rule) && !OTHERS.includes(rule));
  expect(missing).toEqual([]);
  expect(WRONG_APPLICATIONS.length).toBeGreaterThanOrEqual(40);
  expect(WRONG_MIDDLEWARES.length).toBeGreaterThanOrEqual(20);
});

test('a message says what was seen, what the rule is, and its id', async () => {
  const { messages } = await findings(validator(() => [encode('x')]));
  expect(messages).toEqual([
    'The application gave bytes before it called startResponse. ' +
      '`startResponse` is called before the first non-empty chunk and before the body ends. [SR-15]',
  ]);
  for (const [id, rule] of Object.entries<Rule>(RULES)) expect(rule.text, id).toMatch(/^[A-Z`].{20,250}\.$/);
});

test('a warning is given once per rule and validator', async () => {
  const untyped: Application = (_environ, startResponse) => {
    startResponse('200 OK', [['X-', 'a']]);
    return [encode('x')];
  };
  const app = validator(untyped);
  expect((await findings(app)).rules).toEqual(['L-36', 'L-42']);
  expect((await findings(app)).rules).toEqual([]);
  expect((await findings(validator(untyped))).rules).toEqual(['L-36', 'L-42']);
});

test('an array stays an array, and keeps its Content-Length', async () => {
  const serve = toFetch(
    validator((_environ, startResponse) => {
      startResponse('200 OK', PLAIN);
      return [encode('ab'), encode('c')];
    }),
  );
  const response = await serve('/');
  expect(response.headers.get('content-length')).toBe('3');
  expect(await response.text()).toBe('abc');
});

test('a synchronous application stays synchronous', () => {
  const app = validator((_environ, startResponse) => {
    startResponse('200 OK', PLAIN);
    return new Set([encode('x')]);
  });
  const body = app(setupTestingDefaults(), start) as Iterable<Uint8Array>;
  expect([...body].map((chunk) => chunk.byteLength)).toEqual([1]);
});

test('the input has the members of the contract and no others', async () => {
  let keys: PropertyKey[] = [];
  let seek: unknown;
  const app = validator((environ, startResponse) => {
    keys = Reflect.ownKeys(environ['wsgi.input']);
    seek = 'seek' in environ['wsgi.input'] || 'close' in environ['wsgi.input'];
    startResponse('200 OK', PLAIN);
    return [];
  });
  await app(environFor('GET', '', []), start);
  expect(keys).toEqual(['read', 'readline', 'readlines', 'bytes', 'text', 'json', 'stream', Symbol.asyncIterator]);
  expect(seek).toBe(false);
});

test('the lines of the input, and the rest after a loop that was left, come through two validators', async () => {
  const seen: string[] = [];
  const app: Application = async (environ, startResponse) => {
    const input = environ['wsgi.input'];
    const text = new TextDecoder();
    for await (const line of input) {
      seen.push(text.decode(line));
      break;
    }
    seen.push(text.decode(await input.readline(1)), ...(await input.readlines()).map((line) => text.decode(line)));
    startResponse('200 OK', PLAIN);
    return [];
  };
  const { rules } = await findings(validator(validator(app)), 'POST', 'one\ntwo\nthree');
  expect(rules).toEqual([]);
  expect(seen).toEqual(['one\n', 't', 'wo\n', 'three']);
});

test('a body that fails is reported as its own failure, not as a broken rule', async () => {
  const { messages } = await findings(
    validator(async function* (_environ, startResponse) {
      startResponse('200 OK', PLAIN);
      yield encode('x');
      throw new Error('planted');
    } as Application),
  );
  expect(messages).toEqual(['no ContractError: Error: planted']);
});
