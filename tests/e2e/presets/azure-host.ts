// The host's side of Azure Functions, as far as HTTP goes: what Microsoft's Node worker hands to `@azure/functions` for each
// request, and what it takes back. All that happens in between is the package's own code. The host itself is a .NET
// program that no registry of npm has; its route prefix and its cookies are written here from its documentation.

import { randomUUID } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import Module from 'node:module';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { packages } from './tools.ts';

/** The part of `@azure/functions` that a program uses. */
export interface AzureFunctions {
  app: {
    http(name: string, options: object): void;
    timer(name: string, options: object): void;
    setup(options: object): void;
  };
}

interface Binding {
  type: string;
  direction: string;
}

interface Registered {
  metadata: { name: string; bindings: Record<string, Binding & { route?: string }> };
  callback: unknown;
}

interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: unknown): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<{ returnValue?: { http?: RpcHttp } }>;
}

interface RpcHttp {
  statusCode: string;
  headers: Record<string, string>;
  cookies: RpcCookie[];
  body: { bytes?: Uint8Array; string?: string };
}

interface RpcCookie {
  name: string;
  value: string;
  domain?: { value: string };
  path?: { value: string };
  expires?: { value: { seconds: number } };
  secure?: { value: boolean };
  httpOnly?: { value: boolean };
  sameSite?: string;
  maxAge?: { value: number };
}

