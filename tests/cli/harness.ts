// Runs the command inside the test's own process, in a folder of its own, with everything it writes kept.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import { main } from '../../cli/src/main.ts';
import type { OutputStream } from '../../cli/src/output.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const source = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The library's sources, as an app of a test folder finds them: no build is needed. */
const TSCONFIG = JSON.stringify({
  compilerOptions: {
    paths: {
      waygate: [source('core/index.ts')],
      'waygate/adapter': [source('core/adapter.ts')],
      'waygate/middleware': [source('middleware/index.ts')],
      'waygate/light-fetch': [source('adapters/fetch/light/globals.ts')],
      'waygate/light-fetch/classes': [source('adapters/fetch/light/classes.ts')],
      'waygate/*': [source('adapters/*/index.ts')],
    },
  },
});

/** Makes a folder with these files, which goes away after the test. */
export function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'waygate-cli-test-'));
  folders.push(folder);
  for (const [path, text] of Object.entries({ 'tsconfig.json': TSCONFIG, ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** What a run of the command left. */
export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** How a run is set up. */
export interface RunOptions {
  stdin?: string;
  env?: Record<string, string>;
  /** Whether standard output and standard error are a terminal. */
  terminal?: boolean;
}

/** Runs the command in a folder. */
export async function run(cwd: string, args: string[], options: RunOptions = {}): Promise<Run> {
  const stdout = new Kept(options.terminal ?? false);
  const stderr = new Kept(options.terminal ?? false);
  const stdin = (async function* () {
    if (options.stdin !== undefined) yield Buffer.from(options.stdin);
  })();
  const code = await main(args, { stdout, stderr, stdin, env: options.env ?? {}, cwd });
  // What takes longer than a second says so; on a busy machine that may be anything.
  return { code, stdout: stdout.text, stderr: stderr.text.replace(/^\S.* …\n/gm, '') };
}

class Kept implements OutputStream {
  readonly isTTY: boolean;
  readonly #chunks: Buffer[] = [];

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(chunk: string | Uint8Array): boolean {
    this.#chunks.push(Buffer.from(chunk as string));
    return true;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}

/** An application that answers with what it got. It needs nothing of the library, so that it loads in any folder. */
export const ECHO = `
import type { Application } from 'waygate';
const app: Application = async (environ, startResponse) => {
  const body = await environ['wsgi.input'].bytes();
  const { REQUEST_METHOD, SCRIPT_NAME, PATH_INFO, QUERY_STRING, CONTENT_TYPE, HTTP_X_A } = environ;
  startResponse(PATH_INFO === '/404' ? '404 Not Found' : '200 OK', [
    ['Content-Type', 'application/json'],
    ['Set-Cookie', 'a=1'],
    ['Set-Cookie', 'b=2'],
  ]);
  const seen = { REQUEST_METHOD, SCRIPT_NAME, PATH_INFO, QUERY_STRING, CONTENT_TYPE, HTTP_X_A };
  const gateway = environ['waygate.gateway'];
  return [new TextEncoder().encode(JSON.stringify({ ...seen, gateway, body: new TextDecoder().decode(body) }))];
};
export default app;
`;
