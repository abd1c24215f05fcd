// startResponse reads the header list that it is given: a frozen one, an `as const` one and a shared one will do.

import {
  type Application,
  encode,
  type HeaderList,
  type Middleware,
  type ReadonlyHeaderList,
  ResponseHeaders,
  type StartResponse,
} from 'waygate';

const PLAIN = [
  ['Content-Type', 'text/plain'],
  ['Vary', 'Accept'],
] as const;
const FROZEN = Object.freeze([Object.freeze(['Content-Type', 'text/plain'] as const)]);
const SHARED: ReadonlyHeaderList = PLAIN;
const OWN: HeaderList = [['Content-Type', 'text/plain']];

export const apps: Application[] = [PLAIN, FROZEN, SHARED, OWN].map(
  (headers): Application =>
    (_environ, startResponse) => {
      startResponse('200 OK', headers);
      return [encode('ok')];
    },
);

export const inline: Application = (environ, startResponse) => {
  environ['waygate.early_hints']?.([['Link', '</a.css>; rel=preload']] as const);
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  startResponse('200 OK', [...PLAIN, ['X-More', '1']]);
  startResponse('200 OK', new ResponseHeaders([['A', 'b']]).list);
  // @ts-expect-error: a value is text
  startResponse('200 OK', [['Content-Length', 5]]);
  // @ts-expect-error: a pair has two members
  startResponse('200 OK', [['Content-Length']]);
  // @ts-expect-error: pairs, not a map
  startResponse('200 OK', { 'Content-Type': 'text/plain' });
  return [];
};

export const middleware: Middleware = (app) => (environ, startResponse) => {
  const start: StartResponse = (status, headers, error) => {
    // @ts-expect-error: the list is the application's, and may be frozen
    headers.push(['X-More', '1']);
    return startResponse(status, [...headers, ['X-More', '1']], error);
  };
  return app(environ, start);
};
