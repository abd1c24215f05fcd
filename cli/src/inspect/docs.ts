// The library's documents, as they are installed: what a platform loses and what a rule says is linked to its line there.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The documents that lines are linked to. */
export type DocsPage = 'platforms.md' | 'contract.md' | 'errors.md';

const PAGES: readonly DocsPage[] = ['platforms.md', 'contract.md', 'errors.md'];

/** Finds lines of the library's documents and shows them. */
export class Docs {
  readonly #lines = new Map<string, string[]>();

  constructor() {
    const folder = docsFolder();
    for (const page of PAGES) {
      const text = folder === undefined ? '' : readFileSync(join(folder, page), 'utf8');
      this.#lines.set(page, text.split('\n'));
    }
  }

  /**
   * Where a line stands.
   *
   * @param start how it begins
   * @returns its link on the inspector's page, or undefined when there is no such line
   */
  link(page: DocsPage, start: string): string | undefined {
    const at = (this.#lines.get(page) ?? []).findIndex((line) => line.startsWith(start));
    return at === -1 ? undefined : `/__waygate/docs/${page}#L${at + 1}`;
  }

  /** Where it is said how to fix what breaks a rule, else where the rule of the contract stands. */
  rule(id: string): string | undefined {
    const anchor = `<a id="${id.toLowerCase()}"></a>`;
    return this.link('errors.md', `| ${anchor}`) ?? this.link('contract.md', `- ${anchor}`);
  }

  /** A page as HTML, each line with an anchor; undefined for a page that is not there. */
  html(page: string): string | undefined {
    const lines = this.#lines.get(page);
    if (lines === undefined) return undefined;
    const items = lines.map((line, at) => `<li id="L${at + 1}">${escapeHtml(line)}</li>`).join('\n');
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${page}</title>
<link rel="stylesheet" href="/__waygate/docs.css">
</head>
<body>
<main>
<h1>${page}</h1>
<ol>
${items}
</ol>
</main>
</body>
</html>
`;
  }
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** The folder of the documents in the package that this process has loaded. */
function docsFolder(): string | undefined {
  try {
    let folder = dirname(fileURLToPath(import.meta.resolve('waygate')));
    for (let depth = 0; depth < 4; depth++, folder = dirname(folder)) {
      if (existsSync(join(folder, 'docs', 'platforms.md'))) return join(folder, 'docs');
    }
  } catch {
    // Where nothing can be resolved there is nothing to link to.
  }
  return undefined;
}
