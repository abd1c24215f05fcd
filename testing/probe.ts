// The app that `waygate check --fidelity` sends its requests to, behind any adapter. It answers with what reached it, or
// with a response that adapters get wrong. It has one form for each interface that adapters host.

/**
 * The request header that asks for an answer of the probe; any other request is not its.
 *
 * @example
 * await fetch(url, { headers: { [PROBE_HEADER]: 'echo' } });
 */
export const PROBE_HEADER = 'x-waygate-probe';

/** What a probe saw of a request. */
export interface ProbeRequest {
  /** The request method, as the framework shows it. */
  method: string;
  /** The request target: the path and the query, as the framework shows them. */
  target: string;
  /** By name in lower case; values as the framework shows them. */
  headers: Record<string, string>;
  /** The whole body. */
  body: Uint8Array;
}

/** A response of the probe. */
export interface ProbeResponse {
  /** The status code. */
  status: number;
  /** In order; names in lower case. */
  headers: [name: string, value: string][];
  /** Null where the response has no body. */
  body: Uint8Array | null;
  /** The rest of the body, to be sent {@link PROBE_PAUSE} milliseconds after its beginning. */
  later?: Uint8Array;
}

/**
 * How long the probe waits between the two parts of a body that comes in parts, in milliseconds.
 *
 * @example
 * if (made.later !== undefined) setTimeout(() => response.end(made.later), PROBE_PAUSE);
 */
export const PROBE_PAUSE = 300;

/** All values of a byte, in order. */
const EVERY_BYTE: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => byte);
/** `compressed text`, by gzip without a time. (RFC 1952) */
const GZIP = 'H4sIAAAAAAAAA0vOzy0oSi0uTk1RKEmtKAEAwhjY2A8AAAA=';
const TEXT = { 'content-type': 'text/plain; charset=utf-8' };

/** What the probe answers to each value of {@link PROBE_HEADER}; `echo` is made of the request. */
const ANSWERS: Readonly<Record<string, () => ProbeResponse>> = {
  text: () => answer(200, TEXT, 'grüße, 世界 €'),
  json: () => answer(200, { 'content-type': 'application/json' }, '{"a":"é"}'),
  bytes: () => answer(200, { 'content-type': 'application/octet-stream' }, EVERY_BYTE),
  image: () => answer(200, { 'content-type': 'image/png' }, EVERY_BYTE),
  unlisted: () => answer(200, { 'content-type': 'application/vnd.waygate.probe' }, EVERY_BYTE),
  latin: () => answer(200, { 'content-type': 'text/plain; charset=iso-8859-1' }, Uint8Array.of(0x67, 0xfc, 0xdf)),
  gzip: () =>
    answer(
      200,
      { ...TEXT, 'content-encoding': 'gzip' },
      Uint8Array.from(atob(GZIP), (each) => each.charCodeAt(0)),
    ),
  cookies: () => ({
    ...answer(200, TEXT, 'cookies'),
    headers: [
      ['content-type', TEXT['content-type']],
      ['set-cookie', 'a=1; Path=/; Expires=Wed, 21 Oct 2037 07:28:00 GMT'],
      ['set-cookie', 'b=2; Path=/; HttpOnly'],
    ],
  }),
  cookie: () => answer(200, { ...TEXT, 'set-cookie': 'a=1; Path=/; Expires=Wed, 21 Oct 2037 07:28:00 GMT' }, 'cookie'),
  parts: () => ({ ...answer(200, TEXT, 'first part\n'), later: new TextEncoder().encode('second part\n') }),
  empty: () => ({ status: 204, headers: [], body: null }),
  unchanged: () => ({ status: 304, headers: [['etag', '"1"']], body: null }),
  moved: () => answer(302, { ...TEXT, location: '/elsewhere?a=1' }, 'moved'),
  missing: () => answer(404, TEXT, 'missing'),
  failed: () => answer(503, { ...TEXT, 'retry-after': '7' }, 'failed'),
};

/**
 * What the probe answers to a request, for an interface that has no form of its own here.
 *
 * @param request what reached the app
 * @returns the response, or undefined for a request that does not ask for the probe
 * @example
 * fastify.all('*', (request, reply) => {
 *   const { status, headers, body } = probeAnswer({ method, target, headers, body });
 * });
 */
