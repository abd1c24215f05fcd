// Application Load Balancer with a Lambda target, with or without multi-value headers.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html

import { textFromNative } from '../../../core/strings.ts';
import type { HeaderList } from '../../../core/types.ts';
import { decodePath } from '../../../core/url.ts';
import { type Emulator, MalformedResultError } from '../emulator/emulator.ts';
import {
  ACCOUNT_ID,
  bodyText,
  checkSize,
  forwardedHeaders,
  gather,
  isTextBody,
  last,
  REGION,
  rawPairs,
  reduce,
} from '../emulator/request.ts';
import { addMap, bytesOf, objectOf, reasonOf, statusOf } from '../emulator/response.ts';
import { attachBody, type ResultBody } from '../event/body.ts';
import { addForwardedClient, addForwardedServer } from '../event/connection.ts';
import { addBody, begin } from '../event/environ.ts';
import { addBothHeaders } from '../event/request-headers.ts';
import { multiValues, singleValues } from '../event/result-headers.ts';
import { queryOf, sentPath, sentQuery, type ValueMap } from '../event/target.ts';
import { addMutualTls } from '../event/tls.ts';
import type { Source } from '../source.ts';

/** The members that are read. There is either headers or multiValueHeaders: the target group's setting says which. */
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

interface AlbResult extends ResultBody {
  statusCode: number;
  statusDescription: string;
  headers?: Record<string, string>;
  multiValueHeaders?: Record<string, string[]>;
}

/** "The maximum size of the response JSON that the Lambda function can send is 1 MB." */
const LIMIT_BYTES = 1024 * 1024;

/**
 * The event source as `toLambda` serves it.
 *
 * @example export const handler = lambdaHandler(app, { sources: [alb] });
 */
export const alb: Source<AlbEvent, AlbResult> = {
  name: 'alb',

  recognises(event) {
    const elb = event.requestContext?.elb;
    return typeof elb === 'object' && elb !== null;
  },

  methodOf: (event) => event.httpMethod,

  toEnviron(event, settings, invocation) {
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
      invocation,
    );
    addBothHeaders(environ, event.multiValueHeaders, event.headers);
    addForwardedServer(environ, undefined, 'http');
    addForwardedClient(environ);
    if (settings.mutualTls !== undefined) addMutualTls(environ, settings.mutualTls);
    addBody(environ, event.body, event.isBase64Encoded, settings);
    return environ;
  },

  toResult(event, response, body) {
    const { statusCode, status, headers } = response;
    return attachBody(
      {
        statusCode,
        statusDescription: textFromNative(status.replace(/ $/, '')),
        // The load balancer reads the map that its setting asks for, which is the one it used itself.
        ...(event.multiValueHeaders ? { multiValueHeaders: multiValues(headers) } : { headers: oneValueEach(headers) }),
      },
      response,
      body,
    );
  },

  limitBytes: () => LIMIT_BYTES,
};

/**
 * The event source as `fromLambda` imitates it.
 *
 * @example const app = fromLambda(handler, { source: albEmulator });
 */
export const albEmulator: Emulator = {
  name: 'alb',

  toEvent(request, { multiValueHeaders }) {
    checkSize(request, LIMIT_BYTES);
    const headers = gather(forwardedHeaders(request));
    const query = gather(rawPairs(request.query));
    // A body of another type than these is base64; so is one with a content coding.
    const text = request.body.byteLength === 0 || isTextBody(request);
    return {
      requestContext: {
        elb: {
          targetGroupArn: `arn:aws:elasticloadbalancing:${REGION}:${ACCOUNT_ID}:targetgroup/lambda/1234567890123456`,
        },
      },
      httpMethod: request.method,
      path: request.path,
      ...(multiValueHeaders
        ? { multiValueQueryStringParameters: query, multiValueHeaders: headers }
        : { queryStringParameters: reduce(query, last), headers: reduce(headers, last) }),
      body: bodyText(request, text),
      isBase64Encoded: !text,
    };
  },

  toResponse(result, request, { multiValueHeaders }) {
    const object = objectOf(result);
    const [used, other] = multiValueHeaders
      ? (['multiValueHeaders', 'headers'] as const)
      : (['headers', 'multiValueHeaders'] as const);
    if (object[used] == null && object[other] != null) {
      throw new MalformedResultError(`The result has "${other}", but the target group's setting asks for "${used}".`);
    }
    if (typeof object.statusCode !== 'number') {
      throw new MalformedResultError("The result's statusCode is not a number.");
    }
    const headers: HeaderList = [];
    // Every value is a string: a number is a 502.
    const rules = { scalars: false, lists: multiValueHeaders === true };
    addMap(headers, object[used], used, rules, request.method === 'HEAD');
    const reason = /^[0-9]{3} (.*)$/s.exec(String(object.statusDescription ?? ''))?.[1];
    return {
      status: statusOf(object.statusCode),
      ...reasonOf(reason),
      headers,
      body: bytesOf(object.body, object.isBase64Encoded === true),
    };
  },

  failure: {
    status: 502,
    type: 'text/html',
    text: '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n',
  },
  resultLimitBytes: () => LIMIT_BYTES,
  streams: false,
};

function asSent(part: string): string {
  return part;
}

/** One value a name: several cookies go under names that differ in case, which the load balancer keeps apart. */
function oneValueEach(list: [name: string, value: string][]): Record<string, string> {
  const cookies: string[] = [];
  const headers = singleValues(list, cookies);
  if (cookies.length > COOKIE_NAMES) {
    throw new Error(
      `The response has ${cookies.length} cookies; a load balancer takes at most ${COOKIE_NAMES}, each under another ` +
        'spelling of "set-cookie". Enable multi-value headers in the settings of the target group.',
    );
  }
  for (let index = 0; index < cookies.length; index++) headers[cookieName(index)] = cookies[index] as string;
  return headers;
}

const COOKIE_LETTERS = 'setcookie';
const COOKIE_NAMES = 2 ** COOKIE_LETTERS.length;

/** `set-cookie`, `Set-cookie`, `sEt-cookie`, …: each bit of the index makes one letter large. */
function cookieName(index: number): string {
  let name = '';
  for (let at = 0; at < COOKIE_LETTERS.length; at++) {
    const letter = COOKIE_LETTERS.charAt(at);
    name += (at === 3 ? '-' : '') + ((index >> at) & 1 ? letter.toUpperCase() : letter);
  }
  return name;
}
