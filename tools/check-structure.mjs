// What no lint rule can say of the sources. (Which folder may import which is in biome.json.)
//   - What has to run without Node reaches no `node:` module and no other package, through any number of files.
//   - Core and adapters have no dependency at run time: of a package they import types only.
//   - No file imports itself through others, not even for a type.
//   - A file of the library has at most 350 lines. A class has at most twelve fields of state with the inherited ones.
//   - A function is not written where it is assigned to a member: V8 takes it for a method, which lives long, and puts it and
//     all that it refers to into the old generation. Of a request nothing would die young.
//   - No file of the repository names a package registry's host or a path of somebody's machine.
//
// usage: node tools/check-structure.mjs [ROOT]

import { existsSync, readFileSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { files, importsOf, nodesOf } from './source-tree.mjs';

const LIBRARY = /^(?:core|adapters|middleware|testing|cli\/src)\//;
const MAX_LINES = 350;
const MAX_FIELDS = 12;

/**
 * Where the circle is wanted: `EnvironKeys` has to be declared in the entry itself, or nobody could add keys to it.
 *
 * @type {[from: string, to: string]}
 */
const ALLOWED = ['core/types.ts', 'core/index.ts'];

/** Entries that run on platforms without Node. */
const PORTABLE = [
  'core/index.ts',
  'core/adapter.ts',
  'adapters/fetch/index.ts',
  'adapters/cloudflare-workers/index.ts',
  'adapters/fetch/presets/vercel/index.ts',
  'adapters/fetch/presets/netlify/index.ts',
  'adapters/fetch/presets/azure-functions/index.ts',
  'adapters/fetch/presets/deno-deploy/index.ts',
  'adapters/fetch/presets/fastly/index.ts',
  'adapters/fetch/presets/bunny/index.ts',
  'middleware/index.ts',
  'testing/index.ts',
];

const TEXT_FILE = /(?:\.(?:[cm]?[jt]sx?|json|jsonc|md|toml|ya?ml|sh|html|txt)|(?:^|\/)(?:\.npmrc|\.ci\/[^/]+))$/;

// Written in pieces, so that this file does not name what it looks for.
const REGISTRY_HOSTS = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['registry', 'npmmirror', 'com'],
  ['npm', 'pkg', 'github', 'com'],
  ['npm', 'jsr', 'io'],
  ['pypi', 'org'],
  ['files', 'pythonhosted', 'org'],
  ['static', 'crates', 'io'],
  ['index', 'crates', 'io'],
  ['proxy', 'golang', 'org'],
  ['deb', 'debian', 'org'],
].map((labels) => labels.join('.'));

// A path that starts in the middle of a word or of another path (`example.com/home/…`, `../home/…`) is not absolute.
const MACHINE_PATHS = [
  /(?<![\w.)}\]/-])\/(?:home|Users)\/[\w.-]+\/[\w.-]+/,
  /(?<![\w.)}\]/-])\/work\/(?:main|shared|\.library)\b/,
  /(?<![\w.)}\]/-])\/root\/\.?[\w.-]+\/[\w.-]+/,
  /\b[A-Za-z]:\\{1,2}Users\\/,
];

/**
 * The packages that middleware may import, which are the dependencies of the package: each needs nothing of Node.
 *
 * @param {string} root
 */
export function middlewarePackages(root) {
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.keys(dependencies).filter((name) => !name.startsWith('@types/'));
}

/** @typedef {{ specifier: string, typeOnly: boolean, target: string | null, where: string }} Import */

/** @param {string} text @param {number} at */
const lineOf = (text, at) => text.slice(0, at).split('\n').length;

/** @param {string} text */
function namesOf(text) {
  const host = REGISTRY_HOSTS.find((name) => text.includes(name));
  const path = MACHINE_PATHS.map((pattern) => pattern.exec(text)?.[0]).find((found) => found !== undefined);
  return [
    ...(host === undefined ? [] : [`names a package registry's host, ${host}`]),
    ...(path === undefined ? [] : [`names a path of one machine, ${path}`]),
  ];
}

/**
 * Where functions are written in an assignment to a member. Give such a function a name first.
 *
 * @param {import('./source-tree.mjs').SyntaxNode[]} nodes
 * @returns {number[]} where each assignment starts
 */
