// The repository's files, and what a source of it imports: for the checks of tools/check-structure.mjs and their tests.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', 'build', 'coverage']);
/** Of what begins with a dot, these are read. */
const READ_DOT_ENTRIES = new Set(['.ci', '.github', '.npmrc']);

/**
 * The paths of all files, from the root.
 *
 * @param {string} root
 * @param {string} [folder]
 * @returns {Generator<string>}
 */
export function* files(root, folder = '') {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.name.startsWith('.') && !READ_DOT_ENTRIES.has(entry.name)) continue;
    if (entry.isDirectory()) {
      if (!SKIPPED_FOLDERS.has(entry.name)) yield* files(root, path);
    } else if (entry.isFile()) yield path;
  }
}

/** @typedef {{ type: string, start: number, [member: string]: any }} SyntaxNode */

/**
 * All nodes of a source, by a parser of TypeScript.
 *
 * @param {string} path tells the language
 * @param {string} text
 * @returns {SyntaxNode[]}
 */
export function nodesOf(path, text) {
  /** @type {SyntaxNode[]} */
  const found = [];
  /** @param {unknown} value */
  const visit = (value) => {
    if (typeof value !== 'object' || value === null) return;
    if (typeof (/** @type {SyntaxNode} */ (value).type) === 'string') found.push(/** @type {SyntaxNode} */ (value));
    for (const child of Object.values(value)) visit(child);
  };
  visit(parseAst(text, { lang: /\.[cm]?ts$/.test(path) ? 'ts' : path.endsWith('x') ? 'tsx' : 'js' }));
  return found;
}

/**
 * What a source imports, by statements and by `import()`.
 *
 * @param {SyntaxNode[]} nodes
 * @returns {{ specifier: string | undefined, typeOnly: boolean, start: number }[]} without a specifier where it is not a text
 */
export function importsOf(nodes) {
  return nodes.flatMap((node) => {
    const { type, source, start } = node;
    const isStatement = /^(?:Import|ExportNamed|ExportAll)Declaration$/.test(type) && source !== null;
    if (!isStatement && type !== 'ImportExpression') return [];
    const typeOnly = node.importKind === 'type' || node.exportKind === 'type';
    return [{ specifier: typeof source.value === 'string' ? source.value : undefined, typeOnly, start }];
  });
}
