// Holds the sources to the project's layers:
//   core/         imports only core/
//   adapters/X/   imports only adapters/X/ and core/; a preset builds on fetch/ or node/ as well, see BUILDS_ON
//   middleware/   imports only middleware/, core/ and a few small packages, which run everywhere
//   testing/      imports only the library
// What has to run without Node reaches no `node:` module and no other package. Core and adapters have no dependency at run
// time.
// And no file of the repository names a package registry's host or a path of somebody's machine.
//
// usage: node tools/check-imports.mjs [ROOT]

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIBRARY = ['core', 'adapters', 'middleware', 'testing'];

/** Entries that run on platforms without Node. */
const PORTABLE = [
  'core/index.ts',
  'core/adapter.ts',
  'adapters/fetch/index.ts',
  'adapters/cloudflare-workers/index.ts',
  'adapters/vercel/index.ts',
  'adapters/netlify/index.ts',
  'adapters/azure-functions/index.ts',
  'adapters/deno-deploy/index.ts',
  'adapters/fastly/index.ts',
  'adapters/bunny/index.ts',
  'middleware/index.ts',
  'testing/index.ts',
];

/** Folders that use Node's own modules. */
const MAY_USE_NODE = ['adapters/node', 'adapters/aws-lambda', 'adapters/google-cloud'];

/** Folders that may name a package in `import type`: its types describe the platform, and leave no trace at run time. */
const MAY_USE_PACKAGE_TYPES = ['adapters/cloudflare-workers', 'adapters/aws-lambda'];

/** Packages that middleware may import. Each is one of the package's `dependencies`, and needs nothing of Node. */
export const MIDDLEWARE_PACKAGES = new Set(['cookie', 'negotiator', 'mrmime']);

/**
 * Folders that an adapter may import beside its own and core/. A platform that calls functions with a Fetch `Request`, or with
 * the request and response of a Node server, is a preset: it builds on that adapter, and on no other.
 */
const BUILDS_ON = new Map([
  ['adapters/cloudflare-workers', ['adapters/fetch']],
  ['adapters/vercel', ['adapters/fetch']],
  ['adapters/netlify', ['adapters/fetch']],
  ['adapters/azure-functions', ['adapters/fetch']],
  ['adapters/deno-deploy', ['adapters/fetch']],
  ['adapters/fastly', ['adapters/fetch']],
  ['adapters/bunny', ['adapters/fetch']],
  ['adapters/google-cloud', ['adapters/node']],
]);

const TEXT_FILE = /(?:\.(?:[cm]?[jt]sx?|json|jsonc|md|toml|ya?ml|sh|html|txt)|(?:^|\/)(?:\.npmrc|\.ci\/[^/]+))$/;
const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', 'build', 'coverage']);
const READ_DOT_ENTRIES = new Set(['.ci', '.npmrc']);

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
 * @typedef {{ kind: 'word' | 'string' | 'template' | 'mark', text: string, line: number }} Token
 * @typedef {{ specifier: string | undefined, typeOnly: boolean, line: number }} Import
 */

const REGEX_MAY_FOLLOW_WORD = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'do',
  'else',
  'void',
  'delete',
  'throw',
  'new',
  'await',
  'yield',
  'instanceof',
]);

/**
 * Cuts a source into words, strings and punctuation. Comments, regular expressions and the text of templates are left
 * out, so that nothing in them is taken for an import; code inside a template's `${}` is kept.
 * @param {string} source
 * @returns {Token[]}
 */
