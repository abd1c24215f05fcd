// A program that imports `waygate/light-fetch`: what its globals are, and all tests of hosted Fetch apps once more with them.

import { describe, expect, test } from 'vitest';

const names = ['Response', 'Request', 'Headers', 'fetch'] as const;
const before = names.map((name) => globalThis[name]);

await import('waygate/light-fetch');
const light = await import('waygate/light-fetch/classes');

describe('waygate/light-fetch', () => {
  test.each(names)('puts its own %s in the place of the global one, as a member of the same kind', (name) => {
    const { value, ...kind } = Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
    expect(value).toBe(light[name]);
    expect(before).not.toContain(value);
    expect(kind).toEqual({ writable: true, enumerable: name === 'fetch', configurable: true });
  });

  test('replaces nothing a second time, and leaves alone what somebody has put there since', async () => {
    const { replaceGlobals } = await import('../../../adapters/fetch/light/real.ts');
    const own = (): Promise<Response> => Promise.reject(new Error('mocked'));
    globalThis.fetch = own as typeof fetch;
    try {
      replaceGlobals(light);
      expect(globalThis.fetch).toBe(own);
    } finally {
      globalThis.fetch = light.fetch;
    }
  });

  test('has fetch answer with responses that are instances of the global class', async () => {
    const response = await fetch('data:text/plain,hello');
    expect(response).toBeInstanceOf(Response);
    expect(response.headers).toBeInstanceOf(Headers);
    expect(await new Response(response.body, response).text()).toBe('hello');
  });
});

await import('./from-fetch.test.ts');
await import('./from-fetch-request.test.ts');
await import('./from-fetch-response.test.ts');
await import('./from-fetch-hono.test.ts');
await import('./from-fetch-platform.test.ts');
await import('./from-fetch-native.test.ts');
await import('./inspect.test.ts');
await import('./foreign.test.ts');
