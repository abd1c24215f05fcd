// One execution environment of a Web Function: the built bundle in a process of its own, as Lambda starts it.
// https://docs.aws.amazon.com/lambda/latest/dg/web-functions-env-lifecycle.html

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { CommandError } from '../errors.ts';
import { startGroup, stopGroup } from '../process-group.ts';
import { RunningRequests } from '../running-requests.ts';
import { freePort } from '../supervisor.ts';
import { ENTRY } from './files.ts';
import { LIMITS } from './rules.ts';

/** How often it is asked whether the server listens, in milliseconds. */
const ASK_EVERY = 20;
/** How long the process has after SIGTERM, in milliseconds. */
const STOP_LIMIT = 1000;

/** What the runtime does not set, though a developer's shell may. */
const UNSET: readonly string[] = [
  'PORT',
  'HOST',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
];

/** What `entry-server.ts` prints of itself: of no use here, where another address is the one to know. */
const OWN_LINE = /^Listening on http:\/\/\S+\n/;

/** A process that serves, or will. */
export class Environment {
  readonly port: number;
  readonly #child: ChildProcess;
  /** Requests that it has at the moment. */
  readonly running = new RunningRequests();

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  /**
   * Starts one.
   *
   * @param folder absolute path of the built code
   * @param print gets what the application prints
   * @throws {CommandError} when it ends or does not listen in time
   */
  static async start(
    folder: string,
    environment: NodeJS.ProcessEnv,
    print: (text: string, stream: 'stdout' | 'stderr') => void,
  ): Promise<Environment> {
    const port = await freePort('127.0.0.1');
    const endpoint = `127.0.0.1:${port}`;
    const env = { ...environment };
    for (const name of UNSET) delete env[name];
    env.AWS_LAMBDA_HTTP_ENDPOINT = endpoint;
    env.AWS_LAMBDA_INITIALIZATION_TYPE = 'native-http';
    const child = startGroup([process.execPath, env.AWS_LAMBDA_NODEJS_ENTRYPOINT || ENTRY], folder, env);
    let printed = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      const text = chunk.toString();
      print(printed === '' ? text.replace(OWN_LINE, '') : text, 'stdout');
      printed += text;
    });
    child.stderr?.on('data', (chunk: Buffer) => print(chunk.toString(), 'stderr'));
    const made = new Environment(port, child);
    try {
      await made.#listens(endpoint);
    } catch (error) {
      await made.stop();
      throw error;
    }
    return made;
  }

  /** Settles when the process has ended, with how it did. */
  async ended(): Promise<string> {
    if (this.hasEnded) return this.#how();
    await once(this.#child, 'exit');
    return this.#how();
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** SIGTERM, and SIGKILL a second later. */
  stop(): Promise<void> {
    return stopGroup(this.#child, STOP_LIMIT);
  }

  #how(): string {
    const { exitCode, signalCode } = this.#child;
    return signalCode === null ? `ended with exit code ${exitCode}` : `was ended by ${signalCode}`;
  }

  async #listens(endpoint: string): Promise<void> {
    const { startSeconds } = LIMITS;
    const until = performance.now() + startSeconds * 1000;
    while (!this.hasEnded) {
      if (await accepts(this.port)) return;
      if (performance.now() > until) {
        throw new CommandError(
          `The app does not listen on AWS_LAMBDA_HTTP_ENDPOINT (${endpoint}) after ${startSeconds} seconds, which is all ` +
            'the time that Lambda gives it.',
        );
      }
      await wait(ASK_EVERY);
    }
    throw new CommandError(`The app’s process ${this.#how()} before it listened on AWS_LAMBDA_HTTP_ENDPOINT.`);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    const end = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}
