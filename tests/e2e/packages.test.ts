// What would be published: the files of each package, and a release from the changesets, in a copy of the manifests.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageFindings } from '../../tools/package-files.mjs';
import { PACKAGES } from '../../tools/repository.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Packed {
  files: { path: string }[];
  size: number;
}

/** What npm would put into the package; it needs the results of `npm run build`. */
function dryRun(folder: string): Packed {
  const args = ['pack', '--dry-run', '--ignore-scripts', '--json'];
  const output = execFileSync('npm', args, { cwd: join(root, folder), encoding: 'utf8', stdio: 'pipe' });
  const listed = JSON.parse(output) as Packed[] | Record<string, Packed>;
  // npm 12 answers with an object by package name, npm 11 and earlier with an array.
  return Object.values(listed)[0] as Packed;
}

test.each(PACKAGES)('the package in %s holds what it needs, nothing else, and stays small', (folder) => {
  const packed = dryRun(folder);
  expect(packageFindings(folder, packed)).toEqual([]);
  expect(packageFindings(folder, { files: [...packed.files, { path: 'tests/core/url.test.ts' }], size: 1e9 })).toEqual([
    'tests/core/url.test.ts does not belong in the package',
    expect.stringMatching(/KiB are expected$/),
  ]);
});

describe('a release', () => {
  let folder = '';
  const read = (path: string): string => readFileSync(join(folder, path), 'utf8');
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, stdio: 'pipe' });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'waygate-release-'));
    const copied = ['package.json', 'package-lock.json', 'jsr.json', 'CHANGELOG.md', '.changeset'];
    for (const path of [...copied, 'cli/package.json', 'create-waygate/package.json']) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      cpSync(join(root, path), join(folder, path), { recursive: true });
    }
    git('init', '--quiet', '--initial-branch=main');
    git('-c', 'user.name=T', '-c', 'user.email=t@example.org', 'commit', '--quiet', '--allow-empty', '--message=start');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('raises all packages to one version, and describes the change once', () => {
    const before = JSON.parse(read('package.json')).version as string;
    writeFileSync(join(folder, '.changeset/new.md'), '---\nwaygate: minor\n---\n\n`toNode` sings.\n');
    execFileSync(process.execPath, [join(root, 'tools/version.mjs')], { cwd: folder, stdio: 'pipe' });
    const version = JSON.parse(read('package.json')).version as string;
    // A minor version: the peer dependency of the command must not make it a major one.
    const [major, minor] = before.split('.').map(Number) as [number, number];
    expect(version).toBe(`${major}.${minor + 1}.0`);
    const cli = JSON.parse(read('cli/package.json'));
    const create = JSON.parse(read('create-waygate/package.json'));
    expect([cli.version, create.version, JSON.parse(read('jsr.json')).version]).toEqual([version, version, version]);
    expect(cli.peerDependencies.waygate).toBe(`>=${version} <${major + 1}.0.0`);
    expect(create.dependencies).toMatchObject({ waygate: `^${version}`, 'waygate-cli': `^${version}` });
    expect(read('CHANGELOG.md')).toContain(`# waygate\n\n## ${version}\n\n### Minor Changes\n\n- \`toNode\` sings.`);
  });
});
