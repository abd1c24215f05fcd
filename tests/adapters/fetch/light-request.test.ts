// Whether requests are light can be seen by nothing but this: a real one does all that a light one does, at a price.

import { expect, test } from 'vitest';
import { isLightEnough } from '../../../adapters/fetch/light/request.ts';

test('requests are light where the runtime keeps what they have under symbols, as Node 20 and 22 do', () => {
  expect(isLightEnough()).toBe(Object.getOwnPropertySymbols(new Request('http://localhost/')).length > 0);
});