function assignedFunctions(nodes) {
  return nodes.flatMap(({ type, operator, left, right, start }) => {
    if (type !== 'AssignmentExpression' || operator !== '=' || left.type !== 'MemberExpression') return [];
    let value = right;
    while (/^(?:TSAs|TSSatisfies|TSNonNull|Parenthesized)Expression$/.test(value.type)) value = value.expression;
    return /^(?:ArrowFunction|Function)Expression$/.test(value.type) ? [start] : [];
  });
}

/**
 * A class, with the number of fields of state that it declares itself.
 *
 * @typedef {{ name: string, fields: number, parent: string | null, where: string }} Class
 */

/**
 * The classes of a source. Functions that are bound to an object, and abstract fields, are no state.
 *
 * @param {string} file
 * @param {string} text
 * @param {import('./source-tree.mjs').SyntaxNode[]} nodes
 * @returns {Class[]} each with its parent as `file#name`, or null where it has none of this repository
 */
function classesOf(file, text, nodes) {
  /** @type {Map<string, string>} the imported names */
  const imported = new Map();
  for (const { type, source, specifiers } of nodes) {
    if (type !== 'ImportDeclaration' || !source.value.startsWith('.')) continue;
    const target = posix.join(posix.dirname(file), source.value);
    for (const { local, imported: original } of specifiers) {
      if (original !== undefined) imported.set(local.name, `${target}#${original.name}`);
    }
  }
  const classes = nodes.filter(({ type }) => /^Class(?:Declaration|Expression)$/.test(type));
  const own = new Set(classes.map(({ id }) => id?.name));
  return classes.map(({ id, body, superClass, start }) => {
    const fields = body.body.filter((/** @type {any} */ { type, static: isStatic, declare, value }) => {
      return type === 'PropertyDefinition' && !isStatic && !declare && value?.type !== 'ArrowFunctionExpression';
    });
    const parent = superClass?.type === 'Identifier' ? superClass.name : undefined;
    return {
      name: id?.name ?? 'a class',
      fields: fields.length,
      parent: imported.get(parent) ?? (own.has(parent) ? `${file}#${parent}` : null),
      where: `${file}:${lineOf(text, start)}`,
    };
  });
}

/**
 * What is wrong with the state of the classes.
 *
 * @param {Map<string, Class>} classes by `file#name`
 * @returns {string[]}
 */
function largeClasses(classes) {
  /** @param {Class} each @returns {number} */
  const inherited = ({ parent }) => {
    const above = parent === null ? undefined : classes.get(parent);
    return above === undefined ? 0 : above.fields + inherited(above);
  };
  return [...classes.values()].flatMap((each) => {
    const { name, fields, parent, where } = each;
    if (parent !== null && !classes.has(parent)) {
      return [
        `${where}: ${name} extends ${parent.replace('#', ': ')}, which is not there; import it from its own file`,
      ];
    }
    const all = fields + inherited(each);
    if (all <= MAX_FIELDS) return [];
    const inheriting = all > fields ? ' with those it inherits' : '';
    return [`${where}: ${name} has ${all} fields of state${inheriting}; ${MAX_FIELDS} is the most`];
  });
}

/**
 * Groups of files each of which imports, through others, all others of its group.
 *
 * @param {Map<string, Import[]>} importsByFile
 * @returns {string[][]}
 */
function circles(importsByFile) {
  /** @type {string[][]} */
  const found = [];
  /** @type {Map<string, { index: number, low: number }>} */
  const seen = new Map();
  /** @type {string[]} */
  const open = [];
  /** @param {string} file */
  const visit = (file) => {
    const state = { index: seen.size, low: seen.size };
    seen.set(file, state);
    open.push(file);
    for (const { target } of importsByFile.get(file) ?? []) {
      if (target === null || target === file || !importsByFile.has(target)) continue;
      if (file === ALLOWED[0] && target === ALLOWED[1]) continue;
      const known = seen.get(target);
      if (known === undefined) state.low = Math.min(state.low, visit(target));
      else if (open.includes(target)) state.low = Math.min(state.low, known.index);
    }
    if (state.low === state.index) {
      const group = open.splice(open.indexOf(file));
      if (group.length > 1) found.push(group.sort());
    }
    return state.low;
  };
  for (const file of importsByFile.keys()) if (!seen.has(file)) visit(file);
  return found;
}