function tokenize(source) {
  /** @type {Token[]} */
  const tokens = [];
  /** @type {boolean[]} for each open brace: does its end continue a template? */
  const braces = [];
  let at = 0;
  let line = 1;

  /** @param {Token['kind']} kind @param {string} text */
  const push = (kind, text) => tokens.push({ kind, text, line });

  /** @param {number} end */
  const advance = (end) => {
    for (; at < end && at < source.length; at += 1) if (source[at] === '\n') line += 1;
  };

  /** Reads a template from after its opening, to its end or to the next `${`. */
  const template = () => {
    const start = at;
    while (at < source.length) {
      if (source[at] === '\\') advance(at + 2);
      else if (source[at] === '`') {
        push('template', source.slice(start, at));
        advance(at + 1);
        return;
      } else if (source.startsWith('${', at)) {
        push('mark', '${');
        braces.push(true);
        advance(at + 2);
        return;
      } else advance(at + 1);
    }
  };

  const regexMayStart = () => {
    const last = tokens.at(-1);
    if (last === undefined) return true;
    if (last.kind === 'word') return REGEX_MAY_FOLLOW_WORD.has(last.text);
    return last.kind === 'mark' && last.text !== ')' && last.text !== ']' && last.text !== '}';
  };

  /** @returns {number} the end of the regular expression that starts here, or -1 when this is a division */
  const regexEnd = () => {
    let inClass = false;
    for (let end = at + 1; end < source.length && source[end] !== '\n'; end += 1) {
      const character = source[end];
      if (character === '\\') end += 1;
      else if (character === '[') inClass = true;
      else if (character === ']') inClass = false;
      else if (character === '/' && !inClass) return end + 1;
    }
    return -1;
  };

  while (at < source.length) {
    const character = /** @type {string} */ (source[at]);
    if (source.startsWith('//', at)) {
      const end = source.indexOf('\n', at);
      advance(end < 0 ? source.length : end);
    } else if (source.startsWith('/*', at)) {
      const end = source.indexOf('*/', at + 2);
      advance(end < 0 ? source.length : end + 2);
    } else if (character === "'" || character === '"') {
      let end = at + 1;
      while (end < source.length && source[end] !== character && source[end] !== '\n') {
        end += source[end] === '\\' ? 2 : 1;
      }
      push('string', source.slice(at + 1, end));
      advance(end + 1);
    } else if (character === '`') {
      advance(at + 1);
      template();
    } else if (character === '/' && regexMayStart() && regexEnd() > 0) {
      advance(regexEnd());
      // Stands for a value, so that a `/` after it divides.
      push('template', '');
    } else if (/[\w$\u0080-\uffff]/.test(character)) {
      let end = at + 1;
      while (end < source.length && /[\w$\u0080-\uffff]/.test(/** @type {string} */ (source[end]))) end += 1;
      push('word', source.slice(at, end));
      advance(end);
    } else if (/\s/.test(character)) {
      advance(at + 1);
    } else {
      if (character === '{') braces.push(false);
      if (character === '}' && braces.pop() === true) {
        advance(at + 1);
        template();
        continue;
      }
      push('mark', character);
      advance(at + 1);
    }
  }
  return tokens;
}

/**
 * Everything a source imports: `import` and `export … from` statements, `import()`, `require()`, `/// <reference>`.
 * @param {string} source
 * @returns {Import[]}
 */
export function findImports(source) {
  /** @type {Import[]} */
  const imports = [];
  const tokens = tokenize(source);
  tokens.forEach((token, index) => {
    const before = tokens[index - 1];
    const next = tokens[index + 1];
    if (token.kind !== 'word' || next === undefined || (before?.kind === 'mark' && before.text === '.')) return;

    if ((token.text === 'import' || token.text === 'require') && next.kind === 'mark' && next.text === '(') {
      // A method's own declaration, `require(name: string) {`, is no call; it is told by the word that follows.
      const argument = tokens[index + 2];
      const literal = argument?.kind === 'string' || (argument?.kind === 'template' && argument.text !== '');
      if (literal) imports.push({ specifier: argument.text, typeOnly: false, line: token.line });
      else if (token.text === 'import') imports.push({ specifier: undefined, typeOnly: false, line: token.line });
      return;
    }
    if (token.text === 'import' && next.kind === 'string') {
      imports.push({ specifier: next.text, typeOnly: false, line: token.line });
      return;
    }
    if (token.text !== 'import' && token.text !== 'export') return;

    let start = index + 1;
    // `import type from 'x'` and `import type, { … } from 'x'` import a value named `type`.
    const afterType = tokens[index + 2];
    const typeOnly =
      next.kind === 'word' &&
      next.text === 'type' &&
      !(afterType?.kind === 'word' && afterType.text === 'from') &&
      !(afterType?.kind === 'mark' && afterType.text === ',');
    if (typeOnly) start += 1;
    // Only names, `*` and braces stand between the keyword and `from`; anything else is another kind of statement.
    for (let end = start; end < tokens.length; end += 1) {
      const part = /** @type {Token} */ (tokens[end]);
      const target = tokens[end + 1];
      if (part.kind === 'word' && part.text === 'from' && target?.kind === 'string') {
        imports.push({ specifier: target.text, typeOnly, line: token.line });
        break;
      }
      if (part.kind === 'mark' ? !'*{},'.includes(part.text) : part.kind === 'template') break;
    }
  });
  source.split('\n').forEach((text, index) => {
    const reference = /^\s*\/\/\/\s*<reference\s+(types|path)\s*=\s*["']([^"']+)["']/.exec(text);
    if (reference === null) return;
    const [, attribute, target = ''] = reference;
    const specifier = attribute === 'types' ? (target === 'node' ? 'node:types' : target) : `./${target}`;
    imports.push({ specifier, typeOnly: true, line: index + 1 });
  });
  return imports;
}

/** @param {string} path @param {string} folder */
const isIn = (path, folder) => path.startsWith(`${folder}/`);

/** @param {string} specifier */
const isRelative = (specifier) => /^\.{1,2}(?:\/|$)/.test(specifier);

