// What the page asks for: lists, details, replays, comparisons and copies, as JSON.

import { type Application, type ApplicationBody, type Environ, encode, type StartResponse } from 'waygate';
import { CommandError, oneLine } from '../errors.ts';
import type { SentRequest } from '../everywhere/client.ts';
import { type Comparison, compareRuns } from '../everywhere/compare.ts';
import { COPY_FORMS, type CopyForm, copyOf } from './copies.ts';
import type { Docs } from './docs.ts';
import { liveEvents } from './live.ts';
import { maskEnviron, maskHeader, maskHeaders, maskTarget, unmaskHeaders } from './mask.ts';
import type { HeaderLines } from './messages.ts';
import { fromJson } from './record-worker.ts';
import { lengthFixed, replay, sentRequest } from './replay.ts';
import { type Exchange, KEPT_REQUESTS, type Store } from './store.ts';
import { type InspectedApp, platformOf } from './target.ts';
import { detailOf, shownBytes, summaryOf } from './view.ts';

/** What the page is about. */
export interface ApiOptions {
  store: Store;
  docs: Docs;
  app: InspectedApp;
  /** Aborts when the inspector ends. */
  ending: AbortSignal;
  /** What shows that reports come from the app's own process. */
  token: string;
}

/** A request as the page edits it. */
interface EditedRequest {
  method: string;
  target: string;
  headers: HeaderLines;
  /** The body as text, or in base64; neither for none. */
  text?: string;
  base64?: string;
}

/** A refusal, for the page to show. */
class ApiError extends Error {
  readonly status: string;

  constructor(status: string, message: string) {
    super(message);
    this.status = status;
  }
}

/** Serves `/__waygate/api/…`; its paths are those below `api/`. */
export function inspectorApi(options: ApiOptions): Application {
  return async (environ, startResponse) => {
    try {
      return await new ApiCall(options, environ, startResponse).answer();
    } catch (error) {
      const status =
        error instanceof ApiError
          ? error.status
          : error instanceof CommandError
            ? '422 Unprocessable Content'
            : undefined;
      if (status === undefined) throw error;
      return json(startResponse, status, { error: oneLine(error) });
    }
  };
}

function json(startResponse: StartResponse, status: string, value: unknown): ApplicationBody {
  startResponse(status, [
    ['Content-Type', 'application/json'],
    ['Cache-Control', 'no-store'],
  ]);
  return [encode(JSON.stringify(value))];
}

class ApiCall {
  readonly #options: ApiOptions;
  readonly #environ: Environ;
  readonly #startResponse: StartResponse;
  readonly #platform: string;

  constructor(options: ApiOptions, environ: Environ, startResponse: StartResponse) {
    this.#options = options;
    this.#environ = environ;
    this.#startResponse = startResponse;
    this.#platform = platformOf(options.app);
  }

  async answer(): Promise<ApplicationBody> {
    const [, what = '', id = '', action = '', form = ''] = this.#environ.PATH_INFO.split('/');
    const route = `${this.#environ.REQUEST_METHOD} ${what}${id === '' ? '' : '/:id'}${action === '' ? '' : `/${action}`}`;
    switch (route) {
      case 'GET events':
        return this.#events();
      case 'GET requests':
        return this.#list();
      case 'DELETE requests':
        this.#options.store.clear();
        return this.#json({});
      case 'GET requests/:id':
        return this.#json(this.#detail(this.#find(id)));
      case 'GET requests/:id/request':
        return this.#json(this.#editable(this.#find(id)));
      case 'GET requests/:id/copy':
        return this.#copy(this.#find(id), form);
      case 'POST reports':
        return this.#reports();
      case 'POST requests/:id/replay':
        return this.#replay(this.#find(id));
      case 'POST requests/:id/everywhere':
        return this.#everywhere(this.#find(id));
      default:
        throw new ApiError(
          '404 Not Found',
          `The inspector has no ${this.#environ.REQUEST_METHOD} ${this.#environ.PATH_INFO}.`,
        );
    }
  }

  #json(value: unknown): ApplicationBody {
    return json(this.#startResponse, '200 OK', value);
  }

