// Where the project lives: `node tools/repository.mjs https://github.com/acme/waygate` writes it into the manifest of every
// package. Until somebody has, it is the placeholder below, and only here is it marked as one: run this before publishing.
// `node tools/repository.mjs --check` ends with exit code 1 while it is still the placeholder.

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

/**
 * The name of the library on JSR, where every package belongs to a scope.
 *
 * @param {string} home the project's address, whose first part names the owner
 */
export function jsrName(home) {
  const [, owner = ''] = /^https:\/\/[^/]+\/([^/]+)/.exec(home) ?? [];
  return `@${home === PLACEHOLDER ? owner : owner.toLowerCase()}/waygate`;
}

/** @param {string} path from the root */
const file = (path) => new URL(`../${path}`, import.meta.url);
/** @param {string} path from the root @param {(manifest: any) => object} change */
function rewrite(path, change) {
  writeFileSync(file(path), `${JSON.stringify(change(JSON.parse(readFileSync(file(path), 'utf8'))), null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--check') {
    const { homepage } = JSON.parse(readFileSync(file('package.json'), 'utf8'));
    if (homepage.startsWith(PLACEHOLDER)) {
      console.error(
        `package.json names the placeholder ${PLACEHOLDER}; write the project's address with node tools/repository.mjs ADDRESS.`,
      );
      process.exit(1);
    }
    process.exit(0);
  }
  const home = process.argv[2]?.replace(/(?:\.git)?\/?$/, '');
  if (home === undefined || !/^https:\/\/[^\s/]+\/\S+$/.test(home)) {
    console.error(
      `The address is ${JSON.stringify(process.argv[2])}; expected one such as https://github.com/acme/waygate.`,
    );
    process.exit(2);
  }
  for (const folder of PACKAGES) {
    rewrite(`${folder}/package.json`, (manifest) => ({ ...manifest, ...homeFields(home, folder) }));
  }
  rewrite('jsr.json', (manifest) => ({ ...manifest, name: jsrName(home) }));
}
