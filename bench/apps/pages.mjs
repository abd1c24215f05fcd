// Pages for the benches of middleware: text that is as repetitive as HTML is, and the same in every process.

import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const WORDS =
  'the of and to in is it you that was for on are with as his they at be this have from or one had by word but what some we can out other were all there when up use your how said an each she'.split(
    ' ',
  );

/** @param {number} bytes */
function page(bytes) {
  let seed = 1;
  let text = '';
  while (text.length < bytes) {
    let line = '<p class="line">';
    for (let word = 0; word < 10; word++) {
      seed = (seed * 48271) % 2147483647;
      line += `${WORDS[seed % WORDS.length]}${seed % 7 === 0 ? seed : ''} `;
    }
    text += `${line}</p>\n`;
  }
  return text.slice(0, bytes);
}

/** By the name in the path: a little over 1024 bytes, below which nobody compresses. */
export const PAGES = { '1k.html': page(1100), '100k.html': page(100_000) };

/** A folder that holds them. */
export function folderOfPages() {
  const folder = join(tmpdir(), 'waygate-bench-pages');
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(PAGES)) writeFileSync(join(folder, name), text);
  return folder;
}
