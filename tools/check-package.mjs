// Packs the library as it would be published and holds the tarball to four checks: publint, Are the types wrong?, programs
// of users in tests/types that must compile, and this project's own rule that the package holds the built library, its
// documents and nothing else. Any finding fails.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { middlewarePackages } from './check-structure.mjs';
import { packageFindings } from './package-files.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Types, which are not loaded at run time; and what middleware stands on, the one folder that may. */
const ALLOWED_DEPENDENCIES = ['@types/aws-lambda', '@opentelemetry/api', ...middlewarePackages(root)];

/** @type {string[]} */
const findings = [];

/** @param {string} command @param {string[]} args */
function runCommand(command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (result.error) throw result.error;
  return result;
}

/** @param {string} command @param {string[]} args */
function output(command, args) {
  const { status, stdout, stderr } = runCommand(command, args);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}

const folder = mkdtempSync(join(tmpdir(), 'waygate-package-'));
try {
  output('npm', ['run', 'build']);
  const programs = runCommand('npx', ['--no-install', 'tsc', '-p', 'tests/types/tsconfig.package.json']);
  if (programs.status !== 0) findings.push(`types: programs of users do not compile\n${programs.stdout}`);
  // The build has just run; packing without scripts keeps standard output pure JSON.
  const packed = JSON.parse(output('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]));
  // npm 12 answers with an object by package name, npm 11 and earlier with an array.
  const [{ filename, files, size }] = Array.isArray(packed) ? packed : Object.values(packed);
  const tarball = join(folder, filename);
  /** @type {string[]} */
  const paths = files.map((/** @type {{ path: string }} */ file) => file.path);

  for (const finding of packageFindings('.', { files, size })) findings.push(`package: ${finding}`);

  for (const path of paths.filter((/** @type {string} */ each) => /\.(?:js|d\.ts)$/.test(each))) {
    const map = /^\/\/# sourceMappingURL=(\S+)$/m.exec(readFileSync(join(root, path), 'utf8'))?.[1];
    const named = map && join(dirname(path), map);
    if (named && !paths.includes(named)) findings.push(`package: ${path} names ${named}, which is not in it`);
  }

  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies']) {
    for (const name of Object.keys(manifest[kind] ?? {})) {
      if (!ALLOWED_DEPENDENCIES.includes(name)) findings.push(`package: ${name} in ${kind}; the library has none`);
    }
  }
  if ((manifest.bundleDependencies ?? manifest.bundledDependencies) !== undefined) {
    findings.push('package: bundled dependencies; the library has none');
  }

  const bytes = readFileSync(tarball);
  const archive = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: /** @type {ArrayBuffer} */ (archive) }, strict: true });
  for (const message of messages) {
    findings.push(`publint: ${message.type}: ${formatMessage(message, pkg, { color: false }) ?? message.code}`);
  }

  const attw = join(root, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js');
  const types = runCommand(process.execPath, [attw, tarball, '--profile', 'esm-only', '--no-emoji', '--no-color']);
  if (types.status !== 0) findings.push(`are the types wrong?\n${types.stdout}${types.stderr}`);

  // The command and what creates a project are packages of their own; they have no types to be wrong.
  for (const name of ['cli', 'create-waygate']) {
    const pkgDir = join(root, name);
    for (const message of (await publint({ pkgDir, strict: true })).messages) {
      const its = JSON.parse(readFileSync(join(pkgDir, 'package.json'), 'utf8'));
      findings.push(
        `publint, ${name}: ${message.type}: ${formatMessage(message, its, { color: false }) ?? message.code}`,
      );
    }
  }

  console.log(`package: ${paths.length} files, ${(size / 1024).toFixed(1)} KiB packed`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

for (const finding of findings) console.error(finding);
console.log(findings.length === 0 ? 'package: nothing wrong' : `package: ${findings.length} found wrong`);
if (findings.length > 0) process.exitCode = 1;
