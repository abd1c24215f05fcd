// The parts of the conformance suite, in the order in which the contract tells them.

import type { Suite } from '../conformance.ts';
import { callSuite } from './call.ts';
import { startResponseSuite } from './start-response.ts';

/** Title → what registers its tests. */
export const SUITES: Record<string, (suite: Suite) => void> = {
  'calling the application': callSuite,
  startResponse: startResponseSuite,
};
