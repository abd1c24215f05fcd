// The parts of the conformance suite, in the order in which the contract tells them.

import type { Suite } from '../conformance.ts';
import { bodySuite } from './body.ts';
import { callSuite } from './call.ts';
import { finishingSuite } from './finishing.ts';
import { startResponseSuite } from './start-response.ts';
import { stateTableSuite } from './state-table.ts';
import { writeSuite } from './write.ts';

/** Title → what registers its tests. */
export const SUITES: Record<string, (suite: Suite) => void> = {
  'calling the application': callSuite,
  startResponse: startResponseSuite,
  'the state table': stateTableSuite,
  'the finishing matrix': finishingSuite,
  'the body': bodySuite,
  write: writeSuite,
};
