// The project speaks plainly: short sentences in pages and comments, and no word of the old dialect in pages, comments,
// messages and titles.

import { describe, expect, test } from 'vitest';
import {
  comments,
  dialect,
  MOST_WORDS,
  MOST_WORDS_OF_COMMENT,
  pages,
  read,
  sentences,
  sources,
  strings,
  texts,
  titles,
  words,
} from '../../tools/reading.mjs';

describe('the pages', () => {
  test('have no sentence that has to be read twice', () => {
    const long = pages().flatMap((page) =>
      sentences(read(page)).flatMap((each) => (words(each) > MOST_WORDS ? [`${page}: ${each}`] : [])),
    );
    expect(long).toEqual([]);
    expect(pages()).toEqual(expect.arrayContaining(['README.md', 'docs/contract.md', 'examples/lambda/README.md']));
  });

  test('are short on average too: half of the sentences have at most 15 words', () => {
    for (const page of pages()) {
      const lengths = sentences(read(page)).map(words);
      expect(lengths.sort((a, b) => a - b)[lengths.length >> 1], page).toBeLessThanOrEqual(15);
    }
  });
});

test('no comment of the sources has a sentence that has to be read twice', () => {
  const long = sources().flatMap((path) =>
    comments(read(path)).flatMap((each) => (words(each) > MOST_WORDS_OF_COMMENT ? [`${path}: ${each}`] : [])),
  );
  expect(long).toEqual([]);
  expect(sources()).toEqual(expect.arrayContaining(['core/exchange.ts', 'adapters/node/call.ts', 'cli/src/main.ts']));
});

test('no page, comment, message or title has a word that readers stumble over', () => {
  const found = texts().flatMap(([where, each]) =>
    dialect(each).map(({ found, text }) => `${where}: ${found}: ${text}`),
  );
  expect(found).toEqual([]);
});

describe('the reader of texts', () => {
  test('takes sentences from text, lists and tables, with code as one word', () => {
    const page = [
      '# A heading',
      'One `a b c` word. A',
      'second [one](x.md): Yes.',
      '- an item',
      '- another item',
      '',
      '| a cell | two. Three |',
      '|---|---|',
      '```ts',
      'const code = 1;',
      '```',
    ].join('\n');
    expect(sentences(page)).toEqual([
      'One CODE word.',
      'A second one:',
      'Yes.',
      'an item',
      'another item',
      'a cell',
      'two.',
      'Three',
    ]);
    expect(words('Two words, and CODE – four.')).toBe(5);
  });

  test('takes comments of a program, without examples and the names of parameters', () => {
    const source = [
      '// One text in',
      '// two lines. Another sentence.',
      '',
      "const a = 'https://not.a/comment // at all'; // behind code",
      '/** In `one` line. */',
      '/**',
      ' * Takes {@link Some.thing}.',
      ' *',
      ' * @param {string} name what it is',
      ' *   called',
      ' * @returns nothing',
      ' * @example',
      ' * const left = out;',
      ' */',
    ].join('\n');
    expect(comments(source)).toEqual([
      'One text in two lines.',
      'Another sentence.',
      'behind code',
      'In CODE line.',
      'Takes CODE.',
      'what it is called',
      'nothing',
    ]);
  });

  test('takes strings of a program, and titles of tests', () => {
    const source = [
      "// don't read this",
      'const a = `a b c`;',
      "fail('the value is wrong');",
      "test.each([1])('a title', () => {});",
      "  it('another', () => {});",
    ].join('\n');
    expect(strings(source)).toEqual(['a b c', 'the value is wrong', 'a title']);
    expect(titles(source)).toEqual(['a title', 'another']);
  });

  test.each([
    ['That is no JSON.', 'is no JSON'],
    ['There is no body, and the connection is no longer open.', undefined],
    ['The log tells the status.', 'tells'],
    ['The suffix tells a file from a folder.', undefined],
    ['Whoever reads it gets it.', 'Whoever'],
    ['One line for one request.', undefined],
    ['Fastify, for one, does this.', ', for one'],
    ['Mend the app.', 'Mend'],
    ['Commends the amendment.', undefined],
    ['The prefix is taken off.', 'taken off'],
  ])('“%s” has %j', (text, expected) => {
    expect(dialect([text]).map(({ found }) => found)).toEqual(expected === undefined ? [] : [expected]);
  });
});
