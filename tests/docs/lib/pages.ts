// What the pages of docs/ hold: blocks of code, in the order of the page.

import { readFileSync } from 'node:fs';

/** A block between fences, such as ```ts app.ts. */
export interface Block {
  /** The first word behind the fence. */
  lang: string;
  /** The words behind it: the name of a file, or a mark such as `deploy`. */
  info: string;
  code: string;
  /** The heading above. */
  section: string;
}

/** @param page the path of a page, from the root */
export function readPage(page: string): string {
  return readFileSync(new URL(`../../../${page}`, import.meta.url), 'utf8');
}

/** @param markdown the text of a page */
export function blocks(markdown: string): Block[] {
  const found: Block[] = [];
  let section = '';
  const tokens = markdown.matchAll(/^```(\w*) ?([^\n]*)\n([\s\S]*?)^```$|^#+ (.+)$/gm);
  for (const [, lang, info, code, heading] of tokens) {
    if (heading !== undefined) section = heading;
    else found.push({ lang: lang ?? '', info: info ?? '', code: code ?? '', section });
  }
  return found;
}
