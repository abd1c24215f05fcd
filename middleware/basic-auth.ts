// A user name and a password, asked for by the browser itself. (RFC 7617)

import { checkApplication, checkOptions } from '../core/check.ts';
import { describe } from '../core/errors.ts';
import { log } from '../core/log.ts';
import { bytesFromNative, encode, encodeWsgi, textFromBytes } from '../core/strings.ts';
import { isThenable } from '../core/thenable.ts';
import type { Application, Environ } from '../core/types.ts';
import { answer } from './answer.ts';

/** Who may in. One of `users` and `check` is needed. */
export interface BasicAuthOptions {
  /**
   * Passwords by user name. They are compared in a time that does not depend on how much of them is right.
   *
   * @default none: `check` decides
   */
  users?: Readonly<Record<string, string>>;
  /**
   * Decides about a user name and a password; it may return a promise. Compare secrets in constant time there.
   *
   * @default none: `users` decides
   */
  check?: (user: string, password: string, environ: Environ) => boolean | Promise<boolean>;
  /**
   * What the browser shows as the name of the protected space.
   *
   * @default 'Restricted'
   */
  realm?: string;
}

/**
 * Lets only requests through that carry the right user name and password: their environ gets `REMOTE_USER` and `AUTH_TYPE`
 * (`Basic`). All others are answered with 401 and a challenge, which asks for UTF-8 (RFC 7617 §2.1), and never reach the
 * application. Credentials that are not well-formed are one line in `wsgi.errors`, which holds nothing of them.
 *
 * Use it over `https` only: the password is sent with each request, readable for anybody in between.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function (L-21), without exactly one of `users` and `check`, and for an
 *   option of the wrong type
 * @example
 * serve(basicAuth(app, { users: { ada: process.env.ADA_PASSWORD ?? '' } }));
 */
export function basicAuth(app: Application, options: BasicAuthOptions): Application {
  checkApplication(app);
  checkOptions(options);
  const check = toCheck(options);
  const challenge = `Basic realm="${quoted(options.realm ?? 'Restricted')}", charset="UTF-8"`;
  return (environ, startResponse) => {
    const refuse = () => answer(startResponse, 401, [['WWW-Authenticate', challenge]], 'Sign in to see this page.');
    const header = environ.HTTP_AUTHORIZATION;
    if (header === undefined || !/^basic(?: |$)/i.test(header)) return refuse();
    const credentials = parse(header);
    if (credentials === null) {
      log(
        environ['wsgi.errors'],
        'basicAuth: the credentials in Authorization are malformed; expected base64 of user:password in UTF-8.',
      );
      return refuse();
    }
    const [user, password] = credentials;
    const decide = (isRight: unknown) => {
      if (isRight !== true) return refuse();
      environ.REMOTE_USER = encodeWsgi(user);
      environ.AUTH_TYPE = 'Basic';
      return app(environ, startResponse);
    };
    const isRight = check(user, password, environ);
    return isThenable(isRight) ? Promise.resolve(isRight).then(decide) : decide(isRight);
  };
}

type Check = NonNullable<BasicAuthOptions['check']>;

function toCheck({ users, check }: BasicAuthOptions): Check {
  if ((users === undefined) === (check === undefined))
    throw new TypeError('basicAuth takes one of the options "users" and "check".');
  if (check !== undefined) {
    if (typeof check === 'function') return check;
    throw new TypeError(`The option "check" of basicAuth is ${describe(check)}; expected a function (user, password).`);
  }
  if (typeof users !== 'object' || users === null)
    throw new TypeError(`The option "users" of basicAuth is ${describe(users)}; expected passwords by user name.`);
  const known = Object.entries(users).map(([user, password]) => {
    // An empty password is most often a setting that is missing.
    if (typeof password !== 'string' || password === '')
      throw new TypeError('The option "users" of basicAuth has a user without a password; expected a text, not empty.');
    if (user.includes(':')) throw new TypeError('The option "users" of basicAuth has a name with ":", which none can.');
    return [encode(user), encode(password)] as const;
  });
  return (user, password) => {
    const [givenUser, givenPassword] = [encode(user), encode(password)];
    // All of them, whatever the first ones say: the time must not show whether a user exists, or which.
    let found = 0;
    for (const [name, secret] of known) found |= same(givenUser, name) & same(givenPassword, secret);
    return found === 1;
  };
}

/** 1 where two byte strings are the same, else 0, in a time that depends on the length of the first alone. */
function same(given: Uint8Array, known: Uint8Array): number {
  let difference = given.byteLength ^ known.byteLength;
  for (let at = 0; at < given.byteLength; at++) {
    difference |= (given[at] as number) ^ (known[at % (known.byteLength || 1)] ?? 0);
  }
  return difference === 0 ? 1 : 0;
}

/** The user and the password of an `Authorization: Basic` header; null where it holds none. (RFC 7617 §2) */
function parse(header: string): [user: string, password: string] | null {
  const token = header.slice('basic'.length).trim();
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(token)) return null;
  let text: string | null;
  try {
    text = textFromBytes(bytesFromNative(atob(token)));
  } catch {
    return null;
  }
  // Neither may hold control characters; the first colon ends the name.
  if (text === null || /[\x00-\x1f\x7f]/.test(text)) return null;
  const colon = text.indexOf(':');
  return colon === -1 ? null : [text.slice(0, colon), text.slice(colon + 1)];
}

function quoted(realm: unknown): string {
  if (typeof realm !== 'string' || /[^\x20-\x7e]/.test(realm))
    throw new TypeError(`The option "realm" of basicAuth is ${describe(realm)}; expected printable ASCII text.`);
  return realm.replace(/["\\]/g, '\\$&');
}
