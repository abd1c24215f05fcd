// Keys that an application and its middleware declare are typed wherever an environ is.

import { type Application, type Environ, encode, type Middleware, setupTestingDefaults } from 'waygate';
import { mount, proxyFix, validator } from 'waygate/middleware';

interface User {
  name: string;
  roles: readonly string[];
}

declare module 'waygate' {
  interface EnvironKeys {
    'app.user'?: User;
    'app.started': number;
    HTTP_X_TENANT?: 'red' | 'blue';
  }
}

export const withUser: Middleware = (app) => (environ, startResponse) => {
  environ['app.user'] = { name: 'ada', roles: ['admin'] };
  environ['app.started'] = Date.now();
  // @ts-expect-error: a user has roles
  environ['app.user'] = { name: 'ada' };
  // @ts-expect-error: a number
  environ['app.started'] = 'now';
  return app(environ, startResponse);
};

export const app: Application = (environ, startResponse) => {
  startResponse('200 OK', []);
  const name: string | undefined = environ['app.user']?.name;
  const since: number = environ['app.started'];
  const tenant: 'red' | 'blue' | undefined = environ.HTTP_X_TENANT;
  // @ts-expect-error: there may be no user
  environ['app.user'].name;
  // @ts-expect-error: users have no age
  environ['app.user']?.age;
  return [encode(`${name} ${since} ${tenant}`)];
};

export const wrapped: Application = validator(proxyFix(mount({ '/': withUser(app) }), { for: true }));

/** Keys that the middleware of the library declares. */
export function own(environ: Environ): void {
  const id: string | undefined = environ['waygate.request_id'];
  const nonce: string | undefined = environ['waygate.csp_nonce'];
  const sent: string | undefined = environ['waygate.method_override.original'];
  // @ts-expect-error: text
  environ['waygate.request_id'] = 5;
  return void [id, nonce, sent];
}

/** Keys that nobody has declared are there, and unknown. */
export function others(environ: Environ): void {
  const any: unknown = environ['app.other'];
  const header: string | undefined = environ.HTTP_ACCEPT;
  environ['app.other'] = any;
  // @ts-expect-error: unknown
  environ['app.other'].length;
  // @ts-expect-error: headers are text
  environ.HTTP_ACCEPT = 5;
  return void header;
}

export const gateway: string = setupTestingDefaults()['waygate.gateway'];
export const isNode = (environ: Environ): boolean => environ['waygate.gateway'] === 'node';
export const isMine = (environ: Environ): boolean => environ['waygate.gateway'] === 'my-gateway';
