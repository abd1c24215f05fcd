// The Lambda Runtime API, as far as a runtime client sees it: hands out events and takes what comes back. It stands in for
// the service, not for the client, which is AWS's own. (AWS: "Using the Lambda runtime API for custom runtimes")

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const PREFIX = '/2018-06-01/runtime';

/** What a runtime client sent for one invocation. */
export interface Outcome {
  /** The request id of the invocation. */
  id: string;
  kind: 'response' | 'error';
  headers: IncomingMessage['headers'];
  trailers: NodeJS.Dict<string>;
  body: Buffer;
  /** The connection broke before the body was whole. */
  broken: boolean;
}

interface Invocation {
  id: string;
  event: string;
  /** Called with each piece of the body as it arrives. */
  onData: ((piece: Buffer) => void) | undefined;
  settle: (outcome: Outcome) => void;
}

export class RuntimeApi {
  readonly #server: Server;
  readonly #queue: Invocation[] = [];
  readonly #waiting: ServerResponse[] = [];
  readonly #running = new Map<string, Invocation>();
  /** What clients reported as failures to start. */
  readonly initErrors: string[] = [];

  constructor() {
    this.#server = createServer((request, response) => void this.#handle(request, response));
    this.#server.requestTimeout = 0;
  }

  /** Listens on a free port; resolves with `host:port`, the value of AWS_LAMBDA_RUNTIME_API. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Has one event handled by whichever client asks next. */
  invoke(event: unknown, onData?: (piece: Buffer) => void): Promise<Outcome> {
    return new Promise((settle) => {
      this.#queue.push({ id: randomUUID(), event: JSON.stringify(event), onData, settle });
      this.#dispatch();
    });
  }

  /** Forgets the clients that wait for an event, after they were stopped. */
  forgetClients(): void {
    for (const response of this.#waiting.splice(0)) response.destroy();
  }

  #dispatch(): void {
    while (this.#queue.length > 0 && this.#waiting.length > 0) {
      const invocation = this.#queue.shift() as Invocation;
      const response = this.#waiting.shift() as ServerResponse;
      this.#running.set(invocation.id, invocation);
      response.writeHead(200, {
        'Content-Type': 'application/json',
        'Lambda-Runtime-Aws-Request-Id': invocation.id,
        'Lambda-Runtime-Deadline-Ms': String(Date.now() + 15_000),
        'Lambda-Runtime-Invoked-Function-Arn': 'arn:aws:lambda:eu-north-1:123456789012:function:waygate',
        'Lambda-Runtime-Trace-Id': 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700',
      });
      response.end(invocation.event);
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').slice(PREFIX.length);
    if (path === '/invocation/next') {
      this.#waiting.push(response);
      response.once('close', () => {
        const at = this.#waiting.indexOf(response);
        if (at !== -1) this.#waiting.splice(at, 1);
      });
      this.#dispatch();
      return;
    }
    const match = /^\/invocation\/([^/]+)\/(response|error)$/.exec(path);
    const invocation = match === null ? undefined : this.#running.get(match[1] as string);
    const pieces: Buffer[] = [];
    let broken = false;
    try {
      for await (const piece of request) {
        pieces.push(piece);
        invocation?.onData?.(piece);
      }
    } catch {
      broken = true;
    }
    const body = Buffer.concat(pieces);
    if (invocation === undefined) {
      this.initErrors.push(body.toString());
    } else {
      this.#running.delete(invocation.id);
      const kind = match?.[2] as Outcome['kind'];
      invocation.settle({
        id: invocation.id,
        kind,
        headers: request.headers,
        trailers: request.trailers,
        body,
        broken,
      });
    }
    if (!broken) response.writeHead(202).end();
  }
}
