// A Vercel Function: the conformance suite, and an application that answers with its environ.

import { toVercel } from '../../../adapters/fetch/presets/vercel/index.ts';
import { vercelNode } from './capabilities.ts';
import { shown } from './shown.ts';
import { suiteFunction } from './suite-function.ts';

const run = suiteFunction(vercelNode, (app, options) => toVercel(app, options).fetch);
const { fetch: show } = toVercel(shown);

export default {
  fetch: (request: Request, ...rest: unknown[]): Response | Promise<Response> =>
    new URL(request.url).pathname.startsWith('/shown') ? show(request, rest[0] as never) : run(request, ...rest),
};
