// The event sources that `fromLambda` imitates.

import type { Emulator } from '../emulator.ts';
import type { SourceName } from '../source.ts';
import { albEmulator } from './alb.ts';
import { edgeEmulator } from './edge.ts';
import { functionUrlEmulator } from './function-url.ts';
import { httpApiEmulator } from './http-api.ts';
import { latticeEmulator } from './lattice.ts';
import { latticeV1Emulator } from './lattice-v1.ts';
import { restApiEmulator } from './rest-api.ts';

export const EMULATORS: Readonly<Record<SourceName, Emulator>> = {
  'rest-api': restApiEmulator,
  'http-api': httpApiEmulator,
  'function-url': functionUrlEmulator,
  alb: albEmulator,
  lattice: latticeEmulator,
  'lattice-v1': latticeV1Emulator,
  edge: edgeEmulator,
};
