// Application Load Balancer with a Lambda target, with or without multi-value headers.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html

import { decodePath } from '../../../core/url.ts';
import { base64Of, needsBase64, textOf } from '../body.ts';
import {
  addBody,
  addBothHeaders,
  addForwardedClient,
  addForwardedServer,
  begin,
  queryOf,
  sentPath,
  sentQuery,
  type ValueMap,
} from '../environ.ts';
import { multiValues, singleValues } from '../headers.ts';
import type { Source } from '../source.ts';

/** The members that are read. Of headers and multiValueHeaders there is one, and the target group's setting says which. */
interface AlbEvent {
  httpMethod?: string;
  path?: string;
  headers?: ValueMap;
  multiValueHeaders?: ValueMap;
  queryStringParameters?: ValueMap;
  multiValueQueryStringParameters?: ValueMap;
  body?: string | null;
  isBase64Encoded?: boolean;
}

interface AlbResult {
  statusCode: number;
  statusDescription: string;
  headers?: Record<string, string>;
  multiValueHeaders?: Record<string, string[]>;
  body: string;
  isBase64Encoded: boolean;
}

/** "The maximum size of the response JSON that the Lambda function can send is 1 MB." */
const LIMIT_BYTES = 1024 * 1024;

export const alb: Source<AlbEvent, AlbResult> = {
  name: 'alb',

  recognises(event) {
    const elb = event.requestContext?.elb;
    return typeof elb === 'object' && elb !== null;
  },

  toEnviron(event, settings, errors) {
    const path = sentPath(event.path);
    const environ = begin(
      {
        method: event.httpMethod,
        scriptName: '',
        pathInfo: decodePath(path),
        path,
        // Keys and values are not decoded: they are put together as they are.
        query: sentQuery(queryOf(event.multiValueQueryStringParameters, event.queryStringParameters, asSent)),
      },
      settings,
      errors,
    );
    addBothHeaders(environ, event.multiValueHeaders, event.headers);
    addForwardedServer(environ, undefined, 'http');
    addForwardedClient(environ);
    addBody(environ, event.body, event.isBase64Encoded, settings);
    return environ;
  },

  toResult(event, response, body) {
    const isBase64Encoded = needsBase64(response, body);
    const result: AlbResult = {
      statusCode: response.statusCode,
      statusDescription: response.status.trimEnd(),
      body: isBase64Encoded ? base64Of(body) : textOf(body),
      isBase64Encoded,
    };
    // The load balancer reads the map that its setting asks for, which is the one it used itself.
    if (event.multiValueHeaders) result.multiValueHeaders = multiValues(response.headers);
    else result.headers = oneValueEach(response.headers);
    return result;
  },

  limitBytes: () => LIMIT_BYTES,
};

function asSent(part: string): string {
  return part;
}

/** One value a name: several cookies go under names that differ in case, which the load balancer keeps apart. */
function oneValueEach(list: [name: string, value: string][]): Record<string, string> {
  const cookies: string[] = [];
  const headers = singleValues(list, cookies);
  for (let index = 0; index < cookies.length; index++) headers[cookieName(index)] = cookies[index] as string;
  return headers;
}

const COOKIE_LETTERS = 'setcookie';

/** `set-cookie`, `Set-cookie`, `sEt-cookie`, …: each bit of the index makes one letter large. 512 names in all. */
function cookieName(index: number): string {
  let name = '';
  for (let at = 0; at < COOKIE_LETTERS.length; at++) {
    const letter = COOKIE_LETTERS.charAt(at);
    name += (at === 3 ? '-' : '') + ((index >> at) & 1 ? letter.toUpperCase() : letter);
  }
  return name;
}
