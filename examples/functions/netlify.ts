// The hello example as a Netlify Function for every path: netlify/functions/app.ts of a site there.

import { toNetlify } from 'waygate/netlify';
import app from '../hello/app.ts';

export default toNetlify(app);
export const config = { path: '/*', preferStatic: true };
