// Other runtimes as child processes: started, waited for, and ended with everything they started themselves.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NODE_VERSIONS, nodeRuntime } from '../../../tools/node-runtimes.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const HERE = fileURLToPath(new URL('.', import.meta.url));

/** How long a runtime may take to come up, in milliseconds: a first start also compiles. */
const START_DEADLINE = 60_000;

/** A server in a process of its own. */
export interface Running {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** The id of the process that was started; also that of its group. */
  readonly pid: number;
  /** Whether it has ended by itself. */
  hasEnded(): boolean;
  /** All it has printed so far. */
  output(): string;
  /** Ends it and all it started; resolves when the process is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a server and waits until it prints the URL that it listens on.
 *
 * @param args of the command
 * @param cwd where it runs
 * @throws when it ends, or prints no URL within a minute; the message holds what it printed
 */
export function start(
  command: string,
  args: string[],
  env: Record<string, string> = {},
  cwd: string = ROOT,
): Promise<Running> {
  // A group of its own, so that one signal reaches the runtimes that a tool starts in turn.
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const endGroup = (): void => signalGroup(child, 'SIGKILL');
  process.once('exit', endGroup);
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      hasEnded = true;
      resolve();
    };
    child.once('exit', end);
    child.once('error', end);
  });
  const stop = async (): Promise<void> => {
    signalGroup(child, 'SIGTERM');
    const impatience = setTimeout(endGroup, 5000);
    await ended;
    clearTimeout(impatience);
    endGroup();
    process.removeListener('exit', endGroup);
  };
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => {
      stop().then(() => reject(new Error(`${command} ${args.join(' ')}: ${what}\n${output}`)));
    };
    const timer = setTimeout(() => fail('no URL was printed in time'), START_DEADLINE);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`ended with status ${code}`));
    const read = (chunk: Buffer): void => {
      output += chunk;
      const url = /https?:\/\/(?:127\.0\.0\.1|localhost):[0-9]+/.exec(output)?.[0];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve({ url, pid: child.pid as number, hasEnded: () => hasEnded, output: () => output, stop });
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
  });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The whole group is gone already.
  }
}

/** Keeps wrangler and workerd on this machine: no telemetry, no search for updates, no request for a `cf` object. */
export const WRANGLER_ENV: Record<string, string> = {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  // Not the folder of the user who happens to run the tests.
  WRANGLER_LOG_PATH: `${ROOT}/.wrangler/logs`,
  WRANGLER_REGISTRY_PATH: `${ROOT}/.wrangler/registry`,
  CI: 'true',
  NO_COLOR: '1',
};

/** The `wrangler` of this project, to be run with Node. */
export const WRANGLER: string = `${ROOT}/node_modules/wrangler/bin/wrangler.js`;

/** A wrangler, and the Node that runs it. */
export interface Wrangler {
  /** For titles. */
  title: string;
  node: string;
  script: string;
}

/** The last wrangler for Node 20, which this project installs. */
export const OWN_WRANGLER: Wrangler = { title: 'wrangler 4.86', node: process.execPath, script: WRANGLER };

/** The wrangler of today, which needs Node 22 or later, on Node 24: installed into `.runtimes/` on first use. */
export function wranglerOfToday(): Wrangler & { folder: string } {
  const folder = `${ROOT}/.runtimes/wrangler-${WRANGLER_OF_TODAY}`;
  const script = `${folder}/node_modules/wrangler/bin/wrangler.js`;
  if (!existsSync(script)) {
    mkdirSync(folder, { recursive: true });
    if (!existsSync(`${folder}/package.json`)) writeFileSync(`${folder}/package.json`, '{ "private": true }\n');
    npm(folder, 'install', '--no-save', '--no-package-lock', `wrangler@${WRANGLER_OF_TODAY}`);
  }
  const title = `wrangler ${WRANGLER_OF_TODAY} on Node 24`;
  return { title, node: nodeRuntime(NODE_24), script, folder };
}

const WRANGLER_OF_TODAY = '4.164.0';
const NODE_24 = NODE_VERSIONS.find((version) => version.startsWith('24.')) as string;

/**
 * Serves a Worker with `wrangler dev` on a free port.
 *
 * @param config the path of its wrangler configuration, from the top folder
 * @param more arguments of the command
 */
export function wranglerDev(config: string, ...more: string[]): Promise<Running> {
  return wranglerDevBy(OWN_WRANGLER, config, ...more);
}

/** The same by any wrangler. */
export function wranglerDevBy({ node, script }: Wrangler, config: string, ...more: string[]): Promise<Running> {
  const args = [script, 'dev', '--config', config, '--ip', '127.0.0.1', '--port', '0', '--inspector-port', '0'];
  // An older workerd cannot read what a newer one has kept.
  if (script !== WRANGLER && !more.includes('--persist-to'))
    args.push('--persist-to', `${ROOT}/.wrangler/state-of-today`);
  return start(node, [...args, '--show-interactive-dev-session=false', ...more], WRANGLER_ENV);
}

/** The path of the real `bun` or `deno`: npm packages, installed beside this file when a test first asks for them. */
export function runtime(name: 'bun' | 'deno'): string {
  const path = `${HERE}node_modules/.bin/${name}`;
  // No lock file: one made on one machine lacks the packages of the others. package.json names exact versions.
  if (!existsSync(path) || !existsSync(`${HERE}node_modules/bun-types`))
    npm(HERE, 'install', '--no-save', '--no-package-lock');
  return path;
}

/** With the scripts of the packages: these put the binary for this machine in place. */
function npm(folder: string, ...args: string[]): void {
  execFileSync('npm', [...args, '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Starts a program of this project in Bun. */
export function startBun(file: string, env: Record<string, string> = {}): Promise<Running> {
  return start(runtime('bun'), [file], env);
}

/** Starts a program of this project in Deno. */
export function startDeno(args: string[], env: Record<string, string> = {}): Promise<Running> {
  return start(runtime('deno'), ['run', '--allow-all', '--no-lock', ...args], { DENO_NO_UPDATE_CHECK: '1', ...env });
}
