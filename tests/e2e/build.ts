// Before the end-to-end tests: the packages as they are built. Once, and not in each file that needs them: two files run at a
// time, and a build begins with nothing.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export function setup(): void {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  execFileSync('npm', ['run', 'build'], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}
