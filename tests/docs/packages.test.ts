// The manifests of the packages agree with each other, and what is packed names no file that is not.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { homeFields, jsrName, PACKAGES, PLACEHOLDER } from '../../tools/repository.mjs';
import { peerRange } from '../../tools/version.mjs';

const manifestOf = (folder: string) =>
  JSON.parse(readFileSync(new URL(`../../${folder}/package.json`, import.meta.url), 'utf8'));
const root = manifestOf('.');

test.each(PACKAGES)('the package in %s says where the project lives, as all of them do', (folder) => {
  const home = root.homepage.replace(/#readme$/, '');
  expect(home === PLACEHOLDER || !home.includes('OWNER')).toBe(true);
  expect(manifestOf(folder)).toMatchObject(homeFields(home, folder));
});

test.each(PACKAGES)('the package in %s has the version that the others ask for', (folder) => {
  const { version, license, engines, dependencies = {}, peerDependencies = {} } = manifestOf(folder);
  expect({ version, license, engines }).toEqual({ version: root.version, license: 'MIT', engines: root.engines });
  for (const [name, range] of Object.entries(dependencies)) {
    if (/^waygate/.test(name)) expect(range).toBe(`^${root.version}`);
  }
  if (peerDependencies.waygate) expect(peerDependencies.waygate).toBe(peerRange(root.version));
});

test('jsr.json has the name, the version and the entries of package.json', () => {
  const jsr = JSON.parse(readFileSync(new URL('../../jsr.json', import.meta.url), 'utf8'));
  const home = root.homepage.replace(/#readme$/, '');
  expect({ name: jsr.name, version: jsr.version }).toEqual({ name: jsrName(home), version: root.version });
  const built = Object.entries(root.exports as Record<string, { default: string }>).flatMap(([name, entry]) =>
    // Deno has classes of its own that are cheap: `light-fetch` does nothing there.
    entry.default && !name.startsWith('./light-fetch')
      ? [[name, entry.default.replace(/^\.\/dist/, '.').replace(/\.js$/, '.ts')]]
      : [],
  );
  expect(jsr.exports).toEqual(Object.fromEntries(built));
});

test('the changelog of each package begins with its version or with what comes next', () => {
  const changelog = readFileSync(new URL('../../CHANGELOG.md', import.meta.url), 'utf8');
  expect(/^## (\S+)/m.exec(changelog)?.[1]).toBe(root.version);
});

test('no declaration names a map: maps of declarations are not in the package', () => {
  const config = readFileSync(new URL('../../tsconfig.build.json', import.meta.url), 'utf8');
  expect(/"declarationMap": (\w+)/.exec(config)?.[1]).toBe('false');
  expect(root.files).toContain('dist/core');
});

test('TypeScript’s older resolution, which knows no exports, finds the same types', () => {
  const { '.': main, ...exports } = root.exports as Record<string, { types?: string; default?: string }>;
  expect({ types: root.types, default: root.main }).toEqual(main);
  const wanted = Object.entries(exports).flatMap(([path, { types }]) => (types ? [[path.slice(2), [types]]] : []));
  expect(root.typesVersions).toEqual({ '*': Object.fromEntries(wanted) });
});
