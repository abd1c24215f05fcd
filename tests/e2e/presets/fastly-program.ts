// A program for Fastly Compute, which Fastly's compiler makes WebAssembly of.

import { toFastly } from '../../../adapters/fetch/presets/fastly/index.ts';
import { shown } from './shown.ts';

declare const addEventListener: (type: 'fetch', listener: (event: never) => void) => void;

/** Set by the test: whether the program makes a mistake at its start. */
declare const IS_MISTAKEN: boolean;

addEventListener('fetch', toFastly(IS_MISTAKEN ? ('no application' as never) : shown));
