// Serves an application as an HTTP function of Azure Functions, programming model v4. Its request is like a `Request`; its
// response is an object of its own.

import { prepareOptions, type Settings } from '../../../../core/environ.ts';
import { lastPeer } from '../../../../core/forwarded-for.ts';
import { holdForWork } from '../../../../core/held-work.ts';
import { log } from '../../../../core/log.ts';
import { encodeWsgi } from '../../../../core/strings.ts';
import { isThenable } from '../../../../core/thenable.ts';
import type { Application, Environ, GatewayOptions } from '../../../../core/types.ts';
import { decodePath, splitPrefix } from '../../../../core/url.ts';
import { fetchPlatform } from '../../environ.ts';
import { FetchGateway } from '../../gateway.ts';
import type { FetchPlatform } from '../../platform.ts';
import { presetCall } from '../../preset.ts';
import { type AzureCookie, azureCookie } from './cookies.ts';

/** Options of {@link toAzureFunctions}. */
export type AzureFunctionsOptions = GatewayOptions;

/** What is used of `HttpRequest` of `@azure/functions`. */
export interface AzureRequest {
  /** The method. */
  readonly method: string;
  /** The whole URL. */
  readonly url: string;
  /** The headers. */
  readonly headers: {
    get(name: string): string | null;
    forEach(callback: (value: string, name: string) => void): void;
  };
  /** The parameters of the route. */
  readonly params?: { readonly [name: string]: string };
}

/** What is used of `InvocationContext`. */
export interface AzureContext {
  /** The id of the invocation, as Azure's logs have it. */
  readonly invocationId?: string;
}

/** A response as Azure Functions takes it: `HttpResponseInit` of `@azure/functions`. */
export interface AzureResponse {
  /** The status code. */
  status: number;
  /** The headers; a repeated one is joined. */
  headers: Record<string, string>;
  /** Where there are several cookies. */
  cookies?: AzureCookie[];
  /** The body; absent where there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: the stream of node:stream/web, whose types differ from the DOM's.
  body?: any;
}

/** The handler of an HTTP function. */
export type AzureHandler = (request: AzureRequest, context: AzureContext) => Promise<AzureResponse>;

const facts: FetchPlatform = {
  ...fetchPlatform,
  gateway: 'azure-functions',
  // Azure starts as many instances as it likes.
  multiprocess: true,
  addKeys(environ, { request, platform = [] }) {
    const context = platform[0] as AzureContext | undefined;
    environ['azure.request'] = request as unknown as AzureRequest;
    if (context !== undefined) environ['azure.context'] = context;
    if (context?.invocationId) environ['waygate.request_id'] = context.invocationId;
    // App Service appends it, with the port. (Azure docs, "App Service: Access client address")
    const peer = lastPeer(environ.HTTP_X_FORWARDED_FOR);
    if (peer === undefined) return;
    environ.REMOTE_ADDR = peer.address;
    if (peer.port !== undefined) environ.REMOTE_PORT = peer.port;
  },
};

/**
 * Serves an application as an HTTP function of Azure Functions (programming model v4). Register it for all methods and with
 * a route that takes every path.
 *
 * The function is mounted at the part of the path that the route's last parameter does not hold. That part becomes
 * `SCRIPT_NAME`; it is `/api` with the prefix that Azure sets by itself. `basePath` sets it by hand.
 * `environ['azure.request']` and `['azure.context']` are Azure's own objects, and `waygate.request_id` is the id of the
 * invocation. The response ends when the work in `waygate.wait_until` has.
 *
 * @param app the application
 * @throws {TypeError} for an application that is not a function or an option of the wrong type
 * @example
 * import { app as functions } from '@azure/functions';
 * functions.http('app', {
 *   methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
 *   authLevel: 'anonymous',
 *   route: '{*path}',
 *   handler: toAzureFunctions(app),
 * });
 */
export function toAzureFunctions(app: Application, options: AzureFunctionsOptions = {}): AzureHandler {
  const settings = prepareOptions(app, options);
  const held = holdForWork(app);
  const mounted: Application = (environ, startResponse) => {
    if (settings.basePath === '') mountByRoute(environ);
    return held(environ, startResponse);
  };
  const gateway = new FetchGateway(mounted, settings, facts);
  return async (request, context) => {
    const call = presetCall('toAzureFunctions', EXPECTED, request, context === undefined ? [] : [context]);
    const response = gateway.handle(call, undefined);
    return azureResponse(isThenable(response) ? await response : response, settings);
  };
}

const EXPECTED =
  "an HttpRequest, as Azure calls the handler of `app.http('app', { route: '{*path}', handler: toAzureFunctions(app) })`";

/** Moves what stands ahead of the route's last parameter to `SCRIPT_NAME`, where it ends with a segment. */
function mountByRoute(environ: Environ): void {
  const params = Object.values((environ['azure.request'] as AzureRequest).params ?? {});
  const { PATH_INFO: path } = environ;
  let rest = '';
  for (const param of params) {
    if (typeof param !== 'string' || param === '') continue;
    // The host shows parameters decoded, unless they hold an escaped slash.
    for (const form of [encodeWsgi(param), decodePath(encodeWsgi(param))]) {
      if (form.length > rest.length && path.endsWith(`/${form}`)) rest = form;
    }
  }
  // Without a parameter the path is the function's own; the slash that may end it is the application's root.
  const end = rest === '' ? (path.endsWith('/') ? path.length - 1 : path.length) : path.length - rest.length - 1;
  const { scriptName, pathInfo } = splitPrefix(path, path.slice(0, end));
  environ.SCRIPT_NAME = scriptName;
  environ.PATH_INFO = pathInfo;
}

/** A response as Azure takes it: one cookie stays a header, several become objects. */
function azureResponse(response: Response, settings: Settings): AzureResponse {
  const { status, headers, body } = response;
  const made: AzureResponse = { status, headers: {} };
  headers.forEach((value, name) => {
    if (name !== 'set-cookie') made.headers[name] = value;
  });
  const cookies = headers.getSetCookie();
  if (cookies.length === 1) made.headers['set-cookie'] = cookies[0] as string;
  if (cookies.length > 1) made.cookies = cookies.map((each) => toCookie(each, settings));
  if (body !== null) made.body = body;
  return made;
}

function toCookie(header: string, settings: Settings): AzureCookie {
  const { cookie, lost } = azureCookie(header);
  if (lost.length > 0) {
    log(
      settings.errors(),
      `The cookie ${cookie.name} loses ${lost.join(', ')}: Azure Functions takes several cookies only as objects, which have no such member.`,
    );
  }
  return cookie;
}
