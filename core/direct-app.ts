// An app that a gateway may call before there is an environ. It is of another kind than the gateway's platform, and hosted
// as an application with nothing around it. The app asks a few questions of the request, and the environ is made when
// somebody asks for it. An adapter that hosts such apps marks its applications, and a gateway looks for the mark.

import type { Application, ApplicationBody, Environ, HeaderList, InputStream, StartResponse } from './types.ts';

/**
 * A request that has no environ yet. Nothing in it is for the gateway to answer, and the gateway refuses nothing of it. What
 * it says is what its environ would say; once that is made, it is what that says.
 */
export interface DirectRequest {
  /** `REQUEST_METHOD`. */
  readonly method: string;
  /** `wsgi.url_scheme`. */
  readonly scheme: 'http' | 'https';
  /** `HTTP_HOST`; never empty. */
  readonly host: string;
  /** `REQUEST_URI`: a path that begins with a slash, in the encoding that was sent, and perhaps a query. `SCRIPT_NAME` is empty. */
  readonly target: string;
  /** The environ, made by the first question for it. */
  readonly environ: Environ;
  /** `waygate.signal`. */
  readonly signal: AbortSignal;
  /** `wsgi.input`; null where there is no body. */
  readonly input: InputStream | null;
  /**
   * A request header.
   *
   * @param name a legal name without `_`, in lower case or as it is usually spelled
   * @returns null where there is none; undefined where only environ has it, for example a repeated one
   */
  header(name: string): string | null | undefined;
  /** What environ has under this key of the platform's own, such as `node.request`; undefined for any other. */
  own(key: string): unknown;
}

/** A response that is in memory. */
export interface DirectAnswer {
  readonly status: number;
  readonly reason: string;
  /** A list of the answer's own, with each name once, but cookies. */
  readonly headers: HeaderList;
  readonly body: string | Uint8Array | null;
}

/** What an application that is such an app shows of it. */
export interface DirectApp {
  /** Whether the app can be called so, which may depend on what the program has loaded by now. */
  readonly isOpen: boolean;
  /**
   * Calls the app.
   *
   * @returns its answer, or a promise of one
   * @throws what the application would fail with
   */
  call(request: DirectRequest): unknown;
  /**
   * An answer that is in memory.
   *
   * @param answer what {@link call} returned or resolved to
   * @returns null for any other, and for one that nobody can send: {@link finish} takes it
   */
  inMemory(answer: unknown): DirectAnswer | null;
  /** The rest of the application, which has called the app: starts the response of the answer, and returns its body. */
  finish(answer: unknown, environ: Environ, startResponse: StartResponse): ApplicationBody | Promise<ApplicationBody>;
}

const APPS = new WeakMap<Application, DirectApp>();

/** Remembers that an application is such an app and nothing else: nothing can come between it and a gateway. */
export function markDirect(app: Application, direct: DirectApp): Application {
  APPS.set(app, direct);
  return app;
}

/** The app that is the whole of an application; undefined for any other application. */
export function directBehind(app: Application): DirectApp | undefined {
  return APPS.get(app);
}
