// The inspector: a server of its own on this machine only, which shows the requests of the app that is served.

import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type Application, encode } from 'waygate';
import { mount, secureHeaders, staticFiles } from 'waygate/middleware';
import { directory, type RunningServer, serve } from 'waygate/node';
import type { Loaded } from '../entry/program.ts';
import { CommandError, errorCode } from '../errors.ts';
import type { Everywhere } from '../everywhere/run.ts';
import { DEFAULT_SOURCE } from '../handler.ts';
import type { ServerInspection } from '../server.ts';
import type { WorkerInspection } from '../workerd.ts';
import { inspectorApi } from './api.ts';
import { Docs } from './docs.ts';
import { appFacts } from './facts.ts';
import { ownOriginOnly } from './guard.ts';
import { Store } from './store.ts';
import type { AppFacts, InspectedApp } from './target.ts';

/** Where it listens: nothing but this machine reaches it. */
const HOST = '127.0.0.1';

/** The largest request to the inspector itself, in bytes: an edited body, or reports of a Worker. */
const LARGEST_REQUEST = 16 * 1024 ** 2;

/** The page, which the build has made. */
const PAGE = fileURLToPath(new URL('./page/', import.meta.url));

/** Scripts and styles of the page's own origin, and requests to it: nothing else. */
const POLICY = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'connect-src': ["'self'"],
  'img-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
  'require-trusted-types-for': ["'script'"],
  'trusted-types': ["'none'"],
};

/** Shows the requests of one app. */
export class Inspector {
  readonly app: InspectedApp;
  readonly store: Store = new Store();
  readonly #ending = new AbortController();
  /** What shows that reports come from the app's own process. */
  readonly #token = randomUUID();
  #server: RunningServer | undefined;
  /** Runs requests in this process, where the app has one of its own. */
  #everywhere: Everywhere | undefined;
  #port = 0;

  /** @param app what is known of the app by now; more may be filled in when it serves */
  constructor(app: InspectedApp) {
    this.app = app;
  }

  /** The address of the page. */
  get url(): string {
    return `http://${HOST}:${this.#port}/__waygate`;
  }

  /**
   * Listens.
   *
   * @param port 0 for any free one
   * @throws {CommandError} when the port cannot be had
   */
  async listen(port: number, errors: (text: string) => void): Promise<void> {
    this.#port = port;
    try {
      const app = this.#application();
      const options = { host: HOST, port, signals: false, multiprocess: false, maxBodyBytes: LARGEST_REQUEST };
      this.#server = await serve(app, { ...options, errors, log: () => {} });
    } catch (error) {
      throw listenError(error, port);
    }
    this.#port = this.#server.port;
  }

  /** What a server is given, so that the inspector sees what it does. */
  inspection(): ServerInspection {
    return {
      report: this.store.report,
      loaded: (facts, everywhere) => {
        this.app.facts = facts;
        this.app.everywhere = everywhere;
        // A module with nothing but a handler is one.
        if (facts?.kind === 'lambda') this.app.run.source ??= DEFAULT_SOURCE;
      },
    };
  }

  /** What a server in front of workerd is given. Its code is loaded only for this. */
  async workerInspection(): Promise<WorkerInspection> {
    const { NodeRecorder } = await import('./record-node.ts');
    const url = `http://${HOST}:${this.#port}/__waygate/api/reports`;
    return { recorder: new NodeRecorder(this.store.report), target: { url, token: this.#token } };
  }

  /** Loads the app into this process, for what runs here. Where that cannot be, it is shown when somebody asks for it. */
  async load(load: () => Promise<Loaded>): Promise<void> {
    const { name, run } = this.app;
    const { Everywhere } = await import('../everywhere/run.ts');
    try {
      const { exports, taken } = await load();
      await this.#everywhere?.close();
      const everywhere = new Everywhere(exports, name, { kind: run.kind });
      this.#everywhere = everywhere;
      const facts = (): Promise<AppFacts | undefined> => appFacts(exports, name, { platform: 'node', kind: run.kind });
      this.app.facts = taken === undefined ? await facts() : undefined;
      this.app.everywhere = (request) => everywhere.run(request);
    } catch (error) {
      this.app.everywhere = () => Promise.reject(error);
    }
  }

  /** The app answers now. */
  serves(origin: string): void {
    this.app.origin = origin;
  }

  /** Ends the page's streams and stops listening. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#everywhere?.close();
    await this.#server?.close();
  }

  #application(): Application {
    const { app, store } = this;
    const docs = new Docs();
    const pages = staticFiles(directory(PAGE), { fallback: notFound, index: false });
    const served = mount({
      '/__waygate/api': inspectorApi({ app, store, docs, ending: this.#ending.signal, token: this.#token }),
      '/__waygate/docs': docsPages(docs),
      '/__waygate': atRoot(pages),
      '/': toThePage,
    });
    const guarded = ownOriginOnly(() => this.#port)(served);
    return secureHeaders(guarded, {
      contentSecurityPolicy: { defaults: false, directives: POLICY },
      strictTransportSecurity: false,
      referrerPolicy: 'no-referrer',
    });
  }
}

/** The page itself stands at the mount's own path, without a slash. */
function atRoot(pages: Application): Application {
  return (environ, startResponse) => {
    if (environ.PATH_INFO === '' || environ.PATH_INFO === '/') environ.PATH_INFO = '/index.html';
    return pages(environ, startResponse);
  };
}

function docsPages(docs: Docs): Application {
  return (environ, startResponse) => {
    const page = docs.html(environ.PATH_INFO.slice(1));
    if (page === undefined) return notFound(environ, startResponse);
    startResponse('200 OK', [['Content-Type', 'text/html; charset=utf-8']]);
    return [encode(page)];
  };
}

const toThePage: Application = (environ, startResponse) => {
  if (environ.PATH_INFO !== '/' && environ.PATH_INFO !== '') return notFound(environ, startResponse);
  startResponse('302 Found', [['Location', '/__waygate']]);
  return [];
};

const notFound: Application = (_environ, startResponse) => {
  startResponse('404 Not Found', [['Content-Type', 'text/plain; charset=utf-8']]);
  return [encode('The inspector has no such page. Its page is /__waygate.\n')];
};

function listenError(error: unknown, port: number): unknown {
  const where = `Port ${port} for the inspector`;
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return new CommandError(`${where} is in use; stop what uses it, or choose another with --inspect-port.`, {
        cause: error,
      });
    case 'EACCES':
      return new CommandError(`${where} needs rights that this process does not have; choose one above 1023.`, {
        cause: error,
      });
    default:
      return error;
  }
}
