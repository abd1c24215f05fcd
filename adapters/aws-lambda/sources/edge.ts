// Lambda@Edge, viewer request and origin request: the function answers in place of CloudFront or the origin.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-generating-http-responses.html

import { isHopByHop } from '../../../core/check.ts';
import { describe, RequestError } from '../../../core/errors.ts';
import { textFromNative } from '../../../core/strings.ts';
import type { HeaderList } from '../../../core/types.ts';
import { decodePath } from '../../../core/url.ts';
import { type Emulator, MalformedResultError } from '../emulator/emulator.ts';
import type { EmulatorOptions } from '../emulator/options.ts';
import { titleCase, withClientAddress } from '../emulator/request.ts';
import { addHeader, bytesOf, objectOf, reasonOf, statusOf } from '../emulator/response.ts';
import { attachBody, base64Of } from '../event/body.ts';
import { addClient, addServer } from '../event/connection.ts';
import { addBody, begin } from '../event/environ.ts';
import { addValue } from '../event/request-headers.ts';
import { getOwn, lowerName, setOwn } from '../event/result-headers.ts';
import { sentPath, sentQuery } from '../event/target.ts';
import type { AnyEvent, Source } from '../source.ts';

/** A header as CloudFront has it, in a list under its name in lower case. */
interface EdgeHeader {
  key?: string;
  value: string;
}

/** The members that are read. */
interface EdgeEvent {
  Records: {
    cf: {
      config?: { distributionDomainName?: string; eventType?: string };
      request: {
        clientIp?: string;
        method?: string;
        uri?: string;
        querystring?: string;
        headers?: Record<string, unknown> | null;
        body?: { data?: string; encoding?: string; inputTruncated?: boolean } | null;
      };
    };
  }[];
}

interface EdgeResult {
  status: string;
  statusDescription: string;
  headers: Record<string, { key: string; value: string }[]>;
  body?: string;
  bodyEncoding?: 'text' | 'base64';
}

/**
 * Headers that a function may not add; with one of them CloudFront answers 502. Those about the connection, which are
 * forbidden too, have been refused before.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html
 */
const FORBIDDEN =
  /^(?:content-length|host|via|expect|accept-encoding|if-(?:modified-since|none-match|range|unmodified-since)|x-accel-(?:buffering|charset|limit-rate|redirect)|x-amz-cf-.*|x-amzn-(?:auth|cf-billing|cf-id|cf-xff|errortype|fle-profile|header-count|header-order|lambda-integration-tag|requestid)|x-cache|x-edge-.*|x-forwarded-proto|x-real-ip)$/;

/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-lambda-at-edge */
const VIEWER_LIMIT_BYTES = 40 * 1024;
const ORIGIN_LIMIT_BYTES = 1024 * 1024;

/** The events whose request the application let pass on to the cache or the origin. */
const PASSED_ON = new WeakSet<EdgeEvent>();

/**
 * The event source as `toLambda` serves it.
 *
 * @example export const handler = lambdaHandler(app, { sources: [edge] });
 */
export const edge: Source<EdgeEvent, EdgeResult | EdgeEvent['Records'][0]['cf']['request']> = {
  name: 'edge',

  recognises: (event) => /^(?:viewer|origin)-request$/.test(eventType(event)),

  methodOf: (event) => cloudFront(event).request.method,

  toEnviron(event, settings, invocation) {
    const { config, request } = cloudFront(event);
    const { body } = request;
    if (body?.inputTruncated === true) {
      throw new RequestError(
        413,
        'The request body is larger than Lambda@Edge passes on (40 KB to a viewer request, 1 MB to an origin request): ' +
          'it came truncated.',
      );
    }
    const path = sentPath(request.uri);
    const environ = begin(
      {
        method: request.method,
        scriptName: '',
        pathInfo: decodePath(path),
        path,
        query: sentQuery(request.querystring),
      },
      settings,
      invocation,
    );
    const { headers } = request;
    for (const name in headers) addValue(environ, name, valuesOf(headers[name]));
    // A viewer can send X-Forwarded-Proto and X-Forwarded-Port itself.
    addServer(environ, environ.HTTP_CLOUDFRONT_FORWARDED_PROTO, undefined, config?.distributionDomainName);
    addClient(environ, request.clientIp);
    addBody(environ, body?.data, body?.encoding !== 'text', settings);
    PASSED_ON.delete(event);
    const passThrough = (): void => {
      PASSED_ON.add(event);
    };
    environ['aws.pass_through'] = passThrough;
    return environ;
  },

  toResult(event, response, body) {
    // The request as a result: CloudFront goes on with it, and with what was changed in it.
    if (PASSED_ON.has(event)) return cloudFront(event).request;
    const headers: EdgeResult['headers'] = {};
    for (const [key, value] of response.headers) {
      const name = lowerName(key);
      if (FORBIDDEN.test(name)) continue;
      const header = { key, value: textFromNative(value) };
      const list = getOwn(headers, name);
      if (list === undefined) setOwn(headers, name, [header]);
      else list.push(header);
    }
    const result: EdgeResult = {
      status: String(response.statusCode),
      statusDescription: textFromNative(response.reason),
      headers,
    };
    // A body, even an empty one, in a 204 makes CloudFront answer 502.
    if (body.byteLength === 0) return result;
    const { body: text, isBase64Encoded } = attachBody({}, response, body);
    return { ...result, body: text, bodyEncoding: isBase64Encoded ? 'base64' : 'text' };
  },

  limitBytes: (event) =>
    cloudFront(event).config?.eventType === 'origin-request' ? ORIGIN_LIMIT_BYTES : VIEWER_LIMIT_BYTES,
};

