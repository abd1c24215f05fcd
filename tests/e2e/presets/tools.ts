// The platforms' own packages: installed beside this file when a test first asks for them, the large ones in large/.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/**
 * Installs the packages of a folder, unless they are there.
 *
 * @param name `.` for the small ones, `large`
 * @returns what resolves names from that folder
 */
export function packages(name: '.' | 'large'): NodeJS.Require {
  const folder = name === '.' ? HERE : `${HERE}large/`;
  const { dependencies } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8')) as {
    dependencies: Record<string, string>;
  };
  // No lock file: one made on one machine lacks the packages of the others. package.json names exact versions.
  if (!Object.keys(dependencies).every((each) => existsSync(`${folder}node_modules/${each}/package.json`))) {
    execFileSync('npm', ['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return createRequire(`${folder}package.json`);
}

/** Whether the tests run whose tools are large: `WAYGATE_PRESETS=large`, as tools/nightly.sh sets it. */
export const runsLarge: boolean = process.env.WAYGATE_PRESETS === 'large';
