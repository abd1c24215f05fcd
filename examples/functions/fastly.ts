/// <reference types="@fastly/js-compute" />
// The hello example on Fastly Compute: src/index.ts of a service there.

import { toFastly } from 'waygate/fastly';
import app from '../hello/app.ts';

addEventListener('fetch', toFastly(app));
