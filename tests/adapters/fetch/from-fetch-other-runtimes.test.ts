// What a runtime does not let a hosted app have cheaply it gets all the same: the tests of the request and of the ways to
// be hosted, without light requests and without a look into responses, as where neither can be had.

import { vi } from 'vitest';

vi.mock('../../../adapters/fetch/light/request.ts', async (original) => ({
  ...(await original<object>()),
  isLightEnough: () => false,
}));
vi.mock('../../../adapters/fetch/hosted/response-bytes.ts', () => ({
  bytesInMemory: () => null,
  knownLength: () => null,
}));

await import('./from-fetch-request.test.ts');
await import('./from-fetch.test.ts');
