// What the endpoint of a Lambda Web Function does to a request and a response. Each rule names AWS's page.

import { type HeaderLines, isConnectionHeader } from '../raw-headers.ts';

/** Most rules stand on this page. */
const HTTP_PAGE = 'https://docs.aws.amazon.com/lambda/latest/dg/web-functions-http.html';
const QUOTAS_PAGE = 'https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html';
const TIMEOUT_PAGE = 'https://docs.aws.amazon.com/lambda/latest/dg/web-functions-revisions-timeout.html';
const LIFECYCLE_PAGE = 'https://docs.aws.amazon.com/lambda/latest/dg/web-functions-env-lifecycle.html';
const SCALING_PAGE = 'https://docs.aws.amazon.com/lambda/latest/dg/web-functions-scaling.html';

/** The methods that an endpoint takes; any other is answered with 400. ({@link HTTP_PAGE}, "HTTP methods") */
const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'OPTIONS', 'DELETE'];

/** What is removed from a request, beside `lambda-web-*` and what `Connection` names. (HTTP_PAGE, "Request headers") */
const REMOVED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'x-real-ip',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
]);

/** How many header lines a request may have, with those that Lambda adds. (QUOTAS_PAGE) */
const MAX_HEADER_LINES = 6300;

/** The name that AWS's own command gives the first endpoint of a function. */
const ENDPOINT_NAME = 'dev';

/** The host name of the emulated endpoint. Any name below `localhost` leads to this machine. (RFC 6761 §6.3) */
export const DOMAIN = 'waygate.lambda-web.localhost';

/** The limits of a function, which its revision sets. */
export const LIMITS: Readonly<
  Record<'timeout' | 'concurrency', Readonly<Record<'least' | 'most' | 'usual', number>>> & { startSeconds: number }
> = {
  /** How long a request may take, in seconds. (TIMEOUT_PAGE) */
  timeout: { least: 3, most: 900, usual: 30 },
  /** How many requests an environment has at a time. (SCALING_PAGE) */
  concurrency: { least: 1, most: 128, usual: 64 },
  /** How long a server may take until it listens, in seconds. (LIFECYCLE_PAGE) */
  startSeconds: 10,
};

/** What the endpoint answers by itself. */
export interface EndpointAnswer {
  status: number;
  /** `lambda-web-error-type`, where AWS's pages name it. */
  errorType?: string;
  /** What was seen, what was expected, and the page. */
  text: string;
}

/** A request as the endpoint gets it. */
export interface EndpointRequest {
  method: string;
  httpVersion: string;
  headers: HeaderLines;
}

/**
 * What is refused before it reaches the application.
 *
 * @param isOwn whether a `Host` names this very server, which stands for the endpoint's domain
 */
export function refusal(
  { method, httpVersion, headers }: EndpointRequest,
  isOwn: (host: string) => boolean,
): EndpointAnswer | undefined {
  if (httpVersion !== '1.1') {
    return answer(505, `The request came over HTTP/${httpVersion}; a Web Function takes HTTP/1.1 alone.`);
  }
  if (!METHODS.includes(method)) {
    return answer(400, `The method is ${method}; a Web Function takes ${METHODS.join(', ')}.`);
  }
  const hosts = headers.filter(([name]) => name.toLowerCase() === 'host').map(([, value]) => value);
  const [host] = hosts;
  if (host === undefined) return answer(400, 'The request has no Host header; a Web Function is found by it.');
  if (hosts.length > 1) return answer(400, `The request has ${hosts.length} Host headers; expected one.`);
  if (host !== DOMAIN && !isOwn(host)) {
    return answer(
      404,
      `The Host is "${host}"; expected the domain of the endpoint, in lower case and without a port: ${DOMAIN}. Here ` +
        'the address that waygate serves on stands for it.',
    );
  }
  const coding = values(headers, 'transfer-encoding').join(', ');
  if (coding !== '' && coding.toLowerCase() !== 'chunked') {
    return answer(501, `The Transfer-Encoding is "${coding}"; expected chunked. (RFC 9112 §6.1)`);
  }
  const lines = headers.length + ADDED_LINES;
  if (lines > MAX_HEADER_LINES) {
    const seen = `The request has ${lines} header lines with those that Lambda adds`;
    return answer(431, `${seen}; it may have ${MAX_HEADER_LINES}.`, QUOTAS_PAGE);
  }
  return undefined;
}

function answer(status: number, text: string, page = HTTP_PAGE): EndpointAnswer {
  return { status, text: `${text}\n${page}` };
}

/** X-Forwarded-For, lambda-web-request-id and lambda-web-endpoint-name. */
const ADDED_LINES = 3;

/** The answer to a request that takes too long, where its response has not begun. */
export function timeoutAnswer(seconds: number): EndpointAnswer {
  return { ...answer(504, `The request took ${seconds} seconds.`, TIMEOUT_PAGE), errorType: 'Runtime.RequestTimeout' };
}

/** The answer where every environment has as many requests as it may have, and there may be no other. */
export function throttleAnswer(environments: number, concurrency: number): EndpointAnswer {
  const each = environments === 1 ? 'The environment has' : `Each of the ${environments} environments has`;
  const text = `${each} ${concurrency} requests, and no other may be started. Allow more of them with --processes.`;
  return answer(429, text, SCALING_PAGE);
}

/** The answer where the application does not start. */
export function initAnswer(text: string): EndpointAnswer {
  return { ...answer(500, text, LIFECYCLE_PAGE), errorType: 'Application.InitCodeError' };
}

/** The answer where the application gives none. */
export function brokenAnswer(reason: string): EndpointAnswer {
  return answer(502, `The application gave no response: ${reason}.`, LIFECYCLE_PAGE);
}

/**
 * The header lines that the application gets. (HTTP_PAGE, "Request headers")
 *
 * @param client the address of the client
 */
export function forwardedHeaders(headers: HeaderLines, client: string, requestId: string): HeaderLines {
  const named = new Set(values(headers, 'connection').flatMap(listed));
  const kept = headers.filter(([name]) => {
    const lower = name.toLowerCase();
    if (lower === 'host' || lower === 'x-forwarded-for' || lower.startsWith('lambda-web-')) return false;
    return !REMOVED.has(lower) && !named.has(lower) && lower !== 'transfer-encoding';
  });
  return [
    ['Host', DOMAIN],
    ...kept,
    ['X-Forwarded-For', [...values(headers, 'x-forwarded-for'), client].join(', ')],
    ['lambda-web-request-id', requestId],
    ['lambda-web-endpoint-name', ENDPOINT_NAME],
  ];
}

/** The header lines that the client gets: what is about the connection is removed. (HTTP_PAGE, "Response headers") */
export function returnedHeaders(headers: HeaderLines, added: Readonly<Record<string, string>>): HeaderLines {
  const named = new Set(values(headers, 'connection').flatMap(listed));
  const kept = headers.filter(([name]) => {
    const lower = name.toLowerCase();
    return !isConnectionHeader(name) && !named.has(lower) && !Object.hasOwn(added, lower);
  });
  return [...kept, ...Object.entries(added)];
}

function values(headers: HeaderLines, wanted: string): string[] {
  return headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
}

function listed(value: string): string[] {
  return value
    .split(',')
    .map((each) => each.trim().toLowerCase())
    .filter((each) => each !== '');
}
