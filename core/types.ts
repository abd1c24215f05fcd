// The words of PEP 3333 as types. No code: every other file of core/ gives these words their meaning.

import type { EnvironKeys, WrappedFiles } from './index.ts';

/**
 * A WSGI application. It is called once per request, with the request's environ and a `startResponse` of its own. It
 * returns the body, or a promise of it. (PEP 3333 CALL-01, CALL-02, BODY-01)
 */
export type Application = (
  environ: Environ,
  startResponse: StartResponse,
) => ApplicationBody | Promise<ApplicationBody>;

/**
 * Begins the response: `status` is `"200 OK"`, `headers` a list of pairs. It stores and checks, it sends nothing.
 * `error` is given only by an error handler: before the head went out it replaces status and headers, after that it is
 * thrown again. Returns the `write` of PEP 3333, for applications that push their body. (SR-01 … SR-17)
 *
 * @throws {ContractError} when an argument breaks the contract, or on a second call without `error`.
 */
export type StartResponse = (status: string, headers: ReadonlyHeaderList, error?: unknown) => Write;

/**
 * Sends one chunk ahead of the body. The promise resolves once the platform has taken the chunk; ignoring it keeps the
 * order and is safe. Prefer to yield chunks from the body. (WRITE-01 … WRITE-04)
 *
 * @throws {ContractError} synchronously: no byte chunk, response finished, or more bytes than `Content-Length` declares.
 */
export type Write = (chunk: Uint8Array) => Promise<void>;

/**
 * What an application returns: chunks of bytes, sync or async, and optionally `close()`. The gateway calls `close()`
 * exactly once when the request is done, however it ends. Arrays, generators, async generators and a `ReadableStream` all
 * are bodies. A chunk must stay unchanged until the next one is asked for. (BODY-01 … BODY-09, CLOSE-01)
 */
export type ApplicationBody = (Iterable<Uint8Array> | AsyncIterable<Uint8Array>) & { close?(): void | Promise<void> };

/** Header fields in the order they go out; repeats stand as separate pairs. Names are tokens, values native strings. (SR-03) */
export type HeaderList = [name: string, value: string][];

/**
 * A header list that is only read: what `startResponse` takes, so that an application may give it a frozen or an `as const`
 * list. A middleware that changes headers makes a list of its own: `[...headers, ['Vary', 'Accept']]`. (SR-03, MW-04)
 */
export type ReadonlyHeaderList = readonly (readonly [name: string, value: string])[];

/** An application made of another one. (MW-01) */
export type Middleware = (app: Application) => Application;

/**
 * The request body, `wsgi.input`. Every method is asynchronous; overlapping calls are served in the order they were made.
 * It ends at the declared `Content-Length`; a client that sends fewer bytes is an error, not an end. (INPUT-01 … INPUT-12)
 */
