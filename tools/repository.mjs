// Where the project lives: `node tools/repository.mjs https://github.com/acme/waygate` writes it into the manifest of every
// package. Until somebody has, it is the placeholder below, and only here is it marked as one: run this before publishing.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What the manifests say while the project has no home. */
export const PLACEHOLDER = 'https://github.com/OWNER/waygate';

/** The folders of the packages, from the root. */
export const PACKAGES = ['.', 'cli', 'create-waygate'];

/**
 * What a manifest says about the project's home.
 *
 * @param {string} home its address
 * @param {string} folder the folder of the package
 */
export function homeFields(home, folder) {
  return {
    homepage: `${home}#readme`,
    bugs: { url: `${home}/issues` },
    repository: { type: 'git', url: `git+${home}.git`, ...(folder === '.' ? {} : { directory: folder }) },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const home = process.argv[2]?.replace(/(?:\.git)?\/?$/, '');
  if (home === undefined || !/^https:\/\/[^\s/]+\/\S+$/.test(home)) {
    console.error(
      `The address is ${JSON.stringify(process.argv[2])}; expected one such as https://github.com/acme/waygate.`,
    );
    process.exit(2);
  }
  for (const folder of PACKAGES) {
    const file = new URL(`../${folder}/package.json`, import.meta.url);
    const manifest = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, `${JSON.stringify({ ...manifest, ...homeFields(home, folder) }, null, 2)}\n`);
  }
}
