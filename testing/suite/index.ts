// The parts of the conformance suite, in the order of the contract.

import { bodySuite } from './body.ts';
import { callSuite } from './call.ts';
import { closeSuite } from './close.ts';
import { environSuite } from './environ.ts';
import { failureSuite } from './failure.ts';
import { fileSuite } from './file.ts';
import { finishingSuite } from './finishing.ts';
import { inputSuite } from './input.ts';
import { logSuite } from './log.ts';
import { pathSuite } from './path.ts';
import { startResponseSuite } from './start-response.ts';
import { stateTableSuite } from './state-table.ts';
import type { Suite } from './suite.ts';
import { uploadSuite } from './upload.ts';
import { wireSuite } from './wire.ts';
import { writeSuite } from './write.ts';

/** Title → what registers its tests. */
export const SUITES: Record<string, (suite: Suite) => void> = {
  'calling the application': callSuite,
  environ: environSuite,
  'path and query': pathSuite,
  'wsgi.input': inputSuite,
  uploads: uploadSuite,
  'wsgi.errors and options': logSuite,
  startResponse: startResponseSuite,
  'the state table': stateTableSuite,
  'the finishing matrix': finishingSuite,
  'the body': bodySuite,
  'the end of the body': closeSuite,
  write: writeSuite,
  failures: failureSuite,
  'wsgi.file_wrapper': fileSuite,
  'on the wire': wireSuite,
};
