// `npm run reading`: how easily the documents and the comments read. Prints the longest sentences of each page and source.
// Prints every word of DIALECT in pages, comments, messages and titles of tests. The project is held to it by
// tests/docs/reading.test.ts.
//
// usage: npm run reading [-- [--most=WORDS] [--show=N] [PAGE …]]
//   --most=WORDS   the longest sentence that is allowed; default 30 in pages, 25 in comments
//   --show=N       how many sentences of a page are printed; default 5
//   PAGE           only these pages and sources

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The longest sentence that a page may have, in words. */
export const MOST_WORDS = 30;

/** The longest sentence that a comment of a source may have, in words. */
export const MOST_WORDS_OF_COMMENT = 25;

/** Words and turns that readers stumble over or do not search for, with what to write instead. */
export const DIALECT = [
  [/(?<!\b(?:there|There|where|or|and) )\b(?:is|are|was) no (?!longer\b|more\b|less\b|doubt\b)\w+/, 'is not a …'],
  [
    /\btells?\b(?! (?:\S+ ){1,6}from\b)|\b(?:is|are|be) told\b(?! (?:to|apart|from|it|how|that)\b)/,
    'reports, logs, says',
  ],
  [/\b[Ww]hoever\b|\b[Ww]homever\b/, 'the name of the code or the person'],
  [/(?:, |but )for one\b(?! \w)|\b[Ff]or one,/, 'for example'],
  [/\b[Mm]end(?:s|ed|ing)?\b/, 'fix'],
  [/\bfront doors?\b/, 'event source'],
  [/\b(?:taken|takes|take|took) (?:it |them )?off\b/, 'removes'],
  [/\bthe other way (?:round|around)\b/, 'in reverse'],
  [/\b(?:is|are) to be (?:minded|had)\b/, 'an instruction, such as “watch out for …”'],
  [/\bone more (?:platform|adapter)\b/, 'another'],
  [/\bleaves by\b/, 'disconnects'],
  [/\bwithout a word\b/, 'silently'],
  [/\bof its own accord\b|\bby and by\b|\bhence\b|\bthereof\b|\bwhereof\b|\bwherein\b/, 'plain words'],
];

/** Folders that hold nothing that people wrote. */
const SKIPPED = /(?:^|\/)(?:node_modules|build|dist|site|cases)(?:\/|$)/;

/**
 * The files below some folders, from the root.
 *
 * @param {string[]} folders
 * @param {RegExp} name what their names match
 */
