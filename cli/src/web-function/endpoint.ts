// `waygate serve --platform lambda:web`: an endpoint of a Lambda Web Function on this machine, in front of the built bundle.

import { randomBytes } from 'node:crypto';
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { formatAccess, watchAccess } from '../access-log.ts';
import type { Certificate } from '../certificate.ts';
import { oneLine } from '../errors.ts';
import type { Output } from '../output.ts';
import { headerLines } from '../raw-headers.ts';
import { listenAt } from '../server.ts';
import { Environment } from './environment.ts';
import { forward } from './forward.ts';
import { reply } from './reply.ts';
import { brokenAnswer, initAnswer, LIMITS, refusal, throttleAnswer } from './rules.ts';

/** What is served, and within which limits. */
export interface EndpointConfig {
  host: string;
  port: number;
  /** Without it the endpoint speaks plain HTTP, unlike Lambda's. */
  tls: Certificate | undefined;
  quiet: boolean;
  /** How long a request may take, in seconds. */
  timeout: number;
  /** How many requests an environment has at a time. */
  concurrency: number;
  /** How many environments there may be. */
  environments: number;
}

/** How long requests of a revision that was replaced may go on, in milliseconds. */
const DRAIN_LIMIT = 8000;
/** The longest head that is read, in bytes; AWS drops the connection at a limit of its own. */
const MAX_HEAD = 512 * 1024;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** One version of the code, and the environments that run it. */
interface Revision {
  folder: string;
  environments: Set<Environment>;
  /** Environments that start. */
  starting: Set<Promise<Environment>>;
}

/** Serves one function, one revision after another, at one address. */
export class WebEndpoint {
  readonly #config: EndpointConfig;
  readonly #output: Output;
  readonly #server: Server;
  /** Connections to the environments are kept. */
  readonly #agent = new http.Agent({ keepAlive: true });
  #revision: Revision | null = null;
  readonly #all = new Set<Environment>();
  #isClosing = false;
  #hasWarned = false;

