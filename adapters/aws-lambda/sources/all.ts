// The event sources that toLambda serves where no option says which.

import type { Source } from '../source.ts';
import { alb } from './alb.ts';
import { edge } from './edge.ts';
import { functionUrl } from './function-url.ts';
import { httpApi } from './http-api.ts';
import { lattice } from './lattice.ts';
import { latticeV1 } from './lattice-v1.ts';
import { restApi } from './rest-api.ts';

/** No two of them recognise the same event. */
export const SOURCES: readonly Source[] = [httpApi, functionUrl, restApi, alb, lattice, latticeV1, edge];
