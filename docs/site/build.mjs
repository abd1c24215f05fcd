// `npm run docs`: makes the website in build/site. The pages are those of docs/, the reference comes from the docstrings, and
// llms.txt lists all of it for programs that read. Links that lead out of the documents lead to the repository. A link that
// leads nowhere fails the build.

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application } from 'typedoc';
import { build } from 'vitepress';
import { NAVIGATION } from './navigation.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const staged = join(here, 'pages');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const home = manifest.homepage.replace(/#readme$/, '');
const base = process.env.DOCS_BASE ?? '/';

/** Pages outside of docs/ that belong to the site, by their place on it. */
const OUTSIDE = { 'SECURITY.md': 'security.md', 'CONTRIBUTING.md': 'contributing.md', 'CHANGELOG.md': 'changelog.md' };

/** The place of a file of the repository on the site, if it has one. @param {string} path from the root */
function placeOf(path) {
  if (path === 'README.md') return 'index.md';
  if (path in OUTSIDE) return OUTSIDE[/** @type {keyof typeof OUTSIDE} */ (path)];
  return /^docs\/(?!site\/).+\.(?:md|png)$/.test(path) ? path.slice('docs/'.length) : undefined;
}

/**
 * A page with its links as the site has them.
 *
 * @param {string} markdown
 * @param {string} path of the page, from the root
 */
function rewriteLinks(markdown, path) {
  const from = /** @type {string} */ (placeOf(path));
  return markdown.replace(/^```[\s\S]*?^```$|`[^`\n]*`|\]\(([^)\s]+)\)/gm, (whole, link) => {
    if (link === undefined || /^(?:[a-z]+:|#)/.test(link)) return whole;
    const [target = '', hash] = link.split('#');
    const inRepository = posix.normalize(posix.join(posix.dirname(path), target));
    const place = placeOf(inRepository);
    const anchor = hash === undefined ? '' : `#${hash}`;
    if (place === undefined) return `](${home}/blob/main/${inRepository}${anchor})`;
    const there = posix.relative(posix.dirname(from), place);
    return `](${there.startsWith('.') ? there : `./${there}`}${anchor})`;
  });
}

function stagePages() {
  rmSync(staged, { recursive: true, force: true });
  const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((path) => `docs/${path}`);
  for (const path of [...pages, ...Object.keys(OUTSIDE)]) {
    const place = placeOf(path.replaceAll('\\', '/'));
    if (place === undefined) continue;
    mkdirSync(join(staged, dirname(place)), { recursive: true });
    if (path.endsWith('.md'))
      writeFileSync(join(staged, place), rewriteLinks(readFileSync(join(root, path), 'utf8'), path));
    else cpSync(join(root, path), join(staged, place));
  }
  cpSync(join(here, 'index.md'), join(staged, 'index.md'));
  cpSync(join(here, 'public'), join(staged, 'public'), { recursive: true });
}

/** The reference: a folder for each entry of the package, made of the docstrings. */
async function makeReference() {
  const entries = Object.entries(
    /** @type {Record<string, string | { default: string }>} */ (manifest.exports),
  ).flatMap(([, entry]) =>
    typeof entry === 'string' || /light-/.test(entry.default)
      ? []
      : [join(root, entry.default.replace(/^\.\/dist\//, '').replace(/\.js$/, '.ts'))],
  );
  const app = await Application.bootstrapWithPlugins({
    entryPoints: entries,
    tsconfig: join(here, 'tsconfig.json'),
    plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme'],
    out: join(staged, 'api'),
    docsRoot: staged,
    readme: 'none',
    name: 'Reference',
    excludeInternal: true,
    excludePrivate: true,
    disableSources: true,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    useCodeBlocks: true,
    skipErrorChecking: true,
    logLevel: 'Error',
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    validation: false,
  });
  const project = await app.convert();
  if (project === undefined) throw new Error('typedoc could not read the sources; the lines above say why.');
  // By the names that programs import.
  for (const entry of project.children ?? []) {
    const name = entry.name.replace(/\/index$/, '').replace(/^adapters\//, '');
    entry.name = name === 'core' ? 'waygate' : `waygate/${name}`;
  }
  await app.generateOutputs(project);
  if (app.logger.hasErrors()) throw new Error('typedoc reported errors; see the lines above.');
}

/** What a page is for: the first sentence of its text. @param {string} markdown */
function purpose(markdown) {
  const text = markdown.replace(/^```[\s\S]*?^```$/gm, '').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  const [, first = ''] = /^(?![#|`<-])(\S[\s\S]*?[.:])(?:\s|$)/m.exec(text.replace(/^#.*$/gm, '')) ?? [];
  return first.replace(/\s+/g, ' ').replace(/:$/, '.');
}

/** @param {string} out the folder of the site */
function writeLlms(out) {
  const lines = ['# Waygate', '', `> ${manifest.description}`];
  let full = '';
  for (const { text, items } of NAVIGATION) {
    lines.push('', `## ${text}`, '');
    for (const { text, link } of items) {
      const file = `${link.slice(1)}.md`;
      const page = readFileSync(join(staged, link.endsWith('/') ? `${link.slice(1)}index.md` : file), 'utf8');
      lines.push(`- [${text}](${base}${link.endsWith('/') ? `${link.slice(1)}index.md` : file}): ${purpose(page)}`);
      if (!link.startsWith('/api/')) full += `${page.trim()}\n\n`;
    }
  }
  writeFileSync(join(out, 'llms.txt'), `${lines.join('\n')}\n`);
  writeFileSync(join(out, 'llms-full.txt'), full);
  // The pages as they are written, beside those for browsers.
  for (const path of readdirSync(staged, { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('.md')) cpSync(join(staged, path), join(out, path));
  }
}

stagePages();
await makeReference();
const out = join(root, 'build/site');
await build(here);
writeLlms(out);
console.log(`The site is in ${relative(process.cwd(), out)}; to look at it: npx vitepress preview docs/site`);
