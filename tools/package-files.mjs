// What each package may hold and must hold, and how large it may be when it is packed. `npm run check:package` holds the
// tarball of the library to it; tests/e2e/packages.test.ts holds what `npm pack --dry-run` lists for each package.

/** @typedef {{ allowed: RegExp, required: string[], mostKiB: number }} PackageRule */

/** @type {Record<string, PackageRule>} */
export const PACKAGE_RULES = {
  '.': {
    allowed:
      /^(?:dist\/(?:core|adapters|middleware|testing|shared)\/.+|docs\/.+\.(?:md|png)|package\.json|LICENSE|README\.md|CHANGELOG\.md|SECURITY\.md)$/,
    required: ['package.json', 'LICENSE', 'README.md', 'CHANGELOG.md', 'docs/contract.md', 'dist/core/index.js'],
    mostKiB: 1600,
  },
  cli: {
    allowed: /^(?:bin\/waygate\.js|dist\/.+(?<!\.d\.ts)|templates\/.+|package\.json|LICENSE|README\.md|CHANGELOG\.md)$/,
    required: ['package.json', 'LICENSE', 'README.md', 'bin/waygate.js', 'dist/main.js', 'templates/app/app.ts'],
    mostKiB: 500,
  },
  'create-waygate': {
    allowed: /^(?:bin\/create-waygate\.js|package\.json|LICENSE|README\.md|CHANGELOG\.md)$/,
    required: ['package.json', 'LICENSE', 'README.md', 'bin/create-waygate.js'],
    mostKiB: 8,
  },
};

/**
 * What is wrong with the files of a package: nothing, if the list is empty.
 *
 * @param {string} folder the folder of the package, from the root
 * @param {{ files: { path: string }[], size: number }} packed what npm says it packs, and its size in bytes
 * @returns {string[]}
 */
export function packageFindings(folder, { files, size }) {
  const { allowed, required, mostKiB } = /** @type {PackageRule} */ (PACKAGE_RULES[folder]);
  const paths = files.map(({ path }) => path);
  return [
    ...paths.filter((path) => !allowed.test(path)).map((path) => `${path} does not belong in the package`),
    ...required.filter((path) => !paths.includes(path)).map((path) => `${path} is missing`),
    ...(size > mostKiB * 1024 ? [`it has ${(size / 1024).toFixed(1)} KiB; at most ${mostKiB} KiB are expected`] : []),
  ];
}