export interface InputStream extends AsyncIterable<Uint8Array> {
  /** Up to `size` bytes, fewer only at the end; without `size` (or with a negative one) all that is left. */
  read(size?: number): Promise<Uint8Array>;
  /** The next line with its `\n`, at most `size` bytes of it; empty at the end. */
  readline(size?: number): Promise<Uint8Array>;
  /** The lines that are left, or enough of them to reach `hint` bytes. */
  readlines(hint?: number): Promise<Uint8Array[]>;
  /** All that is left, in one piece. */
  bytes(): Promise<Uint8Array>;
  /** All that is left, decoded as UTF-8. */
  text(): Promise<string>;
  /** All that is left, parsed as JSON. */
  json(): Promise<unknown>;
  /** All that is left, as a stream of chunks. */
  stream(): ReadableStream<Uint8Array>;
  /** Iterates by lines, as in PEP 3333; leaving the loop early leaves the rest to be read. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array>;
}

/** Where applications and the gateway report errors, `wsgi.errors`: text, lines ended by `\n`. (LOG-01 … LOG-05) */
export interface ErrorStream {
  /** Reports a text, beyond U+00FF too; end it with `\n`. It does not throw. */
  write(text: string): void;
  /** Reports several texts; no line ends are added. */
  writelines(lines: Iterable<string>): void;
  /** Sends out what was written so far. The gateway calls it when the request is over. */
  flush(): void | Promise<void>;
}

/** What `wsgi.file_wrapper` wraps: anything that is read block by block. (FILE-02, FILE-03) */
export interface FileLike {
  /** The next block of up to `size` bytes; empty at the end. */
  read(size: number): Uint8Array | Promise<Uint8Array>;
  /** Called once, when the response is over. */
  close?(): unknown;
  /** The bytes from the current position to the end, when that is known: it becomes the `Content-Length`. (FILE-04) */
  remaining?(): number | undefined | Promise<number | undefined>;
}

/**
 * The request: CGI variables, the `wsgi.*` keys, and what a platform adds under names of its own. A plain mutable object
 * made for one request. CGI values are native strings: each code unit is one byte. (ENV-01 … ENV-29, STR-03)
 */
export interface Environ extends EnvironKeys {
  /** The method as it was sent, in its case. */
  REQUEST_METHOD: string;
  /** The path prefix where the application is mounted, decoded; empty at the root, never `/`. */
  SCRIPT_NAME: string;
  /** The rest of the path, percent-decoded once; `*` for `OPTIONS *`. */
  PATH_INFO: string;
  /** What follows the first `?`, undecoded; empty when there is none. */
  QUERY_STRING: string;
  /** The request target as it was received, undecoded. */
  REQUEST_URI?: string;
  /** The server's name or address. What the client asked for is `HTTP_HOST`. */
  SERVER_NAME: string;
  /** Decimal digits. */
  SERVER_PORT: string;
  /** `HTTP/1.1` and the like. */
  SERVER_PROTOCOL: string;
  /** The `Content-Type` header; absent where the request has none. */
  CONTENT_TYPE?: string;
  /** The bytes that `wsgi.input` gives, in decimal digits; absent where that is not known. */
  CONTENT_LENGTH?: string;
  /** The client's address, as far as the platform can vouch for it; behind a proxy of your own see `proxyFix`. */
  REMOTE_ADDR?: string;
  /** The client's port, in decimal digits. */
  REMOTE_PORT?: string;
  /** The user whom the platform has authenticated. */
  REMOTE_USER?: string;
  /** How, for example `Bearer`. */
  AUTH_TYPE?: string;
  /** `on` where `wsgi.url_scheme` is `https`, else absent. */
  HTTPS?: string;
  /** `CGI/1.1`. */
  GATEWAY_INTERFACE?: string;
  /** `waygate`. */
  SERVER_SOFTWARE?: string;
  /** The version of the contract. */
  'wsgi.version': [1, 0];
  /** What the client's side of the platform spoke. */
  'wsgi.url_scheme': 'http' | 'https';
  /** The request body. */
  'wsgi.input': InputStream;
  /** Where errors are reported. */
  'wsgi.errors': ErrorStream;
  /** False: calls of the application interleave where it awaits, and never run at the same time. */
  'wsgi.multithread': boolean;
  /** Whether other processes may run the same application. */
  'wsgi.multiprocess': boolean;
  /** Whether the process serves this one request only, as under CGI. */
  'wsgi.run_once': boolean;
  /** True: the body ends by itself, also without `CONTENT_LENGTH`. */
  'wsgi.input_terminated': boolean;
  /** Makes a body of a file. A method, so that a wrapper of your own need not know every platform's files. (FILE-01 … FILE-06) */
  'wsgi.file_wrapper'?(file: WrappedFiles[keyof WrappedFiles], blockSize?: number): ApplicationBody;
  /** Which adapter made this environ: `node`, `fetch`, `cloudflare-workers`, `aws-lambda`, `vercel` and so on. */
  'waygate.gateway': GatewayName | (string & {});
  /** Keeps the platform running until `promise` has settled, also after the response went out. */
  'waygate.wait_until': (promise: Promise<unknown>) => void;
  /** Aborts when the client has gone before the response was finished. */
  'waygate.signal': AbortSignal;
  /** Sends a `103 Early Hints` with these headers; there only where the platform can. (RFC 8297) */
  'waygate.early_hints'?: (headers: ReadonlyHeaderList) => void;
  /** The id of the request: what the platform calls it in its own log, or what the middleware `requestId` chose. */
  'waygate.request_id'?: string;
  /** Where the platform thinks the client is; there only where the platform says it. */
  'waygate.geo'?: Geo;
  /** Every other request header: `HTTP_USER_AGENT`, `HTTP_COOKIE`; repeats are joined. (ENV-12, ENV-24) */
  [header: `HTTP_${string}`]: string | undefined;
  /** What the platform, a middleware or the deployer adds. */
  [key: string]: unknown;
}

/** The adapters of the library, as `waygate.gateway` names them. */
export type GatewayName =
  | 'node'
  | 'fetch'
  | 'cloudflare-workers'
  | 'aws-lambda'
  | 'vercel'
  | 'netlify'
  | 'google-cloud'
  | 'azure-functions'
  | 'deno-deploy'
  | 'fastly'
  | 'bunny';

/** Options that every `to…` adapter takes, under one name everywhere. */
export interface GatewayOptions {
  /**
   * Path prefix under which the application is mounted, as text, for example `/api` or `/café`: it moves from `PATH_INFO`
   * to `SCRIPT_NAME`.
   *
   * @default ''
   */
  basePath?: string;
  /**
   * The largest request body in bytes; beyond it the client gets a 413.
   *
   * @default no limit
   */
  maxBodyBytes?: number;
  /**
   * Where `wsgi.errors` goes: a stream, or a function called with each complete text.
   *
   * @default console.error
   */
  errors?: ErrorSink;
  /**
   * Called once for every failure of the application or its body, after it was written to `wsgi.errors`.
   *
   * @default nothing is called
   */
  onError?: (error: unknown, environ: Environ) => void;
  /**
   * Extra environ keys from the deployer. No request can override them, and they override no key the gateway sets. A key
   * without a dot holds a string (L-15); keys that begin with `wsgi.` or `waygate.` are the gateway's own (L-20). (ENV-20)
   *
   * @example toNode(app, { environ: { 'app.config': config, STAGE: 'live' } });
   *
   * @default no keys are added
   */
  environ?: Record<string, unknown>;
}

/** See {@link GatewayOptions.errors}: an error stream, anything else with `write(text)`, or a function. */
export type ErrorSink =
  | ErrorStream
  | { write(text: string): unknown; flush?(): void | Promise<void> }
  | ((text: string) => void);

/**
 * `waygate.geo`: where the platform thinks the client is, by its address. It is a guess, never proof. Texts are Unicode, not
 * native strings; what the platform does not know is absent.
 */
export interface Geo {
  /** The country, as two letters of ISO 3166-1: `DE`. */
  readonly country?: string;
  /** The state or province, as the platform spells it; mostly the second part of its ISO 3166-2 code: `BY`. */
  readonly region?: string;
  /** The city: `München`. */
  readonly city?: string;
  /** The postal code. */
  readonly postalCode?: string;
  /** The latitude, in degrees. */
  readonly latitude?: number;
  /** The longitude, in degrees. */
  readonly longitude?: number;
  /** The time zone, as the IANA database names it: `Europe/Berlin`. */
  readonly timezone?: string;
}