/**
 * @param {string} root the repository's folder
 * @returns {{ problems: string[], files: number }} each problem as `file:line: what is wrong`
 */
export function checkStructure(root) {
  /** @type {string[]} */
  const problems = [];
  /** @type {Map<string, Import[]>} */
  const importsByFile = new Map();
  /** @type {Map<string, Class>} */
  const classes = new Map();
  const packages = middlewarePackages(root);
  let count = 0;

  for (const file of files(root)) {
    if (!TEXT_FILE.test(file)) continue;
    count += 1;
    const text = readFileSync(join(root, file), 'utf8');
    for (const [index, line] of text.split('\n').entries()) {
      for (const name of namesOf(line)) problems.push(`${file}:${index + 1}: ${name}`);
    }
    if (!/\.[cm]?tsx?$/.test(file)) continue;
    const nodes = nodesOf(file, text);
    const isLibrary = LIBRARY.test(file);
    /** @type {Import[]} */
    const imports = [];
    for (const { specifier, typeOnly, start } of importsOf(nodes)) {
      const where = `${file}:${lineOf(text, start)}`;
      if (specifier !== undefined) {
        const target = specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : null;
        imports.push({ specifier, typeOnly, target, where });
        if (isLibrary && target !== null && !existsSync(join(root, target))) {
          problems.push(`${where}: '${specifier}' is not a file; name it in full, with its extension`);
        }
        const isPackage = target === null && !specifier.startsWith('node:');
        if (/^(?:core|adapters)\//.test(file) && isPackage && !typeOnly) {
          problems.push(`${where}: imports '${specifier}' at run time; only 'import type' of a package is allowed`);
        }
      } else if (isLibrary && !file.startsWith('cli/')) {
        problems.push(`${where}: import() of something other than a string: what it reaches cannot be checked`);
      }
    }
    importsByFile.set(file, imports);
    if (!isLibrary) continue;
    if (!file.startsWith('cli/')) {
      for (const start of assignedFunctions(nodes)) {
        problems.push(
          `${file}:${lineOf(text, start)}: a function is written in an assignment to a member; name it first`,
        );
      }
    }
    if (/^\s*\/\/\/\s*<reference/m.test(text)) problems.push(`${file}:1: refers to types by a comment; import them`);
    const lines = text.split('\n').length - 1;
    if (lines > MAX_LINES) problems.push(`${file}:${MAX_LINES}: the file has ${lines} lines; ${MAX_LINES} is the most`);
    for (const [index, each] of classesOf(file, text, nodes).entries()) {
      // An expression may have the name of another class, or none.
      classes.set(classes.has(`${file}#${each.name}`) ? `${file}#${index}` : `${file}#${each.name}`, each);
    }
  }
  problems.push(...largeClasses(classes));

  for (const group of circles(importsByFile)) {
    problems.push(`${group[0]}:1: ${group.length} files import each other: ${group.join(', ')}`);
  }

  for (const entry of PORTABLE) {
    /** @type {Map<string, string[]>} each file reached, with the way to it */
    const ways = new Map([[entry, [entry]]]);
    for (const [file, way] of ways) {
      for (const { specifier, typeOnly, target, where } of importsByFile.get(file) ?? []) {
        if (typeOnly) continue;
        if (target !== null) {
          if (!ways.has(target)) ways.set(target, [...way, target]);
        } else if (!file.startsWith('middleware/') || !packages.includes(specifier)) {
          problems.push(`${where}: '${specifier}' is reached where there is no Node: ${way.join(' -> ')}`);
        }
      }
    }
  }
  return { problems, files: count };
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
  const { problems, files: count } = checkStructure(root);
  for (const problem of problems) console.error(problem);
  console.log(
    problems.length === 0 ? `structure: ${count} files, nothing wrong` : `structure: ${problems.length} found wrong`,
  );
  if (problems.length > 0) process.exitCode = 1;
}