  #find(id: string): Exchange {
    const exchange = this.#options.store.get(id);
    if (exchange !== undefined) return exchange;
    throw new ApiError('404 Not Found', `This request is no longer kept: the inspector has the last ${KEPT_REQUESTS}.`);
  }

  #list(): ApplicationBody {
    const { app, store, docs } = this.#options;
    const { name, run, origin } = app;
    const requests = store.all.map((each) => summaryOf(each, this.#platform, docs));
    const options = { platform: this.#platform, stream: run.stream === true, validate: run.validate === true };
    return this.#json({ app: { name, origin, everywhere: app.everywhere !== undefined, ...options }, requests });
  }

  #detail(exchange: Exchange): unknown {
    const secrets = new URLSearchParams(this.#environ.QUERY_STRING).get('secrets') === '1';
    return detailOf(exchange, this.#platform, this.#options.docs, secrets);
  }

  #events(): ApplicationBody {
    const { store, docs, ending } = this.#options;
    this.#startResponse('200 OK', [
      ['Content-Type', 'text/event-stream'],
      ['Cache-Control', 'no-store'],
    ]);
    const summary = (id: string): unknown => {
      const exchange = store.get(id);
      return exchange && summaryOf(exchange, this.#platform, docs);
    };
    return liveEvents(store, AbortSignal.any([ending, this.#environ['waygate.signal']]), summary);
  }

  /** A request as it can be edited: secrets are masked, and put back where they were left so. */
  #editable(exchange: Exchange): EditedRequest {
    const { method, target, headers, body } = sentRequest(exchange);
    const lines = headers.map(([name, value]): [string, string] => [name, value]);
    const edited = { method, target: maskTarget(target), headers: maskHeaders(lines) };
    if (body === undefined) return edited;
    const { text, base64 } = shownBytes(body, body.byteLength, body.byteLength);
    return { ...edited, text, base64 };
  }

  async #copy(exchange: Exchange, form: string): Promise<ApplicationBody> {
    if (!COPY_FORMS.includes(form as CopyForm)) {
      throw new ApiError('404 Not Found', `There is no copy as "${form}"; expected one of ${COPY_FORMS.join(', ')}.`);
    }
    return this.#json({ text: await copyOf(form as CopyForm, exchange, this.#options.app) });
  }

  /** Reports from workerd, which is a process of its own. */
  async #reports(): Promise<ApplicationBody> {
    const { store, token } = this.#options;
    if (this.#environ.HTTP_X_WAYGATE_TOKEN !== token) {
      throw new ApiError('403 Forbidden', 'These reports are not from the app that is inspected.');
    }
    for (const report of fromJson(await this.#environ['wsgi.input'].json())) store.report(report);
    return this.#json({});
  }

  async #replay(exchange: Exchange): Promise<ApplicationBody> {
    const { app, store } = this.#options;
    return this.#json({ id: await replay(app, store, exchange.id, await this.#request(exchange)) });
  }

  async #everywhere(exchange: Exchange): Promise<ApplicationBody> {
    const { app, docs } = this.#options;
    if (app.everywhere === undefined)
      throw new ApiError('409 Conflict', 'The app does not serve yet; try again when it does.');
    const request = await this.#request(exchange);
    const runs = await app.everywhere(request);
    const platforms = runs.slice(0, -1).map(({ label, response, error }) => ({
      label,
      status: response?.status,
      size: response?.size,
      duration: response?.duration,
      error,
    }));
    const sent = { method: request.method, target: maskTarget(request.target) };
    return this.#json({ sent, platforms, comparison: withLinks(compareRuns(runs), docs) });
  }

  /** The request to send: as it was recorded, or as the page has edited it. */
  async #request(exchange: Exchange): Promise<SentRequest> {
    const edited = editedRequest(await this.#environ['wsgi.input'].json());
    if (edited === undefined) return sentRequest(exchange);
    const { method, headers } = edited;
    const target = edited.target === maskTarget(exchange.target) ? exchange.target : edited.target;
    const body =
      edited.base64 === undefined ? edited.text && encode(edited.text) : Buffer.from(edited.base64, 'base64');
    const bytes = body === '' ? undefined : body;
    return { method, target, headers: lengthFixed(unmaskHeaders(headers, exchange.headers), bytes), body: bytes };
  }
}

/** @throws {ApiError} for what is not a request */
function editedRequest(value: unknown): EditedRequest | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return undefined;
  const { method, target, headers, text, base64 } = value as Partial<EditedRequest>;
  const wrong = (what: string): ApiError => new ApiError('422 Unprocessable Content', what);
  if (typeof method !== 'string' || !/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(method)) {
    throw wrong(`The method is ${JSON.stringify(method)}; expected one such as GET.`);
  }
  if (typeof target !== 'string' || !/^[\x21-\x7e]+$/.test(target)) {
    throw wrong(
      `The target is ${JSON.stringify(target)}; expected a path such as /users?page=2, with escapes for blanks.`,
    );
  }
  const isLine = (line: unknown): boolean =>
    Array.isArray(line) &&
    /^[A-Za-z0-9!#$%&'*+.^_`|~:-]+$/.test(String(line[0])) &&
    /^[^\r\n\0\u0100-\uffff]*$/.test(String(line[1]));
  if (!Array.isArray(headers) || !headers.every(isLine)) {
    throw wrong('A header line is wrong; expected "Name: value", each on a line.');
  }
  if (text !== undefined && typeof text !== 'string') throw wrong('The body is not a text.');
  if (base64 !== undefined && typeof base64 !== 'string') throw wrong('The body is not base64.');
  return { method, target, headers, text, base64 };
}

function withLinks(comparison: Comparison, docs: Docs): unknown {
  const differences = comparison.differences.map((difference) => ({
    ...difference,
    expected: masked(difference, difference.expected),
    others: difference.others.map(({ why, value, ...other }) => ({
      ...other,
      value: masked(difference, value),
      why: why && { text: why.why, link: docs.link('platforms.md', why.line) },
    })),
  }));
  return { ...comparison, differences };
}

/** A value of a table without its secrets. */
function masked({ side, part }: { side: 'request' | 'response'; part: string }, value?: string): string | undefined {
  if (value === undefined || part === 'body') return value;
  const lines = value.split('\n');
  return lines.map((line) => (side === 'request' ? maskEnviron(part, line) : maskHeader(part, line))).join('\n');
}
