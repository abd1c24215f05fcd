// What of the gateway cannot be seen through an adapter; all else is in the conformance suite.

import { describe, expect, it } from 'vitest';
import { type Application, encode, run, setupTestingDefaults } from 'waygate';

describe('the response of an async application', () => {
  it('is there as soon as the application has written, also before its first await (WRITE-01)', async () => {
    let leave = (): void => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const app: Application = async (_environ, startResponse) => {
      startResponse('200 OK', [])(encode('early'));
      await left;
      return [];
    };
    const response = await run(app, setupTestingDefaults());
    expect(response.status).toBe('200 OK');
    leave();
  });
});
