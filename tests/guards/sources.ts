// The library's own sources, as tests read them that hold something for all of them.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vitest/node';

/** A node of the syntax tree: what a test looks at is checked there. */
export interface SyntaxNode {
  type: string;
  start: number;
  [member: string]: unknown;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Every file of the library that is in the package: its path, its text. */
export function sources(): { path: string; text: string }[] {
  return ['core', 'adapters', 'middleware', 'testing'].flatMap((folder) =>
    readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => ({ path: `${folder}/${name}`, text: readFileSync(`${ROOT}${folder}/${name}`, 'utf8') })),
  );
}

/** All nodes of a source. */
export function nodes(text: string): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (typeof (value as SyntaxNode).type === 'string') found.push(value as SyntaxNode);
    for (const child of Object.values(value)) visit(child);
  };
  visit(parseAst(text, { lang: 'ts' }));
  return found;
}
