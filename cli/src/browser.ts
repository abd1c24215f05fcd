// `--open`: shows a URL in the user's browser.

import { spawn } from 'node:child_process';
import type { Output } from './output.ts';

/** Opens a URL with `BROWSER` of the environment, or with what the system opens URLs with. It never fails the command. */
export function openBrowser(url: string, output: Output): void {
  const [command, ...args] = browserCommand(output.io.env.BROWSER);
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  child.once('error', () => output.warn(`No browser was opened: ${command} cannot be run. Go to ${url} yourself.`));
  child.unref();
}

function browserCommand(browser: string | undefined): [string, ...string[]] {
  if (browser) return [browser];
  if (process.platform === 'darwin') return ['open'];
  // The first argument of `start` is a title.
  return process.platform === 'win32' ? ['cmd', '/c', 'start', ''] : ['xdg-open'];
}
