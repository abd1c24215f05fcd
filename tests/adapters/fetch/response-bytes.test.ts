// What a runtime keeps of a response, and how often it is looked for.

import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.restoreAllMocks();
  vi.resetModules();
});

test('a runtime that keeps the bytes elsewhere is asked for them once', async () => {
  vi.resetModules();
  const { bytesInMemory, knownLength } = await import('../../../adapters/fetch/hosted/response-bytes.ts');
  const symbols = vi.spyOn(Object, 'getOwnPropertySymbols').mockReturnValue([]);
  const found = [1, 2, 3].map(() => [bytesInMemory(new Response('text')), knownLength(new Response('text'))]);
  expect(found).toEqual([
    [null, null],
    [null, null],
    [null, null],
  ]);
  // Each time makes a response, which costs as much as the handler's own.
  const asked = symbols.mock.calls.filter(([object]) => object instanceof Response);
  expect(asked).toHaveLength(1);
});
