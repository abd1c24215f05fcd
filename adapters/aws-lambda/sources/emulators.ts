// The event sources that `fromLambda` imitates.

import { describe } from '../../../core/errors.ts';
import type { Emulator } from '../emulator/emulator.ts';
import type { LambdaSource, SourceName } from '../types.ts';
import { albEmulator } from './alb.ts';
import { edgeEmulator } from './edge.ts';
import { functionUrlEmulator } from './function-url.ts';
import { httpApiEmulator } from './http-api.ts';
import { latticeEmulator } from './lattice.ts';
import { latticeV1Emulator } from './lattice-v1.ts';
import { restApiEmulator } from './rest-api.ts';

const EMULATORS: Readonly<Record<SourceName, Emulator>> = {
  'rest-api': restApiEmulator,
  'http-api': httpApiEmulator,
  'function-url': functionUrlEmulator,
  alb: albEmulator,
  lattice: latticeEmulator,
  'lattice-v1': latticeV1Emulator,
  edge: edgeEmulator,
};

/** @throws {TypeError} for an unknown source */
export function emulatorOf(source: SourceName | LambdaSource): Emulator {
  if (typeof source === 'string' && Object.hasOwn(EMULATORS, source)) return EMULATORS[source];
  if (typeof (source as Partial<Emulator> | null | undefined)?.toEvent === 'function') return source as Emulator;
  throw new TypeError(`The source is ${describe(source)}; expected one of ${Object.keys(EMULATORS).join(', ')}.`);
}
