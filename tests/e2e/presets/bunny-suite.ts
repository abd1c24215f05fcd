// Runs in Deno, on which bunny.net's Edge Scripting is built: the conformance suite, served by bunny.net's own SDK on the port
// in the environment. Prints its own URL.

import * as BunnySDK from '@bunny.net/edgescript-sdk';
import { toBunny } from '../../../adapters/fetch/presets/bunny/index.ts';
import { bunny } from './capabilities.ts';
import { shown } from './shown.ts';
import { suiteFunction } from './suite-function.ts';

declare const Deno: { readonly env: { get(name: string): string | undefined } };

const port = Number(Deno.env.get('PORT'));
const run = suiteFunction(bunny, toBunny);
const show = toBunny(shown);
BunnySDK.net.http.serve({ port, hostname: '127.0.0.1' }, (request: Request) =>
  new URL(request.url).pathname.startsWith('/shown') ? show(request) : run(request),
);
console.log(`http://127.0.0.1:${port}`);
