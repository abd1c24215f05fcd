// What editors show: everything that can be imported has a docstring, functions with an example, and options with their default.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The file behind each path that the package exports. */
const ENTRIES = Object.values<string>(JSON.parse(readFileSync(join(root, 'jsr.json'), 'utf8')).exports).map((path) =>
  path.replace('./', ''),
);

interface Declared {
  name: string;
  kind: string;
  doc: string;
  /** For an interface: what stands between its braces. */
  body: string;
}

const DOC = String.raw`(?<doc>/\*\*(?:(?!\*/)[^])*\*/\n)?(?://[^\n]*\n)*`;

/** Where a name is declared, also through files that only pass it on. */
function find(file: string, name: string): Declared {
  const source = readFileSync(join(root, file), 'utf8');
  const passed = [...source.matchAll(/export (?:type )?\{([^}]*)\} from '([^']+)'/g)].find(([, names]) =>
    new RegExp(`\\b${name}\\b`).test(names as string),
  );
  if (passed !== undefined) return find(join(dirname(file), passed[2] as string), name);
  const kinds = 'function\\*?|const|interface|type|(?:abstract )?class';
  const found = new RegExp(`${DOC}export (?:declare )?(?:async )?(?<kind>${kinds}) ${name}\\b`).exec(source);
  if (found === null) throw new Error(`${file} does not declare ${name}`);
  const rest = source.slice(found.index + found[0].length);
  const { doc = '', kind = '' } = found.groups ?? {};
  return { name, kind, doc, body: rest.slice(0, rest.indexOf('\n}')) };
}

function exportsOf(entry: string): Declared[] {
  const source = readFileSync(join(root, entry), 'utf8');
  const own = [...source.matchAll(/^export (?:async )?(?:function|const|interface|class) (\w+)/gm)].map(
    ([, name]) => name,
  );
  return [...source.matchAll(/export (?:type )?\{([^}]*)\} from '[^']+'/g)]
    .flatMap(([, names]) => (names as string).split(','))
    .map((name) => name.trim().replace(/^type /, ''))
    .concat(own as string[])
    .filter((name) => name !== '')
    .map((name) => find(entry, name));
}

/** Members of an interface that have no docstring. */
function undocumented({ body }: Declared): string[] {
  const lines = body.split('\n').filter((line) => !line.startsWith('  // '));
  return lines.flatMap((line, index) => {
    const [, member] = /^ {2}(?:readonly )?([\w.']+)\??[:(<]/.exec(line) ?? [];
    return member === undefined || lines[index - 1]?.endsWith('*/') ? [] : [member];
  });
}

/** Members of an interface that may be left out and do not say what holds then. */
function withoutDefault({ body }: Declared): string[] {
  const members = body.matchAll(/(\/\*\*(?:(?!\*\/)[\s\S])*\*\/)\n {2}(?:readonly )?([\w.']+)\?[:(<]/g);
  return [...members].flatMap(([, doc = '', member = '']) => (doc.includes('@default') ? [] : [member]));
}

describe.each(ENTRIES)('%s', (entry) => {
  const all = exportsOf(entry);

  test('everything has a docstring', () => {
    expect(all.length).toBeGreaterThan(1);
    expect(all.filter(({ doc }) => doc === '').map(({ name }) => name)).toEqual([]);
  });

  test('functions have an example', () => {
    const without = all.filter(({ kind, doc }) => /^function|^const/.test(kind) && !doc.includes('@example'));
    expect(without.map(({ name }) => name)).toEqual([]);
  });

  test('members of interfaces have a docstring, and name their default by its tag', () => {
    for (const each of all.filter(({ kind }) => kind === 'interface')) {
      expect(undocumented(each), each.name).toEqual([]);
      expect(each.body, each.name).not.toMatch(/Default(?: is)? |[Dd]efault: /);
    }
  });

  test('options that may be left out have a default', () => {
    const options = all.filter(({ kind, name }) => kind === 'interface' && name.endsWith('Options'));
    const without = options.flatMap((each) => withoutDefault(each).map((member) => `${each.name}.${member}`));
    expect(without).toEqual([]);
  });
});