/** @param {string} file @returns {string} the folder that owns a file of the library: `core`, `adapters/node`, … */
const ownerOf = (file) =>
  file
    .split('/')
    .slice(0, isIn(file, 'adapters') ? 2 : 1)
    .join('/');

/** @param {string} owner */
function mayImport(owner) {
  if (owner === 'core') return ['core'];
  if (owner === 'testing') return LIBRARY;
  return [owner, 'core', ...(BUILDS_ON.get(owner) ?? [])];
}

/** @param {string} root @param {string} folder @returns {Generator<string>} */
function* walk(root, folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.name.startsWith('.') && !READ_DOT_ENTRIES.has(entry.name)) continue;
    if (entry.isDirectory()) {
      if (!SKIPPED_FOLDERS.has(entry.name)) yield* walk(root, path);
    } else if (entry.isFile()) yield path;
  }
}

/**
 * @param {string} root the repository's folder
 * @returns {{ problems: string[], files: number }} each problem as `file:line: what is wrong`
 */
export function checkImports(root) {
  /** @type {string[]} */
  const problems = [];
  /** @type {Map<string, Import[]>} */
  const importsOf = new Map();
  let files = 0;

  for (const file of walk(root, '')) {
    if (!TEXT_FILE.test(file)) continue;
    files += 1;
    const source = readFileSync(join(root, file), 'utf8');
    source.split('\n').forEach((text, index) => {
      const host = REGISTRY_HOSTS.find((name) => text.includes(name));
      if (host !== undefined) problems.push(`${file}:${index + 1}: names a package registry's host, ${host}`);
      for (const pattern of MACHINE_PATHS) {
        const found = pattern.exec(text);
        if (found !== null) problems.push(`${file}:${index + 1}: names a path of one machine, ${found[0]}`);
      }
    });
    if (/\.[cm]?tsx?$/.test(file) && LIBRARY.some((folder) => isIn(file, folder))) {
      importsOf.set(file, findImports(source));
    }
  }

  /** @param {string} file @param {string} specifier the path of a relative import from the root */
  const target = (file, specifier) =>
    relative(root, resolve(root, dirname(file), specifier))
      .split(sep)
      .join('/');

  for (const [file, imports] of importsOf) {
    const owner = ownerOf(file);
    for (const { specifier, typeOnly, line } of imports) {
      const where = `${file}:${line}`;
      if (specifier === undefined) {
        problems.push(`${where}: import() of something other than a string: what it reaches cannot be checked`);
      } else if (isRelative(specifier)) {
        const path = target(file, specifier);
        const folders = mayImport(owner);
        if (!folders.some((folder) => isIn(path, folder))) {
          problems.push(
            `${where}: ${owner}/ imports ${path}; it may import only ${folders.map((f) => `${f}/`).join(', ')}`,
          );
        } else if (!existsSync(join(root, path)) || !statSync(join(root, path)).isFile()) {
          problems.push(`${where}: '${specifier}' is no file; name it in full, with its extension`);
        }
      } else if (specifier.startsWith('node:')) {
        if (!MAY_USE_NODE.includes(owner))
          problems.push(`${where}: ${owner}/ imports '${specifier}', a module of Node`);
      } else if (owner === 'middleware' && MIDDLEWARE_PACKAGES.has(specifier)) {
        // What these reach is theirs.
      } else if (!MAY_USE_PACKAGE_TYPES.includes(owner)) {
        problems.push(`${where}: ${owner}/ imports '${specifier}', a package; the library has no dependency`);
      } else if (!typeOnly) {
        problems.push(
          `${where}: ${owner}/ imports '${specifier}' at run time; only 'import type' of a package is allowed`,
        );
      }
    }
  }

  for (const entry of PORTABLE) {
    /** @type {Map<string, string[]>} each file reached, with the way to it */
    const ways = new Map([[entry, [entry]]]);
    for (const [file, way] of ways) {
      for (const { specifier, typeOnly, line } of importsOf.get(file) ?? []) {
        if (specifier === undefined || typeOnly) continue;
        if (!isRelative(specifier)) {
          if (isIn(file, 'middleware') && MIDDLEWARE_PACKAGES.has(specifier)) continue;
          problems.push(`${file}:${line}: '${specifier}' is reached where there is no Node: ${way.join(' -> ')}`);
          continue;
        }
        const path = target(file, specifier);
        if (!ways.has(path)) ways.set(path, [...way, path]);
      }
    }
  }
  return { problems, files };
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
  const { problems, files } = checkImports(root);
  for (const problem of problems) console.error(problem);
  console.log(
    problems.length === 0 ? `imports: ${files} files, nothing wrong` : `imports: ${problems.length} found wrong`,
  );
  if (problems.length > 0) process.exitCode = 1;
}