export function probeAnswer(request: ProbeRequest): ProbeResponse | undefined {
  const asked = request.headers[PROBE_HEADER];
  if (asked === undefined) return undefined;
  if (asked !== 'echo') return Object.hasOwn(ANSWERS, asked) ? (ANSWERS[asked] as () => ProbeResponse)() : undefined;
  const { method, target, headers, body } = request;
  const echo = { method, target, headers, body: btoa(String.fromCharCode(...body)) };
  return answer(200, { 'content-type': 'application/json', [PROBE_HEADER]: 'echo' }, JSON.stringify(echo));
}

/**
 * The probe as a Fetch handler: what Hono, srvx and hattip host, and Workers run.
 *
 * @param request the request
 * @returns the probe's response; 404 for a request that does not ask for it
 * @example
 * import { handle } from 'hono/aws-lambda';
 * export const handler = handle(new Hono().all('*', (c) => probeFetch(c.req.raw)));
 */
export async function probeFetch(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const made = probeAnswer({
    method: request.method,
    target: pathname + search,
    headers: Object.fromEntries(request.headers),
    body: new Uint8Array(await request.arrayBuffer()),
  });
  if (made === undefined) return new Response('This path is not a probe.\n', { status: 404 });
  const { status, headers, body, later } = made;
  const content = body === null || later === undefined ? body : inParts(body, later);
  return new Response(content as Uint8Array<ArrayBuffer> | ReadableStream | null, { status, headers });
}

function inParts(first: Uint8Array, second: Uint8Array): ReadableStream<Uint8Array> {
  let turn = 0;
  return new ReadableStream({
    async pull(controller) {
      turn += 1;
      if (turn === 1) return controller.enqueue(first);
      await new Promise((resolve) => setTimeout(resolve, PROBE_PAUSE));
      controller.enqueue(second);
      controller.close();
    },
  });
}

/** A request of `node:http`, as far as the probe reads it. */
export interface ProbeIncoming extends AsyncIterable<Uint8Array | string> {
  /** The request method. */
  method?: string | undefined;
  /** The request target. */
  url?: string | undefined;
  /** By name in lower case. */
  headers: Record<string, string | string[] | undefined>;
}

/** A response of `node:http`, as far as the probe writes it. */
export interface ProbeOutgoing {
  /** The status code. */
  statusCode: number;
  /** Sets a header; a list of values are several lines. */
  setHeader(name: string, value: string | string[]): unknown;
  /** Sends a part of the body. */
  write(body: Uint8Array): unknown;
  /** Ends the response. */
  end(body?: Uint8Array): unknown;
}

/**
 * The probe as a listener of `node:http`: what Express, serverless-http, serverless-express and serverless-adapter host.
 *
 * @param request the request; its body is read
 * @param response the response, which the probe ends
 * @example
 * import serverlessHttp from 'serverless-http';
 * export const handler = serverlessHttp(probeListener, { binary: true });
 */
export async function probeListener(request: ProbeIncoming, response: ProbeOutgoing): Promise<void> {
  const parts: Uint8Array[] = [];
  for await (const part of request) parts.push(typeof part === 'string' ? new TextEncoder().encode(part) : part);
  const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, [value].flat().join(', ')]],
  );
  const { method = '', url = '' } = request;
  const body = concat(parts);
  const made = probeAnswer({ method, target: url, headers: Object.fromEntries(headers), body });
  response.statusCode = made?.status ?? 404;
  const grouped = new Map<string, string[]>();
  for (const [name, value] of made?.headers ?? []) grouped.set(name, [...(grouped.get(name) ?? []), value]);
  for (const [name, values] of grouped) response.setHeader(name, values.length === 1 ? (values[0] as string) : values);
  if (made?.body == null) {
    response.end();
  } else if (made.later === undefined) {
    response.end(made.body);
  } else {
    const { later } = made;
    response.write(made.body);
    setTimeout(() => response.end(later), PROBE_PAUSE);
  }
}

function answer(status: number, headers: Record<string, string>, body: string | Uint8Array): ProbeResponse {
  return {
    status,
    headers: Object.entries(headers),
    body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
  };
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, each) => sum + each.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}