/**
 * The event source as `fromLambda` imitates it: a function with "include body", and an origin that it answers in place of.
 *
 * @example const app = fromLambda(handler, { source: edgeEmulator });
 */
export const edgeEmulator: Emulator = {
  name: 'edge',

  toEvent(request, options) {
    const headers: Record<string, EdgeHeader[]> = {};
    const sent = eventTypeOf(options) === 'origin-request' ? withClientAddress(request) : request.headers;
    for (const [name, value] of sent) {
      if (UNEXPOSED.test(name)) continue;
      const header = { key: titleCase(name), value };
      const list = getOwn(headers, name);
      if (list === undefined) setOwn(headers, name, [header]);
      else list.push(header);
    }
    // CloudFront passes the viewer's scheme on where the origin request policy asks for it.
    headers['cloudfront-forwarded-proto'] = [{ key: 'CloudFront-Forwarded-Proto', value: request.scheme }];
    const limit = limitOf(options);
    const { body } = request;
    const config = {
      distributionDomainName: 'd111111abcdef8.cloudfront.net',
      distributionId: 'EDFDVBD6EXAMPLE',
      eventType: eventTypeOf(options),
      requestId: request.id,
    };
    return {
      Records: [
        {
          cf: {
            config,
            request: {
              clientIp: request.clientAddress,
              headers,
              method: request.method,
              querystring: request.query,
              uri: request.path,
              ...(body.byteLength === 0
                ? null
                : {
                    body: {
                      action: 'read-only',
                      data: base64Of(body.subarray(0, limit)),
                      encoding: 'base64',
                      inputTruncated: body.byteLength > limit,
                    },
                  }),
            },
          },
        },
      ],
    };
  },

  toResponse(result) {
    const object = objectOf(result);
    if (object.status === undefined) {
      throw new MalformedResultError('The function let the request pass on to the origin, and here is none.');
    }
    if (typeof object.status !== 'string') throw new MalformedResultError('The status of the result is not a string.');
    const status = statusOf(object.status, 'status');
    if (status === 204 && object.body !== undefined) {
      throw new MalformedResultError('The result has a body in a 204.');
    }
    const headers: HeaderList = [];
    for (const [name, list] of Object.entries(objectOf(object.headers ?? {}))) addRecords(headers, name, list);
    const { bodyEncoding = 'text' } = object;
    if (bodyEncoding !== 'text' && bodyEncoding !== 'base64') {
      throw new MalformedResultError(
        `The result's bodyEncoding is ${describe(bodyEncoding)}; expected text or base64.`,
      );
    }
    return {
      status,
      ...reasonOf(object.statusDescription),
      headers,
      body: bytesOf(object.body, bodyEncoding === 'base64'),
    };
  },

  failure: { status: 502, type: 'text/html', text: 'The Lambda function result failed validation.' },
  resultLimitBytes: limitOf,
  streams: false,
};

/** Adds one header of a result, which is a list of records; the name is as the key of each record spells it. */
function addRecords(headers: HeaderList, name: string, list: unknown): void {
  if (!Array.isArray(list)) throw new MalformedResultError(`The result's headers["${name}"] is not a list.`);
  for (const record of list) {
    const { key, value } = (record ?? {}) as { key?: unknown; value?: unknown };
    const sent = typeof key === 'string' ? key : name;
    const forbidden = [name, sent].find((each) => FORBIDDEN.test(each.toLowerCase()) || isHopByHop(each));
    if (forbidden !== undefined) {
      throw new MalformedResultError(`The result has the header "${forbidden}", which a function may not add.`);
    }
    if (typeof value !== 'string') {
      throw new MalformedResultError(
        `The result's headers["${name}"] has ${describe(value)} as value; expected a string.`,
      );
    }
    addHeader(headers, sent, value, false);
  }
}

/** Headers that CloudFront does not show to functions. */
const UNEXPOSED = /^(?:expect|x-accel-.*|x-amz-cf-.*|x-edge-.*|x-cache|x-forwarded-proto|x-real-ip)$/;

/** The values of a header; events made by hand have a record or a string in place of a list of records. */
function valuesOf(header: unknown): unknown {
  if (Array.isArray(header)) return header.map(valuesOf);
  return typeof header === 'object' && header !== null ? (header as Partial<EdgeHeader>).value : header;
}

function eventTypeOf(options: EmulatorOptions): string {
  return options.eventType ?? 'origin-request';
}

function limitOf(options: EmulatorOptions): number {
  return eventTypeOf(options) === 'origin-request' ? ORIGIN_LIMIT_BYTES : VIEWER_LIMIT_BYTES;
}

function cloudFront(event: EdgeEvent): EdgeEvent['Records'][0]['cf'] {
  return (event.Records[0] as EdgeEvent['Records'][0]).cf;
}

function eventType(event: AnyEvent): string {
  const record = Array.isArray(event.Records) ? (event.Records[0] as Partial<EdgeEvent['Records'][0]> | null) : null;
  return record?.cf?.request ? (record.cf.config?.eventType ?? '') : '';
}
