// A Fetch response goes at the pace of whoever reads it.

import { expect, test } from 'vitest';
import { encode } from 'waygate';
import { toFetch } from 'waygate/fetch';

test.each(['sync', 'async'])('no chunk of a %s body is asked for before somebody reads (BODY-02)', async (kind) => {
  let made = 0;
  function* chunks(): Generator<Uint8Array> {
    for (;;) yield encode(String(++made));
  }
  async function* later(): AsyncGenerator<Uint8Array> {
    yield* chunks();
  }
  const serve = toFetch((_environ, startResponse) => {
    startResponse('200 OK', []);
    return kind === 'sync' ? chunks() : later();
  });
  const response = await serve('/');
  await new Promise((turn) => setTimeout(turn, 5));
  // The first one decides the head.
  expect(made).toBe(1);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  await reader.read();
  await new Promise((turn) => setTimeout(turn, 5));
  expect(made).toBe(2);
  await reader.cancel();
});