  constructor(config: EndpointConfig, output: Output) {
    this.#config = config;
    this.#output = output;
    const options = {
      maxHeaderSize: MAX_HEAD,
      requireHostHeader: false,
      requestTimeout: LIMITS.timeout.most * 1000,
      keepAliveTimeout: 60_000,
    };
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      const requestId = newRequestId();
      this.#serve(request, response, requestId).catch((error) => {
        this.#output.fail(error);
        reply(response, brokenAnswer(oneLine(error)), requestId);
      });
    };
    this.#server = config.tls
      ? https.createServer({ ...options, ...config.tls, ALPNProtocols: ['http/1.1'] }, serve)
      : http.createServer(options, serve);
    // Node would leave out header lines beyond its own limit.
    this.#server.maxHeadersCount = 0;
    this.#server.on('checkContinue', (request, response) => {
      this.#warnOfExpect();
      response.writeContinue();
      serve(request, response);
    });
    this.#server.on('checkExpectation', serve);
    // CONNECT has no response but one that is written by hand.
    this.#server.on('connect', (request: IncomingMessage, socket: Socket) => {
      const refused = refusal(describe(request), this.#isOwn(request));
      end(socket, refused?.status ?? 400, refused?.text ?? 'CONNECT');
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      // A head that is too long gets no response at all.
      if (error.code === 'HPE_HEADER_OVERFLOW' || !socket.writable) socket.destroy();
      else end(socket, 400, `The request is not valid HTTP/1.1: ${oneLine(error)}.`);
    });
  }

  /**
   * Listens.
   *
   * @returns the port
   * @throws {CommandError} when the address cannot be had
   */
  listen(): Promise<number> {
    return listenAt(this.#server, this.#config.host, this.#config.port);
  }

  /**
   * Starts serving other code; the revision before finishes the requests that it has.
   *
   * @param folder absolute path of the built code
   * @throws {CommandError} when it does not start; what served before then goes on
   */
  async replace(folder: string): Promise<void> {
    const revision: Revision = { folder, environments: new Set(), starting: new Set() };
    await this.#start(revision);
    const before = this.#revision;
    this.#revision = revision;
    for (const each of before?.environments ?? []) void each.running.idle(DRAIN_LIMIT).then(() => each.stop());
  }

  /** Stops accepting, finishes what runs, ends the environments. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    await Promise.allSettled(this.#revision?.starting ?? []);
    await Promise.all([...this.#all].map((each) => each.running.idle(DRAIN_LIMIT)));
    this.#server.closeAllConnections();
    await closed;
    this.#agent.destroy();
    await Promise.all([...this.#all].map((each) => each.stop()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    if (!this.#config.quiet) {
      watchAccess(request, response, (record) => this.#output.print(formatAccess(record, this.#output.colors)));
    }
    const refused = refusal(describe(request), this.#isOwn(request));
    if (refused !== undefined) {
      reply(response, refused, requestId);
      return;
    }
    const { timeout, concurrency, environments } = this.#config;
    let environment: Environment | null;
    try {
      environment = await this.#environment();
    } catch (error) {
      this.#output.fail(error);
      reply(response, initAnswer(oneLine(error)), requestId);
      return;
    }
    if (environment === null) {
      reply(response, throttleAnswer(environments, concurrency), requestId);
      return;
    }
    const taken = environment;
    const release = (): void => taken.running.end();
    if (response.destroyed) {
      release();
      return;
    }
    response.once('close', release);
    forward(request, response, {
      port: taken.port,
      agent: this.#agent,
      timeout,
      requestId,
      logStream: logStream(taken),
    });
  }

  /**
   * An environment for one more request, which counts from then on.
   *
   * @returns null where there may be no other
   * @throws {CommandError} when another does not start
   */
  async #environment(): Promise<Environment | null> {
    const revision = this.#revision;
    if (revision === null) return null;
    const { concurrency, environments } = this.#config;
    const take = (one: Environment): Environment => {
      one.running.begin();
      return one;
    };
    const hasRoom = (one: Environment): boolean => one.running.count < concurrency && !one.hasEnded;
    for (;;) {
      const free = [...revision.environments].find(hasRoom);
      if (free !== undefined) return take(free);
      const [starting] = revision.starting;
      if (starting === undefined && revision.environments.size >= environments) return null;
      // It may have no room left for this one once it is there.
      await (starting ?? this.#start(revision));
    }
  }

  #start(revision: Revision): Promise<Environment> {
    const { io } = this.#output;
    const started = Environment.start(revision.folder, io.env, (text, stream) => void io[stream].write(text)).then(
      (environment) => {
        revision.environments.add(environment);
        this.#all.add(environment);
        void environment.ended().then((how) => {
          const isLoss = revision.environments.delete(environment) && revision === this.#revision && !this.#isClosing;
          this.#all.delete(environment);
          if (isLoss) this.#output.warn(`The environment ${how}; the next request starts another.`);
        });
        return environment;
      },
    );
    revision.starting.add(started);
    const isOver = (): void => void revision.starting.delete(started);
    started.then(isOver, isOver);
    return started;
  }

  /** Whether a Host names this very server: a browser can name it in no other way. */
  #isOwn({ socket: { localAddress = '', localPort = 0 } }: IncomingMessage): (host: string) => boolean {
    const address = localAddress.replace(/^::ffff:(?=.*\.)/, '');
    const names = ['localhost', this.#config.host, address].map((name) => (name.includes(':') ? `[${name}]` : name));
    const usual = this.#config.tls ? 443 : 80;
    return (host) => names.some((name) => host === `${name}:${localPort}` || (localPort === usual && host === name));
  }

  #warnOfExpect(): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#output.warn(
      'A client sent "Expect: 100-continue", as curl does with a body of more than 1 MB. AWS says that Lambda removes it, and ' +
        'elsewhere that it may answer 417: leave it out.',
    );
  }
}

function describe({ method = '', httpVersion, rawHeaders }: IncomingMessage): Parameters<typeof refusal>[0] {
  return { method, httpVersion, headers: headerLines(rawHeaders) };
}

/** Answers on a connection that has no response object, and closes it. */
function end(socket: Socket, status: number, text: string): void {
  const body = `${text}\n`;
  const head = `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain`;
  socket.on('error', () => {});
  socket.end(`${head}; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

/** An id of 26 letters and digits, as Lambda's are. */
function newRequestId(): string {
  return Array.from(randomBytes(26), (byte) => BASE32[byte % 32]).join('');
}

/** Lambda has a log stream for each environment, whose name begins with the day. */
function logStream({ port }: Environment): string {
  return `${new Date().toISOString().slice(0, 10).replaceAll('-', '/')}/waygate/${port}`;
}
