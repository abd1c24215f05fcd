// basicAuth: who knows the password comes in, everybody else gets a challenge, and nothing of either is logged.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Application, decodeWsgi, encode } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { type BasicAuthOptions, basicAuth } from 'waygate/middleware';
import { ask } from './answers.ts';

const whoami: Application = (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [encode(`${environ.AUTH_TYPE} ${decodeWsgi(environ.REMOTE_USER ?? '-')}`)];
};

function header(credentials: string): string {
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(credentials)))}`;
}

const USERS = { users: { ada: 'secret', grüße: 'pä:ß' } };

async function status(app: Application, authorization?: string): Promise<string> {
  const { status } = await ask(app, authorization === undefined ? {} : { HTTP_AUTHORIZATION: authorization });
  return status;
}

test('the right password lets in, with the user in environ', async () => {
  const app = basicAuth(whoami, USERS);
  expect((await ask(app, { HTTP_AUTHORIZATION: header('ada:secret') })).text).toBe('Basic ada');
  expect((await ask(app, { HTTP_AUTHORIZATION: header('grüße:pä:ß').replace('Basic', 'bASIC') })).text).toBe(
    'Basic grüße',
  );
});

test.each([
  undefined,
  '',
  'Bearer abc',
  'Basically abc',
  header('ada:wrong'),
  header('ada:secret2'),
  header('ada:secre'),
  header('ada:'),
  header('ada:SECRET'),
  header('nobody:secret'),
  header(':secret'),
  header('__proto__:x'),
  header('constructor:x'),
])('Authorization %j gets a challenge and no line in the log', async (authorization) => {
  const answer = await ask(
    basicAuth(whoami, USERS),
    authorization === undefined ? {} : { HTTP_AUTHORIZATION: authorization },
  );
  expect(answer.status).toBe('401 Unauthorized');
  expect(answer.headers.get('www-authenticate')).toBe('Basic realm="Restricted", charset="UTF-8"');
  expect(answer.environ.REMOTE_USER).toBe(undefined);
  expect(answer.log).toBe('');
});

test.each([
  'Basic',
  'Basic ',
  'Basic !!!',
  'Basic YWRh',
  'Basic YQ=a',
  'Basic YWRhOnNlY3JldA==YWRh',
  `Basic ${btoa('ada:caf\xe9')}`,
  `Basic ${btoa('a\0da:x')}`,
  header('ada:se\ncret'),
])('the malformed %j gets a challenge and one line that says nothing of it', async (authorization) => {
  const answer = await ask(basicAuth(whoami, USERS), { HTTP_AUTHORIZATION: authorization });
  expect(answer.status).toBe('401 Unauthorized');
  expect(answer.log).toBe(
    'basicAuth: the credentials in Authorization are malformed; expected base64 of user:password in UTF-8.\n',
  );
});

test('any user and password that can be sent are compared as they are', () =>
  fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), async (name, password) => {
      fc.pre(!/[\x00-\x1f\x7f]/.test(name + password) && !name.includes(':') && password !== '');
      const app = basicAuth(whoami, { users: { [name]: password } });
      expect((await ask(app, { HTTP_AUTHORIZATION: header(`${name}:${password}`) })).text).toBe(`Basic ${name}`);
      expect(await status(app, header(`${name}:${password}x`))).toBe('401 Unauthorized');
      expect(await status(app, header(`${name}x:${password}`))).toBe('401 Unauthorized');
    }),
  ));

test('a check of your own decides, at once or later; only true lets in', async () => {
  const checks: [BasicAuthOptions['check'], string][] = [
    [(user, password) => user === 'ada' && password === 'a:b', '200 OK'],
    [async (user) => user === 'ada', '200 OK'],
    [async () => false, '401 Unauthorized'],
    [(() => 'yes') as never, '401 Unauthorized'],
    [(_user, _password, environ) => environ.PATH_INFO === '/', '200 OK'],
  ];
  for (const [check, expected] of checks)
    expect(await status(basicAuth(whoami, { check } as BasicAuthOptions), header('ada:a:b'))).toBe(expected);
});

test('a check that fails is a failure of the application, and lets nobody in', async () => {
  const check = async () => {
    throw new Error('no database');
  };
  const answer = await ask(basicAuth(whoami, { check }), { HTTP_AUTHORIZATION: header('ada:x') });
  expect(answer.status).toBe('500 Internal Server Error');
  expect(answer.log).toContain('no database');
});

test('a real client signs in', async () => {
  const call = toFetch(basicAuth(whoami, { ...USERS, realm: 'the "shop"' }));
  const refused = await call('http://localhost/');
  expect(refused.headers.get('www-authenticate')).toBe('Basic realm="the \\"shop\\"", charset="UTF-8"');
  const let_in = await call('http://localhost/', { headers: { Authorization: header('ada:secret') } });
  expect(await let_in.text()).toBe('Basic ada');
});

test.each([
  {},
  { users: {}, check: () => true },
  { users: { ada: '' } },
  { users: { ada: undefined } },
  { users: { 'a:b': 'x' } },
  { users: null },
  { check: 'yes' },
  { users: { a: 'b' }, realm: 'caf\xe9' },
  { users: { a: 'b' }, realm: 'a\r\nb' },
] as never[])('the options %j are refused', (options) => {
  expect(() => basicAuth(whoami, options)).toThrow(TypeError);
});
