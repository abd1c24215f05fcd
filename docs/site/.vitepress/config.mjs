// The site's configuration. Its pages are staged by build.mjs.

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { NAVIGATION } from '../navigation.mjs';

const path = (/** @type {string} */ from) => fileURLToPath(new URL(from, import.meta.url));

/** Where the site stands on its host, such as `/waygate/`. */
const base = process.env.DOCS_BASE ?? '/';

export default defineConfig({
  base,
  title: 'Waygate',
  description: 'WSGI (PEP 3333) for TypeScript: one application, every platform.',
  lang: 'en',
  srcDir: 'pages',
  outDir: path('../../../build/site'),
  cacheDir: path('../../../build/site-cache'),
  lastUpdated: false,
  cleanUrls: false,
  head: [['link', { rel: 'icon', href: `${base}icon.svg`, type: 'image/svg+xml' }]],
  markdown: {
    // Their colours have enough contrast on the background of code.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    languageAlias: { haproxy: 'nginx' },
    // Text such as `{{ }}` is text.
    config: (markdown) => {
      markdown.renderer.rules.text = (tokens, index) =>
        markdown.utils
          .escapeHtml(/** @type {import('markdown-it').Token} */ (tokens[index]).content)
          .replaceAll('{{', '&#123;&#123;');
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Guide', link: '/guide' },
      { text: 'Cookbook', link: '/cookbook' },
      { text: 'Reference', link: '/api/' },
      { text: 'Errors', link: '/errors' },
    ],
    sidebar: NAVIGATION,
  },
});