function files(folders, name) {
  return folders
    .filter((folder) => existsSync(`${root}/${folder}`))
    .flatMap((folder) =>
      readdirSync(`${root}/${folder}`, { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
    )
    .filter((path) => name.test(path) && !SKIPPED.test(path))
    .sort();
}

/** The pages that people read, from the root. */
export function pages() {
  return [
    ...readdirSync(root).filter((path) => /\.md$/.test(path) && path !== 'CHANGELOG.md'),
    ...files(['docs', 'examples', 'cli', 'create-waygate'], /\.md$/),
  ].sort();
}

/** The sources whose comments are held to plain words, from the root. */
export function sources() {
  return files(['core', 'adapters', 'middleware', 'testing', 'cli/src', 'cli/page'], /\.ts$/);
}

/** @param {string} path from the root */
export const read = (path) => readFileSync(`${root}/${path}`, 'utf8');

/**
 * The sentences of a page: of its text, its lists and the cells of its tables. Code is one word.
 *
 * @param {string} markdown
 * @returns {string[]}
 */
export function sentences(markdown) {
  /** @type {string[]} */
  const blocks = [];
  const text = markdown
    .replace(/^---\n[\s\S]*?\n---\n/, '')
    .replace(/^(`{3,})[\s\S]*?^\1$/gm, '\n')
    .replace(/<[^>\n]+>/g, ' ')
    .replace(/!\[[^\]]*\]\([^)]*\)/g, ' ')
    .replace(/`` .*? ``|`[^`]+`/g, 'CODE')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  let block = '';
  const end = () => {
    if (block.trim() !== '') blocks.push(block.trim());
    block = '';
  };
  for (const line of text.split('\n')) {
    if (/^\s*\|/.test(line)) {
      end();
      blocks.push(...line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
    } else if (/^\s*$|^#/.test(line)) end();
    else {
      if (/^\s*(?:[-*]|\d+\.)\s/.test(line)) end();
      block += ` ${line.replace(/^\s*(?:[-*]|\d+\.)\s+/, '')}`;
    }
  }
  end();
  return (
    blocks
      .filter((each) => /\w/.test(each) && !/^:?-+:?$/.test(each))
      // A list of links, such as a table of contents, is not a sentence.
      .filter((each) => each.split(' · ').length < 4)
      .flatMap((each) => each.split(/(?<=[.!?:;][)"”*]*)\s+(?=["“(*]*[A-Z0-9/])/))
      .map((each) => each.trim())
      .filter((each) => each !== '')
  );
}

/** @param {string} sentence */
export const words = (sentence) => sentence.split(/\s+/).filter((each) => /\w/.test(each)).length;

/** The strings of a program, without its comments. @param {string} source @returns {string[]} */
export function strings(source) {
  const tokens = source.matchAll(
    /\/\/.*|\/\*[\s\S]*?\*\/|'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g,
  );
  return [...tokens].map((token) => token[1] ?? token[2] ?? token[3] ?? '').filter((each) => / /.test(each));
}

/**
 * The comments of a program as sentences, without its examples and the names of its parameters. Lines that follow each other
 * are one text.
 *
 * @param {string} source
 * @returns {string[]}
 */
export function comments(source) {
  /** @type {string[]} */
  const found = [];
  /** @type {string[] | null} */
  let block = null;
  /** @type {string[]} */
  let lines = [];
  const end = () => {
    if (lines.length > 0) found.push(lines.join('\n'));
    lines = [];
  };
  for (const line of source.split('\n')) {
    const text = line.trim();
    if (block === null && text.startsWith('/*')) {
      end();
      block = [];
    }
    if (block !== null) {
      block.push(text.replace(/^\/?\*+(?!\/)|\*\/.*$/g, '').trim());
      if (text.includes('*/')) {
        found.push(block.join('\n'));
        block = null;
      }
      continue;
    }
    const [, code = '', comment] =
      /^((?:[^'"`/]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`|\/(?![/*]))*)\/\/ (.*)$/.exec(line) ?? [];
    if (code.trim() !== '' || comment === undefined) end();
    if (comment !== undefined) lines.push(comment.trim());
  }
  end();
  return found.flatMap((each) =>
    sentences(
      each
        .replace(/^@example\b(?:.*\n?)(?:(?!@).*\n?)*/gm, '')
        .replace(/\{@link ([^}]+)\}/g, '`$1`')
        .replace(/^@(?:param|typeParam|typedef)\b(?: \{[^}]*\})? \S+/gm, '\n\n')
        .replace(/^@(?:throws|returns|default|type|see)\b(?: \{[^}]*\})?/gm, '\n\n')
        .replace(/ {3,}/g, ' '),
    ),
  );
}

/** @param {string} source @returns {string[]} */
export function titles(source) {
  const found = source.matchAll(
    /\b(?:test|it|describe)(?:\.[\w.]+(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?)?\(\s*(?:'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`|"((?:[^"\\\n]|\\.)*)")/g,
  );
  return [...found].map((each) => each[1] ?? each[2] ?? each[3] ?? '');
}

/**
 * Every word of DIALECT in some texts.
 *
 * @param {string[]} texts
 * @returns {{ text: string, instead: string, found: string }[]}
 */
export function dialect(texts) {
  return texts.flatMap((text) =>
    DIALECT.flatMap(([pattern, instead]) => {
      const match = /** @type {RegExp} */ (pattern).exec(text);
      return match ? [{ text, instead: String(instead), found: match[0] }] : [];
    }),
  );
}

/** All texts that are held to plain words, by where they stand. @returns {[where: string, texts: string[]][]} */
export function texts() {
  const programs = files(
    ['core', 'adapters', 'middleware', 'testing', 'cli/src', 'create-waygate/bin'],
    /\.(?:ts|js)$/,
  );
  const tests = files(['tests', 'testing'], /\.ts$/);
  return [
    ...pages().map((path) => /** @type {[string, string[]]} */ ([path, sentences(read(path))])),
    ...sources().map((path) => /** @type {[string, string[]]} */ ([path, comments(read(path))])),
    ...programs.map((path) => /** @type {[string, string[]]} */ ([path, strings(read(path))])),
    ...tests.map((path) => /** @type {[string, string[]]} */ ([path, titles(read(path))])),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { most: { type: 'string' }, show: { type: 'string', default: '5' } },
  });
  /** @param {string} path @returns {string[]} */
  const proseOf = (path) => (path.endsWith('.md') ? sentences(read(path)) : comments(read(path)));
  const chosen = positionals.length > 0 ? positionals : [...pages(), ...sources()];
  let long = 0;
  for (const page of chosen) {
    const most = Number(values.most ?? (page.endsWith('.md') ? MOST_WORDS : MOST_WORDS_OF_COMMENT));
    const all = proseOf(page).sort((a, b) => words(b) - words(a));
    const over = all.filter((each) => words(each) > most);
    long += over.length;
    if (page.endsWith('.md') || over.length > 0)
      console.log(`${page}: ${all.length} sentences, ${over.length} of more than ${most} words`);
    for (const each of over.slice(0, Number(values.show))) console.log(`  ${words(each)}: ${each}`);
  }
  let hits = 0;
  for (const [where, each] of positionals.length > 0
    ? chosen.map((page) => /** @type {[string, string[]]} */ ([page, proseOf(page)]))
    : texts()) {
    for (const { text, found, instead } of dialect(each)) {
      hits++;
      console.log(`${where}: “${found}”: write ${instead}: ${text.replace(/\s+/g, ' ').slice(0, 200)}`);
    }
  }
  console.log(`${long} long sentences, ${hits} words of the dialect`);
  if (long + hits > 0) process.exitCode = 1;
}
