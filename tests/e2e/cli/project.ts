// A user's project: an empty folder with the packed library and the packed command installed, as they would be published.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WRANGLER_ENV } from '../runtimes/process.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** What a command left. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A command that goes on, such as a server. */
export interface Started {
  readonly child: ChildProcess;
  /** All that it has printed so far. */
  stdout(): string;
  stderr(): string;
  /** Settles when what it printed matches; rejects when it ends before, or after some seconds, half a minute's by default. */
  prints(pattern: RegExp, seconds?: number): Promise<RegExpExecArray>;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** What a user's shell has: no colours asked for, nothing of the tests' own environment. */
const ENV: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: process.env.HOME, ...WRANGLER_ENV, NO_COLOR: undefined };

export class Project {
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), 'waygate-project-')));
  readonly #running = new Set<Started>();

  /**
   * Packs all packages, as they would be published.
   *
   * @returns the path of each package's tarball, by the package's name
   */
  pack(): Record<string, string> {
    const packed = join(this.folder, 'packed');
    mkdirSync(packed);
    for (const where of ['.', 'cli', 'create-waygate']) {
      const args = ['pack', '--ignore-scripts', '--pack-destination', packed];
      execFileSync('npm', args, { cwd: join(ROOT, where), stdio: 'pipe' });
    }
    const names = ['waygate', 'waygate-cli', 'create-waygate'];
    return Object.fromEntries(names.map((name) => [name, join(packed, `${name}-0.1.0.tgz`)]));
  }

  /** Packs the library and the command and installs them. */
  install(): void {
    this.pack();
    this.write({ 'package.json': '{ "private": true, "type": "module" }' });
    this.npm('./packed/waygate-0.1.0.tgz', './packed/waygate-cli-0.1.0.tgz');
  }

  /** Installs packages from the registry. */
  npm(...packages: string[]): void {
    const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages];
    execFileSync('npm', args, { cwd: this.folder, stdio: 'pipe' });
  }

  write(files: Record<string, string>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, path)), { recursive: true });
      writeFileSync(join(this.folder, path), text);
    }
  }

  /** Runs a line of shell in the project, with its commands found as `npx` finds them. */
  async sh(line: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const started = this.start('sh', ['-c', line], env);
    const code = await new Promise<number | null>((resolve) => started.child.once('close', resolve));
    this.#running.delete(started);
    // What takes longer than a second says so; on a busy machine that may be anything.
    return { code, stdout: started.stdout(), stderr: started.stderr().replace(/^\S.* …\n/gm, '') };
  }

  /** Starts `waygate serve` and waits for its URL, which comes without a slash at the end. */
  async serve(...args: string[]): Promise<Started & { url: string }> {
    const started = this.start('waygate', ['serve', ...args, '--port', '0', '--host', '127.0.0.1']);
    const [, url = ''] = await started.prints(/^Serving \S+ on (http:\S+)\//m);
    return { ...started, url };
  }

  /** Starts a command of the project. */
  start(command: string, args: string[], env: NodeJS.ProcessEnv = {}): Started {
    const child = spawn(command, args, {
      cwd: this.folder,
      env: { ...ENV, PATH: `${join(this.folder, 'node_modules', '.bin')}:${process.env.PATH}`, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const started: Started = {
      child,
      stdout: () => stdout,
      stderr: () => stderr,
      prints: (pattern, seconds = 30) => matched(child, () => stdout + stderr, pattern, seconds),
      stop: (signal = 'SIGTERM') => stop(child, signal),
    };
    this.#running.add(started);
    child.once('close', () => this.#running.delete(started));
    return started;
  }

  async remove(): Promise<void> {
    await Promise.all([...this.#running].map((each) => each.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function matched(
  child: ChildProcess,
  printed: () => string,
  pattern: RegExp,
  seconds: number,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const over = (how: string): void => {
      clearInterval(timer);
      clearTimeout(limit);
      reject(new Error(`${child.spawnargs.join(' ')} ${how} without printing ${pattern}:\n${printed()}`));
    };
    const look = (): void => {
      const found = pattern.exec(printed());
      if (found !== null) {
        clearInterval(timer);
        clearTimeout(limit);
        resolve(found);
      } else if (child.exitCode !== null || child.signalCode !== null) over('ended');
    };
    const timer = setInterval(look, 25);
    const limit = setTimeout(() => over(`went on for ${seconds} seconds`), seconds * 1000);
    child.once('error', (error) => over(error.message));
  });
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill(signal);
    const limit = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(limit);
  }
  return child.exitCode;
}
