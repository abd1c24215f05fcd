// AWS's own runtime clients as child processes: the code that runs a function's handler on Lambda.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root: string = fileURLToPath(new URL('../../../', import.meta.url));

/** A runtime client, and the Node that runs it. */
export interface ClientKind {
  title: string;
  node: string;
  script: string;
  /** Whether it can have several invocations running at a time. */
  concurrent: boolean;
}

export const CLIENTS: ClientKind[] = [
  {
    title: 'aws-lambda-ric 3.3.0, of the Node 20 and 22 runtimes',
    node: process.execPath,
    script: `${root}.runtimes/lambda/node_modules/aws-lambda-ric/bin/index.mjs`,
    concurrent: false,
  },
  {
    title: 'aws-lambda-ric 4.0.2, of the Node 24 runtime',
    node: `${root}.runtimes/node-24/node_modules/node/bin/node`,
    script: `${root}.runtimes/lambda-4/node_modules/aws-lambda-ric/index.mjs`,
    concurrent: true,
  },
];

/** Whether a client is not installed. In CI it was a moment ago: there, its absence is a failure. */
export function isMissing(kind: ClientKind): boolean {
  const missing = !(existsSync(kind.script) && existsSync(kind.node)) && process.env.CI === undefined;
  if (missing) console.log(`Skipped: no ${kind.title}; tools/install-lambda-runtime.sh installs it.`);
  return missing;
}

/** One process that serves one function. */
export class Client {
  readonly #child: ChildProcess;
  /** What it wrote to its standard output and error. */
  log = '';

  /**
   * @param kind which client
   * @param api where its Runtime API is: `host:port`
   * @param handler file and export under build/, such as `lambda/handler.handler`
   * @param env what is set besides
   */
  constructor(kind: ClientKind, api: string, handler: string, env: Record<string, string> = {}) {
    const slash = handler.lastIndexOf('/');
    const folder = `${root}build/${handler.slice(0, slash)}`;
    const name = handler.slice(slash + 1);
    // Lambda's runtimes run with this flag: `require` loads no ES modules there.
    this.#child = spawn(kind.node, ['--no-experimental-require-module', kind.script, name], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        AWS_LAMBDA_RUNTIME_API: api,
        AWS_LAMBDA_FUNCTION_NAME: 'waygate',
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
        AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/waygate',
        AWS_LAMBDA_LOG_STREAM_NAME: '2026/11/26/[$LATEST]1',
        AWS_REGION: 'eu-north-1',
        LAMBDA_TASK_ROOT: folder,
        _HANDLER: name,
        ...env,
      },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (text) => {
        this.log += text;
      });
    }
  }

  /** How the process ended, or null while it runs. */
  get ended(): string | number | null {
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  async stop(): Promise<void> {
    if (this.ended !== null) return;
    const exit = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await exit;
  }
}