/** A worker with one copy of the package: its options hold for all of its functions. */
export class AzureHost {
  readonly functions: AzureFunctions;
  readonly #registered = new Map<string, Registered>();
  #model: {
    getInvocationModel(context: object): InvocationModel;
    getCapabilities(known: object): Promise<object>;
  } | null = null;
  #proxy: string | undefined;

  constructor() {
    const core = {
      setProgrammingModel: (model: never) => {
        this.#model = model;
      },
      registerFunction: (metadata: Registered['metadata'], callback: unknown) => {
        this.#registered.set(metadata.name, { metadata, callback });
      },
      log() {},
    };
    const require = packages('.');
    const path = require.resolve('@azure/functions');
    const loader = Module as unknown as { _load(request: string, ...rest: unknown[]): unknown };
    const load = loader._load;
    // The worker gives the package this module; it exists nowhere else.
    loader._load = (request, ...rest) => (request === '@azure/functions-core' ? core : load(request, ...rest));
    try {
      delete require.cache[path];
      this.functions = require(path) as AzureFunctions;
      // The package asks for that module when the first function is registered.
      this.functions.app.timer('first', { schedule: '0 0 * * * *', handler() {} });
    } finally {
      loader._load = load;
    }
  }

  /** Ends the start of the worker: options are locked from here on. */
  async start(): Promise<void> {
    const capabilities = (await this.#model?.getCapabilities({})) as { HttpUri?: string };
    this.#proxy = capabilities.HttpUri;
  }

  /**
   * Serves one function on a port.
   *
   * @param prefix of all routes, as `extensions.http.routePrefix` in host.json; Azure's own default is `api`
   */
  async listen(name: string, prefix = 'api'): Promise<{ port: number; close(): void }> {
    const server = http.createServer((request, response) => {
      this.#answer(name, prefix, request, response).catch((error: unknown) => {
        // What the client gets of a failed invocation has nothing of the response.
        if (!response.headersSent)
          response.writeHead(500, { 'x-failed': encodeURIComponent(String(error)).slice(0, 400) });
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const close = (): void => {
      server.closeAllConnections();
      server.close();
    };
    return { port: (server.address() as AddressInfo).port, close };
  }

  async #answer(name: string, prefix: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search } = new URL(`http://localhost${request.url}`);
    const mount = prefix === '' ? '' : `/${prefix}`;
    if (pathname !== mount && !pathname.startsWith(`${mount}/`)) {
      response.writeHead(404).end();
      return;
    }
    const rest = pathname.slice(mount.length + 1);
    const params: Record<string, string> = rest === '' ? {} : { path: decoded(rest) };
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([key, value]) => [
        key,
        Array.isArray(value) ? value.join(', ') : (value ?? ''),
      ]),
    );
    const url = `https://${request.headers.host}${pathname}${search}`;
    if (this.#proxy !== undefined) return this.#forward(name, request, response, params, headers);
    const bytes = await buffer(request);
    const body = bytes.byteLength > 0 ? { bytes } : undefined;
    const result = await this.#invoke(name, randomUUID(), {
      http: { method: request.method, url, headers, params, body },
    });
    if (result === undefined) throw new Error('no response');
    response.statusCode = Number(result.statusCode);
    for (const [key, value] of Object.entries(result.headers)) response.setHeader(key, value);
    if (result.cookies.length > 0) response.setHeader('set-cookie', result.cookies.map(cookieLine));
    response.end(request.method === 'HEAD' ? undefined : (result.body.bytes ?? result.body.string));
  }

  /** With HTTP streams the host hands the request itself to a server of the package, and tells of it by the invocation. */
  async #forward(
    name: string,
    request: IncomingMessage,
    response: ServerResponse,
    params: Record<string, string>,
    headers: Record<string, string>,
  ): Promise<void> {
    const id = randomUUID();
    const own = { 'x-ms-invocation-id': id, 'x-forwarded-host': request.headers.host, 'x-forwarded-proto': 'https' };
    const { method, url: path } = request;
    const passed = http.request(new URL(this.#proxy as string), {
      method,
      path,
      headers: { ...request.headers, ...own },
      agent: false,
    });
    const answered = new Promise<void>((resolve) => {
      passed.once('response', (answer) => {
        response.writeHead(answer.statusCode as number, answer.headers);
        pipeline(answer, response, () => resolve());
      });
      passed.once('error', () => resolve());
    });
    pipeline(request, passed, () => {});
    const metadata: Record<string, object> = { Headers: { json: JSON.stringify(headers) }, Query: { json: '{}' } };
    for (const [key, value] of Object.entries(params)) metadata[key] = { string: value };
    try {
      await this.#invoke(name, id, {}, metadata);
    } catch {
      // The package leaves the response of a failed invocation open.
      passed.destroy();
      response.destroy();
    }
    await answered;
  }

  /** Invokes a function with what its trigger has. */
  async #invoke(
    name: string,
    invocationId: string,
    data: object,
    triggerMetadata: object = {},
  ): Promise<RpcHttp | undefined> {
    const { metadata, callback } = this.#registered.get(name) as Registered;
    const [binding] = Object.entries(metadata.bindings).find(([, each]) => each.direction === 'in') as [
      string,
      Binding,
    ];
    const request = { inputData: [{ name: binding, data }], triggerMetadata };
    const model = this.#model?.getInvocationModel({ invocationId, metadata, request, log() {} }) as InvocationModel;
    const { context, inputs } = await model.getArguments();
    const result = await model.invokeFunction(context, inputs, callback);
    return (await model.getResponse(context, result)).returnValue?.http;
  }

  /** Fires a function that a timer triggers. */
  async fire(name: string): Promise<void> {
    await this.#invoke(name, randomUUID(), { json: JSON.stringify({ Schedule: {}, IsPastDue: false }) });
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** As ASP.NET writes cookies: the value percent-encoded. */
function cookieLine(cookie: RpcCookie): string {
  const parts = [`${cookie.name}=${encodeURIComponent(cookie.value)}`];
  if (cookie.expires) parts.push(`expires=${new Date(Number(cookie.expires.value.seconds) * 1000).toUTCString()}`);
  if (cookie.maxAge) parts.push(`max-age=${cookie.maxAge.value}`);
  if (cookie.domain) parts.push(`domain=${cookie.domain.value}`);
  if (cookie.path) parts.push(`path=${cookie.path.value}`);
  if (cookie.secure?.value) parts.push('secure');
  if (cookie.sameSite && cookie.sameSite !== 'none')
    parts.push(`samesite=${cookie.sameSite.replace('explicit', '').toLowerCase()}`);
  if (cookie.httpOnly?.value) parts.push('httponly');
  return parts.join('; ');
}
