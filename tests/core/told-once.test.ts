// A failure of a body is reported once, also where a native stream gives it to its reader and to who cancels it. (ERR-02)

import { expect, test } from 'vitest';
import { setupTestingDefaults } from 'waygate';
import { Exchange } from 'waygate/adapter';

test('a native stream that fails as its client leaves', async () => {
  const log: string[] = [];
  const leave = new AbortController();
  const environ = setupTestingDefaults({
    'waygate.signal': leave.signal,
    'wsgi.errors': { write: (text: string) => void log.push(text), writelines() {}, flush() {} },
  });
  const failures: unknown[] = [];
  const exchange = new Exchange(environ, { onError: (error) => void failures.push(error) });
  const failure = new Error('told once');
  const response = await exchange.run((own, startResponse) => {
    startResponse('200 OK', []);
    return new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new Uint8Array(1));
        own['waygate.signal'].addEventListener('abort', () => controller.error(failure));
      },
    });
  });
  const body = response.body as Exchange;
  await body.next();
  const next = Promise.resolve(body.next()).catch(() => {});
  leave.abort();
  await exchange.close();
  await next;
  expect(failures).toEqual([failure]);
  expect(log.join('').match(/told once/g)).toHaveLength(1);
});
