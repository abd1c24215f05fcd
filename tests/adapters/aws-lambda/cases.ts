// The case data of tests/cases: events with the request that each one means, and responses with the result that each
// event source needs.

import { readFileSync } from 'node:fs';

const folder = new URL('../../cases/', import.meta.url);

function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, folder), 'utf8'));
}

/** What an event means, in the words of tests/cases/index.json. */
export interface ExpectedRequest {
  method: string;
  scriptName: string;
  pathInfo: string;
  rawPath: string;
  queryString: string;
  serverName: string;
  serverPort: string;
  scheme: string;
  protocol: string;
  remoteAddr: string | null;
  contentType: string | null;
  contentLength: string | null;
  headers: [name: string, value: string][];
  bodyBase64: string;
  remoteUser: string | null;
  authType: string | null;
}

export interface EventCase {
  file: string;
  kind: string;
  description: string;
  expect: ExpectedRequest | null;
  alternatives?: Partial<ExpectedRequest>[];
  gatewayDecodedPath?: boolean;
  rawPathReencoded?: string;
}

export interface ResponseCase {
  name: string;
  kind: string;
  app: { status: string; headers: [string, string][]; chunksBase64: string[] };
  requestMethod: string;
  expect: Record<string, unknown>;
  alternatives?: Record<string, unknown>[];
}

export const eventCases: EventCase[] = read('index.json') as EventCase[];
export const responseCases: ResponseCase[] = read('responses.json') as ResponseCase[];

/** A fresh copy of an event, by the path that index.json gives. */
// biome-ignore lint/suspicious/noExplicitAny: events are JSON of every shape.
export function readEvent(file: string): any {
  return read(file);
}

/** One event of each kind to which the responses of responses.json are answers. */
export const eventOfKind: Record<string, string> = {
  'apigw-v1': 'events/apigw-v1-multi-value.json',
  'apigw-v2': 'events/apigw-v2-joined-headers.json',
  'function-url': 'events/function-url-percent-once.json',
  alb: 'events/alb-encoded-path.json',
  'alb-multi': 'events/alb-multi-go.json',
  'lattice-v1': 'events/lattice-v1-base64.json',
  'lattice-v2': 'events/lattice-v2-docs.json',
  'edge-viewer-request': 'events/edge-viewer-request-cookies.json',
  'edge-origin-request': 'events/edge-origin-request-mangum.json',
};

/** The event of a kind, with another request method. */
// biome-ignore lint/suspicious/noExplicitAny: events are JSON of every shape.
export function eventWith(kind: string, method: string): any {
  const event = readEvent(eventOfKind[kind] as string);
  if (event.Records) event.Records[0].cf.request.method = method;
  else if (event.requestContext?.http) event.requestContext.http.method = method;
  else if (event.httpMethod) event.httpMethod = method;
  else event.method = method;
  return event;
}
