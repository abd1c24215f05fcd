// The hello example on Deno Deploy, or on any machine: `deno run --allow-net deno-deploy.ts`.

import { toDeno } from 'waygate/deno-deploy';
import app from '../hello/app.ts';

Deno.serve(toDeno(app));
