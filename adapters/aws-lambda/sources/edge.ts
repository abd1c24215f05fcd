// Lambda@Edge, viewer request and origin request: the function answers in place of CloudFront or the origin.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-generating-http-responses.html

import { RequestError } from '../../../core/errors.ts';
import { decodePath } from '../../../core/url.ts';
import { base64Of, needsBase64, textOf } from '../body.ts';
import { addBody, addClient, addHeaders, addServer, begin, sentPath, sentQuery } from '../environ.ts';
import { headerText, lowerName, own, put } from '../headers.ts';
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
        headers?: Record<string, EdgeHeader[]> | null;
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

export const edge: Source<EdgeEvent, EdgeResult> = {
  name: 'edge',

  recognises: (event) => /^(?:viewer|origin)-request$/.test(eventType(event)),

  toEnviron(event, settings, errors) {
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
      errors,
    );
    const { headers } = request;
    for (const name in headers) addHeaders(environ, { [name]: headers[name]?.map(({ value }) => value) });
    // A viewer can send X-Forwarded-Proto and X-Forwarded-Port itself.
    addServer(environ, environ.HTTP_CLOUDFRONT_FORWARDED_PROTO, undefined, config?.distributionDomainName);
    addClient(environ, request.clientIp);
    addBody(environ, body?.data, body?.encoding !== 'text', settings);
    return environ;
  },

  toResult(_event, response, body) {
    const headers: EdgeResult['headers'] = {};
    for (const [key, value] of response.headers) {
      const name = lowerName(key);
      if (FORBIDDEN.test(name)) continue;
      const header = { key, value: headerText(value) };
      const list = own(headers, name);
      if (list === undefined) put(headers, name, [header]);
      else list.push(header);
    }
    const result: EdgeResult = {
      status: String(response.statusCode),
      statusDescription: response.reason,
      headers,
    };
    // A body, even an empty one, in a 204 makes CloudFront answer 502.
    if (body.byteLength === 0) return result;
    const base64 = needsBase64(response, body);
    result.body = base64 ? base64Of(body) : textOf(body);
    result.bodyEncoding = base64 ? 'base64' : 'text';
    return result;
  },

  limitBytes: (event) =>
    cloudFront(event).config?.eventType === 'origin-request' ? ORIGIN_LIMIT_BYTES : VIEWER_LIMIT_BYTES,
};

function cloudFront(event: EdgeEvent): EdgeEvent['Records'][0]['cf'] {
  return (event.Records[0] as EdgeEvent['Records'][0]).cf;
}

function eventType(event: AnyEvent): string {
  const record = Array.isArray(event.Records) ? (event.Records[0] as Partial<EdgeEvent['Records'][0]> | null) : null;
  return record?.cf?.request ? (record.cf.config?.eventType ?? '') : '';
}
