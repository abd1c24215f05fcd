// `waygate/light-fetch`: puts the light classes in the place of the platform's, for all of the program. On Node alone: on
// other platforms the platform's own are cheap, and what they send must be theirs.

import { fetch, Headers, Request, Response } from './classes.ts';
import { isNode, replaceGlobals } from './real.ts';

if (isNode()) replaceGlobals({ Response, Request, Headers, fetch });
