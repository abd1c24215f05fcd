// What a test of the conformance suite has in hand: it serves applications, makes requests and waits for what follows
// without ever measuring time. Deadlines are there only so that something that never comes fails instead of hanging.

import type { Application, GatewayOptions } from '../core/types.ts';
import { equal, fail, latin1, ok } from './assert.ts';
import type { Capabilities } from './capabilities.ts';
import { parseResponse, type RawResponse } from './raw-response.ts';

/** An application that is being served. */
export interface ServedApp {
  /**
   * Makes a request.
   *
   * @param path the request target below the platform's own mount, `/` and all that follows
   * @param init as for `fetch`
   */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Sends raw HTTP/1.1 bytes on a connection of its own and returns all that comes back until it closes. */
  raw?(request: Uint8Array): Promise<Uint8Array>;
  /** Ends the serving. */
  close?(): void | Promise<void>;
}

/** Something that serves an application: an adapter with a client in front of it. */
export type Serve = (app: Application, options?: GatewayOptions) => ServedApp | Promise<ServedApp>;

/** How long anything may take before it counts as never coming, in milliseconds. */
export const PATIENCE = 4000;

/** One test in progress. */
export class TestContext {
  readonly capabilities: Capabilities;
  /** `SCRIPT_NAME` as the platform gives it without a `basePath`. */
  readonly mount: string;
  readonly #serve: Serve;
  readonly #sites: ServedSite[] = [];

  constructor(serve: Serve, capabilities: Capabilities, mount: string) {
    this.#serve = serve;
    this.capabilities = capabilities;
    this.mount = mount;
  }

  /** Serves an application until the test is over; what it logs is collected in `site.errors`. */
  async serve(app: Application, options: GatewayOptions = {}): Promise<ServedSite> {
    const site = new ServedSite(this.capabilities);
    const given = { ...options, errors: options.errors ?? site.sink };
    site.served = await this.#serve(app, given);
    this.#sites.push(site);
    return site;
  }

  /**
   * Makes a GET with exactly this request target, as far as the platform lets it: raw where there is a socket.
   *
   * @returns the status of the response
   */
  async target(site: ServedSite, target: string): Promise<number> {
    if (!this.capabilities.raw) return (await site.get(target)).status;
    return (await site.raw(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)).status;
  }

  /** Ends what was served. */
  async end(): Promise<void> {
    for (const site of this.#sites) await site.served.close?.();
  }
}

/** An application that is being served, and what it left in its log. */
export class ServedSite {
  declare served: ServedApp;
  /** What was written to `wsgi.errors`. */
  errors = '';
  readonly #capabilities: Capabilities;

  constructor(capabilities: Capabilities) {
    this.#capabilities = capabilities;
  }

  readonly sink = (text: string): void => {
    this.errors += `${text}\n`;
  };

  /** Makes a request; a path alone is a GET. */
  fetch(path: string, init?: RequestInit): Promise<Response> {
    return within(this.served.fetch(path, init), `a response to ${init?.method ?? 'GET'} ${path}`);
  }

  /** Makes a request and reads the whole response. */
  async get(path: string = '/', init?: RequestInit): Promise<Answer> {
    return answerOf(await this.fetch(path, init));
  }

  /**
   * Makes a request whose response fails after its head went out. Where the platform still had it all in memory, nothing
   * of the failed response may be in the error page. (ERR-04)
   */
  async breaks(path: string = '/', init?: RequestInit): Promise<void> {
    let answer: Answer;
    try {
      answer = await this.get(path, init);
    } catch {
      // A response with a declared length breaks off also where others end as if they were whole.
      ok(
        this.#capabilities.brokenConnection !== 'status-500',
        'a response that broke off after its head is an error status',
      );
      return;
    }
    if (this.#capabilities.brokenConnection === 'complete') return;
    equal(this.#capabilities.brokenConnection, 'status-500', 'how a response fails that came to a clean end');
    ok(answer.status >= 500, `a response that broke off has an error status, not ${answer.status}`);
  }

  /** Sends raw bytes, given as text with one byte per character, and reads the response. */
  async raw(request: string): Promise<RawResponse> {
    const responses = await this.rawAll(request);
    return responses[0] ?? fail('expected a response, the connection closed without one');
  }

  /** Like `raw`, for several responses on one connection. */
  async rawAll(request: string): Promise<RawResponse[]> {
    const raw = this.served.raw;
    ok(raw !== undefined, 'this platform declares the capability "raw", but Served has no raw()');
    const bytes = Uint8Array.from(request, (character) => character.charCodeAt(0));
    const received = await within(raw.call(this.served, bytes), 'the end of the connection');
    return parseResponse(latin1(received), request);
  }
}

/** A whole response. */
export interface Answer {
  status: number;
  reason: string;
  headers: Headers;
  bytes: Uint8Array;
  text: string;
}

/** Reads a whole response. */
export async function answerOf(response: Response): Promise<Answer> {
  const bytes = new Uint8Array(await within(response.arrayBuffer(), 'the end of the response'));
  const { status, statusText, headers } = response;
  return { status, reason: statusText, headers, bytes, text: latin1(bytes) };
}

/** A promise with a handle: what one side waits for and the other lets go. */
export class Gate<T = void> {
  open!: (value: T) => void;
  readonly opened: Promise<T> = new Promise<T>((resolve) => {
    this.open = resolve;
  });
}

/** Waits for something that has to come. */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      try {
        fail(`${what}: never came`);
      } catch (error) {
        reject(error);
      }
    }, PATIENCE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until something has become true. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !condition(); waited += 5) {
    if (waited > PATIENCE) fail(`${what}: never happened`);
    await pause(5);
  }
}

/** Lets everything that is under way go on, for checks that something does not happen. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await pause(3);
}

/** Waits, for a stated number of milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
